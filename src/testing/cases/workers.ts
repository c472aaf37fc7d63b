import { strict as assert } from 'node:assert';
import { cancel, leaked, succeed } from '../../task/transition.ts';
import { LOG_LIMIT, type StorageCase, storageCase, there, W1, WORKER } from './world.ts';

const NOBODY = { taken: [], followed: [] };

/** Who works, and what becomes of the dead. */
export const workerCases: readonly StorageCase[] = [
  storageCase('workers: names each with what it said of itself', async (world) => {
    const info = { ...WORKER, host: 'other\u0000', boot: null, namespace: 'ns', pid: 77, engineKey: 'k', startedAt: 5 };
    await world.join('w2', info);
    const workers = await world.storage.workers();
    assert.deepEqual(
      workers.map(({ id }) => id),
      [W1, 'w2'],
    );
    assert.deepEqual(there(workers.find(({ id }) => id === 'w2')).info, info);
  }),
  storageCase('workers: joining again replaces what it said', async (world) => {
    await world.join(W1, { ...WORKER, handlers: ['work', 'other'] });
    const workers = await world.storage.workers();
    assert.deepEqual([workers.length, workers[0]?.info?.handlers], [1, ['work', 'other']]);
  }),
  storageCase('takeBack: a task that had started is lost, and queued at once', async (world) => {
    const claim = await world.started();
    await world.clock.advance('1s');
    const { taken } = await world.storage.takeBack(W1, 10);
    const stored = await world.get(claim.task.id);
    assert.deepEqual(taken, [stored]);
    assert.deepEqual([stored.status, stored.lost, stored.interrupted], ['queued', 1, 0]);
    assert.deepEqual([stored.queuedAt, stored.updatedAt, stored.version], [world.clock.now(), world.clock.now(), 4]);
  }),
  storageCase('takeBack: a task that had not started is given back free', async (world) => {
    const claim = await world.running();
    const [taken] = (await world.storage.takeBack(W1, 10)).taken;
    assert.deepEqual([taken?.id, taken?.status, taken?.lost, taken?.interrupted], [claim.task.id, 'queued', 0, 1]);
  }),
  storageCase('takeBack: a task that was to be cancelled is cancelled', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, cancel('why', world.clock.now()));
    const [taken] = (await world.storage.takeBack(W1, 10)).taken;
    assert.deepEqual([taken?.status, taken?.cancelReason], ['cancelled', 'why']);
    assert.deepEqual(await world.storage.cancelling(W1), []);
  }),
  storageCase('takeBack: lost again it waits, lost too often it fails', async (world) => {
    const id = await world.submit({ maxLost: 2 });
    const seen: unknown[] = [];
    for (let run = 0; run < 3; run++) {
      const claim = await world.claimOne();
      await world.report(claim, { startedAt: world.clock.now() });
      const [taken] = (await world.storage.takeBack(W1, 10)).taken;
      const { status = null, runAt = null, error = null } = taken ?? {};
      seen.push([status, runAt === null ? null : runAt - world.clock.now(), error?.code]);
      await world.join(W1);
      await world.clock.advance('1m');
    }
    assert.deepEqual(seen, [
      ['queued', null, undefined],
      ['scheduled', 1_000, undefined],
      ['failed', null, 'lost'],
    ]);
    assert.equal((await world.get(id)).lost, 3);
  }),
  storageCase('takeBack: the worker goes first, then its tasks, some at a time', async (world) => {
    await world.submitMany(5);
    const ids = await world.claimIds();
    const sizes: number[] = [];
    const all: string[] = [];
    for (let call = 0; call < 4; call++) {
      const { taken } = await world.storage.takeBack(W1, 2);
      const { known } = await world.storage.beat({ workerId: W1, reports: [], logLimit: LOG_LIMIT, records: false });
      assert.equal(known, false);
      sizes.push(taken.length);
      all.push(...taken.map(({ id }) => id));
    }
    assert.deepEqual(sizes, [2, 2, 1, 0]);
    assert.deepEqual(all.sort(), [...ids].sort());
  }),
  storageCase('takeBack: a worker that is gone is listed as long as tasks of its run', async (world) => {
    await world.submitMany(3);
    await world.claim();
    for (const left of [2, 1]) {
      await world.storage.takeBack(W1, 1);
      assert.deepEqual(await world.storage.workers(), [{ id: W1, beats: 0, info: null }], `${left} left`);
    }
    assert.equal((await world.storage.takeBack(W1, 10, { beats: 0 })).taken.length, 1);
    assert.deepEqual(await world.storage.workers(), []);
  }),
  storageCase('takeBack: what a stranger claimed is found and taken back', async (world) => {
    const claim = await world.started({}, { workerId: 'stranger' });
    const listed = (await world.storage.workers()).find(({ id }) => id === 'stranger');
    assert.deepEqual(listed, { id: 'stranger', beats: 0, info: null });
    await world.storage.takeBack('stranger', 10);
    assert.equal(await world.statusOf(claim.task.id), 'queued');
  }),
  storageCase('takeBack: leaves the tasks of others alone', async (world) => {
    await world.join('w2');
    const mine = await world.started({}, { workerId: 'w2' });
    await world.started();
    await world.storage.takeBack(W1, 10);
    assert.equal(await world.statusOf(mine.task.id), 'running');
    assert.deepEqual(
      (await world.storage.workers()).map(({ id }) => id),
      ['w2'],
    );
  }),
  storageCase('takeBack: leaves what has ended alone', async (world) => {
    const id = await world.ended(succeed(1));
    const before = await world.get(id);
    assert.deepEqual(await world.storage.takeBack(W1, 10), NOBODY);
    assert.deepEqual(await world.get(id), before);
  }),
  storageCase('takeBack: not when it has beaten since', async (world) => {
    const claim = await world.started();
    const { beats } = there((await world.storage.workers())[0]);
    await world.join(W1);
    assert.deepEqual(await world.storage.takeBack(W1, 10, { beats }), NOBODY);
    assert.equal(await world.statusOf(claim.task.id), 'running');
    assert.equal((await world.storage.workers()).length, 1);
    const now = there((await world.storage.workers())[0]).beats;
    assert.equal((await world.storage.takeBack(W1, 10, { beats: now })).taken.length, 1);
  }),
  storageCase('takeBack: a worker that nobody knows has nothing', async (world) => {
    assert.deepEqual(await world.storage.takeBack('none', 10), NOBODY);
    assert.deepEqual(await world.storage.takeBack('none', 10, { beats: 3 }), NOBODY);
  }),
  storageCase('takeBack: a worker that joins again starts without leases', async (world) => {
    const claim = await world.started();
    await world.storage.takeBack(W1, 10);
    await world.join(W1);
    assert.deepEqual(await world.report(claim, { checkpoint: 'late' }), { held: false, status: 'queued' });
  }),
  storageCase('takeBack: a leak alone is no task to take back', async (world) => {
    const claim = await world.started();
    await world.settle(claim, leaked(succeed(1), W1));
    const before = await world.get(claim.task.id);
    assert.deepEqual(await world.storage.takeBack(W1, 10), NOBODY);
    assert.deepEqual(await world.get(claim.task.id), before);
  }),
];
