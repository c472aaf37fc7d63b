import { strict as assert } from 'node:assert';
import type { OnFailure } from '../../flow/rules.ts';
import type { Followed } from '../../storage/storage.ts';
import { cancel, fail, failFromOutside, restart, retry, runNow, succeed } from '../../task/transition.ts';
import { edgesTo } from './edges.ts';
import { BOOM, LOG_LIMIT, leaseOf, type StorageCase, storageCase, there, W1, type World } from './world.ts';

const POLICIES = [
  ['fail', 'failed'],
  ['skip', 'cancelled'],
  ['run', 'queued'],
] as const satisfies readonly (readonly [OnFailure, string])[];

/** What an answer says that followed, which must be how things are. */
async function statuses(world: World, { followed = [] }: Followed): Promise<readonly (readonly [string, string])[]> {
  for (const task of followed) assert.deepEqual(await world.get(task.id), task);
  return followed.map(({ id, status }) => [id, status]);
}

/** Drafts that are made together: a parent that waits for its children. */
async function family(world: World, children: number): Promise<{ parent: string; children: readonly string[] }> {
  const parent = world.draft({ status: 'waiting' });
  const drafts = Array.from({ length: children }, () => world.draft({ parentId: parent.record.id }));
  const ids = drafts.map(({ record }) => record.id);
  await world.storage.insert([{ ...parent, dependsOn: edgesTo(ids) }, ...drafts], { atomic: true });
  return { parent: parent.record.id, children: ids };
}

