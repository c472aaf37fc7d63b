import { SqliteStorage } from 'tasklane/sqlite';
import type { Scenario } from '../harness.ts';
import { runBullmq } from '../peers/bullmq.ts';
import { runPlainjob } from '../peers/plainjob.ts';
import { insertRows } from '../support/bare-rows.ts';
import { runNoops, submitMany } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

/** So many that code which is not warm yet counts for little, for all that are compared. */
const COUNT = 60_000;
const BATCH = 10_000;
const ROWS = 300_000;

export const scenario: Scenario = {
  name: 'sqlite-bulk',
  title: 'SQLite, 60,000 no-ops put in by the 10,000, submit to final commit',
  unit: '/s',
  variants: {
    tasklane: () => runNoops(COUNT, submitMany, { storage: new SqliteStorage(temporaryFile()) }),
    plainjob: () =>
      runPlainjob(COUNT, (queue, count) => {
        for (let from = 0; from < count; from += BATCH) queue.addMany('noop', inputs(from));
      }),
    bullmq: () =>
      runBullmq(COUNT, async (queue, count) => {
        for (let from = 0; from < count; from += BATCH) {
          await queue.addBulk(inputs(from).map((data) => ({ name: 'noop', data })));
        }
      }),
    rows: async () => insertRows(ROWS, BATCH),
  },
  rows: [
    { label: 'submitMany / plainjob addMany', figure: 'tasklane', to: 'plainjob', target: { atLeast: [3, 6] } },
    { label: 'submitMany / BullMQ addBulk', figure: 'tasklane', to: 'bullmq', target: { atLeast: [3.5, 7] } },
    { label: 'submitMany / bare batched rows', figure: 'tasklane', to: 'rows', target: { atLeast: [0.025, 0.045] } },
  ],
};

function inputs(from: number): { n: number }[] {
  return Array.from({ length: BATCH }, (_, n) => ({ n: from + n }));
}
