import { strict as assert } from 'node:assert';
import type { Settlement, TaskDraft } from '../../storage/storage.ts';
import { cancel, complete, fail, succeed } from '../../task/transition.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, type World } from './world.ts';

const COUNT = 150;

/** Tasks that come, and end, many at a time: a storage may take those together that follow one another. */
export const manyCases: readonly StorageCase[] = [
  storageCase('many: stored in order, whatever they are', async (world) => {
    const drafts = mixed(world);
    const expected = drafts.map(({ record }) => structuredClone(record));
    const answers = await world.storage.insert(drafts);
    assert.deepEqual(
      answers,
      expected.map(() => ({ made: true })),
    );
    assert.deepEqual(await world.storage.get(expected.map(({ id }) => id)), expected);
    assert.deepEqual(
      await world.ids(),
      expected.map(({ id }) => id),
    );
    assert.equal(await countOf(world, 'queued'), COUNT);
  }),
  storageCase('many: of which some are there already, from an earlier try', async (world) => {
    const drafts = mixed(world);
    const ids = drafts.map(({ record }) => record.id);
    const before = drafts.slice(20, 90);
    await world.storage.insert(structuredClone(before));
    const [claimed = ''] = await world.claimIds({ limit: 1 });
    const answers = await world.storage.insert(drafts);
    assert.deepEqual(
      answers,
      ids.map(() => ({ made: true })),
    );
    assert.deepEqual(await world.ids(), [...ids.slice(20, 90), ...ids.slice(0, 20), ...ids.slice(90)]);
    assert.equal(await world.statusOf(claimed), 'running', 'what is there stays as it is');
    assert.deepEqual([await countOf(world, 'queued'), await countOf(world, 'running')], [COUNT - 1, 1]);
  }),
  ...(['as they were submitted', 'the other way round', 'every third first'] as const).map((order) =>
    storageCase(`many: that end at once, ${order}`, async (world) => {
      await world.submitMany(COUNT);
      const { claims } = await world.claim();
      const ids = claims.map(({ task }) => task.id);
      const [cancelled = '', taken = ''] = [ids[33], ids[70]];
      await world.change(cancelled, cancel(null, world.clock.now()));
      await world.change(taken, complete('from outside'));
      const begun = world.clock.now();
      await world.clock.advance('1s');
      const settlements = claims.map((claim, n): Settlement => {
        const steps = n === 50 ? fail(BOOM) : succeed(n % 10 === 7 ? { n } : null);
        return { lease: leaseOf(claim), steps, startedAt: begun + Math.floor(n / 40) };
      });
      const sorted = inOrder(settlements, order);
      // One is said twice, as after an answer that was lost.
      const answers = await world.storage.settle([...sorted, ...sorted.slice(0, 1)], {
        logLimit: LOG_LIMIT,
        records: false,
      });
      assert.deepEqual(answers.at(-1), { ...answers[0], repeated: true });
      for (const [index, { lease, startedAt }] of sorted.entries()) {
        const n = ids.indexOf(lease.taskId);
        const task = await world.get(lease.taskId);
        assert.equal(answers[index]?.settled, n !== 70);
        if (n === 70) assert.deepEqual([task.result, task.startedAt], ['from outside', null]);
        else {
          const status = n === 50 ? 'failed' : 'succeeded';
          assert.deepEqual([task.status, task.result], [status, n % 10 === 7 ? { n } : null]);
          assert.deepEqual(
            [task.startedAt, task.finishedAt, task.updatedAt],
            [startedAt, begun + 1_000, begun + 1_000],
          );
          assert.equal(task.version, n === 33 ? 4 : 3);
        }
      }
      assert.deepEqual([await countOf(world, 'succeeded'), await countOf(world, 'failed')], [COUNT - 1, 1]);
      assert.deepEqual([await countOf(world, 'running'), await countOf(world, 'cancelling')], [0, 0]);
    }),
  ),
];

/** Mostly alike, as those of one submit are. */
function mixed(world: World): TaskDraft[] {
  return Array.from({ length: COUNT }, (_, n) =>
    world.draft({
      input: { n },
      ...(n === 75 ? { tags: { odd: true } } : {}),
      ...(n > 100 && n < 110 ? { priority: n % 2 } : {}),
      ...(n === 130 ? { handler: 'other' } : {}),
    }),
  );
}

function inOrder<T>(all: readonly T[], order: string): readonly T[] {
  if (order === 'the other way round') return all.toReversed();
  if (order !== 'every third first') return all;
  return [...all.filter((_, n) => n % 3 === 0), ...all.filter((_, n) => n % 3 !== 0)];
}

async function countOf(world: World, status: string): Promise<number> {
  const counts = await world.storage.counts();
  return counts.reduce((sum, each) => (each.status === status ? sum + each.count : sum), 0);
}
