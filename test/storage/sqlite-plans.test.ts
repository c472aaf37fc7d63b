import { expect, test } from 'vitest';
import { Database } from '../../src/storage/sqlite/database.ts';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { avoided } from '../../src/storage/sqlite/plan.ts';
import { whereOf } from '../../src/storage/sqlite/where.ts';
import { parseFilter, type TaskFilter } from '../../src/task/query.ts';
import { draftOf, withFile } from './sqlite/support.ts';

const COUNT = 6_000;
const USER = { submittedBy: 'user-7' } as const;
const FILTERS: readonly TaskFilter[] = [
  USER,
  { ...USER, status: 'queued' },
  { ...USER, handler: ['work', 'other'] },
  { ...USER, status: 'queued', handler: ['work', 'other'] },
];

test('the tasks of one user are found by the user, rather than among all of a status or handler', async () => {
  await withFile(async (file) => {
    const storage = new SqliteStorage(file);
    await storage.open();
    await storage.insert(
      Array.from({ length: COUNT }, (_, n) => draftOf(`task_${n}`, { submittedBy: `user-${n % 100}` })),
    );
    const database = new Database(file);
    for (const filter of FILTERS) {
      const where = [[parseFilter(filter)]];
      const { text, values } = whereOf(where, avoided(database, where));
      const sql = `explain query plan select seq from tasklane_task where ${text} order by seq`;
      const plan = database.all(sql, ...values).map((row) => row[3]);
      expect(plan[0]).toContain('tasklane_task_submitted_by');
      expect(await storage.count(where)).toBe(COUNT / 100);
    }
    database.close();
    await storage.close();
  });
});
