import * as tasklane from 'tasklane';
import { defineTask, MemoryStorage, type TaskManager } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

// What the public contract lets one call, each tried once from outside: the options of a submit, what a handler is given, and
// the methods of a manager and of a handle. How each behaves at its edges is in the tests of its own.

describe('an option of submit', () => {
  const world = useWorld('memory');

  /** One option, and what it makes of the record. */
  const STORED: readonly (readonly [option: string, value: unknown, record: object])[] = [
    ['priority', 7, { priority: 7, status: 'queued' }],
    ['delay', '30s', { status: 'scheduled', runAt: Date.UTC(2030, 0, 1) + 30_000 }],
    ['runAt', new Date(Date.UTC(2030, 0, 2)), { status: 'scheduled', runAt: Date.UTC(2030, 0, 2) }],
    ['runAt', Date.UTC(2030, 0, 3), { status: 'scheduled', runAt: Date.UTC(2030, 0, 3) }],
    ['hold', true, { status: 'scheduled', runAt: null }],
    ['startBy', '10m', { startBy: Date.UTC(2030, 0, 1) + 600_000 }],
    ['tags', { team: 'search', n: 1, yes: true }, { tags: { team: 'search', n: 1, yes: true } }],
    ['submittedBy', 'user-1', { submittedBy: 'user-1' }],
    ['entityId', 'e', { entityId: 'e' }],
    ['parentId', 'p', { parentId: 'p' }],
    ['description', 'Says what', { description: 'Says what' }],
    ['metadata', { any: ['json', null] }, { metadata: { any: ['json', null] } }],
    ['idempotencyKey', 'once', { idempotencyKey: 'once' }],
    ['unique', { key: 'docs' }, { uniqueKey: 'docs' }],
  ];
  test.each(STORED)('%s: %j', async (option, value, record) => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work', 1, { [option]: value });
    expect(await manager.get(task.id)).toMatchObject(record);
    expect(task).toMatchObject({ created: true, matched: null, warnings: [] });
  });

  test('startBy: not started by then, it is cancelled as expired', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.pause();
    const { id } = await manager.submit('work', 1, { startBy: '10m' });
    await world.clock.advance('11m');
    expect(await manager.get(id)).toMatchObject({ status: 'cancelled', error: { code: 'expired' } });
  });

  test('idempotencyKey: the earlier task answers; another input is refused with its id', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const submit = (input: unknown) => manager.submit('work', input, { idempotencyKey: 'k' });
    const { id } = await submit(1);
    expect(await submit(1)).toMatchObject({ id, created: false, matched: 'idempotency' });
    expect(await errorOf(submit(2))).toMatchObject({ code: 'idempotency_conflict', taskId: id });
  });

  test('unique: by default unfinished and skip; scope unstarted, a window; onConflict error', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const submit = (unique: Partial<tasklane.Unique>) =>
      manager.submit('work', 1, { unique: { key: 'k', ...unique } as tasklane.Unique });
    const { id } = await submit({});
    const run = await work.next();
    expect(await submit({})).toMatchObject({ id, created: false, matched: 'unique' });
    expect(await errorOf(submit({ onConflict: 'error' }))).toMatchObject({ code: 'unique_conflict', taskId: id });
    expect(await submit({ scope: 'unstarted' })).toMatchObject({ created: true });
    run.finish();
    (await work.next()).finish();
    await manager.onIdle();
    expect(await submit({})).toMatchObject({ created: true });
    (await work.next()).finish();
    const windowed = await submit({ key: 'w', scope: { window: '1h' } });
    (await work.next()).finish();
    await windowed.result();
    expect(await submit({ key: 'w', scope: { window: '1h' } })).toMatchObject({ id: windowed.id, created: false });
  });

  test('dependsOn and children: it waits for them; onFailure by default fails it', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1);
    const second = await manager.submit('work', 2, { dependsOn: [first.id] });
    const third = await manager.submit('work', 3, { dependsOn: [{ id: first.id, onFailure: 'run' }] });
    const parent = await manager.submit('work', 4, { children: [{ handler: 'work', input: 5 }] });
    const statuses = async () =>
      Promise.all([second, third, parent].map(async ({ id }) => (await manager.get(id))?.status));
    expect(await statuses()).toEqual(['waiting', 'waiting', 'waiting']);
    for (let runs = 0; runs < 2; runs++) {
      const { input, fail, finish } = await work.next();
      if (input === 1) fail('no');
      else finish();
    }
    await world.clock.advance('1s');
    expect(await statuses()).toEqual(['failed', 'running', 'running']);
    expect(await manager.get(second.id)).toMatchObject({ error: { code: 'dependency_failed' } });
  });

  test('debounce and throttle: the last of a burst after its wait; the first of a period', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const put = await manager.submit('work', 1, { debounce: { key: 'd', wait: '1s' } });
    expect(await manager.submit('work', 2, { debounce: { key: 'd', wait: '1s' } })).toMatchObject({ id: put.id });
    expect(await manager.get(put.id)).toMatchObject({ input: 2, runAt: world.clock.now() + 1_000 });
    const first = await manager.submit('work', 1, { throttle: { key: 't', window: '1s' } });
    expect(await manager.submit('work', 2, { throttle: { key: 't', window: '1s' } })).toMatchObject({ id: first.id });
  });

  test('failOnWarning: what is answered with warnings is refused, and nothing is made', async () => {
    const manager = world.manager({ handlers: [controlled('work', { deprecated: 'Use `other`.' })] });
    expect((await manager.submit('work')).warnings).toHaveLength(1);
    expect(await errorOf(manager.submit('work', 1, { failOnWarning: true }))).toMatchObject({ code: 'input_invalid' });
    expect(await manager.count()).toBe(1);
  });

  test('one that there is not: OptionError that names it', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const error = await errorOf(manager.submit('work', 1, { prio: 1 } as object));
    expect(error).toMatchObject({ code: 'option_invalid', message: expect.stringContaining('prio') });
  });
});

