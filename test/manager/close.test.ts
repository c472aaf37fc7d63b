import { ManagerClosedError, OptionError, StorageError, TaskManager } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { aborted, errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('close', (world) => {
  test('waits for what runs, and stores how it ended', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    let closed = false;
    const closing = manager.close().then(() => {
      closed = true;
    });
    await world.clock.advance('29s');
    expect(closed).toBe(false);
    expect(run.context.signal.aborted).toBe(false);
    run.finish('in time');
    await closing;
    expect(await world.manager({}).get(task.id)).toMatchObject({ status: 'succeeded', result: 'in time', attempt: 1 });
  });

  test('aborts `closing` at once and `signal` only when the time is over', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.submit('work');
    const { context, fail } = await work.next();
    expect(context.closing.aborted).toBe(false);
    const closing = manager.close({ timeout: '5s' });
    await aborted(context.closing);
    expect(context.signal.aborted).toBe(false);
    await world.clock.advance(4_999);
    expect(context.signal.aborted).toBe(false);
    await world.clock.advance(1);
    expect(context.signal.reason).toMatchObject({ name: 'TaskAbort', code: 'shutdown' });
    fail(context.signal.reason);
    await closing;
  });

  test('starts nothing more, and gives back what has not started', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    await manager.submit('work', 'runs');
    const waiting = await manager.submit('work', 'waits');
    const run = await work.next();
    const closing = manager.close();
    run.finish();
    await closing;
    expect(work.runs).toHaveLength(1);
    expect(await world.manager({}).get(waiting.id)).toMatchObject({ status: 'queued', startedAt: null });
  });

  test('a task that was given back keeps its attempts, its checkpoint and its place', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const first = await work.next();
    await first.context.checkpoint({ at: 1 });
    const closing = manager.close({ timeout: '1s' });
    await world.clock.advance('1s');
    first.fail(new Error('stopped'));
    await closing;
    const again = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const next = world.manager({ handlers: [again] });
    expect(await next.get(task.id)).toMatchObject({ status: 'queued', attempt: 1, interrupted: 1, error: null });
    await next.start();
    const second = await again.next();
    expect(second.context.task).toMatchObject({ attempt: 2, interrupted: 1, checkpoint: { at: 1 } });
    second.fail('one');
    await world.clock.advance(20);
    (await again.next()).fail('two');
    await waitFor(next, task.id, 'failed');
    expect(await next.attempts(task.id)).toMatchObject([
      { attempt: 1, outcome: 'interrupted', error: null },
      { attempt: 2, outcome: 'retrying' },
      { attempt: 3, outcome: 'failed' },
    ]);
  });

  test('a handler that returns after its signal has succeeded all the same', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    const closing = manager.close({ timeout: 0 });
    await world.clock.advance(1);
    await aborted(run.context.signal);
    run.finish('done all the same');
    await closing;
    expect(await world.manager({}).get(task.id)).toMatchObject({ status: 'succeeded', result: 'done all the same' });
  });

  test('does not wait longer than the grace for a handler that ignores its signal; it is given back', async () => {
    const work = controlled('work', { cancelGrace: '3s' });
    const manager = await world.start({ handlers: [work], cancelGrace: '1s' });
    const task = await manager.submit('work');
    const run = await work.next();
    const closing = manager.close({ timeout: '1s' });
    await world.clock.advance('1s');
    await aborted(run.context.signal);
    await world.clock.advance('3s');
    await closing;
    const next = world.manager({});
    const givenBack = await next.get(task.id);
    expect(givenBack).toMatchObject({ status: 'queued', interrupted: 1 });
    run.finish('too late');
    await turns();
    expect(await next.get(task.id)).toEqual(givenBack);
  });

  test('whoever asks for a result or events at any moment of a close is answered', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const task = await manager.submit('work', undefined, { hold: true });
    const results: Promise<unknown>[] = [];
    const events: Promise<unknown>[] = [];
    const readAll = async (): Promise<void> => {
      for await (const _ of task.events());
    };
    let closed = false;
    const closing = manager.close().finally(() => {
      closed = true;
    });
    for (let turn = 1; !closed; turn++) {
      results.push(errorOf(task.result()));
      events.push(errorOf(readAll()));
      if (turn % 50 > 0) await Promise.resolve();
      else await turns();
    }
    await closing;
    for (const asked of [results, events]) {
      expect(asked.length).toBeGreaterThan(1);
      for (const error of await Promise.all(asked)) expect(error).toBeInstanceOf(ManagerClosedError);
    }
  });

  test('a task that was being cancelled ends cancelled', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await task.cancel('no longer needed');
    const closing = manager.close();
    run.fail(run.context.signal.reason);
    await closing;
    expect(await world.manager({}).get(task.id)).toMatchObject({
      status: 'cancelled',
      cancelReason: 'no longer needed',
    });
  });

  test('other processes run at once what was given back', async () => {
    const here = controlled('work');
    const there = controlled('work');
    const manager = await world.start({ handlers: [here] });
    const task = await manager.submit('work');
    await here.next();
    await world.start({ handlers: [there] });
    const closing = manager.close({ timeout: 0 });
    await world.clock.advance(1);
    const { context } = here.runs[0] as (typeof here.runs)[0];
    await aborted(context.signal);
    here.runs[0]?.fail('stopped');
    await closing;
    await world.clock.advance('1s');
    const run = await there.next();
    expect(run.context.task).toMatchObject({ id: task.id, attempt: 2, interrupted: 1 });
    run.finish();
  });

  test('twice, at once or later: no error', async () => {
    const manager = await world.start({});
    await Promise.all([manager.close(), manager.close()]);
    await manager.close({ timeout: 0 });
    await manager[Symbol.asyncDispose]();
  });

  test('before anything else was done: no error, and nothing works any more', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    await manager.close();
    expect(await errorOf(manager.start())).toBeInstanceOf(ManagerClosedError);
    expect(await errorOf(manager.submit('work'))).toBeInstanceOf(ManagerClosedError);
  });

  test('afterwards every method says so', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const { id } = await manager.submit('work', 1, { hold: true });
    await manager.close();
    const calls = [
      () => manager.start(),
      () => manager.submitMany([{ handler: 'work' }]),
      () => manager.get(id),
      () => manager.list(),
      () => manager.count(),
      () => manager.stats(),
      () => manager.cancel(id),
      () => manager.restart(id),
      () => manager.runNow(id),
      () => manager.update(id, { priority: 1 }),
      () => manager.complete(id),
      () => manager.fail(id, 'no'),
      () => manager.delete(id),
      () => manager.attempts(id),
      () => manager.log(id),
      () => manager.pause(),
      () => manager.resume(),
      () => manager.task(id).result(),
      () => manager.task(id).events().next(),
      () => manager.watch().next(),
    ];
    for (const call of calls) expect(await errorOf(call()), String(call)).toBeInstanceOf(ManagerClosedError);
    expect(await manager.health()).toMatchObject({ ready: false, problems: [expect.stringContaining('closed')] });
  });

  test('while it drains, tasks can still be read', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    const closing = manager.close();
    expect(await manager.get(task.id)).toMatchObject({ status: 'running' });
    expect((await manager.list()).items).toHaveLength(1);
    run.finish();
    await closing;
  });

  describe('on a storage that never answers', () => {
    /** Closes, and lets time go by. @returns what it was rejected with, and after how many ms at most */
    async function closed(manager: { close(options: object): Promise<void> }) {
      const began = world.clock.now();
      let error: unknown = null;
      let over = false;
      manager.close({ timeout: '5s' }).then(
        () => {
          over = true;
        },
        (reason: unknown) => {
          over = true;
          error = reason;
        },
      );
      while (!over && world.clock.now() - began < 120_000) await world.clock.advance('1s');
      return { error, ms: world.clock.now() - began };
    }

    test('it rejects with a StorageError within its time, the grace and some seconds; nothing goes on', async () => {
      const link = world.mute();
      // Not of the world, which would want it to close without an error.
      const manager = new TaskManager({
        handlers: [controlled('work', { cancelGrace: '1s' })],
        storage: link.storage,
        clock: world.clock,
        cancelGrace: '2s',
      });
      await manager.start();
      await manager.submit('work');
      const waiting = errorOf(manager.watch({ entityId: 'nobody' }).next());
      await world.clock.advance('1s');
      link.sleep();
      await world.clock.advance('10s');
      const { error, ms } = await closed(manager);
      expect(error).toBeInstanceOf(StorageError);
      expect(error).toMatchObject({ code: 'storage_failed', ambiguous: true });
      expect(ms).toBeLessThan(5_000 + 2_000 + 1_000 + 15_000);
      expect(await waiting).toBeInstanceOf(ManagerClosedError);
      expect(await errorOf(manager.get('task_x'))).toBeInstanceOf(ManagerClosedError);
      link.wake();
      await turns(); // its timers and files are looked at by the world
    });

    test('while it opens: it rejects, and what opens at last is closed again', async () => {
      const link = world.mute();
      link.sleep();
      const { clock } = world;
      const manager = new TaskManager({ handlers: [controlled('work')], storage: link.storage, clock });
      const starting = errorOf(manager.start());
      const { error, ms } = await closed(manager);
      expect(error).toBeInstanceOf(StorageError);
      expect(ms).toBeLessThan(15_000);
      link.wake();
      expect(await starting).toBeInstanceOf(ManagerClosedError);
      await turns();
      expect(link.calls.close).toBe(1);
    });
  });

  test('ends what watches and waits', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    const task = await manager.submit('work', 1, { hold: true });
    const waiting = [task.result(), task.events().next(), manager.watch().next()].map(async (one) =>
      one.catch((e) => e),
    );
    const stream = task.events();
    await stream.next();
    const after = stream.next().catch((error: unknown) => error);
    await turns();
    await manager.close();
    expect(await waiting[0]).toBeInstanceOf(ManagerClosedError);
    expect(await waiting[2]).toBeInstanceOf(ManagerClosedError);
    expect(await after).toBeInstanceOf(ManagerClosedError);
  });

  test('while it starts: both end, and nothing runs afterwards', async () => {
    const work = controlled('work');
    const manager = world.manager({ handlers: [work] });
    const starting = manager.start().catch((error: unknown) => error);
    await manager.close();
    await starting;
    await turns();
    expect(work.runs).toHaveLength(0);
  });

  test.each([[-1], ['soon'], [Number.NaN], [null]])(
    'a timeout of %j: OptionError, and it stays open',
    async (timeout) => {
      const manager = await world.start({ handlers: [controlled('work')] });
      expect(await errorOf(manager.close({ timeout: timeout as number }))).toBeInstanceOf(OptionError);
      expect(await manager.submit('work', 1, { hold: true })).toMatchObject({ created: true });
    },
  );

  describe('start', () => {
    test('twice: no error, and no second life', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      await Promise.all([manager.start(), manager.start()]);
      await manager.start();
      await manager.submit('work');
      (await work.next()).finish();
      await manager.onIdle();
      expect(work.runs).toHaveLength(1);
    });

    test('with run false submits and watches only', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      await manager.start({ run: false });
      const task = await manager.submit('work');
      await world.clock.advance('20s');
      expect(await manager.get(task.id)).toMatchObject({ status: 'queued' });
      expect(work.runs).toHaveLength(0);
      await manager.start();
      await work.next();
      expect(await manager.get(task.id)).toMatchObject({ status: 'running' });
    });

    test('handlers that are registered later run what waited for them', async () => {
      const work = controlled('work');
      const manager = await world.start({});
      await world.manager({ handlers: [controlled('work')] }).submit('work');
      await turns();
      manager.register(work);
      (await work.next()).finish();
    });
  });
});
