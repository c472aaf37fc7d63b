import { OptionError, TaskNotFoundError, type TaskPatch, TransitionError, VersionConflictError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('update', (world) => {
  async function submitted(options = {}) {
    const manager = world.manager({ handlers: [controlled('work')], maxInputBytes: 1_000 });
    const task = await manager.submit('work', { a: 1 }, options);
    return { manager, id: task.id };
  }

  test('sets fields, moves the version, and answers with the record', async () => {
    const { manager, id } = await submitted({ metadata: { old: true }, tags: { a: 1 } });
    await world.clock.advance(5);
    const patch = { priority: 9, description: 'new', entityId: 'doc-1', metadata: { fresh: 1 }, tags: { b: 'x' } };
    const updated = await manager.update(id, patch);
    expect(updated).toMatchObject({
      priority: 9,
      description: 'new',
      entityId: 'doc-1',
      metadata: { old: true, fresh: 1 },
      tags: { a: 1, b: 'x' },
      version: 2,
      updatedAt: world.clock.now(),
      status: 'queued',
      input: { a: 1 },
    });
    expect(await manager.get(id)).toEqual(updated);
  });

  test('tags and metadata merge by RFC 7396: null removes, what is left out stays', async () => {
    const { manager, id } = await submitted({
      tags: { keep: 1, go: 2, change: 'a' },
      metadata: { keep: 1, deep: { a: 1, b: { c: 2 } }, list: [1, 2], go: true },
    });
    const updated = await manager.update(id, {
      tags: { go: null, change: true, none: null },
      metadata: { deep: { a: null, b: { d: 3 } }, list: [3], go: null, none: null },
    });
    expect(updated.tags).toEqual({ keep: 1, change: true });
    expect(updated.metadata).toEqual({ keep: 1, deep: { b: { c: 2, d: 3 } }, list: [3] });
  });

  test.each([
    ['text over an object', { a: 1 }, 'text', 'text'],
    ['null over an object', { a: 1 }, null, null],
    ['an object over nothing', null, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
    ['an object over a list', [1], { a: 1 }, { a: 1 }],
    [
      '__proto__ as a key',
      { a: 1 },
      JSON.parse('{"__proto__": {"x": 1}}'),
      JSON.parse('{"a": 1, "__proto__": {"x": 1}}'),
    ],
  ])('metadata: %s', async (_what, before, patch, after) => {
    const { manager, id } = await submitted({ metadata: before });
    expect((await manager.update(id, { metadata: patch })).metadata).toStrictEqual(after);
  });

  test('null clears description and entityId', async () => {
    const { manager, id } = await submitted({ description: 'old', entityId: 'doc' });
    expect(await manager.update(id, { description: null, entityId: null })).toMatchObject({
      description: null,
      entityId: null,
    });
  });

  test('an undefined key, and an empty patch, change nothing they name', async () => {
    const { manager, id } = await submitted({ description: 'old' });
    expect(await manager.update(id, { description: undefined, priority: undefined })).toMatchObject({
      description: 'old',
      priority: 0,
    });
    expect(await manager.update(id, {})).toMatchObject({ description: 'old' });
  });

  test('an empty patch moves no version, tells nobody, and answers for a task in any status', async () => {
    const { manager, id } = await submitted({ description: 'old' });
    const updates: string[] = [];
    manager.on('task:updated', ({ taskId }) => updates.push(taskId));
    const before = await manager.get(id);
    for (const patch of [{}, { priority: undefined }]) expect(await manager.update(id, patch)).toEqual(before);
    const cancelled = await manager.cancel(id);
    expect(await manager.update(id, {}, { ifVersion: cancelled.version })).toEqual(cancelled);
    expect(await errorOf(manager.update(id, {}, { ifVersion: 1 }))).toBeInstanceOf(VersionConflictError);
    expect(await errorOf(manager.update('task_none', {}))).toBeInstanceOf(TaskNotFoundError);
    expect(updates).toEqual([]);
  });

  describe('runAt', () => {
    test('moves a queued task to later, and it runs then', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      const { id } = await manager.submit('work');
      const runAt = world.clock.now() + 3_000;
      expect(await manager.update(id, { runAt: new Date(runAt) })).toMatchObject({ status: 'scheduled', runAt });
      await manager.start();
      await world.clock.advance(2_999);
      expect(work.runs).toHaveLength(0);
      await world.clock.advance(1);
      await work.next();
    });

    test('of a scheduled task: earlier, and later', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const early = await manager.submit('work', 'early', { delay: '50s' });
      const late = await manager.submit('work', 'late', { delay: '1s' });
      await manager.update(early.id, { runAt: world.clock.now() + 2_000 });
      await manager.update(late.id, { runAt: world.clock.now() + 4_000 });
      await world.clock.advance('3s');
      expect(work.runs.map(({ input }) => input)).toEqual(['early']);
      await world.clock.advance('1s');
      expect(work.runs.map(({ input }) => input)).toEqual(['early', 'late']);
    });

    test('null holds until runNow', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work', 1, { delay: '1s' });
      expect(await manager.update(task.id, { runAt: null })).toMatchObject({ status: 'scheduled', runAt: null });
      await world.clock.advance('10s');
      expect(work.runs).toHaveLength(0);
      await manager.runNow(task.id);
      await work.next();
    });

    test('that has passed: queued at once, and a warning says so', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const told: unknown[] = [];
      manager.on('warning', ({ code, taskId }) => told.push([code, taskId]));
      manager.on('task:queued', ({ type, taskId }) => told.push([type, taskId]));
      const { id } = await manager.submit('work', 1, { hold: true });
      const runAt = world.clock.now() - 1;
      expect(await manager.update(id, { runAt })).toMatchObject({ status: 'queued', runAt: null });
      expect(told).toEqual([
        ['task:queued', id],
        ['run_at_past', id],
      ]);
      await work.next();
    });

    test('that has passed, or is now, of a queued task: it stays as it is', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const { id } = await manager.submit('work');
      const warnings: string[] = [];
      manager.on('warning', ({ code }) => warnings.push(code));
      const queued = { status: 'queued', runAt: null, queuedAt: (await manager.get(id))?.queuedAt };
      expect(await manager.update(id, { runAt: world.clock.now() })).toMatchObject(queued);
      expect(warnings).toEqual([]);
      expect(await manager.update(id, { runAt: new Date(0) })).toMatchObject(queued);
      expect(warnings).toEqual(['run_at_past']);
    });
  });

  test('priority takes its effect on what waits', async () => {
    const work = controlled('work');
    const manager = world.manager({ handlers: [work], concurrency: 1 });
    await manager.submit('work', 'first');
    const second = await manager.submit('work', 'second');
    await manager.update(second.id, { priority: 1 });
    await manager.start();
    expect((await work.next()).input).toBe('second');
  });

  test('of a running task: what tells, not when it runs', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    expect(await manager.update(task.id, { description: 'on its way', tags: { a: 1 } })).toMatchObject({
      status: 'running',
      description: 'on its way',
    });
    for (const patch of [{ priority: 1 }, { runAt: null }, { runAt: world.clock.now() + 5 }]) {
      expect(await errorOf(manager.update(task.id, patch))).toBeInstanceOf(TransitionError);
    }
    run.finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.update(task.id, { metadata: { seen: true } })).toMatchObject({
      status: 'succeeded',
      metadata: { seen: true },
      result: 'done',
    });
    expect(await errorOf(manager.update(task.id, { priority: 1 }))).toBeInstanceOf(TransitionError);
  });

  describe('ifVersion', () => {
    test('the version it is at: done; another: VersionConflictError with both', async () => {
      const { manager, id } = await submitted();
      expect(await manager.update(id, { priority: 1 }, { ifVersion: 1 })).toMatchObject({ version: 2 });
      const error = await errorOf(manager.update(id, { priority: 2 }, { ifVersion: 1 }));
      expect(error).toBeInstanceOf(VersionConflictError);
      expect(error).toMatchObject({ code: 'version_conflict', message: expect.stringMatching(/version 2, not at 1/) });
      expect(await manager.get(id)).toMatchObject({ priority: 1, version: 2 });
    });

    test('of many at once, one wins', async () => {
      const { manager, id } = await submitted();
      const all = Array.from({ length: 10 }, (_, priority) => manager.update(id, { priority }, { ifVersion: 1 }));
      const done = (await Promise.allSettled(all)).filter(({ status }) => status === 'fulfilled');
      expect(done).toHaveLength(1);
      expect(await manager.get(id)).toMatchObject({ version: 2 });
    });

    test.each([[0], [1.5], [-1], [Number.NaN], ['1'], [null]])('%j: OptionError', async (ifVersion) => {
      const { manager, id } = await submitted();
      expect(await errorOf(manager.update(id, {}, { ifVersion: ifVersion as number }))).toBeInstanceOf(OptionError);
    });
  });

  const bad: [option: string, patch: unknown][] = [
    ['patch', null],
    ['patch', 'priority'],
    ['patch', { status: 'succeeded' }],
    ['patch', { input: 1 }],
    ['priority', { priority: 1.5 }],
    ['priority', { priority: null }],
    ['runAt', { runAt: 'tomorrow' }],
    ['runAt', { runAt: new Date(Number.NaN) }],
    ['tags', { tags: null }],
    ['tags.a', { tags: { a: {} } }],
    ['description', { description: 5 }],
    ['entityId', { entityId: '' }],
  ];
  test.each(bad)('a bad %s: OptionError that names it (%j)', async (option, patch) => {
    const { manager, id } = await submitted();
    expect(await errorOf(manager.update(id, patch as TaskPatch))).toMatchObject({ code: 'option_invalid', option });
    expect(await manager.get(id)).toMatchObject({ version: 1 });
  });

  test('metadata that JSON cannot hold, or too much of it', async () => {
    const { manager, id } = await submitted();
    expect(await errorOf(manager.update(id, { metadata: { a: 1n } }))).toMatchObject({ code: 'input_invalid' });
    expect(await errorOf(manager.update(id, { metadata: 'x'.repeat(999) }))).toMatchObject({
      code: 'payload_too_large',
    });
  });

  test('more than 50 tags after the merge: OptionError', async () => {
    const tags = (prefix: string, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 1]));
    const { manager, id } = await submitted({ tags: tags('a', 40) });
    expect(await errorOf(manager.update(id, { tags: tags('b', 51) }))).toMatchObject({ option: 'tags' });
  });

  test('an unknown id: TaskNotFoundError', async () => {
    expect(await errorOf(world.manager({}).update('task_none', {}))).toBeInstanceOf(TaskNotFoundError);
  });
});