describe('a handler is given', () => {
  const world = useWorld('memory');

  test('task, signal, closing, progress, log, checkpoint, submit and dependencies', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const below = controlled('below');
    const manager = await world.start({ handlers: [work, below] });
    const first = await manager.submit('below', 'first');
    const { id } = await manager.submit('work', 'input', { dependsOn: [first.id] });
    (await below.next()).finish({ said: 1 });
    const { input, context, fail } = await work.next();
    expect(Object.keys(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(context)))).toEqual(
      expect.arrayContaining(['task', 'signal', 'closing', 'progress', 'log', 'checkpoint', 'submit', 'dependencies']),
    );
    expect(input).toBe('input');
    expect(context.task).toMatchObject({ id, status: 'running', attempt: 1, checkpoint: null });
    expect([context.signal.aborted, context.closing.aborted]).toEqual([false, false]);
    expect(await context.dependencies()).toMatchObject([{ id: first.id, status: 'succeeded', result: { said: 1 } }]);
    context.progress({ processed: 5, total: 10, message: 'half' });
    context.log('read a.md');
    context.log('careful', { level: 'warn' });
    await context.checkpoint({ at: 5 });
    expect(await manager.get(id)).toMatchObject({
      checkpoint: { at: 5 },
      progress: { processed: 5, total: 10, fraction: 0.5, message: 'half' },
    });
    expect(await manager.log(id)).toMatchObject([
      { level: 'info', message: 'read a.md' },
      { level: 'warn', message: 'careful' },
    ]);
    const child = await context.submit('below', 'child');
    expect(await manager.get(child.id)).toMatchObject({ parentId: id, handler: 'below' });
    fail('once');
    await world.clock.advance('1s');
    const again = await work.next();
    expect(again.context.task).toMatchObject({ id, attempt: 2, checkpoint: { at: 5 } });
    await manager.cancel(id, 'why');
    expect(again.context.signal.reason).toBeInstanceOf(tasklane.TaskAbort);
    expect(again.context.signal.reason).toMatchObject({ code: 'cancelled' });
    again.fail('stopped');
    (await below.next()).finish();
  });

  test.each([
    ['timeout', async () => world.clock.advance('1s')],
    ['cancelled', async (manager: TaskManager, id: string) => manager.cancel(id)],
    ['superseded', async (manager: TaskManager, id: string) => manager.complete(id)],
    [
      'shutdown',
      async (manager: TaskManager) => {
        void manager.close({ timeout: 0 });
        await world.clock.advance(1);
      },
    ],
  ] as const)('the reason %s at its signal', async (code, make) => {
    const work = controlled('work', { timeout: '1s' });
    const manager = (await world.start({ handlers: [work] })) as unknown as TaskManager;
    const { id } = await manager.submit('work');
    const { context, fail } = await work.next();
    await make(manager, id);
    await turns();
    expect(context.signal.reason).toMatchObject({ name: 'TaskAbort', code });
    fail(context.signal.reason);
  });
});

