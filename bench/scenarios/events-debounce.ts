import { defineTask, MemoryStorage, TaskManager, type TaskStorage } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import type { Scenario } from '../harness.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 100_000;
const A_TURN = 100;
const KEYS = 10;

/** Publishes all events, some in each turn of the event loop. @returns events a second until the last is answered */
async function storm(storage: TaskStorage): Promise<number> {
  const reindex = defineTask({
    name: 'reindex',
    on: 'file.changed',
    debounce: { wait: '1h', key: ({ folder }) => folder },
    run: (_: { folder: string; change: number }) => {},
  });
  const manager = new TaskManager({ handlers: [reindex], storage });
  await manager.start();
  const began = performance.now();
  const published: Promise<unknown>[] = [];
  for (let change = 0; change < COUNT; change++) {
    published.push(manager.publish('file.changed', { folder: String(change % KEYS), change }));
    if (change % A_TURN === A_TURN - 1) await new Promise(setImmediate);
  }
  await Promise.all(published);
  const seconds = (performance.now() - began) / 1_000;
  const tasks = await manager.count();
  await manager.close();
  if (tasks !== KEYS) throw new Error(`There are ${tasks} tasks.`);
  return COUNT / seconds;
}

export const scenario: Scenario = {
  name: 'events-debounce',
  title: '100,000 events with debounce by 10 keys, 100 a turn, publish to last answer',
  unit: '/s',
  variants: {
    memory: () => storm(new MemoryStorage()),
    sqlite: () => storm(new SqliteStorage(temporaryFile())),
  },
  rows: [
    { label: 'events, memory', figure: 'memory', target: { atLeast: [100_000, 200_000] } },
    { label: 'events, SQLite', figure: 'sqlite', target: { atLeast: [100_000, 200_000] } },
  ],
};
