import fc from 'fast-check';
import { StorageError, TaskManager } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('a storage that fails', (world) => {
  /** A started manager on a storage that can be made to fail, and the errors it tells of. */
  async function failing(options: { start?: boolean; concurrency?: number } = {}) {
    const link = world.mute();
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = world.manager({ handlers: [work], storage: link.storage, concurrency: options.concurrency ?? 10 });
    const errors: string[] = [];
    manager.on('error', ({ error }) => errors.push((error as Error).message));
    if (options.start !== false) await manager.start();
    return { link, work, manager, errors };
  }

  /** What comes once the time goes on. */
  async function inTime<T>(coming: Promise<T>): Promise<T> {
    const come = coming.then(() => true);
    while (!(await Promise.race([come, world.clock.advance('1s').then(() => false)])));
    return coming;
  }

  test('open: start rejects, and can be tried again', async () => {
    const { link, manager, work } = await failing({ start: false });
    link.fail('open');
    const error = await errorOf(manager.start());
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ code: 'storage_failed', message: 'open failed' });
    await manager.start();
    await manager.submit('work');
    (await work.next()).finish();
    await manager.onIdle();
  });

  test('open: submit rejects, and can be tried again', async () => {
    const { link, manager } = await failing({ start: false });
    link.fail('open');
    expect(await errorOf(manager.submit('work'))).toBeInstanceOf(StorageError);
    expect(await manager.submit('work')).toMatchObject({ created: true });
    expect(await manager.count()).toBe(1);
  });

  test('open fails and the manager closes: no error', async () => {
    const { link, manager } = await failing({ start: false });
    link.fail('open');
    expect(await errorOf(manager.start())).toBeInstanceOf(StorageError);
    await manager.close();
  });

  test('insert: submit rejects with what the storage said, and nothing is made', async () => {
    const { link, manager } = await failing();
    link.fail('insert');
    const error = await errorOf(manager.submit('work'));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ ambiguous: false, retryable: true });
    expect(await manager.count()).toBe(0);
    expect(await manager.submit('work', 1, { hold: true })).toMatchObject({ created: true });
  });

  test('insert, of all that were submitted in one turn: each rejects', async () => {
    const { link, manager } = await failing();
    link.fail('insert');
    const answers = await Promise.allSettled([1, 2, 3].map((input) => manager.submit('work', input)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    link.fail('insert');
    expect(await errorOf(manager.submitMany([{ handler: 'work' }]))).toBeInstanceOf(StorageError);
  });

  test('insert after it was done: the error says so, and an idempotency key finds the task', async () => {
    const { link, manager } = await failing();
    link.fail('insert', 1, true);
    const error = await errorOf(manager.submit('work', 1, { hold: true, idempotencyKey: 'k' }));
    expect(error).toMatchObject({ ambiguous: true });
    expect(await manager.submit('work', 1, { hold: true, idempotencyKey: 'k' })).toMatchObject({
      matched: 'idempotency',
    });
    expect(await manager.count()).toBe(1);
  });

  test('claim: told, and claimed again a little later; health says so meanwhile', async () => {
    const { link, manager, work, errors } = await failing();
    await turns(); // its first claim is over
    link.fail('claim', 1_000);
    const task = await manager.submit('work');
    await turns();
    expect(errors).toContain('claim failed');
    expect(await manager.health()).toMatchObject({ ready: false, problems: ['claiming fails'] });
    link.heal();
    (await inTime(work.next())).finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
  });

  test('claim after it was done: the same tasks are given again, at no cost', async () => {
    const { link, manager, work } = await failing();
    link.fail('claim', 1, true);
    const tasks = await manager.submitMany([{ handler: 'work' }, { handler: 'work' }]);
    for (let run = 0; run < 2; run++) (await inTime(work.next())).finish();
    await manager.onIdle();
    for (const { id } of tasks) {
      expect(await manager.get(id)).toMatchObject({ status: 'succeeded', attempt: 1, lost: 0, interrupted: 0 });
    }
  });

  test.each([
    ['before', false],
    ['after', true],
  ])('settle, %s it was done: the outcome is stored later, once', async (_when, after) => {
    const { link, manager, work, errors } = await failing();
    const task = await manager.submit('work');
    const run = await work.next();
    link.fail('settle', 3, after);
    run.context.log('last words');
    run.finish('kept');
    await turns();
    expect(errors).toEqual(['settle failed']);
    expect(await manager.health()).toMatchObject({ ready: false, problems: ['outcomes cannot be stored'] });
    await world.clock.advance('10s');
    expect(await task.result()).toBe('kept');
    expect(errors).toEqual(['settle failed', 'settle failed', 'settle failed']);
    expect(work.runs).toHaveLength(1);
    expect(await manager.get(task.id)).toMatchObject({ attempt: 1 });
    expect((await manager.log(task.id)).map(({ message }) => message)).toEqual(['last words']);
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
  });

  test.each([
    ['before', false],
    ['after', true],
  ])('settle of a retry, %s it was done: one retry', async (_when, after) => {
    const { link, manager, work } = await failing();
    const task = await manager.submit('work');
    const run = await work.next();
    link.fail('settle', 1, after);
    run.fail('once');
    (await inTime(work.next())).finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.get(task.id)).toMatchObject({ attempt: 2 });
    expect(work.runs).toHaveLength(2);
  });

  test('close while outcomes cannot be stored: it ends, and says what was lost', async () => {
    const { link, manager, work, errors } = await failing();
    const task = await manager.submit('work');
    const run = await work.next();
    link.fail('settle', 1_000);
    run.finish('kept');
    const closing = manager.close({ timeout: '2s' });
    await world.clock.advance('30s');
    await closing;
    expect(errors).toContain('settle failed');
    const found = await world.manager({}).get(task.id);
    expect(found).toMatchObject({ status: 'queued', result: null });
  });

  test('beat: the handler lives on, and what it reported is stored later, in order', async () => {
    const { link, manager, work, errors } = await failing();
    const told: unknown[] = [];
    manager.on('task:progress', ({ progress }) => told.push(progress.message));
    manager.on('task:log', ({ message }) => told.push(message));
    const task = await manager.submit('work');
    const { context, finish } = await work.next();
    await world.clock.advance('1s');
    link.fail('beat', 2);
    context.progress({ message: 'one' });
    context.log('two');
    await turns();
    expect(await manager.health()).toMatchObject({ ready: false, problems: ['beats cannot be stored'] });
    context.progress({ message: 'three' });
    await world.clock.advance('5s');
    expect(told).toEqual(['one', 'two', 'three']);
    expect(errors.filter((message) => message === 'beat failed')).toHaveLength(2);
    expect(await manager.get(task.id)).toMatchObject({ progress: { message: 'three' } });
    finish('done');
    expect(await task.result()).toBe('done');
  });

  test('beat with a checkpoint: it rejects with the error, and can be tried again', async () => {
    const { link, manager, work } = await failing();
    const task = await manager.submit('work');
    const { context, finish } = await work.next();
    link.fail('beat');
    expect(await errorOf(context.checkpoint(1))).toBeInstanceOf(StorageError);
    await context.checkpoint(2);
    expect(await manager.get(task.id)).toMatchObject({ checkpoint: 2 });
    finish();
    await task.result();
  });

  test('beat of the start of a task that was interrupted: it starts once the start is stored', async () => {
    const first = await failing();
    const task = await first.manager.submit('work');
    const lost = await first.work.next();
    const closing = first.manager.close({ timeout: 0 });
    await world.clock.advance(1);
    lost.fail('stopped');
    await closing;
    const { link, work, manager, errors } = await failing({ start: false });
    await manager.pause();
    await manager.start();
    link.fail('beat', 2);
    await manager.resume(); // claimed only now
    const run = await inTime(work.next());
    expect(run.context.task).toMatchObject({ id: task.id, interrupted: 1 });
    expect(errors).toContain('beat failed');
    run.finish();
  });

  const calls: [
    method: 'change' | 'get' | 'list' | 'count' | 'counts' | 'attempts' | 'log' | 'remove' | 'putDocument',
    call: (manager: TaskManager, id: string) => Promise<unknown>,
  ][] = [
    ['change', (manager, id) => manager.cancel(id)],
    ['change', (manager, id) => manager.update(id, { priority: 1 })],
    ['change', (manager, id) => manager.complete(id)],
    ['get', (manager, id) => manager.get(id)],
    ['get', (manager, id) => manager.task(id).result()],
    ['list', (manager) => manager.list()],
    ['count', (manager) => manager.count()],
    ['counts', (manager) => manager.stats()],
    ['attempts', (manager, id) => manager.attempts(id)],
    ['log', (manager, id) => manager.log(id)],
    ['remove', (manager, id) => manager.delete(id, { cancel: true, purge: true })],
    ['putDocument', (manager) => manager.pause()],
  ];
  test.each(calls)('%s: the call rejects with it, and works again', async (method, call) => {
    const { link, manager, errors } = await failing();
    const { id } = await manager.submit('work', 1, { hold: true });
    link.fail(method);
    const error = await errorOf(call(manager as unknown as TaskManager, id));
    expect(error).toBeInstanceOf(StorageError);
    expect(error).toMatchObject({ message: `${method} failed` });
    expect(await manager.get(id)).not.toBeNull();
    expect(errors).toEqual([]);
  });

  test('for long: the errors become few, and it is asked again within 10 s', async () => {
    const work = controlled('work');
    const link = world.mute();
    const manager = await world.start({ handlers: [work], storage: link.storage });
    const watched = manager.watch();
    let errors = 0;
    manager.on('error', () => errors++);
    await manager.submit('work');
    await work.next();
    for (const method of [
      'claim',
      'beat',
      'cancelling',
      'documents',
      'workers',
      'list',
      'get',
      'nextDue',
      'prune',
    ] as const) {
      link.fail(method, Number.POSITIVE_INFINITY);
    }
    await world.clock.advance('1m');
    errors = 0;
    await world.clock.advance('1m');
    expect(errors).toBeGreaterThan(20);
    expect(errors).toBeLessThan(100);
    link.heal();
    errors = 0;
    await world.clock.advance('10s');
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
    expect(errors).toBe(0);
    await watched.return?.();
    work.runs[0]?.finish();
  });

  test('what runs in the background: told, and done again', async () => {
    const { link, manager, errors, work } = await failing();
    for (const method of ['workers', 'prune', 'nextDue', 'cancelling', 'documents'] as const) link.fail(method);
    await manager.submit('work', 1, { delay: '7s' });
    await world.clock.advance('6s');
    expect(new Set(errors)).toEqual(new Set(['workers failed', 'prune failed', 'nextDue failed', 'documents failed']));
    await world.clock.advance('6s');
    (await work.next()).finish();
    await manager.onIdle();
  });

  test('errors that nobody hears: process warnings, and the process lives', async () => {
    const link = world.mute();
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], storage: link.storage });
    const task = await manager.submit('work');
    const run = await work.next();
    link.fail('settle');
    run.finish('kept');
    await world.clock.advance('2s');
    expect(await task.result()).toBe('kept');
    expect(await world.takeProcessWarnings()).toMatchObject([{ message: expect.stringContaining('settle failed') }]);
  });

  test('close of the storage: close rejects with it', async () => {
    const link = world.mute();
    const manager = new TaskManager({ storage: link.storage, clock: world.clock });
    await manager.start();
    link.fail('close', 1, true);
    expect(await errorOf(manager.close())).toMatchObject({ message: 'close failed' });
  });

  describe('whatever fails, and whenever', () => {
    test('every acknowledged task has one outcome', async () => {
      const METHODS = ['insert', 'claim', 'settle', 'beat', 'workers', 'cancelling', 'documents', 'nextDue'] as const;
      const plans = fc.sample(
        fc.array(fc.tuple(fc.constantFrom(...METHODS), fc.integer({ min: 1, max: 3 }), fc.boolean()), {
          minLength: 15,
          maxLength: 15,
        }),
        4,
      );
      for (const plan of plans) {
        const link = world.mute();
        const ran = new Map<string, number>();
        const work = controlled('work', {});
        const manager = world.manager({
          handlers: [{ ...work, run: (_input, { task }) => void ran.set(task.id, (ran.get(task.id) ?? 0) + 1) }],
          storage: link.storage,
          concurrency: 3,
        });
        manager.on('error', () => {});
        await manager.start();
        const acknowledged: string[] = [];
        for (const [method, times, after] of plan) {
          link.fail(method, times, after);
          const submitted = await manager.submit('work').catch(() => null);
          if (submitted !== null) acknowledged.push(submitted.id);
          await world.clock.advance('200ms');
        }
        link.heal();
        await world.clock.advance('20s');
        for (const id of acknowledged) {
          expect(await manager.get(id), JSON.stringify(plan)).toMatchObject({ status: 'succeeded', attempt: 1 });
          expect(ran.get(id), JSON.stringify(plan)).toBe(1);
        }
        await manager.close();
      }
    });
  });
});
