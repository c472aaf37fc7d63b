import { strict as assert } from 'node:assert';
import type { Claim, InsertAnswer, UniqueRule } from '../../storage/storage.ts';
import { cancel, cancelled, fail, leaked, retry, runNow, snooze, succeed } from '../../task/transition.ts';
import { BOOM, type DraftFields, type StorageCase, storageCase, there, W1, type World } from './world.ts';

const RUN_AFTER: UniqueRule = { scope: 'unfinished', onConflict: 'runAfter' };
const KEYED = { uniqueKey: 'docs', unique: RUN_AFTER };

async function another(world: World, input: number, fields: DraftFields = {}): Promise<InsertAnswer> {
  return there((await world.storage.insert([world.draft({ ...KEYED, input, ...fields })]))[0]);
}

/** A task whose handler has started, and the one that waits for it. */
async function pair(world: World, fields: DraftFields = {}): Promise<{ holder: Claim; waiting: string }> {
  const holder = await world.started({ ...KEYED, maxAttempts: 3, input: 1 });
  const draft = world.draft({ ...KEYED, input: 2, ...fields });
  const answer = await world.storage.insert([draft]);
  assert.deepEqual(answer, [{ made: true, after: holder.task.id }]);
  return { holder, waiting: draft.record.id };
}

async function isReplaced(world: World, id: string, input: number): Promise<void> {
  const answer = (await another(world, input)) as Extract<InsertAnswer, { matched: unknown }>;
  assert.deepEqual([answer.matched, answer.taskId], ['unique', id]);
  assert.deepEqual(answer.replaced, await world.get(id));
  assert.equal((await world.get(id)).input, input);
}

