import { SqliteStorage } from 'tasklane/sqlite';
import type { Scenario } from '../harness.ts';
import { runBullmq } from '../peers/bullmq.ts';
import { insertRows } from '../support/bare-rows.ts';
import { runNoops, submitAwaited } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

/** So many that code which is not warm yet counts for little, as it does among the bare rows. */
const COUNT = 10_000;
const FULL_COUNT = 1_000;
const ROWS = 50_000;
const FULL_ROWS = 1_000;

export const scenario: Scenario = {
  name: 'sqlite-awaited',
  title: 'SQLite, 10,000 no-ops, each submit awaited before the next, submit to final commit',
  unit: '/s',
  variants: {
    tasklane: () => runNoops(COUNT, submitAwaited, { storage: new SqliteStorage(temporaryFile()) }),
    row: async () => insertRows(ROWS, 1),
    bullmq: () =>
      runBullmq(COUNT, async (queue, count) => {
        for (let n = 0; n < count; n++) await queue.add('noop', { n });
      }),
    tasklaneFull: () =>
      runNoops(FULL_COUNT, submitAwaited, { storage: new SqliteStorage(temporaryFile(), { synchronous: 'full' }) }),
    rowFull: async () => insertRows(FULL_ROWS, 1, 'full'),
  },
  rows: [
    { label: 'submit / one bare committed row', figure: 'tasklane', to: 'row', target: { atLeast: [0.11, 0.3] } },
    { label: 'submit / BullMQ add', figure: 'tasklane', to: 'bullmq', target: { atLeast: [1.7, 4] } },
    { label: 'FULL / one bare FULL row', figure: 'tasklaneFull', to: 'rowFull', target: { atLeast: [0.4, 0.75] } },
  ],
};
