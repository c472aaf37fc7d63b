import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import type { TaskDraft } from '../../src/storage/storage.ts';
import { matches, parseFilter } from '../../src/task/query.ts';
import type { TaskRecord } from '../../src/task/record.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { draftOf, withFile } from './sqlite/support.ts';

// Two processes with clocks of their own write one file, and come and go: what one knows of the other's tasks must be
// enough to find all of a range, and to list them in order.

const START = Date.UTC(2030, 0, 1);
const steps = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        by: fc.nat(1),
        step: fc.integer({ min: -9, max: 12 }),
        count: fc.integer({ min: 1, max: 4 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ by: fc.nat(1), reopen: fc.constant(true) }) },
    { weight: 1, arbitrary: fc.record({ by: fc.nat(1), purge: fc.integer({ min: 1, max: 3 }) }) },
  ),
  { minLength: 5, maxLength: 40 },
);

test('a list by the time of submit is whole and in order, whatever the clocks of two processes did', async () => {
  await fc.assert(
    fc.asyncProperty(steps, (told) =>
      withFile(async (file) => {
        const now = [START, START];
        const clocks = now.map((_, by): Clock => ({ ...systemClock, now: () => now[by] ?? START }));
        const storages = clocks.map(() => new SqliteStorage(file));
        const open = (by: number): Promise<void> | undefined => storages[by]?.open({ clock: clocks[by] });
        await open(0);
        await open(1);
        let drawn = 0;
        for (const each of told) {
          const storage = storages[each.by];
          if ('reopen' in each) {
            await storage?.close();
            await open(each.by);
          } else if ('purge' in each) {
            const last = await storage?.list({
              where: [],
              sort: 'id',
              descending: true,
              limit: each.purge,
              payloads: false,
            });
            await storage?.remove(last?.items.map(({ id }) => id) ?? []);
          } else {
            now[each.by] = (now[each.by] ?? START) + each.step;
            const made = Array.from({ length: each.count }, (_, n) => {
              const createdAt = (now[each.by] ?? START) - n;
              return endedDraft(`task_${drawn++}`, createdAt);
            });
            await storage?.insert(made);
          }
        }
        for (const storage of storages) await expectInOrder(storage);
        for (const storage of storages) await storage.close();
      }),
    ),
    { numRuns: 60 },
  );
}, 60_000);

test('a task that another process put in the place of a removed one counts as any other', async () => {
  await withFile(async (file) => {
    const now = [START, START + 4_000];
    const [one, other] = now.map(() => new SqliteStorage(file)) as [SqliteStorage, SqliteStorage];
    for (const [by, storage] of [one, other].entries()) {
      await storage.open({ clock: { ...systemClock, now: () => now[by] ?? START } });
    }
    const insert = (storage: SqliteStorage, id: string, createdAt: number) =>
      storage.insert([endedDraft(id, createdAt)]);
    await insert(one, 'task_1', START);
    await insert(one, 'task_2', START);
    await other.remove(['task_2']);
    await insert(other, 'task_3', START + 4_000);
    await insert(one, 'task_4', START + 1);
    for (const storage of [one, other]) await expectInOrder(storage);
    for (const storage of [one, other]) await storage.close();
  });
});

/** Of a task that has ended, so that it can be removed. */
function endedDraft(id: string, time: number): TaskDraft {
  return draftOf(id, { status: 'succeeded', createdAt: time, queuedAt: time, updatedAt: time, finishedAt: time });
}

async function expectInOrder(storage: SqliteStorage): Promise<void> {
  const everything = { where: [], sort: 'id', descending: false, limit: 1_000, payloads: true } as const;
  const all = (await storage.list(everything)).items;
  const times = [...new Set(all.map(({ createdAt }) => createdAt))];
  for (const time of times) {
    for (const range of [{ after: time }, { before: time }, { after: time - 4, before: time + 4 }]) {
      const filter = parseFilter({ created: range });
      const found = all.filter((task) => matches(task, filter));
      expect(await storage.count([[filter]])).toBe(found.length);
      const listed = await storage.list({ ...everything, where: [[filter]] });
      expect(idsOf(listed.items)).toEqual(idsOf(found));
      for (const descending of [true, false]) {
        const expected = found.toSorted((one, other) => one.createdAt - other.createdAt);
        if (descending) expected.reverse();
        const query = { ...everything, where: [[filter]], sort: 'createdAt', descending, limit: 3 } as const;
        expect(idsOf((await storage.list(query)).items)).toEqual(idsOf(expected.slice(0, 3)));
        const [, second] = expected;
        if (second === undefined) continue;
        const rest = await storage.list({ ...query, from: { id: second.id } });
        expect(idsOf(rest.items)).toEqual(idsOf(expected.slice(2, 5)));
      }
    }
  }
}

function idsOf(tasks: readonly TaskRecord[]): readonly string[] {
  return tasks.map(({ id }) => id);
}
