import { type AnyTask, defineTask } from 'tasklane';
import { z } from 'zod';
import type { Gate } from '../http/support.ts';

/** The task of the page, which waits halfway until the gate is opened. */
export function countTo(gate: Gate): AnyTask {
  const count = defineTask({
    name: 'count',
    input: z.object({ to: z.int().min(1).max(1_000) }),
    async run({ to }, { progress, signal }) {
      progress({ processed: to / 2, total: to });
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      await Promise.race([gate.opened, aborted]);
      progress({ processed: to, total: to });
      return { counted: to };
    },
  });
  return count as unknown as AnyTask;
}
