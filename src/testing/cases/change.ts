import { strict as assert } from 'node:assert';
import type { JsonValue } from '../../task/json.ts';
import type { Tag, TaskRecord } from '../../task/record.ts';
import {
  archive,
  cancel,
  complete,
  fail,
  failFromOutside,
  restart,
  retry,
  runNow,
  succeed,
  update,
} from '../../task/transition.ts';
import { BOOM, type StorageCase, storageCase, there, W1 } from './world.ts';

/** The examples of RFC 7396 that fit an object, and what keys can do. */
const MERGES: readonly (readonly [target: string, patch: string, result: string])[] = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', 'null', 'null'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ['null', '{"a":1}', '{"a":1}'],
  ['{"a":1}', '{"__proto__":{"x":1}}', '{"a":1,"__proto__":{"x":1}}'],
  ['{"a":[1,{"n":null}]}', '{"b":[{"n":null}]}', '{"a":[1,{"n":null}],"b":[{"n":null}]}'],
];

/** The record without what every change moves. */
function rest({ version: _version, updatedAt: _updatedAt, ...others }: TaskRecord): Partial<TaskRecord> {
  return others;
}

/** Changes from outside. */
export const changeCases: readonly StorageCase[] = [
  storageCase('change: a queued task is cancelled at once', async (world) => {
    const id = await world.submit();
    await world.clock.advance('1s');
    const now = world.clock.now();
    const answer = await world.change(id, cancel('no longer needed', now));
    const record = await world.get(id);
    assert.deepEqual(answer, { changed: true, from: 'queued', record });
    assert.deepEqual(
      [record.status, record.cancelReason, record.cancelRequestedAt],
      ['cancelled', 'no longer needed', now],
    );
    assert.deepEqual([record.finishedAt, record.version], [now, 2]);
  }),
  storageCase('change: a running task is told to stop, and keeps its lease', async (world) => {
    const claim = await world.started();
    const answer = await world.change(claim.task.id, cancel('why', world.clock.now()));
    assert.ok('changed' in answer && answer.changed);
    assert.deepEqual([answer.from, answer.record.status], ['running', 'cancelling']);
    const held = await world.report(claim, { checkpoint: 'last' });
    assert.ok(held.held && held.status === 'cancelling');
  }),
  storageCase('change: again while cancelling changes nothing', async (world) => {
    const claim = await world.started();
    await world.change(claim.task.id, cancel('first', world.clock.now()));
    const record = await world.get(claim.task.id);
    await world.clock.advance('1s');
    const again = await world.change(claim.task.id, cancel('second', world.clock.now()));
    assert.deepEqual(again, { changed: false, from: 'cancelling', record });
    assert.deepEqual(await world.get(claim.task.id), record);
  }),
  storageCase('change: a status without a step is refused', async (world) => {
    const id = await world.ended(succeed(1));
    const record = await world.get(id);
    assert.deepEqual(await world.change(id, cancel(null, 0)), { refused: 'status', record });
    assert.deepEqual(await world.get(id), record);
  }),
  storageCase('change: an unknown task is missing', async (world) => {
    assert.deepEqual(await world.change('none', cancel(null, 0)), { refused: 'missing' });
  }),
  storageCase('change: an archived task is missing', async (world) => {
    const id = await world.ended(succeed(1));
    const answer = await world.change(id, archive(world.clock.now()));
    assert.ok('changed' in answer && answer.record.archivedAt === world.clock.now());
    assert.deepEqual(await world.change(id, restart()), { refused: 'missing' });
    assert.deepEqual(await world.change(id, archive(1)), { refused: 'missing' });
  }),
  storageCase('change: refused unless at the version', async (world) => {
    const id = await world.submit();
    const record = await world.get(id);
    const refused = await world.change(id, update({ priority: 5 }), { ifVersion: 2 });
    assert.deepEqual(refused, { refused: 'version', record });
    const answer = await world.change(id, update({ priority: 5 }), { ifVersion: 1 });
    assert.ok('changed' in answer && answer.record.version === 2);
    assert.equal(
      ((await world.change(id, update({ priority: 6 }), { ifVersion: 1 })) as { refused: string }).refused,
      'version',
    );
  }),
  storageCase('change: another version is told before a status that refuses', async (world) => {
    const id = await world.ended(succeed(1));
    const answer = await world.change(id, cancel(null, 0), { ifVersion: 1 });
    assert.ok('refused' in answer && answer.refused === 'version');
  }),
  storageCase('change: each for itself: one refused stops no other', async (world) => {
    const id = await world.submit();
    const steps = update({ description: 'new' });
    const answers = await world.storage.change([
      { taskId: 'none', steps },
      { taskId: id, steps },
      { taskId: id, steps: update({ entityId: 'e' }), ifVersion: 2 },
    ]);
    assert.deepEqual(
      answers.map((answer) => 'changed' in answer),
      [false, true, true],
    );
    const { description, entityId, version } = await world.get(id);
    assert.deepEqual([description, entityId, version], ['new', 'e', 3]);
  }),
  storageCase('change: fields are set, and the others stay', async (world) => {
    const id = await world.submit({ tags: { a: 1 }, input: { n: 1 }, submittedBy: 'user' });
    const before = await world.get(id);
    await world.clock.advance('1s');
    const set = { description: 'd', entityId: 'e', priority: 9 };
    await world.change(id, update(set));
    const after = await world.get(id);
    assert.deepEqual(rest(after), { ...rest(before), ...set });
    assert.deepEqual([after.version, after.updatedAt], [2, world.clock.now()]);
    await world.change(id, update({ description: null, entityId: null }));
    assert.deepEqual([(await world.get(id)).description, (await world.get(id)).entityId], [null, null]);
    assert.deepEqual(await world.ids({ entityId: 'e' }), []);
  }),
  storageCase('change: tags are merged; null removes', async (world) => {
    const id = await world.submit({ tags: { team: 'a', size: 1, keep: true } });
    await world.change(id, update({}), { tags: { team: 'b', size: null, none: null, ['__proto__']: 'x', added: 2 } });
    const expected = JSON.parse('{"team":"b","keep":true,"__proto__":"x","added":2}') as Record<string, Tag>;
    assert.deepEqual((await world.get(id)).tags, expected);
    assert.deepEqual(await world.ids({ tags: { team: 'b' } }), [id]);
    assert.deepEqual(await world.ids({ tags: { team: 'a' } }), []);
    assert.deepEqual(await world.ids({ tags: { size: { any: true } } }), []);
  }),
  ...MERGES.map(([target, patch, result]) =>
    storageCase(`change: metadata ${target} merged with ${patch} is ${result}`, async (world) => {
      const id = await world.submit({ metadata: JSON.parse(target) as unknown });
      await world.change(id, update({}), { metadata: JSON.parse(patch) as JsonValue });
      assert.deepEqual((await world.get(id)).metadata, JSON.parse(result));
    }),
  ),
  storageCase('change: a refused one merges nothing', async (world) => {
    const id = await world.submit({ tags: { a: 1 }, metadata: { a: 1 } });
    const before = await world.get(id);
    await world.change(id, update({}), { ifVersion: 7, tags: { a: 2 }, metadata: { a: 2 } });
    await world.change(id, restart(), { tags: { a: 2 }, metadata: { a: 2 } });
    assert.deepEqual(await world.get(id), before);
  }),
  storageCase('change: runNow queues a scheduled, a held and a waiting task', async (world) => {
    const scheduled = await world.submit({ status: 'scheduled', runAt: world.clock.now() + 60_000 });
    const held = await world.submit({ status: 'scheduled', runAt: null });
    const waiting = await world.submit({ status: 'waiting' });
    await world.clock.advance('1s');
    for (const id of [scheduled, held, waiting]) {
      await world.change(id, runNow());
      const { status, runAt, queuedAt } = await world.get(id);
      assert.deepEqual([status, runAt, queuedAt], ['queued', null, world.clock.now()]);
    }
    assert.deepEqual(await world.claimIds(), [scheduled, held, waiting]);
  }),
  storageCase('change: a new runAt puts off, holds and brings back', async (world) => {
    const id = await world.submit();
    const later = world.clock.now() + 60_000;
    await world.change(id, update({ runAt: later }));
    assert.deepEqual([await world.statusOf(id), await world.claimIds()], ['scheduled', []]);
    await world.change(id, update({ runAt: later + 60_000 }));
    await world.clock.advance('90s');
    assert.deepEqual(await world.claimIds(), [], 'the first time is void');
    await world.change(id, update({ runAt: null }));
    await world.clock.advance('1h');
    assert.deepEqual(await world.claimIds(), [], 'held');
    await world.change(id, update({ runAt: world.clock.now() }));
    assert.deepEqual(await world.claimIds(), [id]);
  }),
  storageCase('change: a task that runs refuses a new runAt and priority', async (world) => {
    const { task } = await world.started();
    for (const set of [{ runAt: null }, { priority: 1 }]) {
      const answer = await world.change(task.id, update(set));
      assert.ok('refused' in answer && answer.refused === 'status');
    }
    const answer = await world.change(task.id, update({ description: 'fine' }));
    assert.ok('changed' in answer);
  }),
  storageCase('change: completed and failed from outside, with the lease revoked', async (world) => {
    for (const [steps, status] of [
      [complete({ by: 'hand' }), 'succeeded'],
      [failFromOutside(BOOM), 'failed'],
    ] as const) {
      const claim = await world.started();
      await world.change(claim.task.id, steps);
      const stored = await world.get(claim.task.id);
      assert.equal(stored.status, status);
      assert.deepEqual(await world.settle(claim, succeed('late')), { settled: false });
      assert.deepEqual(await world.report(claim, { checkpoint: 1 }), { held: false, status });
      assert.deepEqual(await world.get(claim.task.id), stored);
    }
    assert.deepEqual(await world.storage.cancelling(W1), []);
  }),
  storageCase('change: a restart runs again from a fresh baseline', async (world) => {
    const id = await world.ended(fail(BOOM), { startBy: world.clock.now() + 1_000, maxLost: 2 });
    const answer = await world.change(id, restart());
    assert.ok('changed' in answer && answer.changed && answer.from === 'failed');
    const { status, error, result, startedAt, finishedAt, startBy, progress, attempt } = answer.record;
    assert.deepEqual(
      [status, error, result, startedAt, finishedAt, startBy, progress, attempt],
      ['queued', null, null, null, null, null, null, 1],
    );
    const claim = await world.claimOne();
    assert.deepEqual([claim.task.attempt, claim.baseline.attempt, claim.maxLost], [2, 1, 2]);
  }),
  storageCase('change: a restart makes the attempt before it stale', async (world) => {
    const claim = await world.started();
    await world.settle(claim, fail(BOOM));
    await world.change(claim.task.id, restart());
    assert.deepEqual(await world.settle(claim, succeed('late')), { settled: false });
    assert.equal(await world.statusOf(claim.task.id), 'queued');
  }),
  storageCase('change: a restart keeps the checkpoint, unless it had succeeded', async (world) => {
    for (const [steps, kept] of [
      [fail(BOOM), { at: 5 }],
      [succeed(1), null],
    ] as const) {
      const claim = await world.started();
      await world.settle(claim, steps, { checkpoint: { at: 5 } });
      await world.change(claim.task.id, restart());
      assert.deepEqual((await world.get(claim.task.id)).checkpoint, kept);
    }
  }),
  storageCase('change: answers with a copy of its own', async (world) => {
    const id = await world.submit({ input: { list: [1] } });
    const answer = await world.change(id, update({ description: 'd' }));
    assert.ok('changed' in answer);
    (answer.record.input as { list: number[] }).list.push(2);
    assert.deepEqual((await world.get(id)).input, { list: [1] });
  }),
  storageCase('change: a task between two attempts is cancelled for good', async (world) => {
    const claim = await world.started({ maxAttempts: 3 });
    await world.settle(claim, retry(BOOM, 1_000));
    await world.change(claim.task.id, cancel(null, world.clock.now()));
    await world.clock.advance('1m');
    assert.deepEqual(await world.claimIds(), []);
    assert.equal(there(await world.get(claim.task.id)).status, 'cancelled');
  }),
];
