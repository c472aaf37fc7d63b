import { setTimeout as wait } from 'node:timers/promises';
import { defineTask, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { z } from 'zod';

const count = defineTask({
  name: 'count',
  input: z.object({ to: z.int().min(1).max(1_000) }),
  async run({ to }, { progress, signal }) {
    for (let step = 1; step <= to; step++) {
      await wait(50, undefined, { signal });
      progress({ processed: step, total: to });
    }
    return { counted: to };
  },
});

function make() {
  const manager = new TaskManager({ handlers: [count] });
  return { manager, handler: createHandler(manager) };
}

// Next.js loads modules more than once: one manager for all of them
globalThis.tasks ??= make();
export const tasks = globalThis.tasks;
