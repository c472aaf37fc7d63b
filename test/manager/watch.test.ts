import { ManagerClosedError, OptionError, type TaskNews, TaskNotFoundError } from 'tasklane';
import { fakeClock, waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

/** Reads a stream in the background. */
function follow(stream: AsyncIterable<TaskNews>) {
  const news: TaskNews[] = [];
  const ended = (async () => {
    for await (const event of stream) news.push(event);
  })();
  ended.catch(() => {});
  const told = () =>
    news.map(({ type, task, ...rest }) =>
      type === 'log'
        ? (rest as { message?: string }).message
        : type === 'progress'
          ? task.progress?.message
          : task.status,
    );
  return { news, ended, told };
}

onEachStorage('events of one task', (world) => {
  test('begin with its status as it is, and end after the final one', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work', 1, { hold: true });
    const { ended, told, news } = follow(task.events());
    await turns();
    expect(told()).toEqual(['scheduled']);
    await manager.runNow(task.id);
    const run = await work.next();
    await world.clock.advance('1s');
    run.context.progress({ message: 'half', fraction: 0.5 });
    await world.clock.advance('1s');
    run.context.log('a line');
    await world.clock.advance('1s');
    run.finish('done');
    await ended;
    expect(told()).toEqual(['scheduled', 'queued', 'running', 'half', 'a line', 'succeeded']);
    for (const event of news) expect(event).toMatchObject({ handler: 'work', taskId: task.id, at: expect.any(Number) });
    expect(news.at(-1)?.task).toEqual(await manager.get(task.id));
  });

  test('of a final task are its log and its status, and nothing more', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    run.context.log('once');
    run.finish();
    await task.result();
    const { ended, told } = follow(manager.task(task.id).events());
    await ended;
    expect(told()).toEqual(['once', 'succeeded']);
  });

  test('tell each line and the last progress before the end, however fast it comes', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const { ended, told } = follow(task.events());
    const { context, finish } = await work.next();
    for (let line = 1; line <= 5; line++) context.log(`line ${line}`);
    context.progress({ message: 'last' });
    finish();
    await ended;
    expect(told().slice(-7)).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5', 'last', 'succeeded']);
  });

  test('tell what another process does, the end included', async () => {
    const work = controlled('work');
    const here = world.manager({ handlers: [controlled('work')] });
    const task = await here.submit('work');
    const { ended, told } = follow(task.events());
    await world.start({ handlers: [work] });
    await world.clock.advance('1s');
    const run = await work.next();
    run.context.progress({ message: 'half' });
    await world.clock.advance('2s');
    run.finish();
    await world.clock.advance('2s');
    await ended;
    expect(told()).toEqual(['queued', 'running', 'half', 'succeeded']);
  });

  test('go on through retries, each attempt told', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '1s', jitter: 0 } } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const { ended, told } = follow(task.events());
    (await work.next()).fail('once');
    await world.clock.advance('2s');
    (await work.next()).finish();
    await ended;
    expect(told().filter((status) => status !== 'queued')).toEqual(['running', 'scheduled', 'running', 'succeeded']);
  });

  test('several readers, each its own', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const readers = [follow(task.events()), follow(task.events()), follow(manager.task(task.id).events())];
    (await work.next()).finish();
    await Promise.all(readers.map(({ ended }) => ended));
    for (const { told } of readers) expect(told().at(-1)).toBe('succeeded');
  });

  test('a reader that leaves ends only its own', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    for await (const { task: seen } of task.events()) if (seen.status === 'running' || seen.status === 'queued') break;
    (await work.next()).finish('done');
    expect(await task.result()).toBe('done');
  });

  test('end with the reason of their signal', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const task = await manager.submit('work', 1, { hold: true });
    const controller = new AbortController();
    const { ended, told } = follow(task.events({ signal: controller.signal }));
    await turns();
    controller.abort(new Error('enough'));
    expect(await errorOf(ended)).toMatchObject({ message: 'enough' });
    expect(told()).toEqual(['scheduled']);
    expect(await errorOf(follow(task.events({ signal: AbortSignal.abort() })).ended)).toMatchObject({
      name: 'AbortError',
    });
  });

  test('of an unknown id: TaskNotFoundError from the iterator', async () => {
    const { ended } = follow(world.manager({}).task('task_none').events());
    expect(await errorOf(ended)).toBeInstanceOf(TaskNotFoundError);
  });

  test('of a task that is purged: TaskNotFoundError', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work', 1, { hold: true });
    await task.cancel();
    await manager.restart(task.id);
    await manager.update(task.id, { runAt: null });
    const { ended, told } = follow(task.events());
    await turns();
    await world.manager({}).delete(task.id, { cancel: true, purge: true });
    await world.clock.advance('2s');
    const error = await errorOf(ended.then(() => Promise.reject(new Error(String(told().at(-1))))));
    expect(error instanceof TaskNotFoundError || (error as Error).message === 'cancelled').toBe(true);
  });
});

