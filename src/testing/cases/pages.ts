import { strict as assert } from 'node:assert';
import { TaskNotFoundError } from '../../errors.ts';
import type { StoredPage, StoredQuery } from '../../storage/storage.ts';
import { SORT_KEYS, sortText } from '../../task/query.ts';
import type { TaskRecord } from '../../task/record.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import { archive, cancel, fail, succeed } from '../../task/transition.ts';
import { BOOM, type StorageCase, storageCase, there, type World } from './world.ts';

/** Tasks of all kinds, with many equal values and many that are missing. */
async function fill(world: World): Promise<readonly TaskRecord[]> {
  for (let at = 0; at < 23; at++) {
    const fields = {
      handler: there(['b', 'a', 'B', 'work'][at % 4]),
      priority: [0, 5, -5][at % 3] ?? 0,
      submittedBy: [null, 'x', 'ö', '', '\uffee', '😀'][at % 6] ?? null,
      entityId: at % 5 === 0 ? null : `e${at % 7}`,
      input: [null, { b: 1 }, 'ö', [1, 2], `😀`.repeat(150 + (at % 3)), `x`.repeat(300)][at % 6] ?? null,
      createdAt: world.clock.now() + ((at * 7) % 5),
      updatedAt: world.clock.now() + ((at * 11) % 6),
    };
    if (at % 4 === 0) await world.submit({ ...fields, status: 'waiting' });
    else if (at % 5 === 0) await world.ended(at % 2 === 0 ? succeed([1, { n: at }]) : fail(BOOM), fields);
    else if (at % 7 === 0) await world.running(fields);
    else await world.submit(fields);
    if (at % 6 === 0) await world.clock.advance('1s');
  }
  return (await world.list()).items;
}

/** Walks from one end to the other. */
async function walk(world: World, query: Partial<StoredQuery>): Promise<readonly StoredPage[]> {
  const pages: StoredPage[] = [];
  let page = await world.list({}, query);
  for (;;) {
    pages.push(page);
    const from = query.backward === true ? page.places[0] : page.places.at(-1);
    if (!page.more || from === undefined) return pages;
    assert.ok(pages.length < 100, 'the walk does not end');
    page = await world.list({}, { ...query, from });
  }
}

const idsOf = (pages: readonly StoredPage[]): readonly string[] =>
  pages.flatMap(({ items }) => items.map(({ id }) => id));

/** Nulls first, text by its bytes, ties in submit order; then all of it turned round where descending. */
function sorted(
  records: readonly TaskRecord[],
  sort: StoredQuery['sort'],
  descending: boolean,
  words: readonly Status[] = [],
): readonly string[] {
  const order = [...words, ...STATUSES.filter((status) => !words.includes(status))];
  const read = (record: TaskRecord) => {
    if (sort === 'id') return 0;
    if (sort === 'inputText' || sort === 'resultText') return sortText(record, sort);
    return sort === 'status' ? order.indexOf(record.status) : record[sort];
  };
  const compare = (a: string | number | null, b: string | number | null): number => {
    if (a === b) return 0;
    if (a === null || b === null) return a === null ? -1 : 1;
    return typeof a === 'string' ? Buffer.compare(Buffer.from(a), Buffer.from(String(b))) : a - Number(b);
  };
  const inOrder = records.map((record, at) => ({ id: record.id, at, value: read(record) }));
  inOrder.sort((a, b) => compare(a.value, b.value) || a.at - b.at);
  const ids = inOrder.map(({ id }) => id);
  return descending ? ids.reverse() : ids;
}

