import { OptionError, TaskNotFoundError, TransitionError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { aborted, errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('settled from outside', (world) => {
  describe('complete', () => {
    test('a queued task succeeds without a run', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      const task = await manager.submit('work');
      const now = world.clock.now();
      expect(await manager.complete(task.id, { by: 'hand' })).toMatchObject({
        status: 'succeeded',
        result: { by: 'hand' },
        attempt: 0,
        startedAt: null,
        finishedAt: now,
      });
      expect(await task.result()).toEqual({ by: 'hand' });
      await manager.start();
      await manager.onIdle();
      expect(work.runs).toHaveLength(0);
    });

    test('scheduled and held tasks, and one that waits for its next attempt', async () => {
      const work = controlled('work', { retry: { maxAttempts: 2 } });
      const manager = await world.start({ handlers: [work] });
      const later = await manager.submit('work', 1, { delay: '1h' });
      const held = await manager.submit('work', 1, { hold: true });
      const retried = await manager.submit('work');
      (await work.next()).fail('once');
      await waitFor(manager, retried.id, 'scheduled');
      for (const { id } of [later, held, retried]) {
        expect(await manager.complete(id)).toMatchObject({
          status: 'succeeded',
          result: null,
          error: null,
          runAt: null,
        });
      }
    });

    test('a running attempt sees superseded, and its own outcome is refused', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      const completed = await manager.complete(task.id, 'by hand');
      expect(await aborted(run.context.signal)).toMatchObject({ name: 'TaskAbort', code: 'superseded' });
      run.finish('mine');
      await manager.onIdle();
      expect(await manager.get(task.id)).toEqual(completed);
      expect(await manager.attempts(task.id)).toMatchObject([{ attempt: 1, outcome: 'succeeded' }]);
    });

    test('keeps the slot until the handler has ended', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 1 });
      const first = await manager.submit('work', 'first');
      const second = await manager.submit('work', 'second');
      const run = await work.next();
      await manager.complete(first.id);
      await world.clock.advance('1s');
      expect(work.runs).toHaveLength(1);
      run.finish();
      expect((await work.next()).context.task.id).toBe(second.id);
    });

    test.each(['complete', 'fail'] as const)(
      '%s right after its handler started: the attempt says when',
      async (how) => {
        const work = controlled('work');
        const manager = await world.start({ handlers: [work] });
        const { id } = await manager.submit('work');
        await work.next();
        const startedAt = world.clock.now();
        await manager[how](id, 'by hand');
        expect(await manager.attempts(id)).toMatchObject([{ attempt: 1, startedAt }]);
        expect(await manager.get(id)).toMatchObject({ startedAt });
      },
    );

    test('a handler that ignores `superseded` is a leak after its grace: a warning, and no claim at maxLeaks', async () => {
      const work = controlled('work', { cancelGrace: '2s' });
      const manager = await world.start({ handlers: [work], concurrency: 3, maxLeaks: 1 });
      const warnings: unknown[] = [];
      manager.on('warning', ({ code, taskId }) => warnings.push([code, taskId]));
      const stuck = await manager.submit('work', 'stuck');
      const run = await work.next();
      await manager.complete(stuck.id);
      await world.clock.advance(1_999);
      expect(warnings).toEqual([]);
      await world.clock.advance(1);
      expect(warnings).toEqual([['handler_leaked', stuck.id]]);
      const next = await manager.submit('work', 'next');
      await world.clock.advance('10s');
      expect(await manager.get(next.id)).toMatchObject({ status: 'queued' });
      expect(warnings).toEqual([
        ['handler_leaked', stuck.id],
        ['too_many_leaks', null],
      ]);
      expect(await manager.health()).toMatchObject({ ready: false, problems: [expect.stringContaining('run on')] });
      run.finish();
      expect((await work.next()).input).toBe('next');
      expect(await manager.health()).toEqual({ ready: true, problems: [] });
    });

    test('a handler that ends within its grace is no leak; nor is one that a close does not wait for', async () => {
      const work = controlled('work', { cancelGrace: '2s' });
      const manager = await world.start({ handlers: [work] });
      const warnings: string[] = [];
      manager.on('warning', ({ code }) => warnings.push(code));
      const tasks = [await manager.submit('work'), await manager.submit('work')];
      const [run] = [await work.next(), await work.next()];
      for (const { id } of tasks) await manager.complete(id);
      await world.clock.advance('1s');
      run.finish();
      await world.clock.advance(1);
      await manager.close();
      await world.clock.advance('1h');
      expect(warnings).toEqual([]);
    });

    test('from another process: the attempt is told with its next beat', async () => {
      const work = controlled('work');
      await world.start({ handlers: [work] });
      const other = world.manager({ handlers: [controlled('work')] });
      const task = await other.submit('work');
      await world.clock.advance('5s');
      const run = await work.next();
      await other.complete(task.id, 'by hand');
      await world.clock.advance('10s');
      expect(run.context.signal.reason).toMatchObject({ code: 'superseded' });
      run.fail('stopped');
      expect(await other.get(task.id)).toMatchObject({ status: 'succeeded', result: 'by hand' });
    });

    test('while cancelling', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      await work.next();
      await task.cancel('stop');
      expect(await manager.complete(task.id, 1)).toMatchObject({ status: 'succeeded', cancelReason: 'stop' });
    });

    test.each([
      ['a BigInt', 1n, 'input_invalid'],
      ['too much', 'x'.repeat(99), 'payload_too_large'],
    ])('with %s: refused, and nothing changes', async (_what, result, code) => {
      const manager = world.manager({ handlers: [controlled('work')], maxResultBytes: 100 });
      const task = await manager.submit('work');
      expect(await errorOf(manager.complete(task.id, result))).toMatchObject({ code });
      expect(await manager.get(task.id)).toMatchObject({ status: 'queued', version: 1 });
    });
  });

  describe('fail', () => {
    test('a queued task fails with the error', async () => {
      const manager = world.manager({ handlers: [controlled('work', { retry: { maxAttempts: 5 } })] });
      const task = await manager.submit('work');
      const error = Object.assign(new RangeError('outside'), { code: 'E_OUT' });
      expect(await manager.fail(task.id, error)).toMatchObject({
        status: 'failed',
        error: { name: 'RangeError', message: 'outside', code: 'E_OUT', stack: expect.any(String) },
      });
      expect(await errorOf(task.result())).toMatchObject({ code: 'task_failed', cause: { code: 'E_OUT' } });
    });

    test('a running attempt sees superseded, and is not tried again', async () => {
      const work = controlled('work', { retry: { maxAttempts: 5 } });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      await manager.fail(task.id, 'no good');
      expect(run.context.signal.reason).toMatchObject({ code: 'superseded' });
      run.finish('mine');
      await manager.onIdle();
      expect(await manager.get(task.id)).toMatchObject({
        status: 'failed',
        error: { message: 'no good' },
        result: null,
      });
    });

    test.each([['text'], [null], [undefined], [5], [{ message: 'plain' }]])('with %j as error', async (error) => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const task = await manager.submit('work');
      expect(await manager.fail(task.id, error)).toMatchObject({ status: 'failed', error: { code: 'handler_failed' } });
    });
  });

  test('a final task, an unknown id, an id that is none: refused', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    await task.cancel();
    for (const call of [() => manager.complete(task.id), () => manager.fail(task.id, 'no')]) {
      const error = await errorOf(call());
      expect(error).toBeInstanceOf(TransitionError);
      expect(error).toMatchObject({ allowed: ['queued', 'scheduled', 'waiting'] });
    }
    expect(await errorOf(manager.complete('task_none'))).toBeInstanceOf(TaskNotFoundError);
    expect(await errorOf(manager.fail('task_none', 'no'))).toBeInstanceOf(TaskNotFoundError);
    expect(await errorOf(manager.complete(5 as unknown as string))).toBeInstanceOf(OptionError);
  });
});

