import type { Duration, TaskProgress } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('progress', (world) => {
  /** A running task whose progress and end are heard. */
  async function running(options: { progressInterval?: number } = {}, idle: Duration = '5s') {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], ...options });
    const heard: (TaskProgress | string)[] = [];
    manager.on('task:progress', ({ progress }) => heard.push(progress));
    manager.on('task:log', ({ message }) => heard.push(message));
    manager.on('task:succeeded', () => heard.push('succeeded'));
    const task = await manager.submit('work');
    const run = await work.next();
    await world.clock.advance(idle);
    heard.length = 0;
    const { progress, log } = run.context;
    return { manager, task, run, heard, progress, log };
  }

  test('the first report arrives at once, and is stored', async () => {
    const { manager, task, progress, heard } = await running();
    const before = await manager.get(task.id);
    progress({ processed: 5, total: 10, message: 'Reticulating splines' });
    await turns();
    const at = world.clock.now();
    const expected = { processed: 5, total: 10, fraction: 0.5, message: 'Reticulating splines', at };
    expect(heard).toMatchObject([expected]);
    const after = await manager.get(task.id);
    expect(after).toMatchObject({ status: 'running', progress: expected });
    expect(after?.version).toBeGreaterThan(before?.version ?? 0);
  });

  test('reports within an interval are told as one, with the newest numbers', async () => {
    const { progress, heard } = await running();
    progress({ processed: 1, total: 100 });
    await turns();
    for (let processed = 2; processed <= 60; processed++) progress({ processed });
    await turns();
    expect(heard).toHaveLength(1);
    await world.clock.advance(99);
    expect(heard).toHaveLength(1);
    await world.clock.advance(1);
    expect(heard).toMatchObject([{ processed: 1 }, { processed: 60, total: 100, fraction: 0.6 }]);
  });

  test('the last report arrives, before the end', async () => {
    const { run, progress, heard, task } = await running();
    progress({ fraction: 0.1 });
    await turns();
    progress({ fraction: 0.2 });
    progress({ fraction: 1 });
    run.finish();
    await task.result();
    expect(heard).toMatchObject([{ fraction: 0.1 }, { fraction: 1 }, 'succeeded']);
  });

  test('every change of the message arrives, in order, among the log lines as they came', async () => {
    const { run, progress, log, heard, task } = await running();
    for (let step = 1; step <= 9; step++) progress({ processed: step, message: `part ${Math.ceil(step / 3)}` });
    log('between');
    progress({ message: 'part 4' });
    run.finish();
    await task.result();
    expect(heard).toMatchObject([
      { processed: 3, message: 'part 1' },
      { processed: 6, message: 'part 2' },
      { processed: 9, message: 'part 3' },
      'between',
      { processed: 9, message: 'part 4' },
      'succeeded',
    ]);
  });

  test('the interval is the one of the options', async () => {
    const { progress, heard } = await running({ progressInterval: 1_000 });
    progress({ processed: 1 });
    await turns();
    progress({ processed: 2 });
    await world.clock.advance(999);
    expect(heard).toHaveLength(1);
    await world.clock.advance(1);
    expect(heard).toHaveLength(2);
  });

  test('what a report leaves out keeps its value', async () => {
    const { manager, task, progress } = await running();
    progress({ processed: 1, total: 4, message: 'one' });
    progress({ processed: 2 });
    progress({ message: 'two' });
    await world.clock.advance('1s');
    expect((await manager.get(task.id))?.progress).toMatchObject({
      processed: 2,
      total: 4,
      fraction: 0.5,
      message: 'two',
    });
  });

  test.each<[what: string, report: unknown]>([
    ['null', null],
    ['nothing', undefined],
    ['text', 'half'],
    ['NaN', { processed: Number.NaN, total: Number.NaN, fraction: Number.NaN }],
    ['Infinity', { processed: Number.POSITIVE_INFINITY, fraction: Number.NEGATIVE_INFINITY }],
    ['a BigInt', { processed: 1n, total: 2n }],
    ['a total of 0', { processed: 0, total: 0 }],
    ['a message that is no text', { message: { a: 1 } }],
    ['a symbol', { processed: Symbol('s'), message: Symbol('s') }],
    [
      'a getter that throws',
      {
        get processed(): number {
          throw new Error('mine');
        },
      },
    ],
    [
      'a message that throws',
      {
        get message(): string {
          throw new Error('mine');
        },
      },
    ],
  ])('never throws: %s', async (what, report) => {
    const { run, progress, manager, task } = await running();
    const errors: string[] = [];
    manager.on('error', ({ error }) => errors.push((error as Error).message));
    progress({ processed: 1 });
    expect(() => progress(report as never)).not.toThrow();
    expect(() => progress({ processed: 2, message: 'still here' })).not.toThrow();
    expect(() => progress(report as never)).not.toThrow();
    run.finish('done');
    expect(await task.result()).toBe('done');
    expect((await manager.get(task.id))?.progress).toMatchObject({ message: 'still here' });
    expect(new Set(errors)).toEqual(new Set(what.includes('throws') ? ['mine'] : []));
  });

  test('a fraction stays between 0 and 1', async () => {
    const { manager, task, progress } = await running();
    progress({ fraction: -3 });
    await turns();
    expect((await manager.get(task.id))?.progress?.fraction).toBe(0);
    progress({ processed: 12, total: 10 });
    await world.clock.advance('1s');
    expect((await manager.get(task.id))?.progress?.fraction).toBe(1);
  });

  test('after the end, and after a cancel that was forced, reports go nowhere', async () => {
    const { manager, run, progress, log, heard, task } = await running();
    await task.cancel();
    await world.clock.advance('10s');
    const settled = await waitFor(manager, task.id, 'cancelled');
    progress({ processed: 99 });
    log('too late');
    run.finish();
    await world.clock.advance('1s');
    expect(heard).toEqual([]);
    expect(await manager.get(task.id)).toEqual(settled);
    expect(await manager.log(task.id)).toEqual([]);
  });

  test('a new attempt starts without progress of its own, and the record keeps the last until then', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const first = await work.next();
    first.context.progress({ processed: 5, total: 10 });
    first.fail('once');
    expect((await waitFor(manager, task.id, 'scheduled')).progress).toMatchObject({ processed: 5 });
    await world.clock.advance(10);
    const second = await work.next();
    second.context.progress({ processed: 1 });
    await world.clock.advance('1s');
    expect((await manager.get(task.id))?.progress).toMatchObject({ processed: 1, total: null, fraction: null });
  });

  describe('rate and remaining time', () => {
    test('are right for steady work', async () => {
      const { manager, task, progress } = await running({}, 0);
      for (let processed = 1; processed <= 100; processed++) {
        await world.clock.advance(100);
        progress({ processed, total: 200 });
      }
      await world.clock.advance(100);
      const found = (await manager.get(task.id))?.progress;
      expect(found?.rate).toBeCloseTo(10, 0);
      expect(found?.remainingMs).toBeGreaterThan(9_000);
      expect(found?.remainingMs).toBeLessThan(11_500);
    });

    test('of a fraction alone: a remaining time, no rate', async () => {
      const { manager, task, progress } = await running({}, 0);
      for (let step = 1; step <= 50; step++) {
        await world.clock.advance(100);
        progress({ fraction: step / 100 });
      }
      await world.clock.advance(100);
      const found = (await manager.get(task.id))?.progress;
      expect(found).toMatchObject({ rate: null, fraction: 0.5 });
      expect(found?.remainingMs).toBeGreaterThan(4_000);
      expect(found?.remainingMs).toBeLessThan(7_000);
    });

    test('are unknown where nothing is known', async () => {
      const { manager, task, progress } = await running({}, 0);
      progress({ message: 'thinking' });
      await turns();
      expect((await manager.get(task.id))?.progress).toMatchObject({ rate: null, remainingMs: null });
    });

    test('nothing remains at the end', async () => {
      const { manager, task, progress } = await running({}, 0);
      progress({ processed: 5, total: 10 });
      await world.clock.advance('1s');
      progress({ processed: 10, total: 10 });
      await world.clock.advance('1s');
      expect((await manager.get(task.id))?.progress).toMatchObject({ remainingMs: 0, fraction: 1 });
    });
  });
});