/** What the end of a task does to those that depend on it. */
export const followCases: readonly StorageCase[] = [
  storageCase('follow: the last dependency that succeeds releases, in the same call', async (world) => {
    const [one = '', two = ''] = await world.submitMany(2);
    const dependent = await world.submit({ dependsOn: edgesTo([one, two]), priority: 7 });
    const first = await world.settle(await world.claimOne({ ids: [one] }), succeed(null));
    assert.deepEqual('followed' in first, false);
    await world.clock.advance('1s');
    const second = await world.settle(await world.claimOne({ ids: [two] }), succeed(null));
    assert.deepEqual(await statuses(world, second as Followed), [[dependent, 'queued']]);
    const record = await world.get(dependent);
    assert.deepEqual([record.queuedAt, record.updatedAt, record.version], [world.clock.now(), world.clock.now(), 2]);
    assert.deepEqual(await world.claimIds(), [dependent]);
  }),
  storageCase('follow: also where nobody wants records', async (world) => {
    const claim = await world.started();
    const dependent = await world.submit({ dependsOn: edgesTo([claim.task.id]) });
    const settlement = { lease: leaseOf(claim), steps: succeed(1) };
    const answers = await world.storage.settle([settlement], { logLimit: LOG_LIMIT, records: false });
    assert.deepEqual(answers, [{ settled: true, repeated: false, status: 'succeeded', record: null }]);
    assert.deepEqual(await world.claimIds(), [dependent]);
  }),
  storageCase('follow: one that is due later is scheduled', async (world) => {
    const claim = await world.started();
    const runAt = world.clock.now() + 5_000;
    const dependent = await world.submit({ dependsOn: edgesTo([claim.task.id]), runAt });
    const answer = await world.settle(claim, succeed(null));
    assert.deepEqual(await statuses(world, answer as Followed), [[dependent, 'scheduled']]);
    assert.deepEqual([(await world.get(dependent)).runAt, await world.storage.nextDue()], [runAt, 5_000]);
    await world.clock.advance('5s');
    assert.deepEqual(await world.claimIds(), [dependent]);
  }),
  storageCase('follow: a failed attempt that is retried has not ended', async (world) => {
    const claim = await world.started();
    const dependent = await world.submit({ dependsOn: edgesTo([claim.task.id]) });
    await world.settle(claim, retry(BOOM, 1_000));
    assert.equal(await world.statusOf(dependent), 'waiting');
  }),
  ...POLICIES.map(([onFailure, status]) =>
    storageCase(`follow: after a failure: ${onFailure}`, async (world) => {
      const claim = await world.started();
      const { id } = claim.task;
      const dependent = await world.submit({ dependsOn: edgesTo([id], onFailure) });
      const answer = await world.settle(claim, fail(BOOM));
      assert.deepEqual(await statuses(world, answer as Followed), [[dependent, status]]);
      const { error, cancelReason } = await world.get(dependent);
      if (onFailure === 'fail') {
        const message = `Dependency ${id} failed: boom`;
        assert.deepEqual(error, { name: 'DependencyFailedError', message, code: 'dependency_failed' });
      } else assert.equal(error, null);
      assert.equal(cancelReason, onFailure === 'skip' ? `Skipped: dependency ${id} failed.` : null);
    }),
  ),
  ...POLICIES.map(([onFailure, status]) =>
    storageCase(`follow: after a cancel: ${onFailure}`, async (world) => {
      const id = await world.submit();
      const dependent = await world.submit({ dependsOn: edgesTo([id], onFailure) });
      const answer = await world.change(id, cancel('why', world.clock.now()));
      assert.deepEqual(await statuses(world, answer as Followed), [[dependent, status]]);
    }),
  ),
  storageCase('follow: from one to the next, however long the line is', async (world) => {
    const first = world.draft();
    const line = [first];
    for (let at = 0; at < 500; at++) line.push(world.draft({ dependsOn: edgesTo([there(line[at]).record.id]) }));
    await world.storage.insert(line, { atomic: true });
    const answer = await world.change(first.record.id, cancel(null, 0));
    assert.equal((answer as Followed).followed?.length, 500);
    assert.deepEqual(await world.storage.counts(), [
      { handler: 'work', status: 'failed', count: 500 },
      { handler: 'work', status: 'cancelled', count: 1 },
    ]);
  }),
  storageCase('follow: what was skipped counts as cancelled for its own dependents', async (world) => {
    const claim = await world.started();
    const skipped = await world.submit({ dependsOn: edgesTo([claim.task.id], 'skip') });
    const after = await world.submit({ dependsOn: edgesTo([skipped], 'run') });
    const failing = await world.submit({ dependsOn: edgesTo([skipped], 'fail') });
    const answer = await world.settle(claim, fail(BOOM));
    assert.deepEqual(await statuses(world, answer as Followed), [
      [skipped, 'cancelled'],
      [after, 'queued'],
      [failing, 'failed'],
    ]);
  }),
  storageCase(
    'follow: what failed cancels what was made with it, has not started and nobody else needs',
    async (world) => {
      const { parent, children } = await family(world, 4);
      const [failing = '', running = '', needed = '', unneeded = ''] = children;
      const other = await world.submit({ dependsOn: edgesTo([needed]) });
      const claim = await world.claimOne({ ids: [failing] });
      await world.claimOne({ ids: [running] });
      const answer = await world.settle(claim, fail(BOOM));
      assert.deepEqual(await statuses(world, answer as Followed), [
        [parent, 'failed'],
        [unneeded, 'cancelled'],
      ]);
      assert.equal((await world.get(unneeded)).cancelReason, `No longer needed: task ${parent} will not run.`);
      for (const [id, status] of [
        [running, 'running'],
        [needed, 'queued'],
        [other, 'waiting'],
      ] as const) {
        assert.equal(await world.statusOf(id), status);
      }
    },
  ),
  storageCase('follow: what was there before its dependent stays', async (world) => {
    const [failing = '', earlier = ''] = await world.submitMany(2);
    const dependent = await world.submit({ dependsOn: edgesTo([failing, earlier]) });
    const answer = await world.settle(await world.claimOne({ ids: [failing] }), fail(BOOM));
    assert.deepEqual(await statuses(world, answer as Followed), [[dependent, 'failed']]);
    assert.equal(await world.statusOf(earlier), 'queued');
  }),
  storageCase('follow: what was retried once has started, and goes on', async (world) => {
    const { children } = await family(world, 2);
    const [failing = '', retried = ''] = children;
    const attempt = await world.claimOne({ ids: [retried] });
    await world.settle(attempt, retry(BOOM, 1_000), { startedAt: world.clock.now() });
    await world.settle(await world.claimOne({ ids: [failing] }), fail(BOOM));
    assert.equal(await world.statusOf(retried), 'scheduled');
  }),
  storageCase('follow: a cancel of a task that waits takes what only it needs along', async (world) => {
    const { parent, children } = await family(world, 2);
    const answer = await world.change(parent, cancel('why', 0));
    assert.deepEqual(
      await statuses(world, answer as Followed),
      children.map((id) => [id, 'cancelled']),
    );
  }),
  storageCase('follow: descendants take the same steps, whatever they do', async (world) => {
    const parent = await world.started();
    const [waits, runs, done] = await Promise.all([
      world.submit({ parentId: parent.task.id }),
      world.started({ parentId: parent.task.id, handler: 'other' }),
      world.ended(succeed(1), { parentId: parent.task.id, handler: 'third' }),
    ]);
    const below = await world.submit({ parentId: done });
    const stranger = await world.submit();
    const answer = await world.change(parent.task.id, cancel('why', 9), { descendants: true });
    assert.deepEqual(
      new Map(await statuses(world, answer as Followed)),
      new Map([
        [waits, 'cancelled'],
        [runs.task.id, 'cancelling'],
        [below, 'cancelled'],
      ]),
    );
    assert.equal((await world.get(waits)).cancelReason, 'why');
    assert.deepEqual([await world.statusOf(done), await world.statusOf(stranger)], ['succeeded', 'queued']);
    assert.equal((await world.storage.cancelling(W1)).length, 2);
    const again = await world.change(parent.task.id, cancel('again', 9), { descendants: true });
    assert.deepEqual([(again as Followed).followed, 'changed' in again && again.changed], [undefined, false]);
  }),
  storageCase('follow: tasks that are parents of each other end the search', async (world) => {
    const one = world.draft({ parentId: 'two' });
    const two = world.draft({ parentId: one.record.id, id: 'two' });
    await world.storage.insert([one, two]);
    await world.change('two', cancel(null, 0), { descendants: true });
    assert.deepEqual([await world.statusOf('two'), await world.statusOf(one.record.id)], ['cancelled', 'cancelled']);
  }),
  storageCase('follow: without followed it happens, and is not answered', async (world) => {
    const { parent, children } = await family(world, 1);
    const changes = [{ taskId: parent, steps: cancel(null, 0), descendants: true }];
    const answers = await world.storage.change(changes, { followed: false });
    assert.deepEqual(answers, [{ changed: true, from: 'waiting', record: await world.get(parent) }]);
    assert.equal(await world.statusOf(children[0] ?? ''), 'cancelled');
  }),
  storageCase('follow: runNow waits no more; what it waited for goes on', async (world) => {
    const { parent, children } = await family(world, 1);
    await world.change(parent, runNow());
    assert.deepEqual([await world.statusOf(parent), await world.statusOf(children[0] ?? '')], ['queued', 'queued']);
    await world.settle(await world.claimOne({ ids: children }), fail(BOOM));
    assert.equal(await world.statusOf(parent), 'queued');
    assert.deepEqual(await world.storage.edges(parent, { side: 'dependencies', limit: 9, open: true }), []);
  }),
  storageCase('follow: what expires fails its dependents', async (world) => {
    const startBy = world.clock.now() + 1_000;
    const id = await world.submit({ startBy });
    const dependent = await world.submit({ dependsOn: edgesTo([id]) });
    await world.clock.advance('2s');
    const { expired, followed } = await world.claim();
    assert.deepEqual(
      [expired.map((task) => task.id), await statuses(world, { followed })],
      [[id], [[dependent, 'failed']]],
    );
  }),
  storageCase('follow: a task that waits may expire', async (world) => {
    const id = await world.submit();
    const startBy = world.clock.now() + 1_000;
    const dependent = await world.submit({ dependsOn: edgesTo([id]), startBy });
    await world.clock.advance('2s');
    assert.deepEqual(
      (await world.claim()).expired.map((task) => task.id),
      [dependent],
    );
    assert.deepEqual(await world.storage.edges(dependent, { side: 'dependencies', limit: 9, open: true }), []);
  }),
  storageCase('follow: what is lost too often fails its dependents', async (world) => {
    const { task } = await world.started({ maxLost: 0 });
    const dependent = await world.submit({ dependsOn: edgesTo([task.id]) });
    const { taken, followed } = await world.storage.takeBack(W1, 10);
    assert.deepEqual(
      taken.map(({ status }) => status),
      ['failed'],
    );
    assert.deepEqual(await statuses(world, { followed }), [[dependent, 'failed']]);
  }),
  storageCase('follow: settled from outside counts, too', async (world) => {
    const id = await world.submit();
    const dependent = await world.submit({ dependsOn: edgesTo([id]) });
    const answer = await world.change(id, failFromOutside(BOOM));
    assert.deepEqual(await statuses(world, answer as Followed), [[dependent, 'failed']]);
  }),
  storageCase(
    'follow: a restart of a dependency revives nobody, and who still waits waits for it again',
    async (world) => {
      const [failing = '', other = ''] = await world.submitMany(2);
      const failed = await world.submit({ dependsOn: edgesTo([failing]) });
      const waiting = await world.submit({ dependsOn: edgesTo([failing, other], 'run') });
      const started = await world.submit({ dependsOn: edgesTo([failing], 'run') });
      await world.change(failing, cancel(null, 0));
      await world.change(failing, restart());
      const statuses = () => Promise.all([failed, waiting, started].map((id) => world.statusOf(id)));
      assert.deepEqual(await statuses(), ['failed', 'waiting', 'queued']);
      await world.settle(await world.claimOne({ ids: [other] }), succeed(null));
      assert.deepEqual(await statuses(), ['failed', 'waiting', 'queued']);
      const open = await world.storage.edges(failing, { side: 'dependents', limit: 9, open: true });
      assert.deepEqual(
        open?.map(({ id }) => id),
        [waiting],
      );
      await world.settle(await world.claimOne({ ids: [failing] }), succeed(null));
      assert.deepEqual(await statuses(), ['failed', 'queued', 'queued']);
    },
  ),
  storageCase('follow: a dependency that fails when it is restarted decides then', async (world) => {
    const [first = '', other = ''] = await world.submitMany(2);
    const dependent = await world.submit({ dependsOn: edgesTo([first, other]) });
    await world.settle(await world.claimOne({ ids: [first] }), succeed(null));
    await world.change(first, restart());
    const settled = await world.settle(await world.claimOne({ ids: [first] }), fail(BOOM));
    assert.deepEqual(await statuses(world, settled as Followed), [[dependent, 'failed']]);
    assert.equal(await world.statusOf(other), 'queued');
  }),
  storageCase(
    'follow: a restart of a dependent waits for what has not ended, whatever the rest became',
    async (world) => {
      const [failing = '', other = ''] = await world.submitMany(2);
      const dependent = await world.submit({ dependsOn: edgesTo([failing, other]) });
      await world.change(failing, cancel(null, 0));
      const answer = await world.change(dependent, restart());
      assert.deepEqual('record' in answer && [answer.record.status, answer.record.queuedAt], ['waiting', null]);
      const settled = await world.settle(await world.claimOne({ ids: [other] }), succeed(null));
      assert.deepEqual(await statuses(world, settled as Followed), [[dependent, 'queued']]);
      await world.change(dependent, cancel(null, 0));
      await world.change(dependent, restart());
      assert.equal(await world.statusOf(dependent), 'queued');
    },
  ),
  storageCase('follow: a late settlement of what was cancelled releases nobody twice', async (world) => {
    const claim = await world.started();
    const dependent = await world.submit({ dependsOn: edgesTo([claim.task.id]) });
    await world.settle(claim, succeed(1));
    const again = await world.settle(claim, succeed(1));
    assert.deepEqual('settled' in again && again.settled && [again.repeated, again.followed], [true, undefined]);
    assert.equal((await world.get(dependent)).version, 2);
  }),
];
