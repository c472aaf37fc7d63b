import { readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type Figures, runPart, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { countedNoop } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 60_000;
/** How often a process that is ready looks whether the others are. */
const LOOK_MS = 2;

/** What a drainer is told. */
interface Told {
  readonly file: string;
  readonly place: number;
  readonly processes: number;
}

/** @returns no-ops a second that so many processes run together */
async function drain(processes: number): Promise<number> {
  const file = temporaryFile();
  await fillFile(file, COUNT);
  const part = (place: number): Promise<Figures> =>
    runPart('sqlite-processes', 'drainer', JSON.stringify({ file, place, processes } satisfies Told));
  const drained = await Promise.all(Array.from({ length: processes }, (_, place) => part(place)));
  const begun = Math.min(...drained.map(({ begun = Number.NaN }) => begun));
  const ended = Math.max(...drained.map(({ ended = Number.NaN }) => ended));
  return COUNT / ((ended - begun) / 1e3);
}

/** Processes that drain one file begin together, however long each needed to get there. */
async function untilAllAreReady({ file, place, processes }: Told): Promise<void> {
  writeFileSync(`${file}.ready-${place}`, '');
  const ready = (): number => readdirSync(dirname(file)).filter((name) => name.includes('.ready-')).length;
  while (ready() < processes) await wait(LOOK_MS);
}

export const scenario: Scenario = {
  name: 'sqlite-processes',
  title: 'SQLite, processes that drain one file of 60,000',
  unit: '/s',
  variants: { one: () => drain(1), two: () => drain(2) },
  parts: {
    /** @returns when it began, and when nothing was left for it; epoch ms */
    async drainer(argument) {
      const told = JSON.parse(argument) as Told;
      const { noop } = countedNoop(Number.NaN);
      const storage = new SqliteStorage(told.file);
      await storage.open();
      const manager = new TaskManager({ storage, handlers: [noop] });
      await untilAllAreReady(told);
      const begun = Date.now();
      await manager.start();
      await manager.onIdle();
      const ended = Date.now();
      await manager.close();
      await storage.close();
      return { begun, ended };
    },
  },
  rows: [{ label: 'two / one', figure: 'two', to: 'one', target: { atLeast: [0.65, 0.9] } }],
};
