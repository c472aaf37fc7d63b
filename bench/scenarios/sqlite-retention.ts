import { setTimeout as wait } from 'node:timers/promises';
import { type Retention, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { quantile, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { countedNoop } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

const OLD = 100_000;
const KEPT = 20_000;

/** Submits one task at a time, some ms apart. @param done asked each 100 submits. @returns their times in ms */
async function submitOneByOne(
  manager: TaskManager,
  done: (submitted: number) => boolean | Promise<boolean>,
): Promise<number[]> {
  const times: number[] = [];
  do {
    for (let n = 0; n < 100; n++) {
      const begun = performance.now();
      await manager.submit('noop', { n });
      times.push(performance.now() - begun);
      await wait(1);
    }
  } while (!(await done(times.length)));
  return times;
}

/** A file whose tasks all succeeded. */
async function finishedFile(): Promise<string> {
  const file = temporaryFile();
  await fillFile(file, OLD + KEPT);
  const { noop, all } = countedNoop(OLD + KEPT);
  const manager = new TaskManager({ storage: new SqliteStorage(file), handlers: [noop], retention: false });
  await manager.start();
  await all;
  await manager.close();
  return file;
}

/** A manager on the file that does nothing but prune. */
async function open(file: string, retention: Retention): Promise<TaskManager> {
  const { noop } = countedNoop(Number.NaN);
  const manager = new TaskManager({ storage: new SqliteStorage(file), handlers: [noop], retention, sweep: '100ms' });
  await manager.start({ run: false });
  return manager as TaskManager;
}

export const scenario: Scenario = {
  name: 'sqlite-retention',
  title: 'SQLite, single submits while retention deletes 100,000 tasks',
  unit: 'ms',
  variants: {
    async both() {
      const file = await finishedFile();
      const pruning = await open(file, { count: KEPT });
      const busy = await submitOneByOne(pruning, async () => (await pruning.count({ status: 'succeeded' })) <= KEPT);
      await pruning.close();
      const idling = await open(file, false);
      const idle = await submitOneByOne(idling, (submitted) => submitted >= busy.length);
      await idling.close();
      return { busy: quantile(busy, 0.99), idle: Math.max(...idle) };
    },
  },
  rows: [{ label: 'p99 meanwhile / maximum when idle', figure: 'busy', to: 'idle', target: { atMost: [2, 1] } }],
};
