import { strict as assert } from 'node:assert';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { ENDS } from '../../src/storage/sqlite/submit-order.ts';
import type { StoredQuery } from '../../src/storage/storage.ts';
import { matches, parseFilter, type Range, type SortKey, type TaskFilter } from '../../src/task/query.ts';
import type { TaskRecord } from '../../src/task/record.ts';
import { STATUSES } from '../../src/task/status.ts';
import { archive, cancel, succeed, update } from '../../src/task/transition.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { draftOf, joinAs, LOG_LIMIT, withFile } from './sqlite/support.ts';

// More tasks than a range may have to be sorted, made, changed and ended by a clock that goes back now and then: so lists
// have to be walked, and the submit order is not quite that of the times.

const COUNT = 6_000;
const BATCH = 200;
const START = Date.UTC(2030, 0, 1);

let now = START;
const clock: Clock = { ...systemClock, now: () => now };
const storage = new SqliteStorage(':memory:');
let all: readonly TaskRecord[] = [];

beforeAll(async () => {
  await storage.open({ clock });
  await joinAs(storage, 'w1');
  for (let from = 0; from < COUNT; from += BATCH) {
    now += from % 1_800 === 0 ? -3_000 : 1_000;
    await storage.insert(
      Array.from({ length: BATCH }, (_, n) => {
        const createdAt = now + (((from + n) * 7) % 40) - 20;
        return draftOf(`task_${String(from + n).padStart(5, '0')}`, { createdAt, updatedAt: createdAt });
      }),
    );
    const id = (n: number): string => `task_${String(Math.max(0, from - n)).padStart(5, '0')}`;
    await storage.change(Array.from({ length: 20 }, (_, n) => ({ taskId: id(n * 41), steps: cancel(null, now) })));
    await storage.change([7, 50, 900].map((n) => ({ taskId: id(n), steps: update({ description: 'later' }) })));
    if (from % 1_000 === 0) await storage.change([{ taskId: id(41), steps: archive(now) }]);
    const request = { workerId: 'w1', token: `t${from}`, handlers: [{ name: 'work', limit: 60 }], limit: 60 };
    const { claims } = await storage.claim(request);
    now += 10;
    const ended = claims.slice(3).map(({ task, token }) => ({ lease: { taskId: task.id, token }, steps: succeed(1) }));
    await storage.settle(ended, { logLimit: LOG_LIMIT, records: false });
  }
  const everything = { where: [[parseFilter({ archived: 'both' })]], sort: 'id', descending: false } as const;
  all = (await storage.list({ ...everything, limit: COUNT, payloads: true })).items;
  assert.equal(all.length, COUNT);
});

afterAll(() => storage.close());

const END = START + 40_000;
const RANGES: readonly Range[] = [
  {},
  { after: START + 5_000 },
  { before: START + 9_000 },
  { after: START + 4_000, before: END - 20_000 },
  { after: START + 9_000, before: START + 9_300 },
  { before: START - 1_000_000 },
  { after: END + 1_000_000 },
];
const MORE = [{}, { status: ['queued', 'succeeded'] }, { archived: 'both' }, { description: 'later' }] as const;

/** Pages of a list, as it should be. */
function expected(filter: Parameters<typeof parseFilter>[0], sort: SortKey, descending: boolean): readonly string[] {
  const condition = parseFilter(filter);
  const keyOf = (task: TaskRecord): number => (sort === 'id' ? 0 : (task[sort as 'updatedAt'] ?? -1));
  const found = all.filter((task) => matches(task, condition)).map((task) => ({ id: task.id, value: keyOf(task) }));
  found.sort((one, other) => one.value - other.value); // stable: ties stay in submit order
  if (descending) found.reverse();
  return found.map(({ id }) => id);
}

describe.each(['created', 'updated', 'finished'] as const)('a list by %s', (key) => {
  test.each(RANGES)('within %j', async (range) => {
    for (const more of MORE) {
      for (const sort of ['id', 'createdAt', 'updatedAt', 'finishedAt'] as const) {
        for (const descending of [true, false]) {
          const filter = { ...more, [key]: range };
          const ids = expected(filter, sort, descending);
          const query: StoredQuery = { where: [[parseFilter(filter)]], sort, descending, limit: 50, payloads: false };
          const first = await storage.list(query);
          const place = ids[Math.floor(ids.length * 0.7)];
          expect(first.items.map(({ id }) => id)).toEqual(ids.slice(0, 50));
          if (place === undefined) continue;
          const at = ids.indexOf(place);
          const deep = await storage.list({ ...query, from: { id: place } });
          expect(deep.items.map(({ id }) => id)).toEqual(ids.slice(at + 1, at + 51));
          const back = await storage.list({ ...query, from: { id: place }, backward: true });
          expect(back.items.map(({ id }) => id)).toEqual(ids.slice(Math.max(0, at - 50), at));
        }
      }
    }
  });
});

describe('a list by status, at any offset', () => {
  const running = ['waiting', 'scheduled', 'queued', 'running', 'cancelling'] as const;
  const everything = STATUSES.map((status) => ({ status }));
  test.each([
    [[[{ status: running, held: false }]]],
    [[[{ status: [...running, 'succeeded', 'cancelled'] }]]],
    [[everything]],
    [[[{ status: 'queued' }, { status: ['succeeded', 'cancelled'] }, { held: true }], [{ handler: 'work' }]]],
    [[[{ status: 'failed' }, { status: 'running' }]]],
  ] as readonly [readonly (readonly TaskFilter[])[]][])('%j', async (groups) => {
    const alternatives = groups.map((group) => group.map((filter) => parseFilter({ archived: 'both', ...filter })));
    const where = [[parseFilter()], ...alternatives];
    const ids = all
      .filter((task) => where.every((group) => group.some((one) => matches(task, one))))
      .map(({ id }) => id);
    expect(await storage.count(where)).toBe(ids.length);
    for (const descending of [false, true]) {
      const ordered = descending ? [...ids].reverse() : ids;
      for (const offset of [0, 4_940, 4_980, 5_200, ids.length - 20, ids.length]) {
        if (offset < 0) continue;
        const page = await storage.list({ where, sort: 'id', descending, limit: 50, offset, payloads: false });
        expect(page.items.map(({ id }) => id)).toEqual(ordered.slice(offset, offset + 50));
        expect(page.more).toBe(offset + 50 < ids.length);
      }
    }
  });
});

test('the ends of the submit order, which every range is looked up from, cost no walk over all tasks', () =>
  withFile(async (file) => {
    const storage = new SqliteStorage(file);
    await storage.open();
    const database = new DatabaseSync(file);
    const plan = database.prepare(`explain query plan ${ENDS}`).all();
    const onTasks = plan.map(({ detail }) => String(detail)).filter((step) => step.includes('tasklane_task'));
    expect(onTasks).toEqual(['SEARCH tasklane_task', 'SEARCH tasklane_task']);
    database.close();
    await storage.close();
  }));
