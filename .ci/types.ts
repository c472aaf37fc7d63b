// Compiled against the packed package by the oldest supported TypeScript, with the types of what it depends on.
import { defineTask, TaskManager } from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { jira, svix } from 'tasklane/dialects';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { SqliteStorage } from 'tasklane/sqlite';
import { assertSubmitted, fakeClock, waitFor } from 'tasklane/testing';

const add = defineTask({ name: 'add', run: ({ a, b }: { a: number; b: number }) => a + b });
const report = defineTask({
  name: 'report',
  run: async (title: string, { dependencies }) => `${title} ${await dependencies(add)}`,
});
const handlers = [add, report] as const;
const manager = new TaskManager({ handlers, storage: new SqliteStorage('tasks.db'), clock: fakeClock() });
export const listener = toNodeListener(createHandler(manager, { dialects: [jira(), svix()] }));
export const anyManager: TaskManager = manager;

const task = await manager.submit('report', 'sums', { children: [{ handler: add, input: { a: 1, b: 2 } }] });
export const text: string = await task.result();
export const record = (await waitFor(manager, task.id, 'succeeded')).handler;
export const sum: number | null = (await assertSubmitted(manager, add, { a: 1 })).result;
// @ts-expect-error an input of another type
await manager.submit(add, { a: '1' });
// @ts-expect-error no such handler
await manager.submit('ad', { a: 1, b: 2 });

const client = new TaskClient<typeof handlers>({ baseUrl: 'http://localhost' });
for await (const event of client.events(task.id)) {
  if (event.type === 'progress' && event.handler === 'add') console.log(event.task.progress.fraction);
}
