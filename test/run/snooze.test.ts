import { OptionError, Snooze } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('snooze', (world) => {
  test('runs again after its delay, at no cost in attempts', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const told: unknown[] = [];
    manager.on('task:snoozed', ({ taskId, runAt }) => told.push([taskId, runAt]));
    const task = await manager.submit('work');
    (await work.next()).fail(new Snooze('5s'));
    const runAt = world.clock.now() + 5_000;
    expect(await waitFor(manager, task.id, 'scheduled')).toMatchObject({ runAt, snoozed: 1, attempt: 1, error: null });
    expect(told).toEqual([[task.id, runAt]]);
    await world.clock.advance(4_999);
    expect(work.runs).toHaveLength(1);
    await world.clock.advance(1);
    (await work.next()).finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.get(task.id)).toMatchObject({ attempt: 2, snoozed: 1, maxAttempts: 1 });
    expect(await manager.attempts(task.id)).toMatchObject([{ outcome: 'snoozed' }, { outcome: 'succeeded' }]);
  });

  test('keeps its attempts for real failures', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    for (const thrown of [new Snooze(10), new Error('one'), new Snooze(10), new Error('two')]) {
      (await work.next()).fail(thrown);
      await world.clock.advance(10);
    }
    expect(await errorOf(task.result())).toMatchObject({ cause: { message: 'two' }, task: { attempt: 4, snoozed: 2 } });
  });

  test('keeps its checkpoint', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.submit('work');
    const first = await work.next();
    await first.context.checkpoint({ at: 3 });
    first.fail(new Snooze(10));
    await world.clock.advance(20);
    expect((await work.next()).context.task.checkpoint).toEqual({ at: 3 });
  });

  test('too often: failed with code snoozed_too_often', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], maxSnoozes: 2 });
    const task = await manager.submit('work');
    for (let run = 0; run < 3; run++) {
      (await work.next()).fail(new Snooze(10));
      await world.clock.advance(10);
    }
    expect(await errorOf(task.result())).toMatchObject({ cause: { code: 'snoozed_too_often' }, task: { snoozed: 2 } });
  });

  test('after a cancel: cancelled', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await task.cancel();
    run.fail(new Snooze('1s'));
    expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled' });
  });
});

describe('Snooze', () => {
  test('says its delay in ms', () => {
    expect(new Snooze('5m')).toMatchObject({ delayMs: 300_000, name: 'Snooze' });
    expect(new Snooze(7).delayMs).toBe(7);
  });

  test.each([[-1], ['soon'], [Number.NaN], [undefined]])('of %j: OptionError', (delay) => {
    expect(() => new Snooze(delay as never)).toThrow(OptionError);
  });
});
