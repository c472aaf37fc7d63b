import { expect, test } from 'vitest';
import { type Bindable, Database, type Row } from '../../src/storage/sqlite/database.ts';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { listTasks } from '../../src/storage/sqlite/list.ts';
import { avoided } from '../../src/storage/sqlite/plan.ts';
import { whereOf } from '../../src/storage/sqlite/where.ts';
import { parseFilter, type TaskFilter } from '../../src/task/query.ts';
import { cancel } from '../../src/task/transition.ts';
import { systemClock } from '../../src/time/clock.ts';
import { draftOf, withFile } from './sqlite/support.ts';

const COUNT = 6_000;
const START = Date.UTC(2030, 0, 1);
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

/** Keeps how SQLite finds what it is asked for. */
class Watched extends Database {
  readonly plans: string[] = [];
  override all(sql: string, ...values: Bindable[]): readonly Row[] {
    const plan = super.all(`explain query plan ${sql}`, ...values).map((row) => row[3]);
    if (sql.includes('tasklane_task')) this.plans.push(plan.join('; '));
    return super.all(sql, ...values);
  }
}

test('many tasks in the order of their ends are walked, and the few of a tag sorted, rather than the other way round', async () => {
  await withFile(async (file) => {
    const storage = new SqliteStorage(file);
    let now = START;
    await storage.open({ clock: { ...systemClock, now: () => now } });
    const tagsOf = (n: number): Record<string, string> => (n % 2_000 === 5 ? { rare: 'yes' } : {});
    await storage.insert(Array.from({ length: 2 * COUNT }, (_, n) => draftOf(`task_${n}`, { tags: tagsOf(n) })));
    for (let from = COUNT - 1_000; from >= 0; from -= 1_000) {
      now += 1_000;
      const ids = Array.from({ length: 1_000 }, (_, n) => `task_${from + n}`);
      await storage.change(ids.map((taskId) => ({ taskId, steps: cancel(null, now) })));
    }
    const database = new Watched(file);
    const idsOf = (filter: TaskFilter, sort: 'finishedAt' | 'priority'): readonly string[] => {
      const where = [[parseFilter(filter)]];
      const page = listTasks(database, { where, sort, descending: true, limit: 3, payloads: false });
      return page.items.map(({ id }) => id);
    };
    for (const filter of [{ status: 'cancelled' }, { handler: 'work' }, {}] as const) {
      expect(idsOf(filter, 'finishedAt')).toEqual(['task_999', 'task_998', 'task_997']);
    }
    expect(idsOf({ status: 'queued' }, 'finishedAt')).toEqual(['task_11999', 'task_11998', 'task_11997']);
    expect(database.plans).not.toContainEqual(expect.stringContaining('TEMP B-TREE'));
    expect(database.plans).toHaveLength(4);
    database.plans.length = 0;
    const rare = { tags: { rare: 'yes' } };
    expect(idsOf(rare, 'priority')).toEqual(['task_10005', 'task_8005', 'task_6005']);
    expect(idsOf(rare, 'finishedAt')).toEqual(['task_5', 'task_2005', 'task_4005']);
    for (const plan of database.plans) expect(plan).toMatch(/^SEARCH tag USING PRIMARY KEY/);
    database.close();
    await storage.close();
  });
});
