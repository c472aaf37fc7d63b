import { strict as assert } from 'node:assert';
import type { InsertAnswer, TaskDraft, UniqueRule } from '../../storage/storage.ts';
import { cancel, giveBack, retry, succeed, update } from '../../task/transition.ts';
import { BOOM, type DraftFields, type StorageCase, storageCase, there, type World } from './world.ts';

const REPLACE: UniqueRule = { scope: 'unfinished', onConflict: 'replace' };
const WAIT = 5_000;
const KEYED = { uniqueKey: 'docs', unique: REPLACE };

async function insert(world: World, ...fields: readonly DraftFields[]): Promise<readonly InsertAnswer[]> {
  return world.storage.insert(fields.map((each) => world.draft(each)));
}

/** Asks for one more task of the key, which must find the earlier one. */
async function replace(world: World, id: string, fields: DraftFields): Promise<void> {
  const [answer] = await insert(world, { ...KEYED, ...fields });
  const { replaced, ...rest } = there(answer) as Extract<InsertAnswer, { matched: unknown }>;
  assert.deepEqual(rest, { made: false, matched: 'unique', taskId: id });
  assert.deepEqual(replaced, await world.get(id), 'the answer has the task as it is now');
}

/** A submit that waits for quiet. */
function debounced(world: World, input: number, fields: DraftFields = {}): DraftFields {
  const rule = { scope: 'unstarted', onConflict: 'replace', ownOnly: true, maxWaitMs: 3 * WAIT } as const;
  const runAt = world.clock.now() + WAIT;
  return { uniqueKey: 'debounce:', unique: rule, input, status: 'scheduled', runAt, ...fields };
}

const refused = (taskId: string) => [{ made: false, refused: 'unique_conflict', taskId }];

