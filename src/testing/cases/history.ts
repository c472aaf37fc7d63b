import { strict as assert } from 'node:assert';
import {
  ATTEMPTS_KEPT,
  cancel,
  complete,
  fail,
  giveBack,
  restart,
  retry,
  snooze,
  succeed,
} from '../../task/transition.ts';
import { BOOM, type StorageCase, storageCase, W1 } from './world.ts';

/** What attempts leave behind. */
export const historyCases: readonly StorageCase[] = [
  storageCase('attempts: an unknown task has none, and is null', async (world) => {
    assert.equal(await world.storage.attempts('none'), null);
    assert.deepEqual(await world.attempts(await world.submit()), []);
  }),
  storageCase('attempts: the newest is seen while it runs', async (world) => {
    const claim = await world.running();
    const attempt = { attempt: 1, workerId: W1, startedAt: null, finishedAt: null, outcome: null, error: null };
    assert.deepEqual(await world.attempts(claim.task.id), [attempt]);
    await world.report(claim, { startedAt: 5 });
    assert.deepEqual(await world.attempts(claim.task.id), [{ ...attempt, startedAt: 5 }]);
  }),
  storageCase('attempts: all ends are kept, oldest first', async (world) => {
    const id = await world.submit({ maxAttempts: 9 });
    const start = world.clock.now();
    for (const steps of [retry(BOOM, 0), snooze(0), giveBack()]) {
      const claim = await world.claimOne();
      await world.clock.advance('1s');
      await world.settle(claim, steps, { startedAt: world.clock.now() });
      await world.clock.advance('1s');
    }
    const lost = await world.claimOne();
    await world.report(lost, { startedAt: 1 });
    await world.storage.takeBack(W1, 10);
    await world.join(W1);
    await world.settle(await world.claimOne(), fail(BOOM), { startedAt: 2 });
    const attempts = await world.attempts(id);
    assert.deepEqual(
      attempts.map(({ attempt, outcome, startedAt, finishedAt, error }) => [
        attempt,
        outcome,
        startedAt,
        finishedAt,
        error,
      ]),
      [
        [1, 'retrying', start + 1_000, start + 1_000, BOOM],
        [2, 'snoozed', start + 3_000, start + 3_000, null],
        [3, 'interrupted', start + 5_000, start + 5_000, null],
        [4, 'lost', 1, start + 6_000, null],
        [5, 'failed', 2, start + 6_000, BOOM],
      ],
    );
    assert.ok(attempts.every(({ workerId }) => workerId === W1));
  }),
  storageCase('attempts: of a thousand and more the newest are kept', async (world) => {
    const id = await world.submit();
    for (let attempt = 1; attempt <= ATTEMPTS_KEPT + 2; attempt++) {
      await world.settle(await world.claimOne(), snooze(0), { startedAt: attempt });
    }
    await world.claimOne();
    const attempts = await world.attempts(id);
    assert.equal(attempts.length, ATTEMPTS_KEPT + 1, 'and the one that runs');
    assert.deepEqual(
      [attempts[0], attempts.at(-2), attempts.at(-1)].map((one) => [one?.attempt, one?.startedAt, one?.outcome]),
      [
        [3, 3, 'snoozed'],
        [ATTEMPTS_KEPT + 2, ATTEMPTS_KEPT + 2, 'snoozed'],
        [ATTEMPTS_KEPT + 3, null, null],
      ],
    );
  }),
  storageCase('attempts: a restart keeps what was before', async (world) => {
    const id = await world.ended(fail(BOOM));
    await world.change(id, restart());
    assert.deepEqual(
      (await world.attempts(id)).map(({ outcome, error }) => [outcome, error]),
      [['failed', BOOM]],
    );
    await world.settle(await world.claimOne(), succeed(1));
    assert.deepEqual(
      (await world.attempts(id)).map(({ attempt, outcome }) => [attempt, outcome]),
      [
        [1, 'failed'],
        [2, 'succeeded'],
      ],
    );
  }),
  storageCase('attempts: a cancel and an end from outside are seen', async (world) => {
    const stopped = await world.started();
    await world.change(stopped.task.id, cancel(null, world.clock.now()));
    assert.equal((await world.attempts(stopped.task.id))[0]?.outcome, null, 'it still runs');
    await world.settle(stopped, fail(BOOM));
    assert.equal((await world.attempts(stopped.task.id))[0]?.outcome, 'cancelled');
    const done = await world.started();
    await world.change(done.task.id, complete(1));
    assert.equal((await world.attempts(done.task.id))[0]?.outcome, 'succeeded');
  }),
  storageCase('attempts: a task that ends between two attempts has had just the one', async (world) => {
    const claim = await world.started({ maxAttempts: 3 });
    const { id } = claim.task;
    await world.settle(claim, retry(BOOM, 1_000));
    const attempts = await world.attempts(id);
    await world.change(id, cancel(null, world.clock.now()));
    assert.deepEqual(await world.attempts(id), attempts);
    await world.change(id, restart());
    assert.deepEqual(await world.attempts(id), attempts);
    await world.settle(await world.claimOne(), succeed(1));
    assert.deepEqual(
      (await world.attempts(id)).map(({ attempt, outcome }) => [attempt, outcome]),
      [
        [1, 'retrying'],
        [2, 'succeeded'],
      ],
    );
  }),
  storageCase('attempts: between two attempts only the ended one is there', async (world) => {
    const claim = await world.started({ maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 1_000));
    assert.equal((await world.attempts(claim.task.id)).length, 1);
    await world.clock.advance('1s');
    await world.claimOne();
    assert.deepEqual(
      (await world.attempts(claim.task.id)).map(({ outcome }) => outcome),
      ['retrying', null],
    );
  }),
];
