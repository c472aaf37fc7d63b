import { strict as assert } from 'node:assert';
import { cancel, giveBack, restart, retry, runNow, snooze, update } from '../../task/transition.ts';
import { BOOM, type StorageCase, storageCase, W1, type World } from './world.ts';

/** Takes the first of three tasks, does something that brings it back, and sees it come first again. */
async function keepsItsPlace(world: World, back: (id: string) => Promise<void>): Promise<void> {
  const ids = await world.submitMany(3, { maxAttempts: 5 });
  await back(ids[0] ?? '');
  assert.deepEqual(await world.claimIds(), ids);
}

/** In which order tasks run. */
export const orderCases: readonly StorageCase[] = [
  storageCase('order: in submit order', async (world) => {
    const ids = await world.submitMany(20);
    const claimed: string[] = [];
    for (let call = 0; call < 20; call++) claimed.push((await world.claimOne()).task.id);
    assert.deepEqual(claimed, ids);
  }),
  storageCase('order: larger priority first, then in submit order', async (world) => {
    const priorities = [0, 5, -3, 5, 1_000_000, 0, -1_000_000, 5];
    const ids: string[] = [];
    for (const priority of priorities) ids.push(await world.submit({ priority }));
    const expected = [4, 1, 3, 7, 0, 5, 2, 6].map((at) => ids[at]);
    assert.deepEqual(await world.claimIds(), expected);
  }),
  storageCase('order: across handlers, too', async (world) => {
    const a1 = await world.submit({ handler: 'a' });
    const b5 = await world.submit({ handler: 'b', priority: 5 });
    const b0 = await world.submit({ handler: 'b' });
    const a5 = await world.submit({ handler: 'a', priority: 5 });
    const a0 = await world.submit({ handler: 'a' });
    const handlers = ['b', 'a'].map((name) => ({ name, limit: 10 }));
    assert.deepEqual(await world.claimIds({ handlers }), [b5, a5, a1, b0, a0]);
  }),
  storageCase('order: is by submit also where ids and times say otherwise', async (world) => {
    const later = await world.submit({ id: 'task_zzz', createdAt: world.clock.now() + 5_000 });
    const sooner = await world.submit({ id: 'task_aaa', createdAt: world.clock.now() - 5_000 });
    assert.deepEqual(await world.claimIds(), [later, sooner]);
  }),
  storageCase('order: a task keeps its place when it is tried again', (world) =>
    keepsItsPlace(world, async (id) => {
      await world.settle(await world.claimOne({ ids: [id] }), retry(BOOM, 10));
      await world.clock.advance('1s');
    }),
  ),
  storageCase('order: a task keeps its place when it snoozed', (world) =>
    keepsItsPlace(world, async (id) => {
      await world.settle(await world.claimOne({ ids: [id] }), snooze(10));
      await world.clock.advance('1s');
    }),
  ),
  storageCase('order: a task keeps its place when it is given back', (world) =>
    keepsItsPlace(world, async (id) => {
      await world.settle(await world.claimOne({ ids: [id] }), giveBack());
    }),
  ),
  storageCase('order: a task keeps its place when its process died', (world) =>
    keepsItsPlace(world, async (id) => {
      const claim = await world.claimOne({ ids: [id] });
      await world.report(claim, { startedAt: world.clock.now() });
      await world.storage.takeBack(W1, 10);
      await world.join(W1);
    }),
  ),
  storageCase('order: a task keeps its place when it is restarted', (world) =>
    keepsItsPlace(world, async (id) => {
      await world.change(id, cancel(null, world.clock.now()));
      await world.change(id, restart());
    }),
  ),
  storageCase('order: a scheduled task takes its place by submit when it is due', async (world) => {
    const first = await world.submit({ status: 'scheduled', runAt: world.clock.now() + 1_000 });
    const held = await world.submit({ status: 'scheduled', runAt: null });
    const last = await world.submit();
    await world.clock.advance('1s');
    await world.change(held, runNow());
    assert.deepEqual(await world.claimIds(), [first, held, last]);
  }),
  storageCase('order: many come back in any order, and run in theirs', async (world) => {
    const ids = await world.submitMany(60);
    const { claims } = await world.claim({ limit: 40 });
    for (const at of [30, 2, 17, 39, 0, 5, 29, 11]) {
      const claim = claims[at];
      if (claim !== undefined) await world.settle(claim, giveBack());
    }
    const back = [0, 2, 5, 11, 17, 29, 30, 39].map((at) => ids[at]);
    assert.deepEqual(await world.claimIds(), [...back, ...ids.slice(40)]);
  }),
  storageCase('order: a changed priority counts at once', async (world) => {
    const [first = '', second = '', third = ''] = await world.submitMany(3);
    await world.change(third, update({ priority: 1 }));
    await world.change(first, update({ priority: -1 }));
    assert.deepEqual(await world.claimIds(), [third, second, first]);
  }),
  storageCase('order: a priority changed there and back leaves the place', async (world) => {
    const ids = await world.submitMany(3);
    for (const priority of [7, 0]) await world.change(ids[1] ?? '', update({ priority }));
    assert.deepEqual(await world.claimIds(), ids);
  }),
];
