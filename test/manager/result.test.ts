import { defineTask, ManagerClosedError, TaskCancelledError, TaskFailedError, TaskNotFoundError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('result', (world) => {
  test('is what the handler returned, as a stored copy', async () => {
    const value = { files: 10, when: new Date(0), none: undefined };
    const work = defineTask({ name: 'work', run: () => value });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit(work);
    const result = await task.result();
    expect(result).toStrictEqual({ files: 10, when: '1970-01-01T00:00:00.000Z' });
    expect(result).not.toBe(value);
    expect((await manager.get(task.id))?.result).toStrictEqual(result);
  });

  test('of a synchronous handler, an asynchronous one, and one that returns a thenable', async () => {
    // biome-ignore lint/suspicious/noThenProperty: what is tested
    const thenable = { then: (resolve: (value: string) => void) => resolve('thenable') };
    const handlers = [
      defineTask({ name: 'sync', run: () => 'sync' }),
      defineTask({ name: 'async', run: async () => 'async' }),
      defineTask({ name: 'thenable', run: () => thenable as unknown as PromiseLike<string> }),
    ] as const;
    const manager = await world.start({ handlers });
    for (const { name } of handlers) expect(await (await manager.submit(name)).result()).toBe(name);
  });

  test('of nothing is null', async () => {
    const work = defineTask({ name: 'work', run: () => {} });
    const manager = await world.start({ handlers: [work] });
    expect(await (await manager.submit(work)).result()).toBeNull();
  });

  test('many may wait for it, before and after the end, here and elsewhere; each has its own copy', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const other = world.manager({});
    const task = await manager.submit('work');
    const waiting = [task.result(), task.result(), manager.task(task.id).result()];
    const elsewhere = other.task(task.id).result();
    (await work.next()).finish({ list: [1] });
    const results = (await Promise.all([...waiting, task.result()])) as { list: number[] }[];
    await world.clock.advance('2s');
    results.push((await elsewhere) as { list: number[] });
    for (const result of results) {
      expect(result).toEqual({ list: [1] });
      result.list.push(2);
    }
    expect(await task.result()).toEqual({ list: [1] });
  });

  test('of a failed task: TaskFailedError with the record and its error as cause', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    (await work.next()).fail(new RangeError('too far'));
    const error = await errorOf(task.result());
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({
      name: 'TaskFailedError',
      code: 'task_failed',
      cause: { name: 'RangeError', message: 'too far' },
    });
    expect((error as TaskFailedError).task).toEqual(await manager.get(task.id));
  });

  test('of a cancelled task: TaskCancelledError with the record and the reason', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    await task.cancel('changed my mind');
    const error = await errorOf(task.result());
    expect(error).toBeInstanceOf(TaskCancelledError);
    expect(error).toMatchObject({ code: 'task_cancelled', reason: 'changed my mind', task: { status: 'cancelled' } });
    expect((error as Error).message).toContain('changed my mind');
  });

  test('where nobody started a manager: says so, once', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const told: string[] = [];
    manager.on('warning', ({ code }) => told.push(code));
    const waiting = [await manager.submit('work'), await manager.submit('work')].map(({ id }) =>
      errorOf(manager.task(id).result()),
    );
    await world.clock.advance('4s');
    expect(told).toEqual([]);
    await world.clock.advance('1m');
    expect(told).toEqual(['not_started']);
    expect(await world.takeProcessWarnings()).toMatchObject([{ code: 'TASKLANE_NOT_STARTED' }]);
    await manager.close();
    for (const error of await Promise.all(waiting)) expect(error).toMatchObject({ code: 'manager_closed' });
  });

  test('where somebody started one meanwhile, here or there: says nothing', async () => {
    const works = ['here', 'there'].map((name) => controlled(name));
    const [late, idle] = [world.manager({ handlers: works }), world.manager({ handlers: works })];
    const told: string[] = [];
    for (const manager of [late, idle]) manager.on('warning', ({ code }) => told.push(code));
    const results = [(await late.submit('here')).result(), (await idle.submit('there')).result()];
    await late.start();
    const runs = await Promise.all(works.map((work) => work.next()));
    await world.clock.advance('1m');
    expect(told).toEqual([]);
    for (const run of runs) run.finish('done');
    await world.clock.advance('1s');
    expect(await Promise.all(results)).toEqual(['done', 'done']);
  });

  test('of a task that was skipped: one full stop', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const dependency = await manager.submit('work');
    const task = await manager.submit('work', 1, { dependsOn: [{ id: dependency.id, onFailure: 'skip' }] });
    await dependency.cancel('gone');
    const { message } = (await errorOf(task.result())) as Error;
    expect(message).toMatch(/was cancelled: Skipped: dependency .+[^.]\.$/);
  });

  test('of a task that is not there: TaskNotFoundError', async () => {
    const error = await errorOf(world.manager({}).task('task_none').result());
    expect(error).toBeInstanceOf(TaskNotFoundError);
  });

  test('of a task that is purged while one waits: TaskNotFoundError', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work', 1, { hold: true });
    const waiting = errorOf(task.result());
    await turns();
    const other = world.manager({});
    const ended = errorOf(other.task(task.id).result());
    await other.delete(task.id, { cancel: true, purge: true });
    await world.clock.advance('2s');
    for (const error of [await waiting, await ended]) {
      expect(error instanceof TaskNotFoundError || error instanceof TaskCancelledError).toBe(true);
    }
  });

  test('of an archived task is still there', async () => {
    const work = defineTask({ name: 'work', run: () => 'kept' });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit(work);
    await task.result();
    await manager.delete(task.id);
    expect(await task.result()).toBe('kept');
  });

  test('waits on through retries and restarts of the process', async () => {
    const first = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '1s', jitter: 0 } } });
    const manager = await world.start({ handlers: [first] });
    const watcher = world.manager({});
    const task = await manager.submit('work');
    const waiting = watcher.task(task.id).result();
    (await first.next()).fail('once');
    await turns();
    await manager.close();
    const second = controlled('work');
    await world.start({ handlers: [second] });
    await world.clock.advance('2s');
    (await second.next()).finish('in the end');
    await world.clock.advance('2s');
    expect(await waiting).toBe('in the end');
  });

  describe('signal', () => {
    test('ends the waiting with its reason, not the task', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      const controller = new AbortController();
      const waiting = errorOf(task.result({ signal: controller.signal }));
      await turns();
      const reason = new Error('had enough');
      controller.abort(reason);
      expect(await waiting).toBe(reason);
      expect(await manager.get(task.id)).toMatchObject({ status: 'running' });
      run.finish('done');
      expect(await task.result({ signal: new AbortController().signal })).toBe('done');
    });

    test('that is aborted already: its reason at once', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const task = await manager.submit('work');
      const error = await errorOf(task.result({ signal: AbortSignal.abort() }));
      expect(error).toMatchObject({ name: 'AbortError' });
    });

    test('that is aborted after the end changes nothing', async () => {
      const work = defineTask({ name: 'work', run: () => 'done' });
      const manager = await world.start({ handlers: [work] });
      const controller = new AbortController();
      const task = await manager.submit(work);
      expect(await task.result({ signal: controller.signal })).toBe('done');
      controller.abort();
      await turns();
    });
  });

  test('when the manager closes: ManagerClosedError', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    const waiting = errorOf(task.result());
    await turns();
    await manager.close();
    expect(await waiting).toBeInstanceOf(ManagerClosedError);
    expect(await errorOf(task.result())).toBeInstanceOf(ManagerClosedError);
  });

  test('of what ends during a close is still told', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    const waiting = task.result();
    const closing = manager.close();
    run.finish('just in time');
    expect(await waiting).toBe('just in time');
    await closing;
  });
});
