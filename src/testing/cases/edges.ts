import { strict as assert } from 'node:assert';
import type { OnFailure } from '../../flow/rules.ts';
import type { DraftEdge, EdgeQuery } from '../../storage/storage.ts';
import { archive, cancel, cancelled, fail, succeed } from '../../task/transition.ts';
import { BOOM, leaseOf, type StorageCase, storageCase, there, type World } from './world.ts';

/** Edges to these tasks. */
export function edgesTo(ids: readonly string[], onFailure: OnFailure = 'fail'): readonly DraftEdge[] {
  return ids.map((id) => ({ id, onFailure }));
}

async function edgeIds(world: World, id: string, query: Partial<EdgeQuery> = {}): Promise<readonly string[]> {
  const edges = await world.storage.edges(id, { side: 'dependencies', limit: 100, ...query });
  return there(edges).map((edge) => edge.id);
}

/** What tasks depend on: how it gets in, and how it is listed. */
export const edgeCases: readonly StorageCase[] = [
  storageCase('edges: a task waits for what has not ended', async (world) => {
    const first = await world.submit();
    const second = await world.submit({ dependsOn: edgesTo([first]) });
    assert.deepEqual([await world.statusOf(second), (await world.get(second)).queuedAt], ['waiting', null]);
    assert.deepEqual(await world.claimIds(), [first]);
    assert.deepEqual(await world.storage.counts(), [
      { handler: 'work', status: 'waiting', count: 1 },
      { handler: 'work', status: 'running', count: 1 },
    ]);
  }),
  storageCase('edges: a dependency that succeeded before is satisfied at once', async (world) => {
    const done = await world.ended(succeed(1));
    await world.change(done, archive(world.clock.now()));
    const draft = world.draft({ dependsOn: edgesTo([done]) });
    const [answer] = await world.storage.insert([draft]);
    const record = await world.get(draft.record.id);
    assert.deepEqual(answer, { made: true, followed: [record] });
    assert.deepEqual([record.status, record.queuedAt, record.version], ['queued', world.clock.now(), 2]);
  }),
  storageCase('edges: one that failed or was cancelled before decides at once', async (world) => {
    const failed = await world.ended(fail(BOOM));
    const cancelled = await world.submit();
    await world.change(cancelled, cancel(null, 0));
    for (const id of [failed, cancelled]) {
      for (const [onFailure, status] of [
        ['fail', 'failed'],
        ['skip', 'cancelled'],
        ['run', 'queued'],
      ] as const) {
        const dependent = world.draft({ dependsOn: edgesTo([id], onFailure) });
        const [answer] = await world.storage.insert([dependent]);
        assert.deepEqual(answer, { made: true, followed: [await world.get(dependent.record.id)] });
        assert.equal(await world.statusOf(dependent.record.id), status);
      }
    }
  }),
  storageCase('edges: an unknown dependency is refused, and nothing is made', async (world) => {
    const known = await world.submit();
    const draft = world.draft({ dependsOn: edgesTo([known, 'none']) });
    const refused = { made: false, refused: 'dependency_missing', taskId: 'none' } as const;
    assert.deepEqual(await world.storage.insert([draft]), [refused]);
    const answers = await world.storage.insert([world.draft(), draft], { atomic: true });
    assert.deepEqual(answers, [{ made: false, refused: 'not_alone' }, refused]);
    assert.deepEqual(await world.ids(), [known]);
    assert.deepEqual(await edgeIds(world, known, { side: 'dependents' }), []);
  }),
  storageCase('edges: drafts of an atomic insert name each other in any order', async (world) => {
    const [last, first] = [world.draft({ status: 'waiting' }), world.draft()];
    const drafts = [{ ...last, dependsOn: edgesTo([first.record.id]) }, first];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [{ made: true }, { made: true }]);
    assert.deepEqual(await edgeIds(world, last.record.id), [first.record.id]);
  }),
  storageCase('edges: the same insert again changes nothing', async (world) => {
    const first = world.draft();
    const second = world.draft({ dependsOn: edgesTo([first.record.id]) });
    await world.storage.insert([first, second], { atomic: true });
    assert.deepEqual(await world.storage.insert([first, second], { atomic: true }), [{ made: true }, { made: true }]);
    assert.deepEqual(await edgeIds(world, second.record.id), [first.record.id]);
    const claim = await world.claimOne();
    await world.settle(claim, succeed(null));
    assert.equal(await world.statusOf(second.record.id), 'queued');
  }),
  storageCase('edges: an earlier task that answers for a draft is what others wait for', async (world) => {
    const unique = { scope: 'unfinished', onConflict: 'skip' } as const;
    const earlier = await world.submit({ uniqueKey: 'one', unique });
    const draft = world.draft({ uniqueKey: 'one', unique });
    const dependent = world.draft({ dependsOn: edgesTo([draft.record.id]) });
    const answers = await world.storage.insert([dependent, draft], { atomic: true });
    assert.deepEqual(answers, [{ made: true }, { made: false, matched: 'unique', taskId: earlier }]);
    assert.deepEqual(await edgeIds(world, dependent.record.id), [earlier]);
    // It was there before, so it does not go with whoever waits for it.
    await world.change(dependent.record.id, cancel(null, 0));
    assert.equal(await world.statusOf(earlier), 'queued');
  }),
  storageCase('edges: children of a draft for which an earlier task answers are not made', async (world) => {
    const unique = { scope: 'unfinished', onConflict: 'skip' } as const;
    const earlier = await world.submit({ uniqueKey: 'one', unique });
    const parent = world.draft({ uniqueKey: 'one', unique, status: 'waiting' });
    const child = world.draft({ parentId: parent.record.id });
    const grandchild = world.draft({ parentId: child.record.id });
    const drafts = [
      { ...parent, dependsOn: edgesTo([child.record.id]) },
      { ...child, record: { ...child.record, status: 'waiting' as const }, dependsOn: edgesTo([grandchild.record.id]) },
      grandchild,
    ];
    assert.deepEqual(await world.storage.insert(drafts, { atomic: true }), [
      { made: false, matched: 'unique', taskId: earlier },
      { made: false, matched: 'parent', taskId: earlier },
      { made: false, matched: 'parent', taskId: earlier },
    ]);
    assert.deepEqual(await world.ids(), [earlier]);
  }),
  storageCase('edges: an attempt makes tasks only while its lease holds and it runs', async (world) => {
    const claim = await world.started();
    const by = leaseOf(claim);
    const stale = { made: false, refused: 'lease_stale' } as const;
    const draft = world.draft({ by });
    assert.deepEqual(await world.storage.insert([draft]), [{ made: true }]);
    const other = { ...by, token: 'other' };
    assert.deepEqual(await world.storage.insert([world.draft({ by: other })]), [stale]);
    await world.change(claim.task.id, cancel(null, 0));
    assert.deepEqual(await world.storage.insert([draft]), [{ made: true }]);
    assert.deepEqual(await world.storage.insert([world.draft({ by })]), [stale]);
    const answers = await world.storage.insert([world.draft({ by }), world.draft()], { atomic: true });
    assert.deepEqual(answers, [stale, { made: false, refused: 'not_alone' }]);
    await world.settle(claim, cancelled());
    assert.deepEqual(await world.storage.insert([world.draft({ by })]), [stale]);
    assert.equal(await world.storage.count([]), 2);
  }),
  storageCase('edges: are listed from both ends, page by page, in submit order', async (world) => {
    const ids = await world.submitMany(5);
    const dependents: string[] = [];
    for (const onFailure of ['fail', 'skip', 'run'] as const) {
      dependents.push(await world.submit({ dependsOn: edgesTo([...ids].reverse(), onFailure) }));
    }
    const [one = '', ...others] = dependents;
    assert.deepEqual(await edgeIds(world, one), ids);
    const page = there(await world.storage.edges(one, { side: 'dependencies', limit: 2 }));
    assert.deepEqual(await edgeIds(world, one, { after: page[1]?.place, limit: 2 }), ids.slice(2, 4));
    const from = there(await world.storage.edges(ids[0] ?? '', { side: 'dependents', limit: 10 }));
    assert.deepEqual(
      from.map(({ id, onFailure, open }) => [id, onFailure, open]),
      [
        [one, 'fail', true],
        [others[0], 'skip', true],
        [others[1], 'run', true],
      ],
    );
    assert.deepEqual(await edgeIds(world, ids[0] ?? ''), []);
    assert.equal(await world.storage.edges('none', { side: 'dependencies', limit: 1 }), null);
  }),
  storageCase('edges: what has ended is no longer open, what was removed is left out', async (world) => {
    const [done = '', other = ''] = await world.submitMany(2);
    const dependent = await world.submit({ dependsOn: edgesTo([done, other]) });
    await world.settle(await world.claimOne({ ids: [done] }), succeed(null));
    assert.deepEqual(await edgeIds(world, dependent), [done, other]);
    assert.deepEqual(await edgeIds(world, dependent, { open: true }), [other]);
    assert.equal(await world.storage.remove([done]), 1);
    assert.deepEqual(await edgeIds(world, dependent), [other]);
    assert.equal(await world.statusOf(dependent), 'waiting');
    await world.settle(await world.claimOne({ ids: [other] }), succeed(null));
    assert.equal(await world.statusOf(dependent), 'queued');
    assert.deepEqual(await world.storage.edges(done, { side: 'dependents', limit: 1 }), null);
  }),
];
