import { SqliteStorage } from 'tasklane/sqlite';
import type { Scenario } from '../harness.ts';
import { runBullmq } from '../peers/bullmq.ts';
import { runPlainjob } from '../peers/plainjob.ts';
import { inParallel, runNoops, submitConcurrently } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

/** So many that code which is not warm yet counts for little, for all that are compared. */
const COUNT = 60_000;

export const scenario: Scenario = {
  name: 'sqlite-submitters',
  title: 'SQLite, 60,000 no-ops from 1,000 concurrent submitters, submit to final commit',
  unit: '/s',
  variants: {
    tasklane: () => runNoops(COUNT, submitConcurrently, { storage: new SqliteStorage(temporaryFile()) }),
    // Its add is synchronous: a thousand callers are as one.
    plainjob: () =>
      runPlainjob(COUNT, (queue, count) => {
        for (let n = 0; n < count; n++) queue.add('noop', { n });
      }),
    bullmq: () => runBullmq(COUNT, (queue, count) => inParallel(1_000, count, (n) => queue.add('noop', { n }))),
  },
  rows: [
    { label: 'submit / plainjob add', figure: 'tasklane', to: 'plainjob', target: { atLeast: [4, 8] } },
    { label: 'submit / BullMQ add', figure: 'tasklane', to: 'bullmq', target: { atLeast: [3.5, 7] } },
  ],
};
