import { strict as assert } from 'node:assert';
import { cancel, complete, retry, succeed, update } from '../../task/transition.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, there, W1 } from './world.ts';

/** Who gets a task, and when. */
export const claimCases: readonly StorageCase[] = [
  storageCase('claim: gives a queued task, as running and not started', async (world) => {
    const id = await world.submit({ maxLost: 7, input: { n: 1 } });
    await world.clock.advance('1s');
    const { claims, queued, expired } = await world.claim({ token: 'mine' });
    const claim = there(claims[0]);
    assert.deepEqual([claims.length, queued, expired], [1, [], []]);
    assert.deepEqual(
      [claim.token, claim.maxLost, claim.baseline],
      ['mine', 7, { attempt: 0, lost: 0, interrupted: 0, snoozed: 0 }],
    );
    const { task } = claim;
    assert.deepEqual([task.id, task.status, task.attempt, task.version], [id, 'running', 1, 2]);
    assert.deepEqual([task.startedAt, task.workerId, task.updatedAt], [null, W1, world.clock.now()]);
    assert.deepEqual(await world.get(id), task);
  }),
  storageCase('claim: gives each task once', async (world) => {
    await world.submitMany(10);
    await world.join('w2');
    const first = await world.claimIds({ limit: 6 });
    const second = await world.claimIds({ workerId: 'w2' });
    assert.deepEqual([first.length, second.length], [6, 4]);
    assert.equal(new Set([...first, ...second]).size, 10);
    assert.deepEqual(await world.claimIds(), []);
  }),
  storageCase('claim: gives each task once, also when all ask at the same time', async (world) => {
    await world.submitMany(50);
    const all = await Promise.all(Array.from({ length: 10 }, () => world.claimIds({ limit: 7 })));
    assert.equal(all.flat().length, 50);
    assert.equal(new Set(all.flat()).size, 50);
  }),
  storageCase('claim: gives nothing when nothing is runnable, and never waits', async (world) => {
    await world.submit({ status: 'waiting' });
    await world.submit({ status: 'scheduled', runAt: null });
    await world.submit({ status: 'scheduled', runAt: world.clock.now() + 1 });
    assert.deepEqual(await world.claim(), { claims: [], queued: [], expired: [], followed: [] });
  }),
  storageCase('claim: gives only what the process can run', async (world) => {
    await world.submit({ handler: 'other' });
    const mine = await world.submit();
    assert.deepEqual(await world.claimIds(), [mine]);
    assert.deepEqual(await world.claimIds({ handlers: [] }), []);
  }),
  storageCase('claim: gives of each handler no more than its free slots', async (world) => {
    await world.submitMany(5, { handler: 'a', priority: 1 });
    await world.submitMany(5, { handler: 'b' });
    const handlers = [
      { name: 'a', limit: 2 },
      { name: 'b', limit: 3 },
    ];
    const { claims } = await world.claim({ handlers });
    assert.equal(claims.map(({ task }) => task.handler).join(''), 'aabbb');
    assert.equal((await world.claim({ handlers, limit: 3 })).claims.length, 3);
  }),
  storageCase('claim: a handler without free slots is passed over', async (world) => {
    await world.submitMany(5, { handler: 'full', priority: 9 });
    const id = await world.submit({ handler: 'free' });
    const handlers = [
      { name: 'full', limit: 0 },
      { name: 'free', limit: 5 },
    ];
    assert.deepEqual(await world.claimIds({ handlers }), [id]);
  }),
  storageCase('claim: limit 0 claims nothing, but queues what is due and cancels what has expired', async (world) => {
    const now = world.clock.now();
    const ready = await world.submit();
    const due = await world.submit({ status: 'scheduled', runAt: now + 1_000 });
    const late = await world.submit({ startBy: now + 1_000 });
    await world.clock.advance('1h');
    const { claims, queued, expired } = await world.claim({ limit: 0 });
    assert.deepEqual(claims, []);
    assert.deepEqual(
      queued.map(({ id, status }) => [id, status]),
      [[due, 'queued']],
    );
    assert.deepEqual(
      expired.map(({ id, status }) => [id, status]),
      [[late, 'cancelled']],
    );
    assert.equal(await world.statusOf(ready), 'queued');
  }),
  storageCase('claim: only the named ones, where runnable', async (world) => {
    const [first = '', second = '', third = ''] = await world.submitMany(3);
    const other = await world.submit({ handler: 'other' });
    const held = await world.submit({ status: 'scheduled', runAt: null });
    assert.deepEqual(await world.claimIds({ ids: [third, other, held, 'none', first, third] }), [first, third]);
    assert.deepEqual(await world.claimIds({ ids: [first] }), [], 'it runs already');
    assert.deepEqual(await world.claimIds(), [second]);
  }),
  storageCase('claim: of the named ones, too, no more than the limits', async (world) => {
    const a = await world.submitMany(3, { handler: 'a' });
    const b = await world.submitMany(3, { handler: 'b', priority: 1 });
    const handlers = [
      { name: 'a', limit: 3 },
      { name: 'b', limit: 2 },
    ];
    const ids = [...a, ...b];
    assert.deepEqual(await world.claimIds({ handlers, ids, limit: 4 }), [...b.slice(0, 2), ...a.slice(0, 2)]);
  }),
  storageCase('claim: due tasks are queued, in the same call claimed, and both is told', async (world) => {
    const runAt = world.clock.now() + 5_000;
    const id = await world.submit({ status: 'scheduled', runAt });
    assert.deepEqual(await world.claimIds(), []);
    await world.clock.advance('5s');
    const { claims, queued } = await world.claim();
    assert.deepEqual([claims.length, queued.length], [1, 1]);
    assert.equal(there(queued[0]).id, id);
    const { task } = there(claims[0]);
    assert.deepEqual([task.id, task.queuedAt, task.runAt, task.status], [id, world.clock.now(), null, 'running']);
    assert.equal(task.version, 3, 'one for each of the two steps');
  }),
  storageCase('claim: due tasks of any handler are queued', async (world) => {
    const id = await world.submit({ handler: 'other', status: 'scheduled', runAt: world.clock.now() + 1 });
    await world.clock.advance('1s');
    const { claims, queued } = await world.claim();
    assert.deepEqual([claims.length, there(queued[0]).id, await world.statusOf(id)], [0, id, 'queued']);
  }),
  storageCase('claim: up to 1,000 due tasks are queued by one call, the rest by the next ones', async (world) => {
    await world.submitMany(1_100, { status: 'scheduled', runAt: world.clock.now() + 1 });
    await world.clock.advance('1s');
    const first = (await world.claim({ limit: 0 })).queued.length;
    assert.ok(first > 0 && first <= 1_000);
    let all = first;
    for (let call = 0; call < 10; call++) all += (await world.claim({ limit: 0 })).queued.length;
    assert.equal(all, 1_100);
  }),
  storageCase('claim: a task that has not started by its startBy is never claimed', async (world) => {
    const startBy = world.clock.now() + 1_000;
    const queued = await world.submit({ startBy });
    const scheduled = await world.submit({ startBy, status: 'scheduled', runAt: startBy });
    const held = await world.submit({ startBy, status: 'scheduled', runAt: null });
    const waiting = await world.submit({ startBy, status: 'waiting' });
    await world.clock.advance('2s');
    const { claims, expired } = await world.claim();
    assert.deepEqual(claims, []);
    assert.deepEqual(expired.map(({ id }) => id).sort(), [queued, scheduled, held, waiting].sort());
    for (const id of [queued, scheduled, held, waiting]) {
      const { status, error, finishedAt, runAt } = await world.get(id);
      assert.deepEqual([status, error?.code, finishedAt, runAt], ['cancelled', 'expired', world.clock.now(), null]);
    }
  }),
  storageCase('claim: 1,500 expired tasks in front of a good one do not get claimed', async (world) => {
    await world.submitMany(1_500, { startBy: world.clock.now() + 1, priority: 5 });
    const good = await world.submit();
    await world.clock.advance('1s');
    const claimed: string[] = [];
    let expired = 0;
    for (let call = 0; call < 4; call++) {
      const answer = await world.claim({ limit: 10 });
      expired += answer.expired.length;
      claimed.push(...answer.claims.map(({ task }) => task.id));
    }
    assert.deepEqual([claimed, expired], [[good], 1_500]);
  }),
  storageCase('claim: 1,500 expired tasks behind a good one do not get claimed with it', async (world) => {
    const good = await world.submit({ priority: 9 });
    await world.submitMany(1_500, { startBy: world.clock.now() + 1 });
    await world.clock.advance('1s');
    assert.deepEqual(await world.claimIds(), [good]);
  }),
  storageCase('claim: startBy is too late from its very moment on', async (world) => {
    const id = await world.submit({ startBy: world.clock.now() + 1_000 });
    await world.clock.advance('1s');
    assert.deepEqual(await world.claimIds(), []);
    assert.equal(await world.statusOf(id), 'cancelled');
  }),
  storageCase('claim: a task that started in time may wait for its next attempt beyond startBy', async (world) => {
    const claim = await world.started({ startBy: world.clock.now() + 1_000, maxAttempts: 2 });
    await world.settle(claim, retry(BOOM, 5_000));
    await world.clock.advance('6s');
    assert.deepEqual(await world.claimIds(), [claim.task.id]);
  }),
  storageCase('claim: a task that is claimed in time does not expire while it runs', async (world) => {
    const claim = await world.running({ startBy: world.clock.now() + 1_000 });
    await world.clock.advance('6s');
    assert.deepEqual((await world.claim()).expired, []);
    assert.equal(await world.statusOf(claim.task.id), 'running');
  }),
  storageCase('claim: the same token again answers the same rows, as far as they still run', async (world) => {
    await world.submitMany(4);
    const { claims } = await world.claim({ token: 'mine', limit: 3 });
    const [first, second] = claims;
    await world.settle(there(first), succeed(null));
    await world.change(there(second).task.id, cancel(null, world.clock.now()));
    const again = await world.claim({ token: 'mine', limit: 3 });
    assert.deepEqual(
      again.claims.map(({ task, token }) => [task.id, token, task.status]),
      [
        [claims[1]?.task.id, 'mine', 'cancelling'],
        [claims[2]?.task.id, 'mine', 'running'],
      ],
    );
    assert.equal(again.claims[1]?.task.attempt, 1);
    assert.equal((await world.claim({ token: 'other' })).claims.length, 1, 'the fourth was left alone');
  }),
  storageCase('claim: the attempt goes up with each claim', async (world) => {
    const id = await world.submit({ maxAttempts: 9 });
    for (const attempt of [1, 2, 3]) {
      const claim = await world.claimOne();
      assert.equal(claim.task.attempt, attempt);
      await world.settle(claim, retry(BOOM, 1_000));
      await world.clock.advance('1s');
    }
    assert.equal((await world.get(id)).attempt, 3);
  }),
  storageCase('claim: what was cancelled, completed or put off since is not given', async (world) => {
    const [cancelled = '', completed = '', held = '', left = ''] = await world.submitMany(4);
    await world.change(cancelled, cancel(null, world.clock.now()));
    await world.change(completed, complete('done'));
    await world.change(held, update({ runAt: null }));
    assert.deepEqual(await world.claimIds(), [left]);
  }),
  storageCase('claim: a second claim by the same worker makes the first one stale', async (world) => {
    const first = await world.started();
    await world.storage.takeBack(W1, 10);
    await world.join(W1);
    const second = await world.claimOne();
    assert.equal(second.task.id, first.task.id);
    const answers = await world.storage.settle(
      [
        { lease: leaseOf(first), steps: succeed('old') },
        { lease: leaseOf(second), steps: succeed('new') },
      ],
      { logLimit: LOG_LIMIT, records: true },
    );
    assert.deepEqual(answers[0], { settled: false });
    assert.equal((await world.get(first.task.id)).result, 'new');
  }),
];