onEachStorage('restart', (world) => {
  test('a failed task runs again, and its attempts count from here', async () => {
    const retry = { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } as const;
    const work = controlled('work', { retry });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work', { a: 1 });
    for (const message of ['one', 'two']) {
      (await work.next()).fail(message);
      await world.clock.advance(20);
    }
    await waitFor(manager, task.id, 'failed');
    expect(await manager.restart(task.id)).toMatchObject({
      status: 'queued',
      attempt: 2,
      error: null,
      result: null,
      progress: null,
      finishedAt: null,
      input: { a: 1 },
    });
    (await work.next()).fail('three');
    expect(await waitFor(manager, task.id, 'scheduled')).toMatchObject({ attempt: 3 });
    await world.clock.advance(20);
    (await work.next()).finish('at last');
    expect(await task.result()).toBe('at last');
    const attempts = await manager.attempts(task.id);
    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).toEqual([
      [1, 'retrying'],
      [2, 'failed'],
      [3, 'retrying'],
      [4, 'succeeded'],
    ]);
  });

  test('a succeeded task gives up its result, a cancelled one its cancel', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const done = await manager.submit('work');
    (await work.next()).finish('first');
    await done.result();
    const cancelled = await manager.submit('work', 1, { hold: true });
    await cancelled.cancel('no');
    expect(await manager.restart(done.id)).toMatchObject({ status: 'queued', result: null });
    expect(await manager.restart(cancelled.id)).toMatchObject({
      status: 'queued',
      cancelRequestedAt: null,
      cancelReason: null,
    });
    (await work.next()).finish('again');
    (await work.next()).finish('again');
    expect([await done.result(), await cancelled.result()]).toEqual(['again', 'again']);
  });

  test('an expired task may start whenever it can', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work', 1, { hold: true, startBy: '1s' });
    await world.clock.advance('10s');
    await waitFor(manager, task.id, 'cancelled');
    expect(await manager.restart(task.id)).toMatchObject({ status: 'queued', startBy: null, error: null });
    (await work.next()).finish('done');
    expect(await task.result()).toBe('done');
  });

  test('what is not final: TransitionError', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    expect(await errorOf(manager.restart(task.id))).toBeInstanceOf(TransitionError);
    expect(await errorOf(manager.restart('task_none'))).toBeInstanceOf(TaskNotFoundError);
  });

  test('two at once: one is refused', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    await task.cancel();
    const answers = await Promise.allSettled([manager.restart(task.id), manager.restart(task.id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});