/** Sorting and paging. */
export const pageCases: readonly StorageCase[] = [
  ...SORT_KEYS.flatMap((sort) =>
    [false, true].map((descending) =>
      storageCase(`list: by ${sort}, ${descending ? 'descending' : 'ascending'}, page by page`, async (world) => {
        const expected = sorted(await fill(world), sort, descending);
        const query = { sort, descending };
        assert.deepEqual(await world.ids({}, query), expected);
        assert.deepEqual(idsOf(await walk(world, { ...query, limit: 4 })), expected);
        const backward = await walk(world, { ...query, limit: 4, backward: true });
        assert.deepEqual(idsOf([...backward].reverse()), expected, 'from the end');
      }),
    ),
  ),
  storageCase('list: by status in the order of given words, those left out last in theirs', async (world) => {
    const records = await fill(world);
    const statusOrder = ['running', 'failed', 'waiting'] as const;
    for (const descending of [false, true]) {
      const query = { sort: 'status', statusOrder, descending } as const;
      const expected = sorted(records, 'status', descending, statusOrder);
      assert.deepEqual(await world.ids({}, query), expected);
      assert.deepEqual(idsOf(await walk(world, { ...query, limit: 5 })), expected);
    }
  }),
  storageCase('list: forward and then backward is the same page', async (world) => {
    await fill(world);
    for (const sort of SORT_KEYS) {
      const query = { sort, descending: true, limit: 6 };
      const [first, second, third] = await walk(world, query);
      const from = there(there(third).places[0]);
      const back = await world.list({}, { ...query, from, backward: true });
      assert.deepEqual(back.items, there(second).items, sort);
      assert.deepEqual([back.places, back.more], [there(second).places, true]);
      const top = await world.list({}, { ...query, from: there(back.places[0]), backward: true });
      assert.deepEqual([top.items, top.more], [there(first).items, false]);
    }
  }),
  storageCase('list: stays right while tasks are added, and taken away', async (world) => {
    const ids = await world.submitMany(9);
    const query = { descending: true, limit: 3 };
    const first = await world.list({}, query);
    await world.submitMany(5);
    const gone = there(first.items[2]).id;
    await world.change(gone, cancel(null, 0));
    await world.storage.remove([gone]);
    const second = await world.list({}, { ...query, from: there(first.places.at(-1)) });
    assert.deepEqual(
      second.items.map(({ id }) => id),
      ids.slice(3, 6).reverse(),
      'a place needs no task to be there still',
    );
  }),
  storageCase('list: starts at the place of a task', async (world) => {
    const records = await fill(world);
    for (const sort of SORT_KEYS) {
      const expected = sorted(records, sort, false);
      const id = there(expected[9]);
      assert.deepEqual(await world.ids({}, { sort, from: { id }, limit: 3 }), expected.slice(10, 13), sort);
      const before = await world.ids({}, { sort, from: { id }, limit: 3, backward: true });
      assert.deepEqual(before, expected.slice(6, 9), sort);
    }
  }),
  storageCase('list: starts at the place of a task that does not fit the filter itself', async (world) => {
    const [first = '', second = '', third = ''] = await world.submitMany(3);
    await world.change(second, cancel(null, 0));
    await world.change(second, archive(world.clock.now()));
    assert.deepEqual(await world.ids({ status: 'queued' }, { from: { id: second } }), [third]);
    assert.deepEqual(await world.ids({ status: 'queued' }, { from: { id: second }, backward: true }), [first]);
  }),
  storageCase('list: refuses to start at a task that is gone', async (world) => {
    await world.submit();
    await assert.rejects(world.list({}, { from: { id: 'none' } }), TaskNotFoundError);
  }),
  storageCase('list: starts where a task was that is gone, at the first one beyond', async (world) => {
    const ids = await world.submitMany(7);
    const gone = there(ids[3]);
    await world.change(gone, cancel(null, 0));
    await world.storage.remove([gone]);
    const left = ids.filter((id) => id !== gone);
    for (const descending of [false, true]) {
      const query = { descending, from: { id: gone, orBeyond: true }, limit: 2 };
      const [after, before] = descending
        ? [
            [2, 1],
            [5, 4],
          ]
        : [
            [4, 5],
            [1, 2],
          ];
      const at = (places: readonly number[] | undefined) => there(places).map((place) => ids[place]);
      assert.deepEqual(await world.ids({}, query), at(after));
      assert.deepEqual(await world.ids({}, { ...query, backward: true }), at(before));
    }
    for (const [id, expected] of [
      ['', [left, []]],
      ['~', [[], left]],
    ] as const) {
      const from = { id, orBeyond: true };
      assert.deepEqual([await world.ids({}, { from }), await world.ids({}, { from, backward: true })], expected);
    }
    const byPriority = world.list({}, { sort: 'priority', from: { id: gone, orBeyond: true } });
    await assert.rejects(byPriority, TaskNotFoundError);
    assert.deepEqual(await world.ids({}, { from: { id: there(ids[4]), orBeyond: true } }), ids.slice(5));
  }),
  storageCase('list: starts where a task was that is gone, and leaves out none whose id lies beyond', async (world) => {
    // two processes draw ids by turns, and store them block by block
    const drawn = Array.from({ length: 12 }, (_, n) => `id_${String(n).padStart(2, '0')}`);
    const stored = [0, 1].flatMap((one) => drawn.filter((_, n) => n % 2 === one));
    for (const id of stored) await world.submit({ id });
    for (const gone of ['id_05', 'id_06']) {
      await world.change(gone, cancel(null, 0));
      await world.storage.remove([gone]);
      const left = stored.filter((id) => id !== 'id_05' && id !== gone);
      const up = await world.ids({}, { from: { id: gone, orBeyond: true } });
      assert.deepEqual(up, left.slice(left.findIndex((id) => id > gone)));
      const down = await world.ids({}, { from: { id: gone, orBeyond: true }, descending: true });
      assert.deepEqual(down, left.slice(0, left.findLastIndex((id) => id < gone) + 1).reverse());
    }
  }),
  storageCase('list: says whether there is more', async (world) => {
    await world.submitMany(3);
    for (const [limit, more] of [
      [2, true],
      [3, false],
      [4, false],
    ] as const) {
      assert.equal((await world.list({}, { limit })).more, more, `${limit}`);
      assert.equal((await world.list({}, { limit, backward: true })).more, more, `${limit} backward`);
      assert.equal((await world.list({}, { limit, sort: 'priority' })).more, more, `${limit} by priority`);
    }
    assert.equal((await world.list({ handler: 'none' }, { limit: 1 })).more, false);
  }),
  storageCase('list: a page without items has no places', async (world) => {
    const page = await world.list();
    assert.deepEqual(page, { items: [], places: [], more: false, truncated: false });
  }),
  storageCase('list: leaves out as many as asked', async (world) => {
    const ids = await world.submitMany(6);
    for (const sort of ['id', 'createdAt'] as const) {
      const page = await world.list({}, { sort, offset: 2, limit: 3 });
      assert.deepEqual([page.items.map(({ id }) => id), page.more], [ids.slice(2, 5), true]);
      assert.deepEqual(await world.ids({}, { sort, offset: 4 }), ids.slice(4));
      assert.deepEqual(await world.ids({}, { sort, offset: 6 }), []);
      assert.deepEqual(await world.ids({}, { sort, offset: 99 }), []);
      assert.deepEqual(await world.ids({}, { sort, offset: 1, limit: 1, descending: true }), ids.slice(4, 5));
    }
  }),
  storageCase('list: pages of a filter, over many that do not fit', async (world) => {
    const wanted: string[] = [];
    for (let at = 0; at < 300; at++) {
      const id = await world.submit({ tags: { odd: at % 2 === 1 }, entityId: `e${at % 3}` });
      if (at % 6 === 1) wanted.push(id);
    }
    const filter = { tags: { odd: true }, entityId: 'e1' };
    const found: string[] = [];
    let page = await world.list(filter, { limit: 7 });
    for (let at = 0; at < 100; at++) {
      found.push(...page.items.map(({ id }) => id));
      if (!page.more) break;
      page = await world.list(filter, { limit: 7, from: there(page.places.at(-1)) });
    }
    assert.deepEqual(found, wanted);
  }),
];
