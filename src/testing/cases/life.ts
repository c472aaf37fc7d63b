import { strict as assert } from 'node:assert';
import { StorageError } from '../../errors.ts';
import { succeed } from '../../task/transition.ts';
import { type StorageCase, storageCase } from './world.ts';

/** Opening and closing. */
export const lifeCases: readonly StorageCase[] = [
  storageCase('life: says what it can do as data', async ({ storage }) => {
    const { durable, shared, transactions } = storage.capabilities;
    for (const ability of [durable, shared, transactions]) assert.equal(typeof ability, 'boolean');
  }),
  storageCase('life: opened twice, it works until it was closed twice', async ({ storage, clock }) => {
    await storage.open({ clock });
    await storage.close();
    assert.deepEqual(await storage.get(['none']), [null]);
    await storage.close();
    await assert.rejects(storage.get(['none']), StorageError);
  }),
  storageCase('life: closing once more is no error', async ({ storage }) => {
    await storage.close();
    await storage.close();
    await storage.close();
  }),
  storageCase('life: what was stored is there when the same data is opened again', async (world) => {
    const id = await world.ended(succeed({ files: 3 }), { input: { folder: 'docs' }, tags: { team: 'search' } });
    const before = await world.get(id);
    await world.storage.close();
    const again = await world.connect();
    assert.deepEqual(await again.get([id]), [before]);
  }),
  storageCase('life: stamps with the clock it was opened with', async (world) => {
    const claim = await world.running();
    assert.equal(claim.task.updatedAt, world.clock.now());
    await world.clock.advance('1h');
    await world.settle(claim, succeed(null));
    const { finishedAt, updatedAt } = await world.get(claim.task.id);
    assert.deepEqual([finishedAt, updatedAt], [world.clock.now(), world.clock.now()]);
  }),
];
