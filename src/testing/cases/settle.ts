import { strict as assert } from 'node:assert';
import { cancel, cancelled, complete, fail, giveBack, retry, snooze, succeed } from '../../task/transition.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, there, W1 } from './world.ts';

const line = (message: string) => ({ at: 1, level: 'info', message }) as const;

/** How attempts end. */
export const settleCases: readonly StorageCase[] = [
  storageCase('settle: succeeded, with the result', async (world) => {
    const claim = await world.started();
    await world.clock.advance('1s');
    const answer = await world.settle(claim, succeed({ files: 3 }));
    const stored = await world.get(claim.task.id);
    assert.deepEqual(answer, { settled: true, repeated: false, status: 'succeeded', record: stored });
    assert.deepEqual([stored.status, stored.result, stored.error], ['succeeded', { files: 3 }, null]);
    assert.deepEqual([stored.finishedAt, stored.updatedAt, stored.version], [world.clock.now(), world.clock.now(), 4]);
    assert.equal(stored.workerId, W1, 'who ran it stays');
  }),
  storageCase('settle: answers without records when none are wanted', async (world) => {
    const { task, token } = await world.running();
    const settlement = { lease: { taskId: task.id, token }, steps: succeed(1) };
    const answers = await world.storage.settle([settlement], { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(answers, [{ settled: true, repeated: false, status: 'succeeded', record: null }]);
  }),
  storageCase('settle: failed, with the error', async (world) => {
    const error = { name: 'TypeError', message: 'no', code: 'E_NO', stack: 'TypeError: no\n  at x' };
    const id = await world.ended(fail(error));
    const { status, error: stored, result, finishedAt } = await world.get(id);
    assert.deepEqual([status, stored, result, finishedAt], ['failed', error, null, world.clock.now()]);
  }),
  storageCase('settle: to be tried again after a delay, by the storage clock', async (world) => {
    const claim = await world.started({ maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 5_000));
    const stored = await world.get(claim.task.id);
    assert.deepEqual([stored.status, stored.runAt, stored.error], ['scheduled', world.clock.now() + 5_000, BOOM]);
    assert.deepEqual([stored.finishedAt, stored.attempt], [null, 1]);
    assert.deepEqual(await world.claimIds(), []);
    await world.clock.advance('5s');
    assert.deepEqual(await world.claimIds(), [claim.task.id]);
  }),
  storageCase('settle: a success after a failure clears the error', async (world) => {
    const claim = await world.started({ maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 0));
    await world.settle(await world.claimOne(), succeed('ok'));
    const { error, result } = await world.get(claim.task.id);
    assert.deepEqual([error, result], [null, 'ok']);
  }),
  storageCase('settle: snoozed, and counted apart', async (world) => {
    const claim = await world.started();
    await world.settle(claim, snooze(60_000));
    const { status, snoozed, runAt } = await world.get(claim.task.id);
    assert.deepEqual([status, snoozed, runAt], ['scheduled', 1, world.clock.now() + 60_000]);
  }),
  storageCase('settle: given back, it is queued, and counted apart', async (world) => {
    const claim = await world.started();
    await world.clock.advance('1s');
    await world.settle(claim, giveBack());
    const { status, interrupted, queuedAt, attempt } = await world.get(claim.task.id);
    assert.deepEqual([status, interrupted, queuedAt, attempt], ['queued', 1, world.clock.now(), 1]);
    assert.deepEqual(await world.claimIds(), [claim.task.id]);
  }),
  storageCase('settle: what happens depends on the status it is found in', async (world) => {
    for (const [steps, status] of [
      [fail(BOOM), 'cancelled'],
      [retry(BOOM, 10), 'cancelled'],
      [snooze(10), 'cancelled'],
      [giveBack(), 'cancelled'],
      [cancelled(), 'cancelled'],
      [succeed(1), 'succeeded'],
    ] as const) {
      const claim = await world.started();
      await world.change(claim.task.id, cancel('why', world.clock.now()));
      const answer = await world.settle(claim, steps);
      assert.ok(answer.settled);
      assert.equal(answer.status, status);
      assert.equal(there(answer.record).cancelReason, 'why');
    }
  }),
  storageCase('settle: a status without a step is refused', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, cancel(null, world.clock.now()));
    const before = await world.get(claim.task.id);
    const { running } = succeed('x');
    assert.deepEqual(await world.settle(claim, running === undefined ? {} : { running }), { settled: false });
    assert.deepEqual(await world.get(claim.task.id), before);
  }),
  storageCase('settle: once more with the same token is repeated, and changes nothing', async (world) => {
    const claim = await world.started();
    await world.settle(claim, succeed('once'), { log: [line('once')] });
    const before = await world.get(claim.task.id);
    await world.clock.advance('1s');
    const again = await world.settle(claim, fail(BOOM), { checkpoint: 'late', log: [line('twice')] });
    assert.deepEqual(again, { settled: true, repeated: true, status: 'succeeded', record: before });
    assert.deepEqual(await world.get(claim.task.id), before);
    assert.deepEqual(await world.messages(claim.task.id), ['once']);
  }),
  storageCase('settle: once more is repeated also where the task goes on', async (world) => {
    const claim = await world.started();
    await world.settle(claim, retry(BOOM, 1_000));
    const again = await world.settle(claim, retry(BOOM, 1_000));
    assert.ok(again.settled && again.repeated);
    assert.equal(again.status, 'scheduled');
    await world.clock.advance('1s');
    await world.claimOne();
    assert.deepEqual(await world.settle(claim, retry(BOOM, 1_000)), { settled: false }, 'another claim holds it now');
  }),
  storageCase('settle: twice in one call counts once', async (world) => {
    const claim = await world.started();
    const settlement = { lease: leaseOf(claim), steps: snooze(10) };
    const answers = await world.storage.settle([settlement, settlement], { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(
      answers.map((answer) => answer.settled && answer.repeated),
      [false, true],
    );
    assert.equal((await world.get(claim.task.id)).snoozed, 1);
  }),
  storageCase('settle: refuses the outcome of a claim that was taken back', async (world) => {
    const claim = await world.started();
    await world.storage.takeBack(W1, 10);
    assert.deepEqual(await world.settle(claim, succeed('late')), { settled: false });
    assert.equal(await world.statusOf(claim.task.id), 'queued');
  }),
  storageCase('settle: refuses the outcome of a task that was settled from outside', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, complete('outside'));
    assert.deepEqual(await world.settle(claim, succeed('late')), { settled: false });
    assert.equal((await world.get(claim.task.id)).result, 'outside');
  }),
  storageCase('settle: refuses a task that is gone, and a token it never had', async (world) => {
    const claim = await world.started();
    assert.deepEqual(await world.settle({ ...claim, token: 'guessed' }, succeed(1)), { settled: false });
    await world.settle(claim, succeed(1));
    await world.storage.remove([claim.task.id]);
    assert.deepEqual(await world.settle(claim, succeed(1)), { settled: false });
  }),
  storageCase('settle: one refused stops no other', async (world) => {
    const good = await world.started();
    const stale = await world.started();
    await world.change(stale.task.id, complete('outside'));
    const settlements = [stale, good].map((claim) => ({ lease: leaseOf(claim), steps: succeed('done') }));
    const answers = await world.storage.settle(settlements, { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(
      answers.map(({ settled }) => settled),
      [false, true],
    );
    assert.equal((await world.get(good.task.id)).result, 'done');
  }),
  storageCase('settle: stores what the attempt still had to say, with one version for all', async (world) => {
    const claim = await world.running();
    const progress = { processed: 9, total: 9, fraction: 1, message: null, rate: null, remainingMs: 0, at: 1 };
    const report = { startedAt: 5, progress, checkpoint: { at: 9 }, log: [line('end')] };
    await world.settle(claim, succeed('done'), report);
    const stored = await world.get(claim.task.id);
    assert.deepEqual([stored.startedAt, stored.progress, stored.checkpoint], [5, progress, { at: 9 }]);
    assert.deepEqual([stored.status, stored.version], ['succeeded', claim.task.version + 1]);
    assert.deepEqual(await world.messages(claim.task.id), ['end']);
  }),
  storageCase('settle: a thousand at once', async (world) => {
    await world.submitMany(1_000);
    const { claims } = await world.claim();
    const settlements = claims.map((claim, at) => ({ lease: leaseOf(claim), steps: succeed(at) }));
    const answers = await world.storage.settle(settlements, { logLimit: LOG_LIMIT, records: false });
    assert.ok(answers.every(({ settled }) => settled));
    assert.deepEqual(await world.storage.counts(), [{ handler: 'work', status: 'succeeded', count: 1_000 }]);
    assert.deepEqual(
      (await world.list({}, { limit: 3 })).items.map(({ result }) => result),
      [0, 1, 2],
    );
  }),
];
