import { Snooze } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { inTime, withPlace } from './support/place.ts';

const HOUR = 3_600_000;
const HOW = {
  'is set an hour ahead': (clock: { jump(ms: number): void }) => clock.jump(HOUR),
  'is set back an hour': (clock: { jump(ms: number): void }) => clock.jump(-HOUR),
  'goes on for 8 h while the machine sleeps and its monotonic clock stands still': (clock: {
    jump(ms: number): void;
  }) => clock.jump(8 * HOUR),
  'goes on for 8 h while the machine sleeps, its monotonic clock too': (clock: { oversleep(ms: number): void }) =>
    clock.oversleep(8 * HOUR),
} as const;

for (const storage of ['memory', 'sqlite'] as const) {
  describe(`a clock that jumps [${storage}]`, () => {
    for (const [how, trouble] of Object.entries(HOW)) {
      test(`${how} > what runs in two processes is not lost, and ends in its first attempt`, () =>
        withPlace(
          async ({ clock, start, errors, warnings }) => {
            const one = controlled('one');
            const other = controlled('other');
            const first = await start({ handlers: [one] });
            const second = await start({ handlers: [other] });
            const tasks = [await first.submit('one'), await second.submit('other')];
            const runs = [await one.next(), await other.next()];
            await clock.advance(12_000); // both have seen the other live
            trouble(clock);
            await clock.advance(60_000);
            expect(runs.map(({ context }) => context.signal.aborted)).toEqual([false, false]);
            for (const [index, run] of runs.entries()) run.finish(index);
            expect(await inTime(clock, Promise.all(tasks.map((task) => task.result())))).toEqual([0, 1]);
            for (const { id } of tasks) {
              expect(await first.get(id)).toMatchObject({ status: 'succeeded', attempt: 1, lost: 0, interrupted: 0 });
            }
            expect(errors).toEqual([]);
            expect(warnings.filter((code) => code !== 'loop_blocked')).toEqual([]);
            expect([await first.health(), await second.health()]).toEqual([HEALTHY, HEALTHY]);
            const next = await inTime(clock, first.submit('one'));
            (await one.next()).finish('next');
            expect(await inTime(clock, next.result())).toBe('next');
          },
          { storage },
        ));
    }

    test('set an hour ahead > what was due in that hour starts at once, what is due later does not', () =>
      withPlace(
        async ({ clock, start }) => {
          const work = controlled('work');
          const manager = await start({ handlers: [work] });
          const soon = await manager.submit('work', 'soon', { delay: '59m' });
          const later = await manager.submit('work', 'later', { delay: '61m' });
          clock.jump(HOUR);
          await clock.advance(10_000);
          expect(work.runs.map(({ input }) => input)).toEqual(['soon']);
          await clock.advance(60_000);
          expect(work.runs.map(({ input }) => input)).toEqual(['soon', 'later']);
          for (const run of work.runs) run.finish();
          await inTime(clock, Promise.all([soon.result(), later.result()]));
        },
        { storage },
      ));

    test('set back an hour > a retry and a delay wait for the clock; nothing starts early', () =>
      withPlace(
        async ({ clock, start }) => {
          const work = controlled('work', {
            retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '1m', jitter: 0 } },
          });
          const manager = await start({ handlers: [work] });
          const retried = await manager.submit('work', 'retried');
          (await work.next()).fail(new Error('first'));
          await turns();
          await manager.submit('work', 'delayed', { delay: '1m' });
          clock.jump(-HOUR);
          await clock.advance(59 * 60_000);
          expect(work.runs).toHaveLength(1);
          await clock.advance(2 * 60_000 + 5_000);
          expect(work.runs.map(({ input }) => input)).toEqual(['retried', 'retried', 'delayed']);
          for (const run of work.runs) run.finish('done');
          expect(await inTime(clock, retried.result())).toBe('done');
        },
        { storage },
      ));

    test('set an hour ahead, then back > a snooze goes by the clock', () =>
      withPlace(
        async ({ clock, start }) => {
          const work = controlled('work');
          const manager = await start({ handlers: [work] });
          const task = await manager.submit('work');
          (await work.next()).fail(new Snooze('30m'));
          await clock.advance(10_000);
          clock.jump(HOUR);
          await clock.advance(10_000);
          expect(work.runs).toHaveLength(2);
          work.runs[1]?.fail(new Snooze('30m'));
          await clock.advance(10_000);
          clock.jump(-HOUR);
          await clock.advance(89 * 60_000);
          expect(work.runs).toHaveLength(2);
          await clock.advance(2 * 60_000);
          expect(work.runs).toHaveLength(3);
          work.runs[2]?.finish('done');
          expect(await inTime(clock, task.result())).toBe('done');
          expect(await manager.get(task.id)).toMatchObject({ attempt: 3, snoozed: 2, lost: 0, interrupted: 0 });
        },
        { storage },
      ));

    test('set an hour ahead > a timeout goes by time that passed, a startBy by the clock', () =>
      withPlace(
        async ({ clock, start }) => {
          const work = controlled('work', { timeout: '10m', concurrency: 1 });
          const manager = await start({ handlers: [work] });
          const running = await manager.submit('work');
          const run = await work.next();
          const queued = await manager.submit('work', null, { startBy: '30m' });
          clock.jump(HOUR);
          await clock.advance(10_000);
          expect(run.context.signal.aborted).toBe(false);
          expect(await errorOf(inTime(clock, queued.result()))).toMatchObject({ task: { error: { code: 'expired' } } });
          run.finish('in time');
          expect(await inTime(clock, running.result())).toBe('in time');
        },
        { storage },
      ));

    test('an event loop that stands still for half a lease > a warning names the handler that ran', () =>
      withPlace(
        async ({ clock, start, warnings }) => {
          const work = controlled('heavy');
          const manager = await start({ handlers: [work], lease: '10s' });
          const told: string[] = [];
          manager.on('warning', ({ message, handler }) => told.push(`${handler}: ${message}`));
          const task = await manager.submit('heavy');
          const run = await work.next();
          clock.oversleep(5_500);
          await clock.advance(1_000);
          expect(warnings).toEqual(['loop_blocked']);
          expect(told[0]).toMatch(/^heavy: .*heavy/);
          run.finish('late');
          expect(await inTime(clock, task.result())).toBe('late');
          expect(await manager.get(task.id)).toMatchObject({ attempt: 1, lost: 0 });
        },
        { storage },
      ));
  });
}

const HEALTHY = { ready: true, problems: [] };