/** One task of a key runs, and one waits for its end: `unique` with onConflict `runAfter`. */
export const runAfterCases: readonly StorageCase[] = [
  storageCase('runAfter: without another task of the key it is made as it is', async (world) => {
    assert.deepEqual(await another(world, 1), { made: true });
    assert.equal((await world.claimOne()).task.input, 1);
  }),
  storageCase('runAfter: a task that has not started becomes the new one', async (world) => {
    const id = await world.submit({ ...KEYED, input: 1 });
    await isReplaced(world, id, 2);
    assert.equal(await world.storage.count([]), 1);
  }),
  storageCase('runAfter: while one runs, one waits for it, and the last input wins', async (world) => {
    const { holder, waiting } = await pair(world);
    const { status, queuedAt, uniqueKey } = await world.get(waiting);
    assert.deepEqual({ status, queuedAt, uniqueKey }, { status: 'waiting', queuedAt: null, uniqueKey: 'docs' });
    const [edge] = there(await world.storage.edges(waiting, { side: 'dependencies', limit: 9 }));
    assert.deepEqual([edge?.id, edge?.onFailure, edge?.open], [holder.task.id, 'run', true]);
    for (const input of [3, 4, 5]) await isReplaced(world, waiting, input);
    assert.equal(await world.statusOf(waiting), 'waiting');
    assert.deepEqual(await world.claimIds(), []);
    await world.settle(holder, succeed(null));
    assert.equal(await world.statusOf(waiting), 'queued');
    assert.equal((await world.claimOne()).task.input, 5);
    assert.equal(await world.storage.count([]), 2);
  }),
  storageCase('runAfter: it runs however the other ends', async (world) => {
    for (const end of [fail(BOOM), succeed(1), cancelled()]) {
      const { holder, waiting } = await pair(world);
      if (end === cancelled()) await world.change(holder.task.id, cancel(null, world.clock.now()));
      await world.settle(holder, end);
      const next = await world.claimOne();
      assert.equal(next.task.id, waiting);
      await world.settle(next, succeed(null));
    }
  }),
  storageCase('runAfter: a task between two attempts still runs', async (world) => {
    for (const pause of [retry(BOOM, 1_000), snooze(1_000)]) {
      const { holder, waiting } = await pair(world);
      await world.settle(holder, pause);
      await isReplaced(world, waiting, 3);
      await world.clock.advance('1s');
      const again = await world.claimOne();
      assert.equal(again.task.id, holder.task.id, 'the other waits for its end');
      await world.settle(again, succeed(null));
      await world.settle(await world.claimOne(), succeed(null));
    }
  }),
  storageCase('runAfter: a claimed task counts as one that runs', async (world) => {
    const id = await world.submit(KEYED);
    await world.claimOne();
    assert.deepEqual(await another(world, 2), { made: true, after: id });
  }),
  storageCase('runAfter: once the other has ended, the one that waited has one wait for it', async (world) => {
    const { holder, waiting } = await pair(world);
    await world.settle(holder, succeed(null));
    await isReplaced(world, waiting, 3);
    const next = await world.claimOne();
    assert.deepEqual(await another(world, 4), { made: true, after: waiting });
    await world.settle(next, succeed(null));
    assert.equal((await world.claimOne()).task.input, 4);
  }),
  storageCase('runAfter: the key is never free between the two', async (world) => {
    const { holder, waiting } = await pair(world);
    const skip = { scope: 'unfinished', onConflict: 'skip' } as const;
    assert.deepEqual(await another(world, 9, { unique: skip }), {
      made: false,
      matched: 'unique',
      taskId: holder.task.id,
    });
    await world.settle(holder, succeed(null));
    assert.deepEqual(await another(world, 9, { unique: skip }), { made: false, matched: 'unique', taskId: waiting });
  }),
  storageCase('runAfter: its own time counts from when the other has ended', async (world) => {
    const { holder, waiting } = await pair(world, { status: 'scheduled', runAt: world.clock.now() + 5_000 });
    assert.equal(await world.statusOf(waiting), 'waiting');
    await world.settle(holder, succeed(null));
    const { status, runAt } = await world.get(waiting);
    assert.deepEqual({ status, runAt }, { status: 'scheduled', runAt: world.clock.now() + 5_000 });
  }),
  storageCase('runAfter: one that was cancelled while it waited makes room for another', async (world) => {
    const { holder, waiting } = await pair(world);
    await world.change(waiting, cancel(null, world.clock.now()));
    assert.deepEqual(await another(world, 3), { made: true, after: holder.task.id });
  }),
  storageCase('runAfter: one that was told to run now is still the one that is replaced', async (world) => {
    const { waiting } = await pair(world);
    await world.change(waiting, runNow());
    await isReplaced(world, waiting, 3);
    assert.equal(await world.statusOf(waiting), 'queued');
  }),
  storageCase("runAfter: somebody else's task that waits is not replaced", async (world) => {
    const { waiting } = await pair(world);
    const answer = await another(world, 3, { submittedBy: 'b' });
    assert.deepEqual(answer, { made: false, refused: 'unique_conflict', taskId: waiting });
    assert.equal((await world.get(waiting)).input, 2);
  }),
  storageCase("runAfter: nobody waits for somebody else's task", async (world) => {
    const holder = await world.started({ ...KEYED, input: 1, submittedBy: 'a' });
    const answer = await another(world, 2, { submittedBy: 'b' });
    assert.deepEqual(answer, { made: false, refused: 'unique_conflict', taskId: holder.task.id });
    assert.deepEqual(await another(world, 2, { submittedBy: 'a' }), { made: true, after: holder.task.id });
  }),
  storageCase('runAfter: refused while only a handler runs on whose task has ended', async (world) => {
    const claim = await world.started(KEYED);
    await world.settle(claim, leaked(succeed(null), W1));
    assert.deepEqual(await another(world, 2), { made: false, refused: 'unique_conflict', taskId: claim.task.id });
  }),
  storageCase('runAfter: the end of a dead worker releases it', async (world) => {
    const { waiting } = await pair(world);
    await world.change((await world.ids({ status: 'running' }))[0] ?? '', cancel(null, world.clock.now()));
    const { followed } = await world.storage.takeBack(W1, 10);
    assert.deepEqual(
      followed.map(({ id, status }) => [id, status]),
      [[waiting, 'queued']],
    );
  }),
  storageCase('runAfter: several of one insert make one that waits, with the last input', async (world) => {
    const holder = await world.started(KEYED);
    const drafts = [2, 3, 4].map((input) => world.draft({ ...KEYED, input }));
    const answers = await world.storage.insert(drafts, { atomic: true });
    const id = there(drafts[0]).record.id;
    assert.deepEqual(answers[0], { made: true, after: holder.task.id });
    assert.ok(answers.slice(1).every((answer) => 'matched' in answer && answer.taskId === id));
    assert.equal((await world.get(id)).input, 4);
    await world.settle(holder, succeed(null));
    assert.deepEqual(await world.claimIds(), [id]);
  }),
  storageCase('runAfter: the whole insert is refused, and nothing waits', async (world) => {
    const holder = await world.started(KEYED);
    const error = { scope: 'unfinished', onConflict: 'error' } as const;
    const drafts = [world.draft({ ...KEYED, input: 2 }), world.draft({ uniqueKey: 'docs', unique: error })];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [
      { made: false, refused: 'not_alone' },
      { made: false, refused: 'unique_conflict', taskId: holder.task.id },
    ]);
    assert.deepEqual(await world.storage.edges(holder.task.id, { side: 'dependents', limit: 9 }), []);
    assert.equal(await world.storage.count([]), 1);
  }),
];