describe('a manager', () => {
  const world = useWorld('memory');

  /** Every method of the contract, called as it is shown there. Whatever it answers is looked at below. */
  test('has every method, and each does what it says', async () => {
    const work = controlled('work');
    const other = defineTask({ name: 'other', run: (input: unknown) => input });
    const manager = world.manager({ handlers: [work] }) as unknown as TaskManager;
    manager.register(other as unknown as tasklane.AnyTask);
    await manager.start({ run: false });
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
    const heard: string[] = [];
    const listener = ({ taskId }: { taskId: string | null }): number => heard.push(taskId ?? '');
    const off = manager.on('task:created', listener);
    const watched = manager.watch({ handler: 'other' });
    const news = watched.next();
    await turns();

    const [a, b] = await manager.submitMany([
      { handler: 'work', input: 'a', hold: true },
      { handler: 'other', input: 'b', priority: 1 },
    ]);
    if (a === undefined || b === undefined) throw new Error('two were submitted');
    expect(heard).toEqual([a.id, b.id]);
    off();
    expect((await news).value).toMatchObject({ type: 'status', taskId: b.id, handler: 'other' });
    await watched.return?.();

    expect(await manager.get(a.id)).toMatchObject({ id: a.id, input: 'a' });
    expect(await manager.get('task_none')).toBeNull();
    const page = await manager.list({ filter: {}, sort: '-id', limit: 1 });
    expect(page).toMatchObject({ items: [{ id: b.id }], next: expect.any(String), previous: null });
    expect((await manager.list({ limit: 1, cursor: page.next ?? '' })).items).toMatchObject([{ id: a.id }]);
    expect(await manager.count({ status: 'queued' })).toBe(1);
    expect(await manager.stats()).toMatchObject({
      byStatus: { queued: 1, scheduled: 1 },
      byHandler: { other: { queued: 1 } },
    });

    const { version } = await manager.update(a.id, {
      priority: 3,
      tags: { x: 1 },
      description: 'd',
      entityId: 'e',
      metadata: {},
    });
    expect(await manager.get(a.id)).toMatchObject({
      priority: 3,
      tags: { x: 1 },
      description: 'd',
      entityId: 'e',
      version,
    });
    const stale = manager.update(a.id, { tags: { x: null } }, { ifVersion: version - 1 });
    expect(await errorOf(stale)).toMatchObject({ code: 'version_conflict' });
    expect(await manager.runNow(a.id)).toMatchObject({ status: 'queued' });
    expect(await manager.complete(a.id, { by: 'hand' })).toMatchObject({ status: 'succeeded', result: { by: 'hand' } });
    expect(await manager.fail(b.id, new Error('by hand'))).toMatchObject({
      status: 'failed',
      error: { message: 'by hand' },
    });
    expect(await manager.restart(b.id)).toMatchObject({ status: 'queued', error: null });
    expect(await manager.cancel(b.id, 'no longer')).toMatchObject({ status: 'cancelled', cancelReason: 'no longer' });

    await manager.delete(a.id);
    expect(await manager.get(a.id)).toBeNull();
    expect(await manager.get(a.id, { archived: true })).toMatchObject({ id: a.id, archivedAt: world.clock.now() });
    await manager.delete(a.id, { related: false, cancel: false, purge: true });
    expect(await manager.get(a.id, { archived: true })).toBeNull();

    await manager.pause('work');
    await manager.start();
    const held = await manager.submit('work', 1);
    await manager.onIdle(); // nothing that this process could run
    expect(await manager.get(held.id)).toMatchObject({ status: 'queued' });
    expect(await manager.explain(held.id)).toMatchObject({ taskId: held.id });
    await manager.resume('work');
    const run = await work.next();
    run.context.log('one');
    run.finish('done');
    expect(await manager.task(held.id).result()).toBe('done');
    expect(await manager.attempts(held.id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
    expect(await manager.log(held.id, { after: 0, limit: 10 })).toMatchObject([{ message: 'one' }]);

    await manager.pause();
    await manager.resume();
    manager.setConcurrency(20);
    manager.setConcurrency('work', 1);
    await manager.submitMany([{ handler: 'work' }, { handler: 'work' }]);
    await world.clock.advance('1s');
    expect(work.runs).toHaveLength(2);
    (await work.next()).finish();
    (await work.next()).finish();
    await manager.onIdle();
    await manager.close({ timeout: '30s' });
    await manager.close();
  });

  test('gives a handle: id, created, matched, warnings, result, cancel, events', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    expect(task).toMatchObject({ created: true, matched: null, warnings: [] });
    const told: string[] = [];
    const all = (async () => {
      for await (const event of manager.task(task.id).events())
        told.push(event.type === 'status' ? event.task.status : event.type);
    })();
    const run = await work.next();
    run.context.log('said');
    await turns();
    await task.cancel('no longer needed');
    run.fail('stopped');
    expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled', reason: 'no longer needed' });
    await all;
    expect(told.at(-1)).toBe('cancelled');
    expect(told).toContain('log');
    const aborted = AbortSignal.abort(new Error('enough'));
    const waiting = await manager.submit('work', 1, { hold: true });
    expect(await errorOf(waiting.result({ signal: aborted }))).toMatchObject({ message: 'enough' });
    expect(await errorOf(manager.task('task_none').result())).toMatchObject({ code: 'task_not_found' });
    const fails = await manager.submit('work');
    (await work.next()).fail(new Error('no'));
    expect(await errorOf(fails.result())).toMatchObject({ code: 'task_failed', task: { id: fails.id } });
  });
});

describe('bounds that are asked of the storage', () => {
  const world = useWorld('memory');

  /** What a manager asks its storage to keep, to take in, and to give. */
  class Asked extends MemoryStorage {
    readonly kept: number[] = [];
    readonly limits: unknown[] = [];
    readonly claimed: number[] = [];
    override prune(...args: Parameters<MemoryStorage['prune']>) {
      this.kept.push(args[1].count);
      return super.prune(...args);
    }
    override claim(...args: Parameters<MemoryStorage['claim']>) {
      this.claimed.push(args[0].limit);
      return super.claim(...args);
    }
    override insert(...args: Parameters<MemoryStorage['insert']>) {
      this.limits.push(args[1]?.maxUnfinished);
      return super.insert(...args);
    }
  }

  test('by default retention keeps 1,000,000 final tasks, and maxQueued is no bound', async () => {
    const storage = new Asked();
    const manager = await world.start({ handlers: [controlled('work')], storage });
    await manager.submit('work', 1, { hold: true });
    await world.clock.advance('1m');
    expect(new Set(storage.kept)).toEqual(new Set([1_000_000]));
    expect(storage.limits).toEqual([undefined]);
  });

  test.each([
    [4, 2 + 100],
    [5, 2],
  ])('claimed are no more than the free slots, and 100 while runs take under 5 ms: %i ms, %i', async (ms, most) => {
    const storage = new Asked();
    const run = () => new Promise<void>((resolve) => world.clock.after(ms, resolve));
    const manager = await world.start({ handlers: [defineTask({ name: 'work', run })], storage, concurrency: 2 });
    await manager.submitMany(Array.from({ length: 300 }, () => ({ handler: 'work' }) as const));
    await world.clock.advance('2s');
    expect(await manager.count({ status: 'succeeded' })).toBe(300);
    expect(Math.max(...storage.claimed)).toBe(most);
  });

  test('retention.count: the oldest go; false: all stay', async () => {
    for (const [retention, left] of [
      [{ count: 2 }, 2],
      [false, 4],
    ] as const) {
      const storage = new MemoryStorage();
      const manager = await world.start({
        handlers: [defineTask({ name: 'work', run: () => {} })],
        storage,
        retention,
      });
      const tasks: string[] = [];
      for (let n = 0; n < 4; n++) {
        const task = await manager.submit('work');
        await task.result();
        tasks.push(task.id);
        await world.clock.advance(10);
      }
      await world.clock.advance('1m');
      const { items } = await manager.list({ sort: 'id' });
      expect(items.map(({ id }) => id)).toEqual(tasks.slice(-left));
    }
  });

  test('maxQueued: the unfinished task above it is refused as queue_full; an end makes room', async () => {
    const manager = world.manager({ handlers: [controlled('work')], maxQueued: 2 });
    const [first] = await manager.submitMany([{ handler: 'work' }, { handler: 'work' }]);
    const error = await errorOf(manager.submit('work'));
    expect(error).toBeInstanceOf(tasklane.QueueFullError);
    expect(error).toMatchObject({ code: 'queue_full' });
    expect(await errorOf(manager.submitMany([{ handler: 'work' }]))).toMatchObject({ code: 'queue_full' });
    await first?.cancel();
    expect(await manager.submit('work')).toMatchObject({ created: true });
    expect(await manager.count({ status: 'queued' })).toBe(2);
  });
});
