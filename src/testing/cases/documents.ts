import { strict as assert } from 'node:assert';
import type { StoredDocument } from '../../storage/storage.ts';
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
  storageCase('documents: values are copies of their own', async ({ storage }) => {
    const value = { list: [1] };
    await storage.putDocument('k', 'a', value);
    value.list.push(2);
    const got = there(await storage.document('k', 'a')).value as { list: number[] };
    got.list.push(3);
    assert.deepEqual(there(await storage.document('k', 'a')).value, { list: [1] });
  }),
];
