import { strict as assert } from 'node:assert';
import type { RetentionRule } from '../../storage/storage.ts';
import { archive, cancel, fail, restart, succeed } from '../../task/transition.ts';
import { edgesTo } from './edges.ts';
import { BOOM, type StorageCase, storageCase, type World } from './world.ts';

const ALL = ['succeeded', 'failed', 'cancelled'] as const;
const MANY = 1_000_000;

const rule = (fields: Partial<RetentionRule> = {}): RetentionRule => ({
  status: ALL,
  handlers: null,
  except: [],
  ageMs: 60_000,
  ...fields,
});

const left = (world: World) => world.ids({ archived: 'both' });

/** Removing what is over. */
export const retentionCases: readonly StorageCase[] = [
  storageCase('remove: a final task goes for good, with all that belongs to it', async (world) => {
    const claim = await world.started({ tags: { a: 1 }, entityId: 'e' });
    const { id } = claim.task;
    await world.settle(claim, succeed(1), { log: [{ at: 1, level: 'info', message: 'm' }] });
    assert.equal(await world.storage.remove([id]), 1);
    assert.deepEqual(await world.storage.get([id], { archived: true }), [null]);
    assert.deepEqual(
      [await world.storage.attempts(id), await world.storage.log(id, { after: 0, limit: 9 })],
      [null, null],
    );
    assert.deepEqual(await world.ids({ tags: { a: 1 } }), []);
    assert.deepEqual(await world.ids({ entityId: 'e', archived: 'both' }), []);
    assert.deepEqual(await world.storage.counts(), []);
  }),
  storageCase('remove: unfinished ones stay', async (world) => {
    const queued = await world.submit();
    const waiting = await world.submit({ status: 'waiting' });
    const { task } = await world.running();
    const done = await world.ended(succeed(1));
    assert.equal(await world.storage.remove([queued, waiting, task.id, 'none', done, done]), 1);
    assert.deepEqual(await left(world), [queued, waiting, task.id]);
  }),
  storageCase('remove: archived ones go, too', async (world) => {
    const id = await world.ended(succeed(1));
    await world.change(id, archive(world.clock.now()));
    assert.equal(await world.storage.remove([id]), 1);
    assert.deepEqual(await left(world), []);
  }),
  storageCase('remove: an id that went may be used again', async (world) => {
    const id = await world.ended(succeed(1));
    await world.storage.remove([id]);
    await world.submit({ id, input: 'new' });
    assert.deepEqual([(await world.get(id)).input, await world.claimIds()], ['new', [id]]);
  }),
  storageCase('prune: removes what ended longer ago than a rule allows', async (world) => {
    await world.ended(succeed(1));
    await world.ended(fail(BOOM));
    const running = await world.started();
    const queued = await world.submit();
    await world.clock.advance('1m');
    const young = await world.ended(succeed(1));
    assert.equal(await world.storage.prune(100, { rules: [rule()], count: MANY }), 0, 'not longer ago yet');
    await world.clock.advance(1);
    assert.equal(await world.storage.prune(100, { rules: [rule()], count: MANY }), 2);
    assert.deepEqual(await left(world), [running.task.id, queued, young]);
  }),
  storageCase('prune: what an unfinished task depends on stays, until that has ended', async (world) => {
    const first = await world.ended(succeed(1));
    const other = await world.ended(succeed(1));
    const running = await world.submit();
    const waiting = await world.submit({ dependsOn: edgesTo([first, running]) });
    const over = world.draft({ dependsOn: edgesTo([other]) });
    await world.storage.insert([over]);
    await world.change(over.record.id, cancel(null, world.clock.now()));
    await world.clock.advance('2m');
    const prune = () => world.storage.prune(100, { rules: [rule()], count: MANY });
    assert.equal(await prune(), 2);
    assert.equal(await world.storage.prune(100, { rules: [], count: 0 }), 0);
    assert.deepEqual(await left(world), [first, running, waiting]);
    await world.change(waiting, cancel(null, world.clock.now()));
    // A storage need not look through what it has looked through each time.
    for (let calls = 0; calls < 200 && (await world.ids({ ids: [first] })).length > 0; calls++) await prune();
    assert.deepEqual(await left(world), [running, waiting]);
  }),
  storageCase('prune: each rule for its statuses', async (world) => {
    const good = await world.ended(succeed(1));
    const bad = await world.ended(fail(BOOM));
    await world.clock.advance('2m');
    const rules = [rule({ status: ['succeeded'] }), rule({ status: ['failed', 'cancelled'], ageMs: 3_600_000 })];
    assert.equal(await world.storage.prune(100, { rules, count: MANY }), 1);
    assert.deepEqual(await left(world), [bad]);
    assert.notEqual(good, bad);
  }),
  storageCase('prune: each rule for its handlers, or for all but some', async (world) => {
    await world.ended(succeed(1), { handler: 'a' });
    const b = await world.ended(succeed(1), { handler: 'b' });
    const c = await world.ended(succeed(1), { handler: 'c' });
    await world.clock.advance('2m');
    assert.equal(await world.storage.prune(100, { rules: [rule({ handlers: ['a'] })], count: MANY }), 1);
    assert.deepEqual(await left(world), [b, c]);
    assert.equal(await world.storage.prune(100, { rules: [rule({ except: ['b'] })], count: MANY }), 1);
    assert.deepEqual(await left(world), [b]);
  }),
  storageCase('prune: archived tasks, too', async (world) => {
    const id = await world.ended(succeed(1));
    await world.change(id, archive(world.clock.now()));
    await world.clock.advance('2m');
    assert.equal(await world.storage.prune(100, { rules: [rule()], count: MANY }), 1);
    assert.deepEqual(await left(world), []);
  }),
  storageCase('prune: keeps no more final tasks than may stay, the oldest go', async (world) => {
    const ids: string[] = [];
    for (let at = 0; at < 5; at++) {
      ids.push(await world.ended(at % 2 === 0 ? succeed(1) : fail(BOOM), { handler: at % 3 === 0 ? 'a' : 'b' }));
      await world.clock.advance('1s');
    }
    const queued = await world.submit();
    assert.equal(await world.storage.prune(100, { rules: [], count: 3 }), 2);
    assert.deepEqual(await left(world), [...ids.slice(2), queued]);
  }),
  storageCase('prune: the oldest is the one that ended first, not the first submitted', async (world) => {
    const first = await world.started();
    const second = await world.started();
    await world.settle(second, succeed(1));
    await world.clock.advance('1s');
    await world.settle(first, succeed(1));
    assert.equal(await world.storage.prune(100, { rules: [], count: 1 }), 1);
    assert.deepEqual(await left(world), [first.task.id]);
  }),
  storageCase('prune: up to a limit, and fewer when nothing is left', async (world) => {
    for (let at = 0; at < 5; at++) await world.ended(succeed(1));
    await world.clock.advance('2m');
    const retention = { rules: [rule()], count: MANY };
    assert.equal(await world.storage.prune(2, retention), 2);
    assert.equal(await world.storage.prune(2, retention), 2);
    assert.equal(await world.storage.prune(2, retention), 1);
    assert.equal(await world.storage.prune(2, retention), 0);
  }),
  storageCase('prune: the limit is for rules and count together', async (world) => {
    for (let at = 0; at < 3; at++) await world.ended(succeed(1));
    await world.clock.advance('2m');
    for (let at = 0; at < 3; at++) await world.ended(succeed(1));
    const retention = { rules: [rule()], count: 1 };
    assert.equal(await world.storage.prune(4, retention), 4);
    assert.equal(await world.storage.prune(4, retention), 1);
    assert.equal((await left(world)).length, 1);
  }),
  storageCase('prune: a restarted task is not final', async (world) => {
    const id = await world.ended(succeed(1));
    await world.change(id, restart());
    await world.clock.advance('2m');
    assert.equal(await world.storage.prune(100, { rules: [rule()], count: 0 }), 0);
    assert.equal(await world.statusOf(id), 'queued');
    await world.settle(await world.claimOne(), succeed(2));
    await world.clock.advance(59_999);
    assert.equal(
      await world.storage.prune(100, { rules: [rule()], count: MANY }),
      0,
      'its age counts from its last end',
    );
    await world.clock.advance(2);
    assert.equal(await world.storage.prune(100, { rules: [rule()], count: MANY }), 1);
  }),
  storageCase('prune: without rules and below the count nothing goes', async (world) => {
    const id = await world.ended(succeed(1));
    await world.clock.advance('30d');
    assert.equal(await world.storage.prune(100, { rules: [], count: 1 }), 0);
    assert.deepEqual(await left(world), [id]);
  }),
];
