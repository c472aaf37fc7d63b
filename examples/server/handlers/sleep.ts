import { setTimeout as wait } from 'node:timers/promises';
import { defineTask } from 'tasklane';
import { z } from 'zod';

const DAY_MS = 86_400_000;

/** Waits, in equal steps, and reports each; a second, where it is not told how long. */
export const sleep = defineTask({
  name: 'sleep',
  description: 'Waits `ms` milliseconds in `steps` equal steps',
  input: z
    .strictObject({
      ms: z.int().min(0).max(DAY_MS).default(1_000),
      steps: z.int().min(1).max(100_000).default(1),
    })
    .prefault({}),
  async run({ ms, steps }, { signal, progress }) {
    const start = performance.now();
    for (let step = 1; step <= steps; step++) {
      // counted from the start, so that the lateness of timers does not add up
      const due = start + (ms * step) / steps;
      await wait(Math.max(0, due - performance.now()), undefined, { signal });
      progress({ processed: step, total: steps });
    }
    return { ms, steps };
  },
});
