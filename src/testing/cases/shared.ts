import { strict as assert } from 'node:assert';
import { cancel, succeed } from '../../task/transition.ts';
import { LOG_LIMIT, leaseOf, type StorageCase, storageCase, there, W1, WORKER } from './world.ts';

const HANDLERS = [{ name: 'work', limit: 1_000 }];

/** Two connections to the same data. */
export const sharedCases: readonly StorageCase[] = [
  storageCase(
    'shared: what one connection writes, the other reads',
    async (world) => {
      const other = await world.connect();
      const id = await world.submit({ input: { n: 1 } });
      assert.deepEqual(await other.get([id]), [await world.get(id)]);
      assert.deepEqual(await other.counts(), [{ handler: 'work', status: 'queued', count: 1 }]);
    },
    'shared',
  ),
  storageCase(
    'shared: each task goes to one connection only',
    async (world) => {
      const other = await world.connect();
      await other.beat({ workerId: 'w2', join: WORKER, reports: [], logLimit: LOG_LIMIT, records: false });
      await world.submitMany(200);
      const claims = await Promise.all(
        Array.from({ length: 20 }, (_, at) => {
          const [storage, workerId] = at % 2 === 0 ? [world.storage, W1] : [other, 'w2'];
          return storage.claim({ workerId, token: `t${at}`, handlers: HANDLERS, limit: 15 });
        }),
      );
      const ids = claims.flatMap((answer) => answer.claims.map(({ task }) => task.id));
      assert.deepEqual([ids.length, new Set(ids).size], [200, 200]);
    },
    'shared',
  ),
  storageCase(
    'shared: one takes back what the other ran, whose late outcome is refused',
    async (world) => {
      const other = await world.connect();
      const claim = await world.started();
      const { beats } = there((await other.workers())[0]);
      assert.equal((await other.takeBack(W1, 10, { beats })).taken.length, 1);
      assert.deepEqual(await world.settle(claim, succeed('late')), { settled: false });
      const beat = { workerId: W1, reports: [{ lease: leaseOf(claim) }], logLimit: LOG_LIMIT, records: false };
      assert.deepEqual(await world.storage.beat(beat), { known: false, reports: [{ held: false, status: 'queued' }] });
    },
    'shared',
  ),
  storageCase(
    'shared: one cancels what the other runs',
    async (world) => {
      const other = await world.connect();
      const claim = await world.started();
      await other.change([{ taskId: claim.task.id, steps: cancel('why', world.clock.now()) }]);
      assert.deepEqual(await world.storage.cancelling(W1), [{ lease: leaseOf(claim), reason: 'why' }]);
    },
    'shared',
  ),
  storageCase(
    'shared: of two that insert with the same key, one makes the task',
    async (world) => {
      const other = await world.connect();
      const unique = { scope: 'unfinished', onConflict: 'skip' } as const;
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          (at % 2 === 0 ? world.storage : other).insert([world.draft({ uniqueKey: 'one', unique })]),
        ),
      );
      assert.equal(answers.flat().filter(({ made }) => made).length, 1);
      assert.equal(await world.storage.count([]), 1);
    },
    'shared',
  ),
];
