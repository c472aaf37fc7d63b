// What every framework here serves: a task manager with one task, and its HTTP surface.
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { defineTask, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { z } from 'zod';

const count = defineTask({
  name: 'count',
  description: 'Counts, 20 steps a second',
  input: z.object({ to: z.int().min(1).max(1_000) }),
  async run({ to }, { progress, signal }) {
    for (let step = 1; step <= to; step++) {
      await wait(50, undefined, { signal });
      progress({ processed: step, total: to });
    }
    return { counted: to };
  },
});

export const manager = new TaskManager({ handlers: [count] });
await manager.start();

export const handler = createHandler(manager);

export const port = Number(process.env.PORT ?? 3000);

/** Says where a server listens. */
export function announce(server: Pick<Server, 'address'>): void {
  console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}
