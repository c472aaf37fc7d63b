import { strict as assert } from 'node:assert';
import type { StoredDocument } from '../../storage/storage.ts';
import { archive, cancel, succeed } from '../../task/transition.ts';
import { type StorageCase, storageCase, there } from './world.ts';

const keysOf = (documents: readonly StoredDocument[]): readonly string[] => documents.map(({ key }) => key);

/** Small things by kind and key. */
export const documentCases: readonly StorageCase[] = [
  storageCase('documents: what was put is there, by kind and key', async ({ storage, clock }) => {
    assert.equal(await storage.document('pause', 'all'), null);
    const value = JSON.parse('{"deep":[1,null,"\\u0000👩"],"__proto__":1}') as never;
    assert.equal(await storage.putDocument('pause', 'all', value, { dueAt: clock.now() + 5 }), 1);
    const expected = { kind: 'pause', key: 'all', value, version: 1, dueAt: clock.now() + 5 };
    assert.deepEqual(await storage.document('pause', 'all'), expected);
    assert.equal(await storage.document('pause', 'other'), null);
    assert.equal(await storage.document('schedule', 'all'), null);
  }),
  storageCase('documents: each put moves the version, and replaces all', async ({ storage, clock }) => {
    await storage.putDocument('k', 'a', 1, { dueAt: clock.now(), expiresAt: clock.now() + 1_000 });
    assert.equal(await storage.putDocument('k', 'a', null), 2);
    await clock.advance('1h');
    const expected = { kind: 'k', key: 'a', value: null, version: 2, dueAt: null };
    assert.deepEqual(await storage.document('k', 'a'), expected);
  }),
  storageCase('documents: put only where the version is as expected', async ({ storage }) => {
    assert.equal(await storage.putDocument('k', 'a', 'x', { ifVersion: 1 }), null, 'there is none yet');
    assert.equal(await storage.document('k', 'a'), null);
    assert.equal(await storage.putDocument('k', 'a', 'one', { ifVersion: 0 }), 1);
    assert.equal(await storage.putDocument('k', 'a', 'x', { ifVersion: 0 }), null, 'there is one');
    assert.equal(await storage.putDocument('k', 'a', 'two', { ifVersion: 1 }), 2);
    assert.equal(await storage.putDocument('k', 'a', 'x', { ifVersion: 1 }), null);
    assert.equal(there(await storage.document('k', 'a')).value, 'two');
  }),
  storageCase('documents: of two that put at once with the same version, one wins', async ({ storage }) => {
    const puts = ['a', 'b', 'c'].map((value) => storage.putDocument('k', 'a', value, { ifVersion: 0 }));
    assert.deepEqual(
      (await Promise.all(puts)).filter((version) => version !== null),
      [1],
    );
  }),
  storageCase('documents: deleted is gone', async ({ storage }) => {
    await storage.putDocument('k', 'a', 1);
    assert.equal(await storage.deleteDocument('k', 'a'), true);
    assert.equal(await storage.deleteDocument('k', 'a'), false);
    assert.equal(await storage.document('k', 'a'), null);
    assert.equal(await storage.putDocument('k', 'a', 1, { ifVersion: 0 }), 1);
  }),
  storageCase('documents: listed by key, in the order of bytes', async ({ storage }) => {
    const keys = ['b', 'a', 'B', 'ä', '', '\uffee', '😀', 'a2', 'a10'];
    for (const key of keys) await storage.putDocument('k', key, key);
    await storage.putDocument('other', 'x', 1);
    const expected = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    assert.deepEqual(keysOf(await storage.documents('k')), expected);
    assert.deepEqual(await storage.documents('none'), []);
  }),
  storageCase('documents: what has expired is not there', async ({ storage, clock }) => {
    await storage.putDocument('k', 'a', 1, { expiresAt: clock.now() + 1_000, dueAt: clock.now() });
    await storage.putDocument('k', 'b', 1, { expiresAt: null });
    await clock.advance(999);
    assert.deepEqual(keysOf(await storage.documents('k')), ['a', 'b']);
    await clock.advance(1);
    assert.equal(await storage.document('k', 'a'), null);
    assert.deepEqual(keysOf(await storage.documents('k')), ['b']);
    assert.deepEqual(await storage.dueDocuments('k', clock.now(), 10), []);
    assert.equal(await storage.deleteDocument('k', 'a'), false);
    assert.equal(await storage.putDocument('k', 'a', 2, { ifVersion: 0 }), 1);
  }),
  storageCase('documents: prune takes expired ones, and leaves the others', async ({ storage, clock }) => {
    await storage.putDocument('k', 'a', 1, { expiresAt: clock.now() + 1 });
    await storage.putDocument('k', 'b', 1);
    await clock.advance('1s');
    await storage.prune(100, { rules: [], count: 100 });
    assert.deepEqual(keysOf(await storage.documents('k')), ['b']);
  }),
  storageCase('documents: due ones, the longest due first', async ({ storage, clock }) => {
    const now = clock.now();
    const due = { late: now - 500, now, early: now - 100, ahead: now + 1, never: null };
    for (const [key, dueAt] of Object.entries(due)) await storage.putDocument('k', key, key, { dueAt });
    await storage.putDocument('other', 'x', 1, { dueAt: 0 });
    assert.deepEqual(keysOf(await storage.dueDocuments('k', now, 10)), ['late', 'early', 'now']);
    assert.deepEqual(keysOf(await storage.dueDocuments('k', now, 2)), ['late', 'early']);
    assert.deepEqual(keysOf(await storage.dueDocuments('k', now - 200, 10)), ['late']);
    assert.deepEqual(await storage.dueDocuments('none', now, 10), []);
  }),
  storageCase('documents: listed without their values', async ({ storage, clock }) => {
    const dueAt = clock.now() + 5;
    await storage.putDocument('k', 'a', { n: 1 }, { dueAt });
    await storage.putDocument('k', 'b', 'x');
    await storage.putDocument('k', 'b', 'y');
    assert.deepEqual(await storage.documents('k', { values: false }), [
      { kind: 'k', key: 'a', value: null, version: 1, dueAt },
      { kind: 'k', key: 'b', value: null, version: 2, dueAt: null },
    ]);
    assert.deepEqual(keysOf(await storage.documents('k', { values: false, after: 'a', limit: 1 })), ['b']);
  }),
  storageCase('documents: listed in pages, in the order of bytes', async ({ storage, clock }) => {
    const keys = ['😀', 'b', 'a', 'B', 'ä', '\uffee', 'gone'];
    for (const key of keys) await storage.putDocument('k', key, key, key === 'gone' ? { expiresAt: clock.now() } : {});
    const expected = keys.slice(0, -1).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const seen: string[] = [];
    for (let page = await storage.documents('k', { limit: 2 }); page.length > 0; ) {
      assert.ok(page.length <= 2);
      seen.push(...keysOf(page));
      page = await storage.documents('k', { after: seen.at(-1), limit: 2 });
    }
    assert.deepEqual(seen, expected);
    assert.deepEqual(keysOf(await storage.documents('k', { after: 'aa' })), expected.slice(2), 'no such key');
  }),
  storageCase('documents: what is due next, through many changes', async ({ storage, clock }) => {
    const next = async () => keysOf(await storage.dueDocuments('k', Number.POSITIVE_INFINITY, 1));
    assert.deepEqual(await next(), []);
    const now = clock.now();
    for (let round = 0; round < 3_000; round++) {
      await storage.putDocument('k', `key${round % 3}`, round, { dueAt: now + 3_000 - round });
    }
    assert.deepEqual(await next(), ['key2']);
    await storage.putDocument('k', 'key2', null, { dueAt: null });
    assert.deepEqual(await next(), ['key1']);
    await storage.deleteDocument('k', 'key1');
    assert.deepEqual(await next(), ['key0']);
    await storage.putDocument('k', 'key1', 1, { dueAt: now + 1, expiresAt: now + 5 });
    assert.deepEqual(await next(), ['key1']);
    await clock.advance(5);
    assert.deepEqual(await next(), ['key0']);
    assert.deepEqual(await next(), ['key0'], 'looking takes nothing away');
  }),
  storageCase('documents: put with tasks, in one write', async (world) => {
    const { storage, clock } = world;
    const dueAt = clock.now() + 7;
    const [one, two] = [world.draft(), world.draft()];
    const first = { kind: 'k', key: 'a', value: { n: 1 }, ifVersion: 0, dueAt };
    assert.deepEqual(await storage.insert([one, two], { documents: [first] }), [{ made: true }, { made: true }]);
    const expected = { kind: 'k', key: 'a', value: { n: 1 }, version: 1, dueAt };
    assert.deepEqual(await storage.document('k', 'a'), expected);
    assert.deepEqual(await world.ids(), [one.record.id, two.record.id]);
    const next = { ...first, ifVersion: 1, dueAt: null };
    await storage.insert([world.draft()], { documents: [next, { ...first, key: 'b' }] });
    assert.deepEqual(
      (await storage.documents('k')).map(({ version, dueAt: due }) => [version, due]),
      [
        [2, null],
        [1, dueAt],
      ],
    );
  }),
  storageCase('documents: put with a change, in one write', async (world) => {
    const { storage, clock } = world;
    const id = await world.submit();
    const put = { kind: 'k', key: 'a', value: { n: 1 }, ifVersion: 1, dueAt: clock.now() + 7 };
    const steps = archive(clock.now());
    await storage.change([{ taskId: id, steps: cancel(null, clock.now()) }]);
    assert.deepEqual(await storage.change([{ taskId: id, steps, put }]), [{ refused: 'document' }]);
    assert.notEqual((await storage.get([id]))[0], null, 'no half of it');
    const [answer] = await storage.change([{ taskId: id, steps, put: { ...put, ifVersion: 0 } }]);
    assert.equal(answer !== undefined && 'changed' in answer && answer.changed, true);
    assert.equal((await storage.get([id]))[0], null);
    const { ifVersion: _, ...stored } = put;
    assert.deepEqual(await storage.document('k', 'a'), { ...stored, version: 1 });
    const again = { taskId: id, steps, put: { ...put, key: 'b', ifVersion: 0 } };
    assert.deepEqual(await storage.change([again]), [{ refused: 'missing' }]);
    assert.equal(await storage.document('k', 'b'), null, 'nothing is put with what is not done');
  }),
  storageCase('documents: where one has another version, neither tasks nor documents are stored', async (world) => {
    const { storage } = world;
    await storage.putDocument('k', 'a', 'first');
    for (const ifVersion of [0, 2]) {
      const documents = [
        { kind: 'k', key: 'b', value: 'x', ifVersion: 0 },
        { kind: 'k', key: 'a', value: 'x', ifVersion },
      ];
      const refused = { made: false, refused: 'document_conflict' };
      assert.deepEqual(await storage.insert([world.draft(), world.draft()], { documents }), [refused, refused]);
    }
    assert.deepEqual(await storage.insert([], { documents: [{ kind: 'k', key: 'a', value: 'x', ifVersion: 1 }] }), []);
    assert.deepEqual(await world.ids(), []);
    assert.deepEqual(
      (await storage.documents('k')).map(({ key, value }) => [key, value]),
      [['a', 'first']],
    );
  }),
  storageCase('documents: where a task is refused, no document is put', async (world) => {
    const { storage } = world;
    await world.submit();
    const documents = [{ kind: 'k', key: 'a', value: 1, ifVersion: 0 }];
    const options = { documents, maxUnfinished: 2 };
    assert.deepEqual(await storage.insert([world.draft(), world.draft()], options), [
      { made: false, refused: 'not_alone' },
      { made: false, refused: 'queue_full' },
    ]);
    assert.equal(await storage.document('k', 'a'), null);
    assert.equal(await storage.count([]), 1);
    assert.deepEqual(await storage.insert([world.draft()], options), [{ made: true }]);
    assert.equal((await storage.document('k', 'a'))?.version, 1);
  }),
  storageCase('documents: the same tasks once more change nothing', async (world) => {
    const { storage } = world;
    const draft = world.draft();
    const documents = [{ kind: 'k', key: 'a', value: 1, ifVersion: 0 }];
    const copy = () => [{ ...draft, record: { ...draft.record } }];
    for (let time = 0; time < 2; time++)
      assert.deepEqual(await storage.insert(copy(), { documents }), [{ made: true }]);
    assert.deepEqual([(await storage.document('k', 'a'))?.version, await storage.count([])], [1, 1]);
  }),
  storageCase('documents: of many that put the same version with a task, one makes its task', async (world) => {
    const other = await world.connect();
    await world.storage.putDocument('k', 'a', 0);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        (at % 2 === 0 ? world.storage : other).insert([world.draft()], {
          documents: [{ kind: 'k', key: 'a', value: at, ifVersion: 1 }],
        }),
      ),
    );
    assert.equal(answers.flat().filter(({ made }) => made).length, 1);
    assert.deepEqual([await world.storage.count([]), there(await other.document('k', 'a')).version], [1, 2]);
  }),
  storageCase('documents: a task keeps its tick, through its whole life', async (world) => {
    const claim = await world.started({ scheduleId: 'nightly', tick: 123 });
    assert.deepEqual([claim.task.tick, claim.task.scheduleId], [123, 'nightly']);
    await world.settle(claim, succeed('done'));
    assert.equal((await world.get(claim.task.id)).tick, 123);
    assert.equal((await world.list()).items[0]?.tick, 123);
    assert.equal((await world.get(await world.submit())).tick, null);
  }),
  storageCase('documents: values are copies of their own', async ({ storage }) => {
    const value = { list: [1] };
    await storage.putDocument('k', 'a', value);
    value.list.push(2);
    const got = there(await storage.document('k', 'a')).value as { list: number[] };
    got.list.push(3);
    assert.deepEqual(there(await storage.document('k', 'a')).value, { list: [1] });
  }),
];