onEachStorage('watch', (world) => {
  test('tells of every task from now on, in any process', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const other = world.manager({ handlers: [controlled('work')] });
    await manager.submit('work', 'before', { hold: true });
    const { told, news } = follow(manager.watch());
    await world.clock.advance('1s');
    const mine = await manager.submit('work', 'mine');
    (await work.next()).finish();
    await waitFor(manager, mine.id, 'succeeded');
    const theirs = await other.submit('work', 'theirs', { hold: true });
    await world.clock.advance('2s');
    await other.cancel(theirs.id);
    await world.clock.advance('2s');
    expect(told()).toEqual(['queued', 'running', 'succeeded', 'scheduled', 'cancelled']);
    expect(new Set(news.map(({ taskId }) => taskId))).toEqual(new Set([mine.id, theirs.id]));
  });

  test('tells nothing of what happened before, however much happens at once', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const other = world.manager({ handlers: [controlled('work')] });
    await other.submitMany(Array.from({ length: 20 }, () => ({ handler: 'work', hold: true })));
    await world.clock.advance('2s');
    const { news } = follow(manager.watch());
    await world.clock.advance('2s');
    const tasks = await other.submitMany(Array.from({ length: 20 }, () => ({ handler: 'work', hold: true })));
    await world.clock.advance('2s');
    expect(news.map(({ taskId }) => taskId).sort()).toEqual(tasks.map(({ id }) => id).sort());
  });

  test('tells log lines by the clock of the manager, not by the machine’s', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], clock: fakeClock(Date.UTC(2000, 0, 1)) });
    const { told } = follow(manager.watch());
    const task = await manager.submit('work');
    const run = await work.next();
    run.context.log('long ago');
    run.finish();
    await task.result();
    await turns();
    expect(told()).toContain('long ago');
  });

  test('tells of what fits the filter', async () => {
    const manager = world.manager({ handlers: [controlled('work'), controlled('other')] });
    const { news } = follow(manager.watch({ handler: 'work', tags: { team: 'search' } }));
    await turns();
    const wanted = await manager.submit('work', 1, { tags: { team: 'search' } });
    await manager.submit('work', 1, { tags: { team: 'index' } });
    await manager.submit('other', 1, { tags: { team: 'search' } });
    await wanted.cancel();
    await turns();
    expect(news.map(({ taskId, task }) => [taskId, task.status])).toEqual([
      [wanted.id, 'queued'],
      [wanted.id, 'cancelled'],
    ]);
  });

  test('ends by its signal, by `return`, and by close', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const controller = new AbortController();
    const bySignal = follow(manager.watch({}, { signal: controller.signal }));
    const byReturn = manager.watch();
    const byClose = follow(manager.watch());
    await turns();
    const next = byReturn.next();
    await byReturn.return?.();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await byReturn.next()).toEqual({ done: true, value: undefined });
    controller.abort(new Error('enough'));
    expect(await errorOf(bySignal.ended)).toMatchObject({ message: 'enough' });
    await manager.close();
    expect(await errorOf(byClose.ended)).toBeInstanceOf(ManagerClosedError);
  });

  test('a reader that is slow loses progress first, never a status', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const stream = manager.watch();
    await turns();
    const task = await manager.submit('work');
    const { context, finish } = await work.next();
    for (let step = 0; step < 20; step++) {
      context.progress({ processed: step });
      await world.clock.advance(200);
    }
    finish();
    await waitFor(manager, task.id, 'succeeded');
    await turns();
    const types: string[] = [];
    for await (const { type, task: seen } of stream) {
      types.push(type === 'status' ? seen.status : type);
      if (seen.status === 'succeeded') break;
    }
    expect(types).toEqual(['queued', 'running', 'progress', 'succeeded']);
  });

  describe('a filter that is none', () => {
    test.each([[{ stat: 'queued' }], [{ status: 'done' }]])('%j: OptionError at once', (filter) => {
      const manager = world.manager({});
      expect(() => manager.watch(filter as never)).toThrow(OptionError);
    });
  });
});
