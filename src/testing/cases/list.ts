import { strict as assert } from 'node:assert';
import type { TaskFilter } from '../../task/query.ts';
import { parseFilter } from '../../task/query.ts';
import { archive, cancel, fail, giveBack, restart, retry, succeed, update } from '../../task/transition.ts';
import { BOOM, type DraftFields, type StorageCase, storageCase, there, type World } from './world.ts';

/** Two tasks, and the filter that finds the first only. */
const FILTERS: readonly (readonly [name: string, first: DraftFields, second: DraftFields, filter: TaskFilter])[] = [
  ['status', {}, { status: 'waiting' }, { status: 'queued' }],
  ['one of several statuses', {}, { status: 'waiting' }, { status: ['queued', 'failed'] }],
  ['handler', { handler: 'a' }, { handler: 'b' }, { handler: 'a' }],
  ['one of several handlers', { handler: 'a' }, { handler: 'b' }, { handler: ['c', 'a'] }],
  ['handler as it is written', { handler: 'a' }, { handler: 'A' }, { handler: 'a' }],
  ['submittedBy', { submittedBy: 'u' }, { submittedBy: 'v' }, { submittedBy: 'u' }],
  ['submittedBy, where others have none', { submittedBy: 'u' }, {}, { submittedBy: 'u' }],
  ['no submittedBy', {}, { submittedBy: 'u' }, { submittedBy: { none: true } }],
  ['no scheduleId', {}, { scheduleId: 's' }, { scheduleId: { none: true } }],
  [
    'no scheduleId, of a handler and a status',
    { handler: 'a' },
    { handler: 'a', scheduleId: 's' },
    { handler: 'a', status: 'queued', scheduleId: { none: true } },
  ],
  ['no description', {}, { description: '' }, { description: { none: true } }],
  [
    'keys of its metadata',
    { metadata: { a: 1, b: { c: 'x', d: 2 }, more: true } },
    { metadata: { a: '1', b: { c: 'x', d: 2 } } },
    { metadata: { b: { d: 2, c: 'x' }, a: 1 } },
  ],
  ['a key of its metadata, where others have none', { metadata: { a: null } }, {}, { metadata: { a: null } }],
  ['what is held', { status: 'scheduled' }, { status: 'scheduled', runAt: 5 }, { held: true }],
  ['what is not held', {}, { status: 'scheduled' }, { held: false }],
  ['no entityId', {}, { entityId: 'u' }, { entityId: { none: true }, handler: 'work' }],
  ['no parentId and no scheduleId', {}, { scheduleId: 's' }, { parentId: { none: true }, scheduleId: { none: true } }],
  [
    'an input',
    { input: { a: [1, { b: 'x' }], c: null } },
    { input: { a: [1, { b: 'y' }], c: null } },
    { input: { c: null, a: [1, { b: 'x' }] } },
  ],
  ['an input of text in any letters', { input: 'Ä\u0000😀' }, { input: 'ä' }, { input: 'Ä\u0000😀' }],
  ['an input of a number, which is no text', { input: 1 }, { input: '1' }, { input: 1 }],
  ['no input', { input: null }, { input: [null] }, { input: null }],
  ['an input, and its handler', { input: 1, handler: 'a' }, { input: 1, handler: 'b' }, { input: 1, handler: 'a' }],
  ['entityId', { entityId: 'u' }, { entityId: 'v' }, { entityId: 'u' }],
  ['parentId', { parentId: 'u' }, { parentId: 'v' }, { parentId: 'u' }],
  ['scheduleId', { scheduleId: 'u' }, {}, { scheduleId: 'u' }],
  ['description', { description: 'u' }, { description: 'uu' }, { description: 'u' }],
  ['an empty text', { description: '' }, {}, { description: '' }],
  ['a tag', { tags: { a: 'x' } }, { tags: { a: 'y', b: 'x' } }, { tags: { a: 'x' } }],
  ['one of several values of a tag', { tags: { a: 'x' } }, { tags: { a: 'y' } }, { tags: { a: ['z', 'x'] } }],
  ['any value of a tag', { tags: { a: '' } }, { tags: { b: 'x' } }, { tags: { a: { any: true } } }],
  ['several tags at once', { tags: { a: 'x', b: 1 } }, { tags: { a: 'x', b: 2 } }, { tags: { a: 'x', b: 1 } }],
  ['a tag that is a number, by its text', { tags: { a: 1.5 } }, { tags: { a: 1 } }, { tags: { a: '1.5' } }],
  ['a tag that is text, by a number', { tags: { a: '7' } }, { tags: { a: '7.0' } }, { tags: { a: 7 } }],
  ['a tag that is true, by its text', { tags: { a: true } }, { tags: { a: false } }, { tags: { a: 'true' } }],
  ['a large number as a tag', { tags: { a: 1e21 } }, { tags: { a: 1e20 } }, { tags: { a: 1e21 } }],
  ['a tag of an odd name', { tags: { 'a.b["c"]': 1 } }, { tags: { a: 1 } }, { tags: { 'a.b["c"]': 1 } }],
  ['when it was created', { createdAt: 5 }, { createdAt: 10 }, { created: { after: 4, before: 10 } }],
  ['when it was updated', { updatedAt: 5 }, { updatedAt: 4 }, { updated: { after: 4 } }],
  ['text in the handler', { handler: 'Reindex' }, { handler: 'x' }, { text: 'EIN' }],
  [
    'text in the description',
    { description: 'Straße 100%' },
    { description: 'Strafe' },
    { text: 'SSe 100%'.replace('SS', 'ß') },
  ],
  ['text with the signs of a pattern', { description: 'a_b%c\\d' }, { description: 'aXbYc\\d' }, { text: '_b%c\\' }],
  ['text in submittedBy', { submittedBy: 'User-1' }, { submittedBy: 'User-2' }, { text: 'user-1' }],
  ['text in entityId', { entityId: 'Order:77' }, {}, { text: 'order:7' }],
  ['text in any letters', { description: 'ÄRGER' }, { description: 'arger' }, { text: 'ärger' }],
  [
    'all keys at once',
    { handler: 'a', entityId: 'e' },
    { handler: 'a', entityId: 'f' },
    { handler: 'a', entityId: 'e' },
  ],
];

