import { strict as assert } from 'node:assert';
import { succeed } from '../../task/transition.ts';
import { type StorageCase, storageCase, there } from './world.ts';

const ODD_TEXT = 'NUL \u0000, quote \' " \\, emoji 👩‍👩‍👧, line \u2028, half \ud83d, end \udc69';

/** JSON that breaks what is built carelessly. */
const ODD: Readonly<Record<string, unknown>> = {
  'odd text': ODD_TEXT,
  'odd keys': { [ODD_TEXT]: 1, '': 2, constructor: 3, toString: 4, '$.x': 5, 'a.b': 6 },
  '__proto__ as a key': JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}') as unknown,
  'large and small numbers': [2 ** 53 - 1, -(2 ** 53) + 1, 1e300, 5e-324, 0.1, -1.5, 0],
  'empty things': [[], {}, '', null, false],
  'deep nesting': JSON.parse('['.repeat(90) + ']'.repeat(90)) as unknown,
  'a bare word': 'null',
  'long text': 'x'.repeat(100_000),
};

/** Putting tasks in. */
export const insertCases: readonly StorageCase[] = [
  storageCase('insert: a task is stored as it was drafted', async (world) => {
    const draft = world.draft({
      status: 'scheduled',
      description: 'Reindex docs',
      input: { folder: 'docs', deep: [1, { two: null }] },
      priority: -7,
      maxAttempts: 4,
      submittedBy: 'user-1',
      entityId: 'entity-1',
      parentId: 'parent-1',
      scheduleId: 'schedule-1',
      tags: { team: 'search', retryable: true, size: 1.5 },
      metadata: { trace: ['a'] },
      idempotencyKey: 'once',
      uniqueKey: 'docs',
      runAt: world.clock.now() + 1_000,
      startBy: world.clock.now() + 9_000,
      idempotency: { fingerprint: 'f', expiresAt: world.clock.now() + 1_000 },
      unique: { scope: 'unfinished', onConflict: 'skip' },
    });
    const expected = structuredClone(draft.record);
    assert.deepEqual(await world.storage.insert([draft]), [{ made: true }]);
    assert.deepEqual(await world.get(expected.id), expected);
  }),
  storageCase('insert: a waiting and a held task are stored too', async (world) => {
    const waiting = await world.submit({ status: 'waiting' });
    const held = await world.submit({ status: 'scheduled', runAt: null });
    assert.equal(await world.statusOf(waiting), 'waiting');
    assert.deepEqual([(await world.get(held)).status, (await world.get(held)).runAt], ['scheduled', null]);
    assert.deepEqual(await world.claimIds(), []);
  }),
  ...Object.entries(ODD).map(([what, value]) =>
    storageCase(`insert: ${what} survive as input, result, metadata and tag`, async (world) => {
      const tags = { [ODD_TEXT]: ODD_TEXT };
      const claim = await world.running({ input: value, metadata: value, tags });
      assert.deepEqual(claim.task.input, value);
      await world.settle(claim, succeed(value as never));
      const stored = await world.get(claim.task.id);
      assert.deepEqual([stored.input, stored.result, stored.metadata, stored.tags], [value, value, value, tags]);
      assert.equal(JSON.stringify(stored.input), JSON.stringify(value));
    }),
  ),
  storageCase('insert: odd text survives in every column of text, and finds its task', async (world) => {
    const columns = {
      handler: `h${ODD_TEXT}`,
      submittedBy: ODD_TEXT,
      entityId: `e${ODD_TEXT}`,
      parentId: `p${ODD_TEXT}`,
      scheduleId: `s${ODD_TEXT}`,
      description: `d${ODD_TEXT}`,
    };
    // A lone half of a surrogate pair has no UTF-8: where it is not inside JSON, it may not survive.
    const whole = Object.fromEntries(
      Object.entries(columns).map(([key, text]) => [key, text.toWellFormed()]),
    ) as typeof columns;
    const id = await world.submit(whole);
    const { handler, submittedBy, entityId, parentId, scheduleId, description } = await world.get(id);
    assert.deepEqual({ handler, submittedBy, entityId, parentId, scheduleId, description }, whole);
    for (const [key, text] of Object.entries(whole)) assert.deepEqual(await world.ids({ [key]: text }), [id], key);
    assert.deepEqual(await world.claimIds({ handlers: [{ name: whole.handler, limit: 1 }] }), [id]);
  }),
  storageCase('insert: once more by id is made, and changes nothing', async (world) => {
    const { record, maxLost } = world.draft({ input: 'first' });
    const again = { record: { ...record, input: 'second' }, maxLost };
    assert.deepEqual(await world.storage.insert([{ record, maxLost }]), [{ made: true }]);
    await world.claimOne();
    assert.deepEqual(await world.storage.insert([again]), [{ made: true }]);
    const stored = await world.get(again.record.id);
    assert.deepEqual([stored.input, stored.status], ['first', 'running']);
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('insert: once more by id is made also where its keys would match the earlier try', async (world) => {
    const now = world.clock.now();
    const draft = world.draft({
      idempotencyKey: 'once',
      uniqueKey: 'one',
      idempotency: { fingerprint: 'f', expiresAt: now + 60_000 },
      unique: { scope: 'unfinished', onConflict: 'error' },
    });
    const again = { ...draft, record: structuredClone(draft.record) };
    await world.storage.insert([draft]);
    assert.deepEqual(await world.storage.insert([again], { atomic: true, maxUnfinished: 1 }), [{ made: true }]);
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('insert: answers one by one, in order', async (world) => {
    await world.submit({ uniqueKey: 'taken' });
    const rule = { scope: 'unfinished', onConflict: 'error' } as const;
    const drafts = [world.draft(), world.draft({ uniqueKey: 'taken', unique: rule }), world.draft()];
    const answers = await world.storage.insert(drafts);
    assert.deepEqual(
      answers.map(({ made }) => made),
      [true, false, true],
    );
    assert.equal(await world.storage.count([]), 3);
  }),
  storageCase('insert: nothing at all is no error', async ({ storage }) => {
    assert.deepEqual(await storage.insert([]), []);
    assert.deepEqual(await storage.insert([], { atomic: true }), []);
  }),
  storageCase('insert: a thousand at once stay in order', async (world) => {
    const ids = await world.submitMany(1_000);
    assert.deepEqual(await world.ids(), ids);
    assert.deepEqual(await world.claimIds(), ids);
  }),
  storageCase('insert: atomic with a refusal makes nothing', async (world) => {
    const held = await world.submit({ uniqueKey: 'taken' });
    const rule = { scope: 'unfinished', onConflict: 'error' } as const;
    const drafts = [world.draft(), world.draft({ uniqueKey: 'taken', unique: rule }), world.draft()];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [
      { made: false, refused: 'not_alone' },
      { made: false, refused: 'unique_conflict', taskId: held },
      { made: false, refused: 'not_alone' },
    ]);
    assert.deepEqual(await world.ids({ archived: 'both' }), [held]);
    assert.deepEqual(await world.claimIds(), [held]);
    assert.deepEqual(await world.storage.counts(), [{ handler: 'work', status: 'running', count: 1 }]);
  }),
  storageCase('insert: atomic with a refusal leaves no keys behind', async (world) => {
    const now = world.clock.now();
    await world.submit({ uniqueKey: 'taken' });
    const rule = { scope: 'unfinished', onConflict: 'error' } as const;
    const keyed = {
      idempotencyKey: 'once',
      uniqueKey: 'free',
      idempotency: { fingerprint: 'f', expiresAt: now + 60_000 },
      unique: rule,
    };
    const refused = [world.draft(keyed), world.draft({ uniqueKey: 'taken', unique: rule })];
    await world.storage.insert(refused, { atomic: true });
    assert.deepEqual(await world.storage.insert([world.draft(keyed)], { atomic: true }), [{ made: true }]);
  }),
  storageCase('insert: atomic with a match makes the others', async (world) => {
    const held = await world.submit({ uniqueKey: 'taken' });
    const rule = { scope: 'unfinished', onConflict: 'skip' } as const;
    const drafts = [world.draft(), world.draft({ uniqueKey: 'taken', unique: rule }), world.draft()];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [
      { made: true },
      { made: false, matched: 'unique', taskId: held },
      { made: true },
    ]);
    assert.equal(await world.storage.count([]), 3);
  }),
  storageCase('insert: with as many unfinished tasks as allowed the queue is full', async (world) => {
    const drafts = [world.draft(), world.draft({ status: 'waiting' }), world.draft()];
    assert.deepEqual(await world.storage.insert(drafts, { maxUnfinished: 2 }), [
      { made: true },
      { made: true },
      { made: false, refused: 'queue_full' },
    ]);
    const claim = await world.claimOne();
    const [full] = await world.storage.insert([world.draft()], { maxUnfinished: 2 });
    assert.deepEqual(full, { made: false, refused: 'queue_full' }, 'a running task counts');
    await world.settle(claim, succeed(null));
    assert.deepEqual(await world.storage.insert([world.draft()], { maxUnfinished: 2 }), [{ made: true }]);
  }),
  storageCase('insert: atomic into a queue that gets full makes nothing', async (world) => {
    const drafts = [world.draft(), world.draft(), world.draft()];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true, maxUnfinished: 2 }), [
      { made: false, refused: 'not_alone' },
      { made: false, refused: 'not_alone' },
      { made: false, refused: 'queue_full' },
    ]);
    assert.equal(await world.storage.count([]), 0);
    assert.deepEqual(await world.claimIds(), []);
  }),
  storageCase('insert: a full queue still answers with an earlier task', async (world) => {
    const held = await world.submit({ uniqueKey: 'taken' });
    const draft = world.draft({ uniqueKey: 'taken', unique: { scope: 'unfinished', onConflict: 'skip' } });
    const answers = await world.storage.insert([draft], { maxUnfinished: 1 });
    assert.deepEqual(answers, [{ made: false, matched: 'unique', taskId: held }]);
  }),
  storageCase('insert: what get returned is a copy of its own', async (world) => {
    const id = await world.submit({ input: { list: [1] }, tags: { team: 'a' }, metadata: { deep: { n: 1 } } });
    const claim = await world.claimOne();
    const progress = { processed: 1, total: 2, fraction: 0.5, message: 'm', rate: null, remainingMs: null, at: 0 };
    await world.report(claim, { progress, checkpoint: { at: [5] } });
    await world.settle(claim, succeed({ files: [1] }));
    const before = await world.get(id);
    const copy = structuredClone(before);
    const spoilt = before as unknown as Record<string, Record<string, unknown>>;
    for (const key of ['input', 'tags', 'metadata', 'progress', 'checkpoint', 'result'])
      there(spoilt[key]).spoilt = true;
    (before.input as { list: number[] }).list.push(2);
    (before.metadata as { deep: { n: number } }).deep.n = 2;
    assert.deepEqual(await world.get(id), copy);
  }),
  storageCase('insert: what claim and list returned are copies of their own', async (world) => {
    const id = await world.submit({ input: { list: [1] }, tags: { team: 'a' } });
    const [claim] = (await world.claim()).claims;
    (there(claim).task.input as { list: number[] }).list.push(2);
    const [item] = (await world.list()).items;
    (there(item).input as { list: number[] }).list.push(3);
    (there(item).tags as Record<string, unknown>).team = 'b';
    const { input, tags } = await world.get(id);
    assert.deepEqual([input, tags], [{ list: [1] }, { team: 'a' }]);
  }),
];