/** A task that takes the place of an earlier one of its key: `replace`, and `debounce`, which is made of it. */
export const replaceCases: readonly StorageCase[] = [
  storageCase('replace: the earlier task becomes the new one, and keeps id, place, keys and owner', async (world) => {
    const old = { priority: 3, tags: { a: 1, b: 'x' }, description: 'old', entityId: 'e1', metadata: { old: true } };
    const id = await world.submit({ ...KEYED, ...old, input: 1, parentId: 'p1' });
    await world.clock.advance(10);
    const next = { priority: 5, tags: { b: 'y', c: true }, description: 'new', entityId: 'e2', metadata: [2] };
    await replace(world, id, { ...next, input: { n: 2 }, parentId: 'p2', startBy: world.clock.now() + 99 });
    const task = await world.get(id);
    const now = world.clock.now();
    const kept = { id, uniqueKey: 'docs', parentId: 'p1', createdAt: now - 10, queuedAt: now - 10, attempt: 0 };
    const got = { ...task };
    for (const [key, value] of Object.entries({
      ...kept,
      ...next,
      input: { n: 2 },
      startBy: now + 99,
      status: 'queued',
      version: 2,
      updatedAt: now,
    })) {
      assert.deepEqual(got[key as keyof typeof got], value, key);
    }
    assert.deepEqual(await world.ids({ tags: { a: { any: true } } }), [], 'its tags are those of the new one');
    assert.deepEqual(await world.ids({ tags: { c: true } }), [id]);
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('replace: what is left out of the new one is gone', async (world) => {
    const id = await world.submit({ ...KEYED, priority: 3, tags: { a: 1 }, description: 'old', metadata: 1 });
    await replace(world, id, {});
    const { priority, tags, description, metadata } = await world.get(id);
    assert.deepEqual(
      { priority, tags, description, metadata },
      { priority: 0, tags: {}, description: null, metadata: null },
    );
  }),
  storageCase('replace: by priority and place it goes where the new one belongs', async (world) => {
    const first = await world.submit(KEYED);
    const second = await world.submit({ priority: 1 });
    const third = await world.submit({ priority: 2 });
    await replace(world, first, { priority: 2 });
    assert.deepEqual(await world.claimIds(), [first, third, second]);
  }),
  storageCase('replace: runs when the new one says', async (world) => {
    const id = await world.submit(KEYED);
    await replace(world, id, { status: 'scheduled', runAt: world.clock.now() + 1_000 });
    assert.equal(await world.statusOf(id), 'scheduled');
    assert.deepEqual(await world.claimIds(), []);
    await replace(world, id, { status: 'scheduled', runAt: world.clock.now() + 2_000 });
    await world.clock.advance('1s');
    assert.deepEqual(await world.claimIds(), []);
    await replace(world, id, {});
    const { status, runAt, queuedAt } = await world.get(id);
    assert.deepEqual({ status, runAt, queuedAt }, { status: 'queued', runAt: null, queuedAt: world.clock.now() });
    await replace(world, id, { status: 'scheduled', runAt: null });
    await world.clock.advance('1h');
    assert.deepEqual(await world.claimIds(), [], 'held');
  }),
  storageCase('replace: a task that waits for others goes on waiting', async (world) => {
    const id = await world.submit({ ...KEYED, status: 'waiting' });
    const runAt = world.clock.now() + 1_000;
    await replace(world, id, { input: 2, status: 'scheduled', runAt });
    const task = await world.get(id);
    assert.deepEqual([task.status, task.input, task.runAt], ['waiting', 2, runAt]);
  }),
  storageCase('replace: counts follow', async (world) => {
    const id = await world.submit(KEYED);
    await replace(world, id, { status: 'scheduled', runAt: world.clock.now() + 1_000 });
    const counts = (await world.storage.counts()).filter(({ count }) => count > 0);
    assert.deepEqual(counts, [{ handler: 'work', status: 'scheduled', count: 1 }]);
  }),
  storageCase('replace: a claimed task is not replaced, one that was given back is', async (world) => {
    const id = await world.submit(KEYED);
    const claim = await world.claimOne();
    assert.deepEqual(await insert(world, { ...KEYED, input: 2 }), refused(id));
    await world.settle(claim, giveBack());
    await replace(world, id, { input: 3 });
    assert.equal((await world.claimOne()).task.input, 3);
  }),
  storageCase('replace: a task that started once is not replaced', async (world) => {
    const claim = await world.started({ ...KEYED, maxAttempts: 3 });
    assert.deepEqual(await insert(world, { ...KEYED, input: 2 }), refused(claim.task.id));
    await world.settle(claim, retry(BOOM, 1_000));
    assert.deepEqual(await insert(world, { ...KEYED, input: 2 }), refused(claim.task.id), 'between attempts');
    assert.equal((await world.get(claim.task.id)).input, null);
  }),
  storageCase('replace: unstarted: a new task is made once the earlier one was claimed', async (world) => {
    const unique = { scope: 'unstarted', onConflict: 'replace' } as const;
    await world.submit({ ...KEYED, unique });
    await world.claimOne();
    assert.deepEqual(await insert(world, { ...KEYED, unique }), [{ made: true }]);
  }),
  storageCase('replace: a window: a task that has ended is not replaced', async (world) => {
    const id = await world.ended(succeed(null), KEYED);
    const unique = { scope: { windowMs: 1_000 }, onConflict: 'replace' } as const;
    assert.deepEqual(await insert(world, { ...KEYED, unique }), refused(id));
  }),
  storageCase("replace: somebody else's task is not replaced", async (world) => {
    const id = await world.submit({ ...KEYED, submittedBy: 'a', input: 1 });
    assert.deepEqual(await insert(world, { ...KEYED, submittedBy: 'b' }), refused(id));
    assert.deepEqual(await insert(world, { ...KEYED, submittedBy: null }), refused(id));
    assert.equal((await world.get(id)).version, 1);
  }),
  storageCase('replace: several of one insert: the last input wins', async (world) => {
    const drafts = [1, 2, 3].map((input) => world.draft({ ...KEYED, input }));
    const id = there(drafts[0]).record.id;
    const answers = await world.storage.insert(drafts, { atomic: true });
    assert.deepEqual(answers[0], { made: true });
    assert.ok(answers.slice(1).every((answer) => 'matched' in answer && answer.taskId === id));
    assert.equal((await world.get(id)).input, 3);
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('replace: an atomic insert that is refused replaces nothing', async (world) => {
    const id = await world.submit({ ...KEYED, input: 1, tags: { a: 1 } });
    const before = await world.get(id);
    const idempotency = { fingerprint: 'f', expiresAt: world.clock.now() + 60_000 };
    const drafts: TaskDraft[] = [
      world.draft({ ...KEYED, input: 2, tags: { b: 1 }, idempotencyKey: 'k', idempotency }),
      world.draft({ ...KEYED, unique: { scope: 'unfinished', onConflict: 'error' } }),
    ];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [
      { made: false, refused: 'not_alone' },
      ...refused(id),
    ]);
    assert.deepEqual(await world.get(id), before);
    assert.deepEqual(await world.ids({ tags: { a: 1 } }), [id]);
    assert.deepEqual(await insert(world, { idempotencyKey: 'k', idempotency }), [{ made: true }], 'the key is free');
  }),
  storageCase('replace: the task answers for the idempotency key of the new one, too', async (world) => {
    const idempotency = (fingerprint: string) => ({ fingerprint, expiresAt: world.clock.now() + 60_000 });
    const id = await world.submit({ ...KEYED, idempotencyKey: 'first', idempotency: idempotency('1') });
    const again = { ...KEYED, input: 2, idempotencyKey: 'second', idempotency: idempotency('2') };
    await replace(world, id, again);
    await world.claimOne();
    assert.deepEqual(await insert(world, again), [{ made: false, matched: 'idempotency', taskId: id }]);
    assert.deepEqual(await insert(world, { idempotencyKey: 'first', idempotency: idempotency('1') }), [
      { made: false, matched: 'idempotency', taskId: id },
    ]);
    await world.change(id, cancel(null, world.clock.now()));
  }),
  storageCase('replace: of a task that was removed no key is left', async (world) => {
    const idempotency = { fingerprint: 'f', expiresAt: world.clock.now() + 60_000 };
    const id = await world.submit(KEYED);
    await replace(world, id, { idempotencyKey: 'k', idempotency });
    await world.settle(await world.claimOne(), succeed(null));
    await world.storage.remove([id]);
    assert.deepEqual(await insert(world, { ...KEYED, idempotencyKey: 'k', idempotency }), [{ made: true }]);
  }),
  storageCase('replace: finds its task where it was made elsewhere', async (world) => {
    const other = await world.connect();
    const first = world.draft({ ...KEYED, input: 1 });
    await other.insert([first]);
    await replace(world, first.record.id, { input: 2 });
    const [seen] = await other.get([first.record.id]);
    assert.equal(seen?.input, 2);
  }),

  storageCase('debounce: each submit puts the task off, the last input wins', async (world) => {
    const id = await world.submit(debounced(world, 1));
    for (const input of [2, 3]) {
      await world.clock.advance(WAIT - 1);
      await replace(world, id, debounced(world, input));
    }
    await world.clock.advance(WAIT - 1);
    assert.deepEqual(await world.claimIds(), []);
    await world.clock.advance(1);
    assert.equal((await world.claimOne()).task.input, 3);
  }),
  storageCase('debounce: not beyond maxWait after the first', async (world) => {
    const id = await world.submit(debounced(world, 1));
    const { createdAt } = await world.get(id);
    for (const input of [2, 3, 4]) {
      await world.clock.advance(WAIT - 1);
      await replace(world, id, debounced(world, input));
    }
    assert.equal((await world.get(id)).runAt, createdAt + 3 * WAIT);
    await world.clock.advance(WAIT);
    await replace(world, id, debounced(world, 5));
    assert.equal(await world.statusOf(id), 'queued', 'its time is over');
    assert.equal((await world.claimOne()).task.input, 5);
  }),
  storageCase('debounce: a task that is due, and not started, is put off again', async (world) => {
    const id = await world.submit(debounced(world, 1));
    await world.clock.advance(WAIT);
    assert.equal((await world.claim({ limit: 0 })).queued.length, 1);
    await replace(world, id, debounced(world, 2));
    const { status, runAt } = await world.get(id);
    assert.deepEqual({ status, runAt }, { status: 'scheduled', runAt: world.clock.now() + WAIT });
    assert.deepEqual(await world.claimIds(), []);
  }),
  storageCase('debounce: once it was claimed, the next submit is a task of its own', async (world) => {
    await world.submit(debounced(world, 1));
    await world.clock.advance(WAIT);
    await world.claimOne();
    assert.deepEqual(await insert(world, debounced(world, 2)), [{ made: true }]);
  }),
  storageCase('debounce: a task that was held by hand stays held, and takes the input', async (world) => {
    const id = await world.submit(debounced(world, 1));
    await world.change(id, update({ runAt: null }));
    await replace(world, id, debounced(world, 2));
    const { status, runAt, input } = await world.get(id);
    assert.deepEqual({ status, runAt, input }, { status: 'scheduled', runAt: null, input: 2 });
  }),
  storageCase('debounce: of each submitter, handler and key there is one', async (world) => {
    const others = [{}, { submittedBy: 'a' }, { submittedBy: 'b' }, { handler: 'other' }, { uniqueKey: 'debounce:x' }];
    for (const fields of others) {
      assert.deepEqual(await insert(world, debounced(world, 1, fields)), [{ made: true }], JSON.stringify(fields));
    }
    const all = await world.list();
    for (const [index, fields] of others.entries()) {
      await replace(world, there(all.items[index]).id, debounced(world, 2, fields));
    }
  }),
  storageCase('ownOnly: with skip, too: the tasks of others do not answer', async (world) => {
    const unique = { scope: { windowMs: 1_000 }, onConflict: 'skip', ownOnly: true } as const;
    const mine = await world.submit({ ...KEYED, unique, submittedBy: 'a' });
    const [answer] = await insert(world, { ...KEYED, unique, submittedBy: 'a' });
    assert.deepEqual(answer, { made: false, matched: 'unique', taskId: mine });
    assert.deepEqual(await insert(world, { ...KEYED, unique }), [{ made: true }]);
    assert.deepEqual(await insert(world, { ...KEYED, unique, submittedBy: 'b' }), [{ made: true }]);
  }),
];
