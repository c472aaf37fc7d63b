import { strict as assert } from 'node:assert';
import { describe, test } from 'vitest';
import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { applyClaim, applyStep, FROM_SUBMIT, type Step, succeed } from '../../src/task/transition.ts';
import { storageCase, type World } from '../../src/testing/cases/world.ts';
import type { OpenStorage } from '../../src/testing/storage-cases.ts';
import { checkStorage } from './cases.ts';

const open: OpenStorage = async (context) => {
  const storage = new MemoryStorage();
  await storage.open(context);
  return {
    storage,
    async connect() {
      await storage.open(context);
      return storage;
    },
    close: () => storage.close(),
  };
};

checkStorage('MemoryStorage', new MemoryStorage().capabilities, open);

/** Runs in a world of its own. */
function memoryTest(name: string, body: (world: World) => Promise<void>): void {
  test(name, () => storageCase(name, body).run(open));
}

describe('MemoryStorage, for what it does in its own way', () => {
  memoryTest('a claim and a success are spelt out, and agree with the transitions', async (world) => {
    const { record, maxLost } = world.draft({ input: 1 });
    const internals = { token: null, baseline: FROM_SUBMIT, maxLost, leakedBy: null };
    const expected = { ...structuredClone(record), ...internals };
    await world.storage.insert([{ record, maxLost }]);
    await world.clock.advance('1s');
    const claim = await world.claimOne();
    Object.assign(expected, applyClaim(expected, claim.token, 'w1', world.clock.now()));
    assert.deepEqual({ ...claim.task, ...internals, token: claim.token }, expected);
    await world.clock.advance('1s');
    await world.settle(claim, succeed({ n: 1 }));
    Object.assign(expected, applyStep(expected, succeed({ n: 1 }).running as Step, world.clock.now()));
    assert.deepEqual({ ...(await world.get(record.id)), ...internals, token: claim.token }, expected);
  });

  memoryTest('tasks that have things in common do not share what one of them changes', async (world) => {
    const [first = '', second = ''] = await world.submitMany(2, { description: 'same', tags: { a: 1 } });
    await world.change(first, {
      queued: { reason: 'updated', to: null, set: { description: 'other', tags: { a: 2 }, entityId: 'e' } },
    });
    const third = await world.submit({ description: 'same', tags: { a: 1 } });
    for (const id of [second, third]) {
      const { description, tags, entityId } = await world.get(id);
      assert.deepEqual([description, tags, entityId], ['same', { a: 1 }, null]);
    }
  });

  memoryTest('one object serves several managers, and keeps its tasks when all have closed', async (world) => {
    const { storage, clock } = world;
    await storage.open({ clock });
    const id = await world.submit();
    await storage.close();
    await storage.close();
    await storage.open({ clock });
    assert.equal(await world.statusOf(id), 'queued');
  });

  memoryTest(
    'names up to 1,000 tasks that changed in one turn; of more it says that there were many',
    async (world) => {
      const ids = await world.submitMany(1_001);
      const told: (string | null)[] = [];
      world.storage.watch((hint) => hint.kind === 'changed' && told.push(hint.id), { changes: true });
      const steps = { queued: { reason: 'updated', to: null, set: { description: 'd' } } } as const;
      const change = async (some: readonly string[]): Promise<void> => {
        told.length = 0;
        await world.storage.change(some.map((taskId) => ({ taskId, steps })));
        await world.clock.advance(0);
      };
      await change(ids.slice(0, 1_000));
      assert.deepEqual(told, ids.slice(0, 1_000));
      await change(ids);
      assert.deepEqual(told, [...ids.slice(0, 1_000), null]);
      await change(ids.slice(0, 2));
      assert.deepEqual(told, ids.slice(0, 2));
    },
  );

  memoryTest('what leaves the queue again and again leaves nothing behind', async (world) => {
    const ids = await world.submitMany(10);
    for (let round = 0; round < 1_000; round++) {
      const steps = { queued: { reason: 'updated', to: null, set: { priority: round % 7 } } } as const;
      await world.storage.change(ids.map((taskId) => ({ taskId, steps })));
    }
    assert.deepEqual(await world.claimIds(), ids);
    assert.deepEqual(await world.claimIds(), []);
  });
});
