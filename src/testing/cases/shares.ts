import { strict as assert } from 'node:assert';
import type { InsertAnswer, Progressed, TaskDraft } from '../../storage/storage.ts';
import type { TaskProgress } from '../../task/record.ts';
import { cancel, EXPIRED, fail, restart, retry, succeed } from '../../task/transition.ts';
import { edgesTo } from './edges.ts';
import {
  BOOM,
  type DraftFields,
  LOG_LIMIT,
  leaseOf,
  type StorageCase,
  storageCase,
  there,
  W1,
  type World,
} from './world.ts';

/** What a handler reports. */
function reported(fraction: number): TaskProgress {
  return { processed: null, total: null, fraction, message: null, rate: null, remainingMs: null, at: 1 };
}

/** A parent that shows its children, which weigh so much; it waits for none of them. */
async function family(world: World, weights: readonly (number | undefined)[]): Promise<[string, readonly string[]]> {
  const parent = world.draft({ handler: 'parent', showsChildren: true });
  const { id } = parent.record;
  const children = weights.map((weight): TaskDraft => world.draft({ parentId: id, weight }));
  await world.storage.insert([parent, ...children], { atomic: true });
  return [id, children.map(({ record }) => record.id)];
}

/** Another child of a parent that is there. @returns its id */
async function child(world: World, parentId: string, fields: DraftFields = {}): Promise<string> {
  const draft = world.draft({ parentId, ...fields });
  await world.storage.insert([draft]);
  return draft.record.id;
}

/** How many children of how many have ended, and the fraction; null: it shows nothing. */
async function shown(world: World, id: string): Promise<readonly (number | null)[] | null> {
  const { progress } = await world.get(id);
  return progress && [progress.processed, progress.total, progress.fraction];
}

/** The tasks whose progress an answer says moved, which must be as it says. */
async function progressed(world: World, answer: Progressed): Promise<readonly string[]> {
  const tasks = answer.progressed ?? [];
  for (const task of tasks) assert.deepEqual(await world.get(task.id), task);
  return tasks.map(({ id }) => id);
}

