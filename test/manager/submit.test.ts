import { defineTask, type TaskRecord } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('submit', (world) => {
  const work = () => controlled('work');

  test('answers with a handle: its id, and that it was created', async () => {
    const manager = world.manager({ handlers: [work()] });
    const task = await manager.submit('work', { a: 1 });
    expect(task.id).toMatch(/^task_[0-9A-Za-z]{27}$/);
    expect(task).toMatchObject({ created: true, matched: null, warnings: [] });
  });

  test('every key of the record is there, null where nothing is known', async () => {
    const manager = world.manager({ handlers: [work()] });
    const { id } = await manager.submit('work', { a: 1 });
    const now = world.clock.now();
    const expected: TaskRecord = {
      id,
      handler: 'work',
      description: null,
      status: 'queued',
      input: { a: 1 },
      result: null,
      error: null,
      progress: null,
      checkpoint: null,
      priority: 0,
      attempt: 0,
      maxAttempts: 1,
      lost: 0,
      interrupted: 0,
      snoozed: 0,
      submittedBy: null,
      entityId: null,
      parentId: null,
      scheduleId: null,
      tick: null,
      tags: {},
      metadata: null,
      idempotencyKey: null,
      uniqueKey: null,
      runAt: null,
      startBy: null,
      createdAt: now,
      queuedAt: now,
      startedAt: null,
      finishedAt: null,
      updatedAt: now,
      archivedAt: null,
      workerId: null,
      cancelRequestedAt: null,
      cancelReason: null,
      version: 1,
    };
    expect(await manager.get(id)).toStrictEqual(expected);
  });

  test('every option is in the record', async () => {
    const manager = world.manager({ handlers: [work()] });
    const options = {
      priority: 5,
      tags: { team: 'search', retryable: true, tries: 3 },
      submittedBy: 'user-1',
      entityId: 'doc-1',
      parentId: 'task_parent',
      description: 'Reindexes the documents',
      metadata: { any: ['thing', 1, null] },
      idempotencyKey: 'key-1',
    };
    const { id } = await manager.submit('work', null, {
      ...options,
      startBy: '10m',
      unique: { key: 'docs' },
      delay: '30s',
    });
    expect(await manager.get(id)).toMatchObject({
      ...options,
      status: 'scheduled',
      uniqueKey: 'docs',
      queuedAt: null,
      runAt: world.clock.now() + 30_000,
      startBy: world.clock.now() + 600_000,
    });
  });

  test('what the definition says holds where the submit says nothing', async () => {
    const urgent = controlled('urgent', { priority: 7, retry: { maxAttempts: 4 } });
    const manager = world.manager({ handlers: [urgent] });
    const plain = await manager.submit('urgent');
    const own = await manager.submit('urgent', null, { priority: -1 });
    expect(await manager.get(plain.id)).toMatchObject({ priority: 7, maxAttempts: 4 });
    expect(await manager.get(own.id)).toMatchObject({ priority: -1, maxAttempts: 4 });
  });

  test('by definition or by name', async () => {
    const definition = work();
    const manager = world.manager({});
    manager.register(definition);
    const byName = await manager.submit('work', 1);
    const byDefinition = await manager.submit(definition, 2);
    expect([(await manager.get(byName.id))?.handler, (await manager.get(byDefinition.id))?.handler]).toEqual([
      'work',
      'work',
    ]);
  });

  test('an undefined option counts as left out', async () => {
    const manager = world.manager({ handlers: [work()] });
    const undefinedOptions = { priority: undefined, delay: undefined, runAt: undefined, hold: undefined };
    const { id } = await manager.submit('work', 1, { ...undefinedOptions, tags: undefined, unique: undefined });
    expect(await manager.get(id)).toMatchObject({ status: 'queued', priority: 0, tags: {}, uniqueKey: null });
  });

  test('no input is stored as null and handed over as undefined', async () => {
    const definition = work();
    const manager = await world.start({ handlers: [definition] });
    const { id } = await manager.submit('work');
    const run = await definition.next();
    expect(run.input).toBeUndefined();
    expect((await manager.get(id))?.input).toBeNull();
    run.finish();
  });

  test('the input is stored as submitted, and the schema transforms it at each attempt', async () => {
    const seen: unknown[] = [];
    const parse = defineTask({
      name: 'parse',
      input: z.object({ day: z.string().transform((text) => Number(text)), unit: z.string().default('days') }),
      retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 0 } },
      run(input, { task }) {
        seen.push([input, task.input]);
        if (seen.length === 1) throw new Error('once more');
      },
    });
    const manager = await world.start({ handlers: [parse] });
    const task = await manager.submit(parse, { day: '5' });
    await world.clock.advance(10);
    await task.result();
    const each = [{ day: 5, unit: 'days' }, { day: '5' }];
    expect(seen).toEqual([each, each]);
    expect((await manager.get(task.id))?.input).toEqual({ day: '5' });
  });

  test('an asynchronous schema is waited for, at submit and at each attempt', async () => {
    const slow = defineTask({
      name: 'slow',
      input: z.string().transform(async (text) => text.toUpperCase()),
      run: (input) => input,
    });
    const manager = await world.start({ handlers: [slow] });
    expect(await (await manager.submit(slow, 'a')).result()).toBe('A');
  });

  test('changing the input after submit changes nothing', async () => {
    const definition = work();
    const manager = await world.start({ handlers: [definition] });
    const input = { list: [1] };
    const submitted = manager.submit('work', input);
    input.list.push(2);
    const task = await submitted;
    input.list.push(3);
    const run = await definition.next();
    expect(run.input).toEqual({ list: [1] });
    (run.input as typeof input).list.push(4);
    expect((await manager.get(task.id))?.input).toEqual({ list: [1] });
    run.finish();
  });

  test('text of every kind comes back as it went', async () => {
    const manager = world.manager({ handlers: [work()] });
    const input = ['', '\0', '\u2028', '😀', 'é', '\ud800', '"\\', '__proto__', ' a ', 'null'];
    const { id } = await manager.submit('work', input, { description: 'é😀\0', entityId: "'; drop table tasks" });
    expect(await manager.get(id)).toMatchObject({ input, description: 'é😀\0', entityId: "'; drop table tasks" });
  });

  test('numbers at their ends come back as they went', async () => {
    const manager = world.manager({ handlers: [work()] });
    const input = [0, 1.5, -1e-300, 1e300, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, 2 ** 53];
    const { id } = await manager.submit('work', input, { priority: 1_000_000 });
    const lowest = await manager.submit('work', null, { priority: -1_000_000 });
    expect(await manager.get(id)).toMatchObject({ input, priority: 1_000_000 });
    expect(await manager.get(lowest.id)).toMatchObject({ priority: -1_000_000 });
  });

  test('many in one turn: each is stored, in the order of the calls', async () => {
    const manager = world.manager({ handlers: [work()] });
    const tasks = await Promise.all(Array.from({ length: 2_500 }, (_, index) => manager.submit('work', index)));
    expect(await manager.count()).toBe(2_500);
    const { items } = await manager.list({ sort: 'id', limit: 1_000, offset: 1_500 });
    expect(items.map(({ input }) => input)).toEqual(Array.from({ length: 1_000 }, (_, index) => 1_500 + index));
    expect(items.map(({ id }) => id)).toEqual(tasks.slice(1_500).map(({ id }) => id));
  });

  test('before start: the task waits for it, also when another process starts', async () => {
    const definition = work();
    const manager = world.manager({ handlers: [work()] });
    const { id } = await manager.submit('work', 'early');
    await world.start({ handlers: [definition] });
    const run = await definition.next();
    expect(run).toMatchObject({ input: 'early', context: { task: { id } } });
    run.finish();
  });

  test('a definition without run is submitted here and runs elsewhere', async () => {
    const mail = defineTask<'mail', { to: string }, string>({ name: 'mail' });
    const here = await world.start({ handlers: [mail] });
    const task = await here.submit(mail, { to: 'you' });
    await here.onIdle();
    expect(await here.get(task.id)).toMatchObject({ status: 'queued' });
    const there = await world.start({
      handlers: [defineTask({ name: 'mail', run: ({ to }: { to: string }) => `sent to ${to}` })],
    });
    await there.onIdle();
    await world.clock.advance('1s');
    expect(await task.result()).toBe('sent to you');
  });

  describe('warnings', () => {
    test('a runAt that has passed: queued at once, and a warning', async () => {
      const manager = world.manager({ handlers: [work()] });
      const task = await manager.submit('work', 1, { runAt: world.clock.now() - 1 });
      expect(task.warnings).toMatchObject([{ code: 'run_at_past' }]);
      expect(await manager.get(task.id)).toMatchObject({ status: 'queued', runAt: null });
    });

    test('a deprecated handler: a warning that says what to use instead', async () => {
      const old = controlled('old', { deprecated: 'Use new.' });
      const older = controlled('older', { deprecated: true });
      const manager = world.manager({ handlers: [old, older] });
      const [one, other] = await manager.submitMany([{ handler: 'old' }, { handler: 'older' }]);
      expect(one.warnings).toEqual([
        { code: 'handler_deprecated', message: expect.stringMatching(/old .*deprecated.*Use new\./) },
      ]);
      expect(other.warnings).toMatchObject([{ code: 'handler_deprecated' }]);
    });

    test('a handler that no living process runs: a warning, until one does', async () => {
      const mail = defineTask<'mail'>({ name: 'mail' });
      const here = await world.start({ handlers: [mail] });
      const alone = await here.submit(mail);
      expect(alone.warnings).toMatchObject([{ code: 'handler_unserved', message: expect.stringContaining('mail') }]);
      const elsewhere = controlled('mail');
      const there = await world.start({ handlers: [elsewhere] });
      (await elsewhere.next()).finish();
      await world.clock.advance('10s');
      expect((await here.submit(mail)).warnings).toEqual([]);
      (await elsewhere.next()).finish();
      await there.close();
      await world.clock.advance('10s');
      expect((await here.submit(mail)).warnings).toMatchObject([{ code: 'handler_unserved' }]);
    });

    test('while the start is under way nobody can tell yet: no warning, and the task is stored', async () => {
      const manager = world.manager({ handlers: [work()] });
      const starting = manager.start({ run: false });
      expect((await manager.submit('work')).warnings).toEqual([]);
      await starting;
      expect(await manager.count()).toBe(1);
    });

    test('failOnWarning: refused instead, and nothing is made', async () => {
      const manager = world.manager({ handlers: [controlled('old', { deprecated: true })] });
      const error = await errorOf(manager.submit('old', 1, { failOnWarning: true }));
      expect(error).toMatchObject({
        code: 'input_invalid',
        issues: [{ path: 'handler', message: expect.stringContaining('deprecated') }],
      });
      expect(await manager.count()).toBe(0);
    });
  });
});
