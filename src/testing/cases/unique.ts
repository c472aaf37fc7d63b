import { strict as assert } from 'node:assert';
import type { InsertAnswer, UniqueRule } from '../../storage/storage.ts';
import { archive, cancel, complete, giveBack, leaked, restart, retry, succeed } from '../../task/transition.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, W1, type World } from './world.ts';

const KEY = 'docs';

/** Puts in another task with the key. */
async function another(
  world: World,
  scope: UniqueRule['scope'],
  onConflict: UniqueRule['onConflict'] = 'skip',
): Promise<InsertAnswer | undefined> {
  const [answer] = await world.storage.insert([world.draft({ uniqueKey: KEY, unique: { scope, onConflict } })]);
  return answer;
}

const MADE = { made: true };
const matched = (taskId: string) => ({ made: false, matched: 'unique', taskId });

/** Puts in a task with an idempotency key that holds for a minute. */
async function keyed(world: World, fingerprint = 'f', submittedBy: string | null = null): Promise<unknown> {
  const expiresAt = world.clock.now() + 60_000;
  const draft = world.draft({ idempotencyKey: 'once', submittedBy, idempotency: { fingerprint, expiresAt } });
  const [answer] = await world.storage.insert([draft]);
  return answer?.made === true ? draft.record.id : answer;
}

