import { defineTask } from 'tasklane';
import { z } from 'zod';

/** Throws in the first `times` attempts, then succeeds. */
export const fail = defineTask({
  name: 'fail',
  description: 'Throws `message` in the first `times` attempts',
  input: z
    .strictObject({
      message: z.string().default('It failed on purpose.'),
      times: z.int().min(0).default(1),
    })
    .prefault({}),
  retry: { maxAttempts: 3, backoff: { type: 'fixed', delay: '50ms', jitter: 0 } },
  async run({ message, times }, { task }) {
    // an attempt that a shutdown or a crash cut short has failed nothing
    const attempt = task.attempt - task.lost - task.interrupted - task.snoozed;
    if (attempt <= times) throw new Error(message);
    return { attempt };
  },
});
