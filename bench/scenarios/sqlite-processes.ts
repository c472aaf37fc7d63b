import { setTimeout as wait } from 'node:timers/promises';
import { TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type Figures, runPart, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { countedNoop } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 60_000;
/** Processes that drain one file start at the same time: so long after they were told. */
const HEAD_START_MS = 700;

/** @returns no-ops a second that so many processes run together */
async function drain(processes: number): Promise<number> {
  const file = temporaryFile();
  await fillFile(file, COUNT);
  const startAt = Date.now() + HEAD_START_MS;
  const part = (): Promise<Figures> => runPart('sqlite-processes', 'drainer', JSON.stringify({ file, startAt }));
  const ends = await Promise.all(Array.from({ length: processes }, part));
  return COUNT / ((Math.max(...ends.map(({ drainer = Number.NaN }) => drainer)) - startAt) / 1e3);
}

export const scenario: Scenario = {
  name: 'sqlite-processes',
  title: 'SQLite, processes that drain one file of 60,000',
  unit: '/s',
  variants: { one: () => drain(1), two: () => drain(2) },
  parts: {
    /** @returns when nothing was left for it; epoch ms */
    async drainer(argument) {
      const { file, startAt } = JSON.parse(argument) as { readonly file: string; readonly startAt: number };
      const { noop } = countedNoop(Number.NaN);
      const storage = new SqliteStorage(file);
      await storage.open();
      const manager = new TaskManager({ storage, handlers: [noop] });
      await wait(startAt - Date.now());
      await manager.start();
      await manager.onIdle();
      const end = Date.now();
      await manager.close();
      await storage.close();
      return end;
    },
  },
  rows: [{ label: 'two / one', figure: 'two', to: 'one', target: { atLeast: [0.65, 0.9] } }],
};