/** Unique keys and idempotency keys. */
export const uniqueCases: readonly StorageCase[] = [
  storageCase('unique: unfinished: stands in the way until it has ended', async (world) => {
    const id = await world.submit({ uniqueKey: KEY });
    assert.deepEqual(await another(world, 'unfinished'), matched(id));
    const claim = await world.claimOne();
    await world.report(claim, { startedAt: world.clock.now() });
    assert.deepEqual(await another(world, 'unfinished'), matched(id), 'while it runs');
    await world.change(id, cancel(null, world.clock.now()));
    assert.deepEqual(await another(world, 'unfinished'), matched(id), 'while it is cancelling');
    await world.settle(claim, succeed(null));
    assert.deepEqual(await another(world, 'unfinished'), MADE);
  }),
  storageCase('unique: unfinished: waiting, scheduled and held tasks stand in the way', async (world) => {
    for (const fields of [
      { status: 'waiting' },
      { status: 'scheduled', runAt: world.clock.now() + 1_000 },
      { status: 'scheduled', runAt: null },
    ] as const) {
      const id = await world.submit({ ...fields, uniqueKey: KEY });
      assert.deepEqual(await another(world, 'unfinished'), matched(id), JSON.stringify(fields));
      await world.change(id, cancel(null, world.clock.now()));
    }
  }),
  storageCase('unique: unfinished: a handler that runs on keeps the key until it ends', async (world) => {
    const claim = await world.started({ uniqueKey: KEY });
    await world.settle(claim, leaked(succeed(null), W1));
    assert.deepEqual(await another(world, 'unfinished'), matched(claim.task.id));
    await world.report(claim, { leakEnded: true });
    assert.deepEqual(await another(world, 'unfinished'), MADE);
  }),
  storageCase('unique: unfinished: the end of a leak may come with a repeated settlement', async (world) => {
    const claim = await world.started({ uniqueKey: KEY });
    const steps = leaked(succeed(null), W1);
    await world.settle(claim, steps);
    await world.settle(claim, steps, { leakEnded: true });
    assert.deepEqual(await another(world, 'unfinished'), MADE);
  }),
  storageCase('unique: unfinished: a leak ends with its process', async (world) => {
    const claim = await world.started({ uniqueKey: KEY });
    await world.settle(claim, leaked(succeed(null), W1));
    await world.storage.takeBack(W1, 100);
    assert.deepEqual(await another(world, 'unfinished'), MADE);
  }),
  storageCase('unique: unstarted: a claimed task counts as started, until it is given back', async (world) => {
    const id = await world.submit({ uniqueKey: KEY });
    assert.deepEqual(await another(world, 'unstarted'), matched(id));
    const claim = await world.claimOne();
    await world.settle(claim, giveBack());
    assert.deepEqual(await another(world, 'unstarted'), matched(id), 'given back');
    await world.claimOne();
    assert.deepEqual(await another(world, 'unstarted'), MADE, 'claimed');
  }),
  storageCase('unique: unstarted: a task that waits for its next attempt has started', async (world) => {
    const claim = await world.started({ uniqueKey: KEY, maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 1_000));
    assert.deepEqual(await another(world, 'unstarted'), MADE);
  }),
  storageCase('unique: unstarted: a task that started in an earlier attempt has started', async (world) => {
    const claim = await world.started({ uniqueKey: KEY, maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 1_000));
    await world.clock.advance('1s');
    await world.claimOne();
    assert.deepEqual(await another(world, 'unstarted'), MADE);
  }),
  storageCase('unique: unstarted: a cancelled task never starts', async (world) => {
    const id = await world.submit({ uniqueKey: KEY });
    await world.change(id, cancel(null, world.clock.now()));
    assert.deepEqual(await another(world, 'unstarted'), MADE);
  }),
  storageCase('unique: window: counts from when the earlier task was made, also when it has ended', async (world) => {
    const id = await world.ended(succeed(null), { uniqueKey: KEY });
    await world.clock.advance(59_999);
    assert.deepEqual(await another(world, { windowMs: 60_000 }), matched(id));
    await world.clock.advance(1);
    assert.deepEqual(await another(world, { windowMs: 60_000 }), MADE);
  }),
  storageCase('unique: the key belongs to its handler', async (world) => {
    await world.submit({ uniqueKey: KEY, handler: 'other' });
    assert.deepEqual(await another(world, 'unfinished', 'error'), MADE);
  }),
  storageCase('unique: another key is another task', async (world) => {
    await world.submit({ uniqueKey: `${KEY}2` });
    assert.deepEqual(await another(world, 'unfinished', 'error'), MADE);
  }),
  storageCase('unique: with onConflict error the answer names the task in the way', async (world) => {
    const id = await world.submit({ uniqueKey: KEY });
    assert.deepEqual(await another(world, 'unfinished', 'error'), {
      made: false,
      refused: 'unique_conflict',
      taskId: id,
    });
  }),
  storageCase('unique: two of one insert: the first answers for the second', async (world) => {
    const unique = { scope: 'unfinished', onConflict: 'skip' } as const;
    const drafts = [world.draft({ uniqueKey: KEY, unique }), world.draft({ uniqueKey: KEY, unique })];
    const [first] = drafts.map(({ record }) => record.id);
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [MADE, matched(first ?? '')]);
  }),
  storageCase('unique: a removed task holds nothing', async (world) => {
    const id = await world.ended(succeed(null), { uniqueKey: KEY });
    await world.storage.remove([id]);
    assert.deepEqual(await another(world, { windowMs: 60_000 }), MADE);
  }),
  storageCase('unique: a removed task whose handler runs on holds nothing', async (world) => {
    const claim = await world.started({ uniqueKey: KEY });
    await world.settle(claim, leaked(succeed(null), W1));
    await world.storage.remove([claim.task.id]);
    assert.deepEqual(await another(world, 'unfinished', 'error'), MADE);
  }),
  storageCase('unique: a restart whose key is taken is refused', async (world) => {
    const first = await world.ended(succeed(null), { uniqueKey: KEY });
    const second = await world.submit({ uniqueKey: KEY });
    assert.deepEqual(await world.change(first, restart()), { refused: 'unique', taskId: second });
    assert.equal(await world.statusOf(first), 'succeeded');
    await world.change(second, complete(null));
    const answer = await world.change(first, restart());
    assert.ok('changed' in answer && answer.changed);
    assert.deepEqual(await another(world, 'unfinished'), matched(first), 'it holds the key again');
  }),

  storageCase('idempotency: the same key and fingerprint answer with the earlier task', async (world) => {
    const id = await keyed(world);
    assert.deepEqual(await keyed(world), { made: false, matched: 'idempotency', taskId: id });
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('idempotency: another fingerprint is refused', async (world) => {
    const id = await keyed(world);
    assert.deepEqual(await keyed(world, 'g'), { made: false, refused: 'idempotency_conflict', taskId: id });
  }),
  storageCase('idempotency: the key belongs to who submitted', async (world) => {
    const nobody = await keyed(world, 'f', null);
    const first = await keyed(world, 'f', 'user-1');
    const second = await keyed(world, 'f', 'user-2');
    assert.equal(new Set([nobody, first, second]).size, 3);
    assert.equal(await world.storage.count([]), 3);
    assert.deepEqual(await keyed(world, 'f', 'user-2'), { made: false, matched: 'idempotency', taskId: second });
    const empty = await keyed(world, 'g', '');
    assert.equal(typeof empty, 'string', 'nobody and an empty name are not the same');
  }),
  storageCase('idempotency: holds when the task has ended, and until it expires', async (world) => {
    const id = await keyed(world);
    await world.settle(await world.claimOne(), succeed(null));
    await world.clock.advance(59_999);
    assert.deepEqual(await keyed(world), { made: false, matched: 'idempotency', taskId: id });
    await world.clock.advance(1);
    const next = await keyed(world, 'g');
    assert.equal(typeof next, 'string');
    assert.deepEqual(await keyed(world, 'g'), { made: false, matched: 'idempotency', taskId: next });
  }),
  storageCase('idempotency: an archived task still answers, a removed one does not', async (world) => {
    const id = (await keyed(world)) as string;
    await world.settle(await world.claimOne(), succeed(null));
    await world.change(id, archive(world.clock.now()));
    assert.deepEqual(await keyed(world), { made: false, matched: 'idempotency', taskId: id });
    await world.storage.remove([id]);
    assert.equal(typeof (await keyed(world)), 'string');
  }),
  storageCase('idempotency: a pruned task answers no more', async (world) => {
    await keyed(world);
    await world.settle(await world.claimOne(), succeed(null));
    assert.equal(await world.storage.prune(10, { rules: [], count: 0 }), 1);
    assert.equal(typeof (await keyed(world)), 'string');
  }),
  storageCase('idempotency: an expired key goes with prune, and its task stays', async (world) => {
    const id = (await keyed(world)) as string;
    await world.clock.advance('2m');
    await world.storage.prune(10, { rules: [], count: 10 });
    assert.equal(await world.statusOf(id), 'queued');
    assert.equal(typeof (await keyed(world)), 'string');
  }),
  storageCase('idempotency: two of one insert: the first answers for the second', async (world) => {
    const idempotency = { fingerprint: 'f', expiresAt: world.clock.now() + 60_000 };
    const drafts = [
      world.draft({ idempotencyKey: 'k', idempotency }),
      world.draft({ idempotencyKey: 'k', idempotency }),
    ];
    const [first] = drafts.map(({ record }) => record.id);
    const answers = await world.storage.insert(drafts, { atomic: true });
    assert.deepEqual(answers, [MADE, { made: false, matched: 'idempotency', taskId: first }]);
  }),
  storageCase('idempotency: goes before unique', async (world) => {
    const id = await keyed(world);
    await world.submit({ uniqueKey: KEY });
    const draft = world.draft({
      idempotencyKey: 'once',
      uniqueKey: KEY,
      idempotency: { fingerprint: 'f', expiresAt: world.clock.now() + 60_000 },
      unique: { scope: 'unfinished', onConflict: 'error' },
    });
    const answers = await world.storage.insert([draft]);
    assert.deepEqual(answers, [{ made: false, matched: 'idempotency', taskId: id }]);
  }),
  storageCase('unique: the leak of one task is not ended by another', async (world) => {
    const first = await world.started({ uniqueKey: KEY });
    await world.settle(first, leaked(succeed(null), W1));
    const second = await world.started({});
    const settlement = { lease: leaseOf(second), steps: succeed(null), leakEnded: true };
    await world.storage.settle([settlement], { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(await another(world, 'unfinished'), matched(first.task.id));
  }),
];
