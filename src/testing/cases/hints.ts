import { strict as assert } from 'node:assert';
import type { Hint, TaskStorage } from '../../storage/storage.ts';
import { cancel, giveBack, restart, retry, succeed, update } from '../../task/transition.ts';
import { BOOM, type StorageCase, storageCase, type World } from './world.ts';

/** Long enough for any storage of this process; of the real clock, as hints wait for none that a case moves. */
const SOON_MS = 1_000;

/** Does something, and waits for a hint of that kind. */
async function hinted(
  storage: TaskStorage,
  kind: Hint['kind'],
  act: () => Promise<unknown>,
  options?: { readonly changes?: boolean },
): Promise<Hint> {
  let stop = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<Hint>((resolve, reject) => {
      timer = setTimeout(() => reject(new assert.AssertionError({ message: `no hint: ${kind}` })), SOON_MS);
      stop = storage.watch((hint) => hint.kind === kind && resolve(hint), options);
      act().catch(reject);
    });
  } finally {
    stop();
    clearTimeout(timer);
  }
}

const queued = (world: World, act: () => Promise<unknown>) => hinted(world.storage, 'queued', act);

/** What a storage tells of its own accord. */
export const hintCases: readonly StorageCase[] = [
  storageCase('hints: queued when tasks come in, with the largest priority', async (world) => {
    const drafts = [3, 9, 5].map((priority) => world.draft({ priority }));
    const hint = await queued(world, () => world.storage.insert(drafts));
    assert.ok(hint.kind === 'queued' && (hint.priority === 9 || hint.priority === null));
  }),
  storageCase('hints: queued when a task is given back, restarted, lost or due', async (world) => {
    const claim = await world.started();
    await queued(world, () => world.settle(claim, giveBack()));
    const again = await world.claimOne();
    await queued(world, () => world.storage.takeBack('w1', 10));
    await world.join('w1');
    const { id } = again.task;
    await world.change(id, cancel(null, 0));
    await queued(world, () => world.change(id, restart()));
    await world.submit({ status: 'scheduled', runAt: world.clock.now() + 1 });
    await world.clock.advance('1s');
    await queued(world, () => world.claim({ limit: 0 }));
  }),
  storageCase('hints: due when a task is scheduled, put off or to be tried again', async (world) => {
    const now = world.clock.now();
    const due = (act: () => Promise<unknown>) => hinted(world.storage, 'due', act);
    const drafts = [9_000, 5_000, 7_000].map((ms) => world.draft({ status: 'scheduled', runAt: now + ms }));
    assert.deepEqual(await due(() => world.storage.insert(drafts)), { kind: 'due', ms: 5_000 });
    const claim = await world.started({ maxAttempts: 3 });
    assert.deepEqual(await due(() => world.settle(claim, retry(BOOM, 3_000))), { kind: 'due', ms: 3_000 });
    const steps = update({ runAt: now + 2_000 });
    assert.deepEqual(await due(() => world.change(claim.task.id, steps)), { kind: 'due', ms: 2_000 });
  }),
  storageCase('hints: cancelling when a running task is to stop', async (world) => {
    const { task } = await world.started();
    await hinted(world.storage, 'cancelling', () => world.change(task.id, cancel(null, 0)));
  }),
  storageCase('hints: control when a document changes', async ({ storage }) => {
    await hinted(storage, 'control', () => storage.putDocument('pause', 'all', true));
    await hinted(storage, 'control', () => storage.deleteDocument('pause', 'all'));
  }),
  storageCase('hints: changed for those who want it, with every change of a task', async (world) => {
    const changed = (act: () => Promise<unknown>) => hinted(world.storage, 'changed', act, { changes: true });
    const draft = world.draft();
    const { id } = draft.record;
    const acts: readonly (() => Promise<unknown>)[] = [
      () => world.storage.insert([draft]),
      () => world.change(id, update({ description: 'd' })),
      async () => world.report(await world.claimOne(), { checkpoint: 1 }),
      () => world.change(id, cancel(null, 0)),
      () => world.storage.takeBack('w1', 10),
      () => world.storage.remove([id]),
    ];
    for (const act of acts) {
      const hint = await changed(act);
      assert.ok(hint.kind === 'changed' && (hint.id === id || hint.id === null));
    }
  }),
  storageCase('hints: every watcher of the object is told, until it stops', async (world) => {
    const seen: string[] = [];
    const stop = world.storage.watch(() => seen.push('first'));
    world.storage.watch(() => seen.push('second'));
    await queued(world, () => world.submit());
    assert.ok(seen.includes('first') && seen.includes('second'));
    stop();
    stop();
    seen.length = 0;
    await queued(world, () => world.submit());
    assert.ok(!seen.includes('first') && seen.includes('second'));
  }),
  storageCase('hints: a watcher that throws harms neither the write nor other watchers', async (world) => {
    world.storage.watch(() => {
      throw new Error('a watcher of mine');
    });
    await queued(world, () => world.submit());
    await world.settle(await world.claimOne(), succeed(1));
  }),
  storageCase('hints: none comes from inside a call', async (world) => {
    let inside = true;
    const told = new Promise<boolean>((resolve) => world.storage.watch(() => resolve(inside)));
    const insert = world.storage.insert([world.draft()]);
    inside = false;
    await insert;
    assert.equal(await told, false);
  }),
];
