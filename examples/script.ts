// A script: no server, nothing stored. `npm run example:script`
import { setTimeout as wait } from 'node:timers/promises';
import { defineTask, TaskManager } from 'tasklane';

const count = defineTask({
  name: 'count',
  async run({ to }: { to: number }, { progress, signal }) {
    for (let step = 1; step <= to; step++) {
      await wait(1, undefined, { signal });
      progress({ processed: step, total: to, message: `counted ${step}` });
    }
    return { counted: to };
  },
});

const forever = defineTask({
  name: 'forever',
  run: (_input: undefined, { signal }) =>
    new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
});

const manager = new TaskManager({ handlers: [count, forever] });
await manager.start();

manager.on('task:progress', ({ progress }) => console.log('progress:', progress.message));

// submit, follow to the end, and read the result
const task = await manager.submit(count, { to: 3 });
for await (const event of task.events()) {
  if (event.type === 'status' && event.task.finishedAt !== null) console.log('status:', event.task.status);
}
console.log('result:', await task.result());

// cancel what runs
const endless = await manager.submit(forever);
for await (const event of endless.events()) {
  if (event.task.status === 'running') break;
}
await endless.cancel('seen enough');
await endless.result().catch((error: Error) => console.log(`${error.name}:`, (error as { reason?: string }).reason));

// list
const { items } = await manager.list({ sort: 'id' });
for (const { handler, status } of items) console.log('listed:', handler, status);

await manager.close();
console.log('closed');