/** Finds exactly these. */
async function finds(world: World, filter: TaskFilter, ids: readonly string[]): Promise<void> {
  assert.deepEqual(await world.ids(filter), ids);
  assert.deepEqual(await world.ids(filter, { descending: true }), [...ids].reverse());
  assert.deepEqual(await world.ids(filter, { sort: 'createdAt' }), ids);
  assert.equal(await world.storage.count([[parseFilter(filter)]]), ids.length);
}

/** Finding and counting tasks. */
export const listCases: readonly StorageCase[] = [
  ...FILTERS.map(([name, first, second, filter]) =>
    storageCase(`list: finds by ${name}`, async (world) => {
      const id = await world.submit(first);
      await world.submit(second);
      await finds(world, filter, [id]);
    }),
  ),
  storageCase('list: finds by ids, each once', async (world) => {
    const [first = '', , third = ''] = await world.submitMany(3);
    await finds(world, { ids: [third, 'none', first, third] }, [first, third]);
    await finds(world, { ids: [] }, []);
  }),
  storageCase('list: finds by text in the id', async (world) => {
    const [first = ''] = await world.submitMany(2);
    await finds(world, { text: first.slice(2).toUpperCase() }, [first]);
  }),
  storageCase('list: finds by when it finished, which unfinished ones never do', async (world) => {
    const early = await world.ended(succeed(1));
    await world.clock.advance('1h');
    const late = await world.ended(fail(BOOM));
    await world.submit();
    await finds(world, { finished: { before: world.clock.now() } }, [early]);
    await finds(world, { finished: { after: world.clock.now() - 1 } }, [late]);
  }),
  storageCase('list: finds what runs now under the status it has now', async (world) => {
    const [first = '', second = ''] = await world.submitMany(2);
    await world.claimOne();
    await finds(world, { status: 'running' }, [first]);
    await finds(world, { status: 'queued' }, [second]);
  }),
  storageCase('list: archived ones only when asked for', async (world) => {
    const gone = await world.ended(succeed(1));
    const here = await world.ended(succeed(1));
    await world.change(gone, archive(world.clock.now()));
    await finds(world, {}, [here]);
    await finds(world, { archived: false }, [here]);
    await finds(world, { archived: true }, [gone]);
    await finds(world, { archived: 'both' }, [gone, here]);
    await finds(world, { ids: [gone, here] }, [here]);
    assert.deepEqual(await world.storage.get([gone, here]), [null, await world.get(here)]);
    assert.equal((await world.get(gone)).archivedAt, world.clock.now());
  }),
  storageCase('list: of filters in a list one must hold, of the lists all', async (world) => {
    const ids = [
      await world.submit({ handler: 'a', submittedBy: 'u' }),
      await world.submit({ handler: 'b', submittedBy: 'u' }),
      await world.submit({ handler: 'c', submittedBy: 'u' }),
      await world.submit({ handler: 'a', submittedBy: 'v' }),
    ];
    const where = [[parseFilter({ handler: 'a' }), parseFilter({ handler: 'b' })], [parseFilter({ submittedBy: 'u' })]];
    const page = await world.list({}, { where });
    assert.deepEqual(
      page.items.map(({ id }) => id),
      ids.slice(0, 2),
    );
    assert.equal(await world.storage.count(where), 2);
  }),
  storageCase('list: of filters about different statuses each task once', async (world) => {
    await world.ended(succeed(1));
    await world.ended(fail(BOOM));
    const held = await world.submit({ status: 'scheduled', runAt: null, queuedAt: null });
    const queued = await world.submit();
    const later = await world.submit({ status: 'scheduled', runAt: world.clock.now() + 1_000, queuedAt: null });
    for (const [filters, ids] of [
      [
        [{ held: true }, { status: 'queued' }],
        [held, queued],
      ],
      [[{ status: ['queued', 'scheduled'], held: false }], [queued, later]],
      [
        [{ held: true }, { status: ['queued', 'scheduled'] }],
        [held, queued, later],
      ],
    ] as const) {
      const where = [[parseFilter()], filters.map((filter) => parseFilter({ archived: 'both', ...filter }))];
      const page = await world.list({}, { where });
      assert.deepEqual(
        page.items.map(({ id }) => id),
        ids,
      );
      assert.equal(await world.storage.count(where), ids.length);
    }
  }),
  storageCase('list: without a filter all, of an empty list none', async (world) => {
    const gone = await world.ended(succeed(1));
    await world.change(gone, archive(world.clock.now()));
    const here = await world.submit();
    const all = await world.list({}, { where: [] });
    assert.deepEqual(
      all.items.map(({ id }) => id),
      [gone, here],
    );
    assert.deepEqual((await world.list({}, { where: [[]] })).items, []);
    assert.deepEqual([await world.storage.count([]), await world.storage.count([[]])], [2, 0]);
  }),
  storageCase('list: gives whole records, or leaves out input and result', async (world) => {
    const id = await world.ended(succeed({ out: 1 }), { input: { in: 1 }, tags: { a: 1 } });
    const record = await world.get(id);
    assert.deepEqual((await world.list()).items, [record]);
    const [light] = (await world.list({}, { payloads: false })).items;
    assert.deepEqual(light, { ...record, input: null, result: null });
  }),
  storageCase('get: one answer an id, in order', async (world) => {
    const [first = '', second = ''] = await world.submitMany(2);
    const answers = await world.storage.get([second, 'none', first, second]);
    assert.deepEqual(
      answers.map((record) => record?.id ?? null),
      [second, null, first, second],
    );
    assert.deepEqual(await world.storage.get([]), []);
  }),
  storageCase('counts: by handler and status, without archived ones', async (world) => {
    await world.submitMany(3, { handler: 'a' });
    await world.submit({ handler: 'b', status: 'waiting' });
    const gone = await world.ended(succeed(1), { handler: 'b' });
    const expected = { 'a queued': 3, 'b waiting': 1, 'b succeeded': 1 };
    assert.deepEqual(await counts(world), expected);
    await world.change(gone, archive(world.clock.now()));
    assert.deepEqual(await counts(world), { 'a queued': 3, 'b waiting': 1 });
    await world.storage.remove([gone]);
    await world.ended(succeed(1), { handler: 'b' });
    assert.deepEqual(await counts(world), expected, 'the archived one was not counted, and does not count twice');
  }),
  storageCase('counts: add up after anything', async (world) => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed % below;
    };
    for (let round = 0; round < 300; round++) {
      const handler = random(2) === 0 ? 'work' : 'other';
      const now = world.clock.now();
      const [any] = (await world.list({ archived: 'both' }, { limit: 1, offset: random(20) })).items;
      switch (random(9)) {
        case 0:
          await world.submitMany(2, { handler });
          break;
        case 1:
          await world.submit({ handler, status: 'scheduled', runAt: now + random(5_000) });
          break;
        case 2:
          await world.running({ handler, startBy: now + 2_000 });
          break;
        case 3:
        case 4: {
          const claim = (await world.claim({ limit: 1 })).claims[0];
          const ends = [succeed(1), fail(BOOM), retry(BOOM, 500), giveBack()];
          if (claim !== undefined) await world.settle(claim, there(ends[random(4)]));
          break;
        }
        case 5:
          if (any !== undefined) await world.change(any.id, cancel(null, now));
          break;
        case 6:
          if (any !== undefined) await world.change(any.id, random(2) === 0 ? restart() : archive(now));
          break;
        case 7:
          if (any !== undefined) await world.storage.remove([any.id]);
          break;
        default:
          await world.clock.advance('1s');
      }
    }
    const expected: Record<string, number> = {};
    for (const { handler, status } of (await world.list()).items) {
      const key = `${handler} ${status}`;
      expected[key] = (expected[key] ?? 0) + 1;
    }
    assert.ok(Object.keys(expected).length > 5, 'the case has reached many states');
    assert.deepEqual(await counts(world), expected);
  }),
  storageCase('oldestQueued: how long the oldest has waited', async (world) => {
    assert.equal(await world.storage.oldestQueued(['work']), null);
    await world.submit();
    await world.clock.advance('5s');
    await world.submit({ handler: 'other' });
    await world.submit();
    await world.clock.advance('1s');
    assert.equal(await world.storage.oldestQueued(['work', 'other', 'none']), 6_000);
    assert.equal(await world.storage.oldestQueued(['other']), 1_000);
    assert.equal(await world.storage.oldestQueued([]), null);
    await world.claimOne();
    assert.equal(await world.storage.oldestQueued(['work']), 1_000);
  }),
  storageCase('oldestQueued: counts from when it was queued last, whatever its priority', async (world) => {
    const scheduled = await world.submit({ status: 'scheduled', runAt: world.clock.now() + 3_000 });
    await world.clock.advance('1s');
    const low = await world.submit({ priority: -5 });
    await world.submit({ priority: 5 });
    await world.clock.advance('2s');
    await world.claim({ limit: 0 });
    assert.equal(await world.storage.oldestQueued(['work']), 2_000);
    await world.change(low, cancel(null, world.clock.now()));
    await world.change(low, restart());
    await world.clock.advance('1s');
    assert.equal(await world.storage.oldestQueued(['work']), 3_000, 'that of priority 5');
    await world.claimIds({ limit: 1 });
    assert.equal(await world.storage.oldestQueued(['work']), 1_000);
    assert.equal(await world.statusOf(scheduled), 'queued');
  }),
  storageCase('oldestQueued: a changed priority is no new wait', async (world) => {
    await world.submit({ status: 'scheduled', runAt: world.clock.now() + 3_000 });
    const moved = await world.submit({ priority: 5 });
    await world.clock.advance('3s');
    await world.claim({ limit: 0 });
    await world.clock.advance('1s');
    await world.change(moved, update({ priority: 0 }));
    assert.equal(await world.storage.oldestQueued(['work']), 4_000);
  }),
  storageCase('nextDue: how long until the next one is due', async (world) => {
    const now = world.clock.now();
    assert.equal(await world.storage.nextDue(), null);
    await world.submit({ status: 'scheduled', runAt: null });
    assert.equal(await world.storage.nextDue(), null, 'held is not scheduled');
    const soon = await world.submit({ status: 'scheduled', runAt: now + 2_000 });
    await world.submit({ status: 'scheduled', runAt: now + 9_000, handler: 'other' });
    assert.equal(await world.storage.nextDue(), 2_000);
    await world.clock.advance('3s');
    assert.equal(await world.storage.nextDue(), 0);
    await world.change(soon, cancel(null, now));
    assert.equal(await world.storage.nextDue(), 6_000);
  }),
];

async function counts(world: World): Promise<Record<string, number>> {
  const rows = (await world.storage.counts()).filter(({ count }) => count !== 0);
  return Object.fromEntries(rows.map(({ handler, status, count }) => [`${handler} ${status}`, count]));
}
