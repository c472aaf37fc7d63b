import { afterAll, beforeAll, expect, test } from 'vitest';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { matches, parseFilter, type TaskFilter } from '../../src/task/query.ts';
import type { TaskRecord } from '../../src/task/record.ts';
import { systemClock } from '../../src/time/clock.ts';
import { draftOf } from './sqlite/support.ts';

// More tasks with a tag than are looked up by its index: then each row tells itself. To ask the index of each would take a time
// that grows with the square of their number, minutes here.

const COUNT = 60_000;
const BATCH = 1_000;
const ODD = 'a"b\\,"team\u0000\ud800é';

/** Every task has `team` or, as every seventh, what looks like it; half of all have a tag of an odd name. */
function tagsOf(n: number): TaskRecord['tags'] {
  const odd: TaskRecord['tags'] = n % 2 === 0 ? { [ODD]: n } : {};
  if (n % 7 === 0) return { ...odd, 'x"team': 1, said: '{"team":1,"team":' };
  return { ...odd, team: n % 3 === 0 ? '' : `t${n % 50}`, ...(n === 3 || n === COUNT - 2 ? { rare: true } : {}) };
}

const storage = new SqliteStorage(':memory:');
let all: readonly TaskRecord[] = [];

beforeAll(async () => {
  await storage.open({ clock: systemClock });
  for (let from = 0; from < COUNT; from += BATCH) {
    const ids = Array.from({ length: BATCH }, (_, n) => from + n);
    await storage.insert(
      ids.map((n) => draftOf(`task_${String(n).padStart(6, '0')}`, { tags: tagsOf(n), priority: n % 4, createdAt: n })),
    );
  }
  const query = { where: [[parseFilter({})]], sort: 'id', descending: false, limit: COUNT, payloads: false } as const;
  all = (await storage.list(query)).items;
});
afterAll(() => storage.close());

const ANY = { any: true } as const;
const FILTERS: readonly TaskFilter[] = [
  { tags: { team: ANY } },
  { tags: { [ODD]: ANY } },
  { tags: { [ODD]: ANY, team: ANY } },
  { tags: { team: ANY, said: ANY } },
  { tags: { rare: ANY } },
  { tags: { team: ANY }, status: 'queued' },
  { tags: { team: ANY }, created: { after: 100, before: 900 } },
  { tags: { team: ANY }, text: '_0000' },
  { tags: { none: ANY } },
];

test.each(FILTERS)('%j: pages by any order, and how many', async (filter) => {
  const condition = parseFilter(filter);
  const found = all.filter((task) => matches(task, condition));
  expect(await storage.count([[condition]])).toBe(found.length);
  const byPriority = found.toSorted((one, other) => one.priority - other.priority);
  for (const [sort, expected] of [
    ['id', found],
    ['priority', byPriority],
  ] as const) {
    for (const descending of [false, true]) {
      const inOrder = descending ? expected.toReversed() : expected;
      const page = await storage.list({ where: [[condition]], sort, descending, limit: 100, payloads: false });
      expect(page.items.map(({ id }) => id)).toEqual(inOrder.slice(0, 100).map(({ id }) => id));
    }
  }
});