/** A task that shows the progress of its children. */
export const sharesCases: readonly StorageCase[] = [
  storageCase('shares: of new children nothing is done, and the version stays', async (world) => {
    const [parent] = await family(world, [undefined, 3]);
    assert.deepEqual(await shown(world, parent), [0, 2, 0]);
    const { progress, version } = await world.get(parent);
    assert.deepEqual([progress?.at, progress?.rate, progress?.remainingMs], [world.clock.now(), null, null]);
    assert.equal(version, 1);
  }),
  storageCase('shares: whatever ends a child, it counts whole, by its weight', async (world) => {
    const [parent, [a = '', b = '', c = '']] = await family(world, [1, 3, undefined]);
    await world.clock.advance('1s');
    const claim = await world.claimOne({ ids: [a] });
    const answer = await world.settle(claim, succeed(null));
    assert.deepEqual(await progressed(world, answer as Progressed), [parent]);
    assert.deepEqual(await shown(world, parent), [1, 3, 0.2]);
    const { version, updatedAt, progress } = await world.get(parent);
    assert.deepEqual([version, updatedAt, progress?.at], [2, world.clock.now(), world.clock.now()]);
    await world.settle(await world.claimOne({ ids: [b] }), fail(BOOM));
    assert.deepEqual(await shown(world, parent), [2, 3, 0.8]);
    const cancelled = await world.change(c, cancel(null, world.clock.now()));
    assert.deepEqual(await progressed(world, cancelled as Progressed), [parent]);
    assert.deepEqual(await shown(world, parent), [3, 3, 1]);
  }),
  storageCase('shares: what a child reports counts by its weight', async (world) => {
    const [parent, [a = '']] = await family(world, [1, 3]);
    const claim = await world.claimOne({ ids: [a] });
    const reports = [{ lease: leaseOf(claim), startedAt: 1, progress: reported(0.5) }];
    const answer = await world.storage.beat({ workerId: W1, reports, logLimit: LOG_LIMIT, records: true });
    assert.deepEqual(await progressed(world, answer), [parent]);
    assert.deepEqual(await shown(world, parent), [0, 2, 0.125]);
    await world.settle(claim, retry(BOOM, 1_000)); // goes on to show what it did
    assert.deepEqual(await shown(world, parent), [0, 2, 0.125]);
  }),
  storageCase('shares: many ends in one call are one change of the parent', async (world) => {
    const [parent, ids] = await family(
      world,
      Array.from({ length: 20 }, () => 0.1),
    );
    const { claims } = await world.claim({ ids });
    const settlements = claims.map((claim) => ({ lease: leaseOf(claim), steps: succeed(null) }));
    const answers = await world.storage.settle(settlements, { logLimit: LOG_LIMIT, records: true });
    assert.deepEqual(answers.filter((answer) => 'progressed' in answer).length, 1);
    assert.deepEqual(await progressed(world, there(answers.at(-1)) as Progressed), [parent]);
    assert.deepEqual([(await world.get(parent)).version, await shown(world, parent)], [2, [20, 20, 1]]);
  }),
  storageCase('shares: also where nobody wants records', async (world) => {
    const [parent, [a = '', b = '']] = await family(world, [1, 1]);
    const settlement = { lease: leaseOf(await world.claimOne({ ids: [a] })), startedAt: 1, steps: succeed(1) };
    const answers = await world.storage.settle([settlement], { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(answers, [{ settled: true, repeated: false, status: 'succeeded', record: null }]);
    assert.deepEqual(await shown(world, parent), [1, 2, 0.5]);
    const steps = cancel(null, 0);
    const [change] = await world.storage.change([{ taskId: b, steps }], { followed: false });
    assert.equal('progressed' in there(change), false);
    assert.deepEqual(await shown(world, parent), [2, 2, 1]);
  }),
  storageCase('shares: what a grandchild does moves the grandparent', async (world) => {
    const top = world.draft({ showsChildren: true, handler: 'parent' });
    const middle = world.draft({ showsChildren: true, handler: 'parent', parentId: top.record.id, weight: 1 });
    const other = world.draft({ parentId: top.record.id, weight: 3 });
    const leaves = [1, 1].map(() => world.draft({ parentId: middle.record.id }));
    await world.storage.insert([top, middle, other, ...leaves], { atomic: true });
    const claim = await world.claimOne({ ids: [there(leaves[0]).record.id] });
    const answer = await world.settle(claim, succeed(null));
    assert.deepEqual(await progressed(world, answer as Progressed), [middle.record.id, top.record.id]);
    assert.deepEqual(await shown(world, middle.record.id), [1, 2, 0.5]);
    assert.deepEqual(await shown(world, top.record.id), [0, 2, 0.125]);
  }),
  storageCase('shares: a child that comes later counts from then on', async (world) => {
    const [parent, [a = '']] = await family(world, [1]);
    const claim = await world.claimOne({ ids: [a] });
    await world.settle(claim, succeed(null));
    const [answer] = await world.storage.insert([world.draft({ parentId: parent })]);
    assert.deepEqual(await progressed(world, there(answer) as Progressed), [parent]);
    assert.deepEqual([(await world.get(parent)).version, await shown(world, parent)], [3, [1, 2, 0.5]]);
  }),
  storageCase('shares: a draft that is there already counts once', async (world) => {
    const [parent] = await family(world, [1]);
    const { record, ...rest } = world.draft({ parentId: parent });
    await world.storage.insert([{ ...rest, record: { ...record } }]);
    await world.storage.insert([{ ...rest, record: { ...record } }]);
    assert.deepEqual(await shown(world, parent), [0, 2, 0]);
  }),
  storageCase('shares: of a family that is refused nothing counts', async (world) => {
    const [parent] = await family(world, [1]);
    const drafts = [world.draft({ parentId: parent }), world.draft({ dependsOn: edgesTo(['nobody']) })];
    await world.storage.insert(drafts, { atomic: true });
    await child(world, parent);
    assert.deepEqual(await shown(world, parent), [0, 2, 0]);
  }),
  storageCase('shares: children of a task that does not ask for it change nothing', async (world) => {
    const parent = await world.submit({ handler: 'parent' });
    const claim = await world.running({ parentId: parent });
    assert.equal('progressed' in (await world.settle(claim, succeed(null))), false);
    const { version, progress } = await world.get(parent);
    assert.deepEqual([version, progress], [1, null]);
  }),
  storageCase('shares: a weight that counts for nothing is told of, or refused', async (world) => {
    const showing = world.draft({ handler: 'parent', showsChildren: true });
    const silent = world.draft({ handler: 'parent' });
    const child = (parentId: string, fields: DraftFields = {}): TaskDraft =>
      world.draft({ parentId, weight: 2, ...fields });
    const of = ({ record }: TaskDraft, fields?: DraftFields): TaskDraft => child(record.id, fields);
    const must = { mustCount: true };
    const together = [showing, silent, of(showing), of(silent), of(showing, must)];
    const uncounted = (answers: readonly InsertAnswer[]): readonly unknown[] =>
      answers.map((answer) => ('refused' in answer ? answer.refused : answer.made && answer.uncounted === true));
    assert.deepEqual(uncounted(await world.storage.insert(together)), [false, false, false, true, false]);
    const [{ record: first }, { record: second }] = [showing, silent];
    const edges = { dependsOn: edgesTo([first.id]) };
    const later = [child(first.id, must), child(second.id, edges), child('nobody'), child(second.id, must)];
    assert.deepEqual(uncounted(await world.storage.insert(later)), [false, true, true, 'uncounted']);
    const whole = [world.draft(), child(second.id, must)];
    assert.deepEqual(uncounted(await world.storage.insert(whole, { atomic: true })), ['not_alone', 'uncounted']);
    assert.deepEqual(await shown(world, first.id), [0, 3, 0]);
    assert.equal(await world.storage.count([[{ archived: 'both' }]]), 8);
  }),
  storageCase('shares: what its handler reports itself stays, until a restart', async (world) => {
    const [parent, [a = '', b = '', c = '']] = await family(world, [1, 1, 1]);
    const own = await world.claimOne({ ids: [parent], handlers: [{ name: 'parent', limit: 1 }] });
    await world.settle(await world.claimOne({ ids: [a] }), succeed(null));
    assert.deepEqual(await shown(world, parent), [1, 3, 0.333333333]);
    await world.report(own, { startedAt: 1, progress: reported(0.9) });
    const answer = await world.settle(await world.claimOne({ ids: [b] }), succeed(null));
    assert.equal('progressed' in answer, false);
    assert.deepEqual((await world.get(parent)).progress, reported(0.9));
    await world.settle(own, fail(BOOM));
    await world.settle(await world.claimOne({ ids: [c] }), succeed(null));
    assert.deepEqual((await world.get(parent)).progress, reported(0.9));
    const again = await world.change(parent, restart());
    assert.deepEqual(await progressed(world, again as Progressed), [parent]);
    assert.deepEqual(await shown(world, parent), [3, 3, 1]);
  }),
  storageCase('shares: a parent that has ended stays as it was', async (world) => {
    const [parent, [a = '', b = '']] = await family(world, [1, 1]);
    await world.settle(await world.claimOne({ ids: [a] }), succeed(null));
    const ended = await world.change(parent, cancel(null, 0));
    const before = await world.get(parent);
    assert.equal('progressed' in ended, false);
    assert.equal('progressed' in (await world.settle(await world.claimOne({ ids: [b] }), succeed(null))), false);
    assert.deepEqual(await world.get(parent), before);
  }),
  storageCase('shares: a child that is restarted is to be done again', async (world) => {
    const [parent, [a = '']] = await family(world, [1, 1]);
    await world.settle(await world.claimOne({ ids: [a] }), fail(BOOM), { progress: reported(0.5) });
    assert.deepEqual(await shown(world, parent), [1, 2, 0.5]);
    const answer = await world.change(a, restart());
    assert.deepEqual(await progressed(world, answer as Progressed), [parent]);
    assert.deepEqual(await shown(world, parent), [0, 2, 0]);
  }),
  storageCase('shares: what was done stays done when a child is removed', async (world) => {
    const [parent, [a = '', b = '']] = await family(world, [1, 1]);
    await world.settle(await world.claimOne({ ids: [a] }), succeed(null));
    await world.storage.remove([a]);
    await world.settle(await world.claimOne({ ids: [b] }), succeed(null));
    assert.deepEqual(await shown(world, parent), [2, 2, 1]);
    await world.change(parent, cancel(null, 0));
    await world.storage.remove([parent]);
    assert.equal('progressed' in (await world.change(b, restart())), false);
  }),
  storageCase('shares: a child that was not started in time, and one that was lost', async (world) => {
    const [parent] = await family(world, []);
    await child(world, parent, { startBy: world.clock.now() + 1_000 });
    await world.report(await world.claimOne({ ids: [await child(world, parent, { maxLost: 0 })] }), { startedAt: 1 });
    await world.clock.advance('1s');
    const claim = await world.claim({ limit: 0 });
    assert.deepEqual([claim.expired[0]?.status, await progressed(world, claim)], [EXPIRED.to, [parent]]);
    const lost = await world.storage.takeBack(W1, 10);
    assert.deepEqual(await progressed(world, lost), [parent]);
    assert.deepEqual(await shown(world, parent), [2, 2, 1]);
  }),
  storageCase('shares: what a cancel does to all below is shown once', async (world) => {
    const [parent, [a = '']] = await family(world, [1, 1]);
    const below = await world.submit({ parentId: a });
    const answer = await world.change(a, cancel(null, 0), { descendants: true });
    assert.deepEqual(await progressed(world, answer as Progressed), [parent]);
    assert.deepEqual([await world.statusOf(below), await shown(world, parent)], ['cancelled', [1, 2, 0.5]]);
  }),
];
