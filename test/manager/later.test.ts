import { TaskNotFoundError, TransitionError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('later', (world) => {
  test('a delayed task is scheduled, becomes queued when it is due, and runs then', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const events: string[] = [];
    for (const name of ['task:created', 'task:scheduled', 'task:queued', 'task:started'] as const) {
      manager.on(name, ({ type }) => events.push(type));
    }
    const task = await manager.submit('work', 1, { delay: '30s' });
    const due = world.clock.now() + 30_000;
    expect(await manager.get(task.id)).toMatchObject({ status: 'scheduled', runAt: due, queuedAt: null });
    await world.clock.advance(29_999);
    expect(work.runs).toHaveLength(0);
    await world.clock.advance(1);
    const run = await work.next();
    expect(world.clock.now()).toBe(due);
    expect(await manager.get(task.id)).toMatchObject({ status: 'running', runAt: null, queuedAt: due });
    expect(events).toEqual(['task:created', 'task:scheduled', 'task:queued', 'task:started']);
    run.finish();
  });

  test.each([
    ['a date', (at: number) => new Date(at)],
    ['epoch ms', (at: number) => at],
  ])('runAt as %s', async (_what, of) => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const at = world.clock.now() + 1_500;
    const task = await manager.submit('work', 1, { runAt: of(at) });
    expect(await manager.get(task.id)).toMatchObject({ status: 'scheduled', runAt: at });
    await world.clock.advance(1_499);
    expect(work.runs).toHaveLength(0);
    await world.clock.advance(1);
    await work.next();
  });

  test('no delay, or a runAt that is now: queued at once', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const none = await manager.submit('work', 1, { delay: 0 });
    const now = await manager.submit('work', 1, { runAt: world.clock.now() });
    for (const { id } of [none, now]) expect(await manager.get(id)).toMatchObject({ status: 'queued', runAt: null });
    expect(now.warnings).toEqual([]);
  });

  test('what fell due while no process ran runs as soon as one starts, and is queued by a stored step first', async () => {
    const work = controlled('work');
    const early = world.manager({ handlers: [controlled('work')] });
    const task = await early.submit('work', 1, { delay: '1d' });
    await early.close();
    await world.clock.advance('2d');
    const manager = await world.start({ handlers: [work] });
    await work.next();
    expect(await manager.get(task.id)).toMatchObject({ status: 'running', queuedAt: world.clock.now() });
  });

  test('what another process scheduled runs when it is due', async () => {
    const work = controlled('work');
    await world.start({ handlers: [work] });
    const other = world.manager({ handlers: [controlled('work')] });
    await other.submit('work', 1, { delay: '7s' });
    await world.clock.advance('12s'); // its hint may be lost: a sweep of 5 s finds it
    expect(work.runs).toHaveLength(1);
  });

  test('in the order they are due, whatever their order of submit', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    for (const delay of [3, 1, 2]) await manager.submit('work', delay, { delay: `${delay}s` });
    await world.clock.advance('3s');
    expect(work.runs.map(({ input }) => input)).toEqual([1, 2, 3]);
  });

  describe('hold', () => {
    test('a held task waits for runNow, however long', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work', 1, { hold: true });
      expect(await manager.get(task.id)).toMatchObject({ status: 'scheduled', runAt: null, queuedAt: null });
      await world.clock.advance('30s');
      expect(work.runs).toHaveLength(0);
      expect(await manager.runNow(task.id)).toMatchObject({ status: 'queued', queuedAt: world.clock.now() });
      (await work.next()).finish('done');
      expect(await task.result()).toBe('done');
    });
  });

  describe('runNow', () => {
    test('a scheduled task runs at once, and only once', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work', 1, { delay: '5s' });
      expect(await manager.runNow(task.id)).toMatchObject({ status: 'queued', runAt: null });
      (await work.next()).finish();
      await waitFor(manager, task.id, 'succeeded');
      await world.clock.advance('10s');
      expect(work.runs).toHaveLength(1);
    });

    test('any other status: TransitionError with what it may become', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      const task = await manager.submit('work');
      const queued = await errorOf(manager.runNow(task.id));
      expect(queued).toBeInstanceOf(TransitionError);
      expect(queued).toMatchObject({ allowed: ['running', 'scheduled', 'cancelled', 'succeeded', 'failed'] });
      await manager.start();
      const run = await work.next();
      expect(await errorOf(manager.runNow(task.id))).toBeInstanceOf(TransitionError);
      await task.cancel();
      expect(await errorOf(manager.runNow(task.id))).toMatchObject({ allowed: ['cancelled', 'succeeded', 'failed'] });
      run.finish();
      await waitFor(manager, task.id, 'succeeded');
      expect(await errorOf(manager.runNow(task.id))).toMatchObject({ allowed: ['queued', 'scheduled', 'waiting'] });
    });

    test('an unknown id: TaskNotFoundError', async () => {
      expect(await errorOf(world.manager({}).runNow('task_none'))).toBeInstanceOf(TaskNotFoundError);
    });
  });

  describe('startBy', () => {
    test('a task that did not start in time is cancelled with code expired, and never runs', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 1 });
      await manager.submit('work', 'hold');
      const hold = await work.next();
      const reasons: unknown[] = [];
      manager.on('task:cancelled', ({ task: { error }, reason }) => reasons.push([error?.code, reason]));
      const task = await manager.submit('work', 'late', { startBy: '3s' });
      expect(await manager.get(task.id)).toMatchObject({ startBy: world.clock.now() + 3_000 });
      await world.clock.advance('10s'); // a sweep is at most 5 s away
      expect(await manager.get(task.id)).toMatchObject({
        status: 'cancelled',
        error: { code: 'expired' },
        cancelRequestedAt: null,
        attempt: 0,
      });
      expect(reasons).toEqual([['expired', null]]);
      expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled', reason: null });
      hold.finish();
      await manager.onIdle();
      expect(work.runs).toHaveLength(1);
    });

    test('is looked at by the claim too: what is past it is not started', async () => {
      const work = controlled('work');
      const manager = world.manager({ handlers: [work] });
      const task = await manager.submit('work', 'late', { startBy: '3s' });
      await world.clock.advance('4s');
      await manager.start();
      await manager.onIdle();
      expect(work.runs).toHaveLength(0);
      expect(await manager.get(task.id)).toMatchObject({ status: 'cancelled', error: { code: 'expired' } });
    });

    test('a task that started in time may run longer, and be tried again later', async () => {
      const work = controlled('work', {
        retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '1s', jitter: 0 } },
      });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work', 1, { startBy: '3s' });
      const run = await work.next();
      await world.clock.advance('10s');
      run.fail('once');
      await world.clock.advance('2s');
      (await work.next()).finish('done');
      expect(await task.result()).toBe('done');
    });

    test('a scheduled and a held task expire too', async () => {
      const manager = await world.start({ handlers: [controlled('work')] });
      const later = await manager.submit('work', 1, { delay: '1h', startBy: '2s' });
      const held = await manager.submit('work', 1, { hold: true, startBy: '2s' });
      await world.clock.advance('10s');
      for (const { id } of [later, held]) {
        expect(await manager.get(id)).toMatchObject({ status: 'cancelled', error: { code: 'expired' } });
      }
    });
  });
});
