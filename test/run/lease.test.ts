import { StaleLeaseError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('lease', (world) => {
  /** Two processes: one that can be stopped, and one that lives. */
  async function two(options: { maxLost?: number; sleeper?: object; other?: object } = {}) {
    const link = world.mute();
    const here = controlled('work', options.maxLost === undefined ? {} : { maxLost: options.maxLost });
    const there = controlled('work', options.maxLost === undefined ? {} : { maxLost: options.maxLost });
    const sleeper = await world.start({ handlers: [here], storage: link.storage, ...options.sleeper });
    const warnings: string[] = [];
    sleeper.on('warning', ({ code }) => warnings.push(code));
    const start = () => world.start({ handlers: [there], ...options.other });
    return { link, here, there, sleeper, warnings, start };
  }

  test('a worker that is silent for its lease loses its tasks; its late outcome is refused', async () => {
    const { link, here, there, sleeper, warnings, start } = await two();
    const task = await sleeper.submit('work');
    const first = await here.next();
    await world.clock.advance('1s'); // its start is stored
    const other = await start();
    const told: unknown[] = [];
    other.on('task:lost', ({ taskId, task: { lost, status } }) => told.push([taskId, lost, status]));
    link.sleep();
    await world.clock.advance('29s');
    expect(there.runs).toHaveLength(0);
    await world.clock.advance('10s'); // a sweep, and the beat it saw last
    const second = await there.next();
    expect(told).toEqual([[task.id, 1, 'queued']]);
    expect(second.context.task).toMatchObject({ id: task.id, attempt: 2, lost: 1 });
    link.wake();
    first.finish('too late');
    await world.clock.advance('15s');
    expect(await other.get(task.id)).toMatchObject({ status: 'running', attempt: 2, result: null });
    expect(first.context.signal.reason).toBeUndefined();
    second.finish('in time');
    await waitFor(other, task.id, 'succeeded');
    expect(await other.get(task.id)).toMatchObject({ result: 'in time', attempt: 2, lost: 1 });
    expect(await other.attempts(task.id)).toMatchObject([{ outcome: 'lost' }, { outcome: 'succeeded' }]);
    expect(warnings).toContain('lease_lost');
  });

  test('a worker that wakes up late sees lease_lost, may write nothing, and works on under a new name', async () => {
    const { link, here, there, sleeper, warnings, start } = await two();
    const task = await sleeper.submit('work');
    const first = await here.next();
    await world.clock.advance('1s');
    const other = await start();
    link.sleep();
    await world.clock.advance('40s');
    const second = await there.next();
    link.wake();
    await world.clock.advance('11s');
    expect(first.context.signal.reason).toMatchObject({ name: 'TaskAbort', code: 'lease_lost' });
    expect(await errorOf(first.context.checkpoint('mine'))).toBeInstanceOf(StaleLeaseError);
    first.context.progress({ processed: 99 });
    first.context.log('mine');
    first.fail(first.context.signal.reason);
    second.finish('done');
    await waitFor(other, task.id, 'succeeded');
    expect(await other.get(task.id)).toMatchObject({ checkpoint: null, progress: null, result: 'done' });
    expect(await other.log(task.id)).toEqual([]);
    expect(warnings).toContain('worker_lost');
    await other.close();
    await sleeper.submit('work', 'again');
    await world.clock.advance('1s');
    expect((await here.next()).input).toBe('again');
  });

  test('a handler that ignores lease_lost is a leak after its grace: a warning, and no claim at maxLeaks', async () => {
    const options = { cancelGrace: '2s', maxLeaks: 1, concurrency: 3 };
    const { link, here, there, sleeper, warnings, start } = await two({ sleeper: options });
    const task = await sleeper.submit('work');
    const first = await here.next();
    await world.clock.advance('1s');
    const other = await start();
    link.sleep();
    await world.clock.advance('40s');
    await there.next();
    link.wake();
    await world.clock.advance('11s');
    expect(first.context.signal.reason).toMatchObject({ code: 'lease_lost' });
    await world.clock.advance('2s');
    expect(warnings.filter((code) => code.includes('leak'))).toEqual(['handler_leaked', 'too_many_leaks']);
    const closed = other.close({ timeout: 0 });
    await world.clock.advance('11s');
    await closed;
    expect((await sleeper.health()).problems).toEqual([expect.stringContaining('run on')]);
    first.finish('too late');
    await world.clock.advance('1s');
    expect(await sleeper.health()).toEqual({ ready: true, problems: [] });
    expect((await here.next()).context.task.id).toBe(task.id);
  });

  test('a worker that beats keeps its tasks, however long its handler runs', async () => {
    const { here, there, sleeper, start } = await two();
    const task = await sleeper.submit('work');
    const run = await here.next();
    await start();
    await world.clock.advance('2m');
    expect(there.runs).toHaveLength(0);
    run.finish('at last');
    expect(await task.result()).toBe('at last');
    expect(await sleeper.get(task.id)).toMatchObject({ attempt: 1, lost: 0 });
  });

  test('beats go out each third of the lease', async () => {
    const { link, sleeper } = await two({ sleeper: { lease: '3s' } });
    await world.clock.advance('1s');
    const before = link.calls.beat ?? 0;
    await world.clock.advance('10s');
    expect((link.calls.beat ?? 0) - before).toBe(10);
    await sleeper.close();
  });

  test('a claim whose handler never started is given back free', async () => {
    const { link, here, there, sleeper, start } = await two({ sleeper: { concurrency: 1 } });
    for (let warm = 0; warm < 5; warm++) {
      await sleeper.submit('work');
      (await here.next()).finish();
      await sleeper.onIdle();
    }
    await sleeper.submitMany([
      { handler: 'work', input: 'runs' },
      { handler: 'work', input: 'claimed ahead' },
    ]);
    const running = await here.next();
    await world.clock.advance('1s');
    const ahead = (await sleeper.list({ sort: 'id', offset: 6 })).items[0];
    expect(ahead).toMatchObject({ status: 'running', startedAt: null, attempt: 1 });
    const other = await start();
    link.sleep();
    await world.clock.advance('40s');
    const runs = [await there.next(), await there.next()];
    const inputs = runs.map(({ context: { task } }) => [task.input, task.lost, task.interrupted]);
    expect(inputs).toEqual(
      expect.arrayContaining([
        ['runs', 1, 0],
        ['claimed ahead', 0, 1],
      ]),
    );
    for (const { finish } of [running, ...runs]) finish();
    await other.onIdle();
  });

  test('lost while cancelling: cancelled', async () => {
    const { link, here, there, sleeper, start } = await two();
    const task = await sleeper.submit('work');
    await here.next();
    await world.clock.advance('1s');
    const other = await start();
    link.sleep();
    expect(await other.cancel(task.id, 'before it went')).toMatchObject({ status: 'cancelling' });
    await world.clock.advance('40s');
    expect(await other.get(task.id)).toMatchObject({ status: 'cancelled', cancelReason: 'before it went', lost: 0 });
    expect(there.runs).toHaveLength(0);
    link.wake();
    here.runs[0]?.finish('too late');
    await world.clock.advance('1s');
    expect(await other.get(task.id)).toMatchObject({ status: 'cancelled', result: null });
  });

  describe('maxLost', () => {
    /** Loses a task of `maxLost` so often, each time by the silence of another process. */
    async function lose(times: number, maxLost: number) {
      const first = world.manager({ handlers: [controlled('work', { maxLost })] });
      const task = await first.submit('work');
      for (let death = 0; death < times; death++) {
        const link = world.mute();
        const work = controlled('work', { maxLost });
        await world.start({ handlers: [work], storage: link.storage, lease: '1s', sweep: '1h' });
        await work.next();
        await world.clock.advance(200);
        link.sleep();
        const sweeper = await world.start({ handlers: [], sweep: '500ms' });
        await world.clock.advance('3s');
        await sweeper.close();
        expect(await first.get(task.id)).toMatchObject({ lost: death + 1 });
        if ((await first.get(task.id))?.status === 'scheduled') await first.runNow(task.id);
      }
      return { manager: first, id: task.id };
    }

    test('a task that was lost too often fails with code lost', async () => {
      const { manager, id } = await lose(3, 2);
      expect(await manager.get(id)).toMatchObject({ status: 'failed', lost: 3, attempt: 3, error: { code: 'lost' } });
      const outcomes = (await manager.attempts(id)).map(({ outcome }) => outcome);
      expect(outcomes).toEqual(['lost', 'lost', 'failed']);
    });

    test('0: never run again', async () => {
      const { manager, id } = await lose(1, 0);
      expect(await manager.get(id)).toMatchObject({ status: 'failed', lost: 1, error: { code: 'lost' } });
    });

    test('losing costs no attempt', async () => {
      const { manager, id } = await lose(2, 3);
      const work = controlled('work');
      await world.start({ handlers: [work] });
      (await work.next()).finish('third time');
      await world.clock.advance('1s');
      expect(await manager.get(id)).toMatchObject({ attempt: 3, lost: 2, maxAttempts: 1, result: 'third time' });
    });

    test('after a loss all attempts are left', async () => {
      const retry = { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } as const;
      const submitter = world.manager({ handlers: [controlled('work', { retry })] });
      const { id } = await submitter.submit('work');
      const link = world.mute();
      const gone = controlled('work', { retry });
      await world.start({ handlers: [gone], storage: link.storage, lease: '1s' });
      await gone.next();
      await world.clock.advance(200);
      link.sleep();
      const work = controlled('work', { retry });
      await world.start({ handlers: [work], sweep: '500ms' });
      await world.clock.advance('3s');
      for (const message of ['one', 'two']) {
        (await work.next()).fail(message);
        await world.clock.advance('1s');
      }
      expect(await submitter.get(id)).toMatchObject({
        status: 'failed',
        attempt: 3,
        lost: 1,
        error: { message: 'two' },
      });
    });

    test('is the one of the process that submitted, and counts from a restart', async () => {
      const { manager, id } = await lose(1, 0);
      await manager.restart(id);
      const work = controlled('work', { maxLost: 5 });
      await world.start({ handlers: [work] });
      (await work.next()).finish('done');
      await world.clock.advance('1s');
      expect(await manager.get(id)).toMatchObject({ status: 'succeeded', lost: 1 });
    });
  });

  test('the second loss waits 1 s, the third 2 s', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const task = await manager.submit('work');
    const waits: (number | null)[] = [];
    for (let death = 0; death < 3; death++) {
      const link = world.mute();
      const work = controlled('work');
      await world.start({ handlers: [work], storage: link.storage, lease: '1s', sweep: '1h' });
      await work.next();
      await world.clock.advance(200);
      link.sleep();
      const sweeper = world.manager({ sweep: '100ms' });
      sweeper.on('task:lost', ({ task: { runAt }, at }) => waits.push(runAt === null ? null : runAt - at));
      await sweeper.start();
      await world.clock.advance('1100ms');
      await sweeper.close();
      if ((await manager.get(task.id))?.status === 'scheduled') await manager.runNow(task.id);
    }
    expect(waits).toEqual([null, 1_000, 2_000]);
  });

  test('a wall clock that jumps loses nothing', async () => {
    let jump = 0;
    const clock = { ...world.clock };
    const { now } = clock;
    clock.now = () => now() + jump;
    const { here, there, sleeper, start } = await two({ other: { clock } });
    const task = await sleeper.submit('work');
    const run = await here.next();
    await start();
    jump = 3_600_000;
    await world.clock.advance('20s');
    jump = -3_600_000;
    await world.clock.advance('20s');
    expect(there.runs).toHaveLength(0);
    run.finish('done');
    expect(await task.result()).toBe('done');
  });
});
