import { strict as assert } from 'node:assert';
import type { TaskProgress } from '../../task/record.ts';
import { cancel, complete, fail, succeed } from '../../task/transition.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, there, W1, type World } from './world.ts';

const PROGRESS: TaskProgress = {
  processed: 5,
  total: 10,
  fraction: 0.5,
  message: 'Reticulating splines',
  rate: 2.5,
  remainingMs: 2_000,
  at: 1_893_456_000_000,
};

const line = (message: string) => ({ at: 1, level: 'info', message }) as const;

async function versionOf(world: World, id: string): Promise<readonly [version: number, updatedAt: number]> {
  const { version, updatedAt } = await world.get(id);
  return [version, updatedAt];
}

/** Leases, and what running attempts report. */
export const beatCases: readonly StorageCase[] = [
  storageCase('beat: makes a worker known, and says so', async (world) => {
    assert.deepEqual(await world.join('w2'), { known: true, reports: [] });
    const workers = await world.storage.workers();
    assert.deepEqual(workers.map(({ id }) => id).sort(), [W1, 'w2']);
  }),
  storageCase('beat: a stranger stays unknown until it joins', async (world) => {
    const stranger = { workerId: 'w2', reports: [], logLimit: LOG_LIMIT, records: false };
    assert.equal((await world.storage.beat(stranger)).known, false);
    assert.equal((await world.storage.beat(stranger)).known, false);
    assert.equal((await world.join('w2')).known, true);
    assert.equal((await world.storage.beat(stranger)).known, true);
  }),
  storageCase('beat: a worker that was taken back stays unknown, and holds nothing', async (world) => {
    const claim = await world.started();
    await world.storage.takeBack(W1, 0);
    const reports = [{ lease: leaseOf(claim), checkpoint: 'late' }];
    const answer = await world.storage.beat({ workerId: W1, reports, logLimit: LOG_LIMIT, records: false });
    assert.equal(answer.known, false);
    assert.equal(there(answer.reports[0]).held, false);
    assert.equal((await world.get(claim.task.id)).checkpoint, null);
  }),
  storageCase('beat: moves the number of beats', async (world) => {
    const before = there((await world.storage.workers())[0]).beats;
    await world.storage.beat({ workerId: W1, reports: [], logLimit: LOG_LIMIT, records: false });
    assert.notEqual(there((await world.storage.workers())[0]).beats, before);
  }),
  storageCase('beat: a bare lease changes nothing in the task', async (world) => {
    const claim = await world.running();
    const { task } = claim;
    await world.clock.advance('1s');
    const answer = await world.report(claim);
    assert.deepEqual(answer, { held: true, status: 'running', cancelReason: null, record: task });
    assert.deepEqual(await world.get(task.id), task);
  }),
  storageCase('beat: stores progress, checkpoint and start, with one version for all', async (world) => {
    const claim = await world.running();
    await world.clock.advance('1s');
    const now = world.clock.now();
    const report = { startedAt: now - 5, progress: PROGRESS, checkpoint: { at: [5] }, log: [line('a'), line('b')] };
    const answer = await world.report(claim, report);
    const stored = await world.get(claim.task.id);
    assert.deepEqual([stored.startedAt, stored.progress, stored.checkpoint], [now - 5, PROGRESS, { at: [5] }]);
    assert.deepEqual([stored.version, stored.updatedAt], [claim.task.version + 1, now]);
    assert.deepEqual(answer, { held: true, status: 'running', cancelReason: null, record: stored });
    assert.deepEqual(await world.messages(claim.task.id), ['a', 'b']);
  }),
  storageCase('beat: each kind of report moves the version', async (world) => {
    const claim = await world.running();
    const { id } = claim.task;
    for (const report of [{ startedAt: 1 }, { progress: PROGRESS }, { checkpoint: null }, { log: [line('a')] }]) {
      await world.clock.advance('1s');
      const [version] = await versionOf(world, id);
      await world.report(claim, report);
      assert.deepEqual(await versionOf(world, id), [version + 1, world.clock.now()], JSON.stringify(report));
    }
  }),
  storageCase('beat: what is left out stays as it was', async (world) => {
    const claim = await world.running();
    await world.report(claim, { startedAt: 7, progress: PROGRESS, checkpoint: 'one' });
    await world.report(claim, { checkpoint: 'two' });
    const { startedAt, progress, checkpoint } = await world.get(claim.task.id);
    assert.deepEqual([startedAt, progress, checkpoint], [7, PROGRESS, 'two']);
    await world.report(claim, { checkpoint: null });
    assert.equal((await world.get(claim.task.id)).checkpoint, null);
  }),
  storageCase('beat: answers one by one, in order', async (world) => {
    const mine = await world.running();
    const ended = await world.running();
    await world.settle(ended, succeed(null));
    const cancelled = await world.running();
    await world.change(cancelled.task.id, cancel('stop it', world.clock.now()));
    const reports = [mine, ended, cancelled].map((claim) => ({ lease: leaseOf(claim) }));
    reports.push({ lease: { taskId: 'none', token: 'none' } });
    const answer = await world.storage.beat({ workerId: W1, reports, logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(answer.reports, [
      { held: true, status: 'running', cancelReason: null, record: null },
      { held: false, status: 'succeeded' },
      { held: true, status: 'cancelling', cancelReason: 'stop it', record: null },
      { held: false, status: null },
    ]);
  }),
  storageCase('beat: a report with a stale token is refused, and changes nothing', async (world) => {
    const first = await world.started();
    await world.storage.takeBack(W1, 10);
    await world.join(W1);
    const second = await world.claimOne();
    const report = { startedAt: 1, progress: PROGRESS, checkpoint: 'late', log: [line('late')] };
    assert.deepEqual(await world.report(first, report), { held: false, status: 'running' });
    assert.deepEqual(await world.get(second.task.id), second.task);
    assert.deepEqual(await world.messages(second.task.id), []);
  }),
  storageCase('beat: a report on a task that was completed from outside is refused', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, complete('outside'));
    const before = await world.get(claim.task.id);
    assert.deepEqual(await world.report(claim, { checkpoint: 'late' }), { held: false, status: 'succeeded' });
    assert.deepEqual(await world.get(claim.task.id), before);
  }),
  storageCase('beat: one refused stops no other', async (world) => {
    const good = await world.running();
    const gone = await world.running();
    await world.settle(gone, fail(BOOM));
    const reports = [gone, good].map((claim) => ({ lease: leaseOf(claim), checkpoint: 'kept' }));
    await world.storage.beat({ workerId: W1, reports, logLimit: LOG_LIMIT, records: false });
    assert.equal((await world.get(good.task.id)).checkpoint, 'kept');
    assert.equal((await world.get(gone.task.id)).checkpoint, null);
  }),
  storageCase('cancelling: names what is to stop, with lease and reason', async (world) => {
    const claim = await world.started();
    const other = await world.started();
    assert.deepEqual(await world.storage.cancelling(W1), []);
    await world.change(claim.task.id, cancel('no longer needed', world.clock.now()));
    assert.deepEqual(await world.storage.cancelling(W1), [{ lease: leaseOf(claim), reason: 'no longer needed' }]);
    await world.change(other.task.id, cancel(null, world.clock.now()));
    assert.equal((await world.storage.cancelling(W1)).length, 2);
    assert.deepEqual(await world.storage.cancelling('w2'), [], 'each worker is told of its own');
  }),
  storageCase('cancelling: what has stopped is not named any more', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, cancel(null, world.clock.now()));
    await world.settle(claim, fail(BOOM));
    assert.deepEqual(await world.storage.cancelling(W1), []);
    const queued = await world.submit();
    await world.change(queued, cancel(null, world.clock.now()));
    assert.deepEqual(await world.storage.cancelling(W1), []);
  }),

  storageCase('log: lines count up, and are read on from any of them', async (world) => {
    const claim = await world.running();
    const { id } = claim.task;
    await world.report(claim, { log: [{ at: 5, level: 'warn', message: 'a\u0000👩' }, line('b')] });
    await world.report(claim, { log: [line('c'), line('d')] });
    assert.deepEqual(await world.storage.log(id, { after: 0, limit: 2 }), [
      { seq: 1, at: 5, level: 'warn', message: 'a\u0000👩' },
      { seq: 2, at: 1, level: 'info', message: 'b' },
    ]);
    const rest = there(await world.storage.log(id, { after: 2, limit: 10 }));
    assert.deepEqual(
      rest.map(({ seq, message }) => [seq, message]),
      [
        [3, 'c'],
        [4, 'd'],
      ],
    );
    assert.deepEqual(await world.storage.log(id, { after: 4, limit: 10 }), []);
  }),
  storageCase('log: keeps the newest lines, and counts on', async (world) => {
    const claim = await world.running();
    const { id } = claim.task;
    const limit = { lines: 3, bytes: 1_000 };
    await world.report(claim, { log: ['a', 'b', 'c', 'd', 'e'].map(line) }, W1, limit);
    assert.deepEqual(await world.messages(id), ['c', 'd', 'e']);
    await world.report(claim, { log: [line('f')] }, W1, limit);
    const lines = there(await world.storage.log(id, { after: 0, limit: 10 }));
    assert.deepEqual(
      lines.map(({ seq, message }) => [seq, message]),
      [
        [4, 'd'],
        [5, 'e'],
        [6, 'f'],
      ],
    );
  }),
  storageCase('log: keeps no more bytes than allowed, counted in UTF-8', async (world) => {
    const claim = await world.running();
    const limit = { lines: 100, bytes: 10 };
    await world.report(claim, { log: ['ääää', 'bbb', '👩c'].map(line) }, W1, limit);
    assert.deepEqual(await world.messages(claim.task.id), ['bbb', '👩c'], '8 + 3 + 5 bytes are too many');
    await world.report(claim, { log: [line('dd')] }, W1, limit);
    assert.deepEqual(await world.messages(claim.task.id), ['bbb', '👩c', 'dd'], '10 bytes are not');
  }),
  storageCase('log: a task that never wrote has none, an unknown one is null', async (world) => {
    const id = await world.submit();
    assert.deepEqual(await world.storage.log(id, { after: 0, limit: 10 }), []);
    assert.equal(await world.storage.log('none', { after: 0, limit: 10 }), null);
  }),
  storageCase('log: goes on over attempts, and goes with its task', async (world) => {
    const claim = await world.started();
    const { id } = claim.task;
    await world.report(claim, { log: [line('first')] });
    await world.storage.takeBack(W1, 10);
    await world.join(W1);
    const second = await world.claimOne();
    await world.settle(second, succeed(null), { log: [line('second')] });
    assert.deepEqual(await world.messages(id), ['first', 'second']);
    await world.storage.remove([id]);
    assert.equal(await world.storage.log(id, { after: 0, limit: 10 }), null);
  }),
];
