import fc from 'fast-check';
import { type Missed, type Overlap, TaskManager } from 'tasklane';
import { fakeClock } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { onEachStorage } from '../support/world.ts';
import { held, tasksOf, ticksOf, warnings, work } from './support.ts';

const MINUTE = 60_000;

onEachStorage('ticks that were missed', (world) => {
  /** Makes a schedule, lets no process be up for so long, and starts one. @returns its ticks, in minutes since it was made */
  async function afterDownTime(spec: object, down: '1h' | '10m30s' | '5s' | '59m') {
    const [parts] = [down.match(/\d+[ms h]/g) ?? []];
    const begun = world.clock.now();
    const first = world.manager({ handlers: [work] });
    await first.schedules.create({ key: 'k', handler: work, every: '1m', ...spec });
    await first.close();
    for (const part of parts) await world.clock.advance(part.trim() as '1m');
    const second = world.manager({ handlers: [work] });
    const codes = warnings(second);
    await second.start();
    await world.clock.advance(1);
    const ticks = (await ticksOf(second, 'k')).map((tick) => ((tick ?? 0) - begun) / MINUTE);
    return { ticks, codes, second, begun };
  }

  test('once: one task for all of them, with the newest tick; then it goes on', async () => {
    const { ticks, codes, second, begun } = await afterDownTime({}, '10m30s');
    expect([ticks, codes]).toEqual([[10], ['schedule_missed']]);
    await world.clock.advance('1m');
    expect(await ticksOf(second, 'k')).toEqual([begun + 10 * MINUTE, begun + 11 * MINUTE]);
  });

  test('once: however short the down time was', async () => {
    const { ticks, codes } = await afterDownTime({ every: '1s' }, '5s');
    expect([ticks, codes]).toEqual([[5 / 60], ['schedule_missed']]);
  });

  test('skip: none', async () => {
    const { ticks, codes } = await afterDownTime({ missed: 'skip' }, '10m30s');
    expect([ticks, codes]).toEqual([[], ['schedule_missed']]);
  });

  test('skip: the newest, when it has come just now', async () => {
    expect((await afterDownTime({ missed: 'skip' }, '1h')).ticks).toEqual([60]);
  });

  test('skip: not the newest, when it came a minute ago', async () => {
    expect((await afterDownTime({ missed: 'skip', every: '29m' }, '59m')).ticks).toEqual([]);
  });

  test('all: each, oldest first', async () => {
    const { ticks, codes } = await afterDownTime({ missed: 'all' }, '10m30s');
    expect([ticks, codes]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], []]);
  });

  test('all: the newest up to missedMax', async () => {
    const { ticks, codes } = await afterDownTime({ missed: 'all', missedMax: 3 }, '1h');
    expect([ticks, codes]).toEqual([[58, 59, 60], ['schedule_missed']]);
  });

  test('all: 100 unless it says otherwise', async () => {
    const { ticks } = await afterDownTime({ missed: 'all', every: '10s' }, '1h');
    expect(ticks).toEqual(Array.from({ length: 100 }, (_, n) => (261 + n) / 6));
  });

  test('missedWithin: none that is older', async () => {
    const all = await afterDownTime({ missed: 'all', missedWithin: '5m' }, '10m30s');
    expect(all.ticks).toEqual([6, 7, 8, 9, 10]);
  });

  test('missedWithin: once for one that is not older, else not at all', async () => {
    const { ticks } = await afterDownTime({ missed: 'once', every: '9m', missedWithin: '1m' }, '10m30s');
    expect(ticks).toEqual([]);
  });

  test('maxRuns holds for missed ticks, too', async () => {
    const { ticks, second } = await afterDownTime({ missed: 'all', maxRuns: 4 }, '10m30s');
    expect(ticks).toEqual([1, 2, 3, 4]);
    expect((await second.schedules.get('k'))?.nextRunAt).toBeNull();
  });

  test('maxRuns with cancelPrevious: the newest', async () => {
    const spec = { missed: 'all', maxRuns: 2, overlap: 'cancelPrevious' };
    const { ticks, second } = await afterDownTime(spec, '10m30s');
    expect(ticks).toEqual([10]);
    expect((await second.schedules.get('k'))?.nextRunAt).not.toBeNull();
  });

  test.each<Missed>(['skip', 'once', 'all'])(
    'a jitter above the period: what comes once a process is up was not missed (%s)',
    async (missed) => {
      const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
      const spec = { handler: work, every: '4s', jitter: '1m', missed } as const;
      const clock = fakeClock(world.clock.now());
      const always = new TaskManager({ handlers: [work], clock });
      await always.start();
      const first = world.manager({ handlers: [work] });
      for (const key of keys) await Promise.all([always, first].map((one) => one.schedules.create({ key, ...spec })));
      await first.close();
      await world.clock.advance('3m');
      const up = world.clock.now();
      const second = await world.start({ handlers: [work] });
      await world.clock.advance('1m');
      await clock.advance('4m');
      for (const key of keys) {
        const late = (await tasksOf(always, key)).filter(({ createdAt }) => createdAt > up).map(({ tick }) => tick);
        expect(late.length).toBeGreaterThan(5);
        expect((await ticksOf(second, key)).slice(-late.length)).toEqual(late);
      }
      await always.close();
    },
  );

  test('a year of seconds is found at once', async () => {
    const manager = world.manager({ handlers: [work] });
    await manager.schedules.create({ key: 'k', handler: work, cron: '* * * * * *', missed: 'all', missedMax: 5 });
    await manager.close();
    await world.clock.advance('365d');
    const second = await world.start({ handlers: [work] });
    await world.clock.advance(1);
    const at = world.clock.now() - 1;
    expect(await ticksOf(second, 'k')).toEqual([4, 3, 2, 1, 0].map((n) => at - n * 1_000));
  });

  test('late is not missed: what came while a process was up runs, every one of it', async () => {
    const link = world.mute();
    const manager = world.manager({ handlers: [work], storage: link.storage });
    await manager.start();
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1s', missed: 'skip' });
    link.fail('dueDocuments', 2);
    manager.on('error', () => {});
    await world.clock.advance('11s');
    const ticks = await ticksOf(manager, 'k');
    expect(ticks).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => begun + n * 1_000));
  });

  test.each<[Missed, number]>([
    ['skip', 0],
    ['once', 1],
    ['all', 60],
  ])('the clock put forward by an hour: %s', async (missed, count) => {
    let ahead = 0;
    const still = world.clock;
    const clock = { ...still, now: () => still.now() + ahead };
    const manager = await world.start({ handlers: [work], clock });
    const begun = clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1m', start: begun + 1_000, missed });
    await world.clock.advance('1s');
    expect(await ticksOf(manager, 'k')).toHaveLength(1);
    ahead = 3_600_000 + 30_000;
    await world.clock.advance('10s');
    expect(await ticksOf(manager, 'k')).toHaveLength(1 + count);
  });

  test('the clock put back over a tick: it does not come again', async () => {
    let back = 0;
    const still = world.clock;
    const clock = { ...still, now: () => still.now() - back };
    const manager = await world.start({ handlers: [work], clock });
    const begun = clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1m' });
    await world.clock.advance('2m');
    back = 90_000;
    await world.clock.advance('80s');
    await manager.schedules.pause('k');
    await manager.schedules.resume('k');
    await world.clock.advance('9s');
    expect(await ticksOf(manager, 'k')).toEqual([1, 2].map((n) => begun + n * MINUTE));
    await world.clock.advance('2m');
    expect(await ticksOf(manager, 'k')).toEqual([1, 2, 3, 4].slice(0, 3).map((n) => begun + n * MINUTE));
  });

  test('every `missed` with every `overlap`, after any down time', async () => {
    const overlaps: readonly Overlap[] = ['allow', 'skip', 'queueOne', 'queue', 'cancelPrevious'];
    let keys = 0;
    const property = fc.asyncProperty(
      fc.constantFrom<Missed>('skip', 'once', 'all'),
      fc.constantFrom(...overlaps),
      // At 10 s to the millisecond a tick is only late, if it is looked at in that millisecond.
      fc.record({
        down: fc.integer({ min: 1, max: 20 }),
        late: fc.integer({ min: 0, max: 59 }).filter((s) => s !== 10),
      }),
      fc.record({ missedMax: fc.integer({ min: 1, max: 25 }), busy: fc.boolean() }),
      async (missed, overlap, { down, late }, { missedMax, busy }) => {
        const key = `k${++keys}`;
        const { task, open } = held();
        const first = world.manager({ handlers: [task] });
        const begun = world.clock.now();
        await first.schedules.create({ key, handler: task, every: '1m', overlap, missed, missedMax });
        if (busy) await first.schedules.trigger(key);
        await first.close();
        await world.clock.advance(down * MINUTE + late * 1_000);
        const second = await world.start({ handlers: [task], concurrency: 50 });
        await world.clock.advance(1);
        const come = Array.from({ length: down }, (_, n) => begun + (n + 1) * MINUTE);
        const newest = come.slice(missed === 'all' ? -missedMax : -1);
        const planned = missed === 'skip' && late >= 10 ? [] : newest;
        const made = await tasksOf(second, key);
        const ticks = made.flatMap(({ tick }) => tick ?? []);
        // What was triggered is the one that waits, unless it started before.
        const room = busy ? Math.min(1, ticks.length) : 2;
        const expected = {
          allow: planned,
          skip: busy ? [] : planned.slice(0, 1),
          queueOne: planned.slice(0, room),
          queue: planned,
          cancelPrevious: planned.slice(-1),
        }[overlap];
        expect(ticks).toEqual(expected);
        const running = made.filter(({ status }) => status === 'running');
        if (overlap !== 'allow') expect(running.length).toBeLessThanOrEqual(1);
        await second.schedules.pause(key);
        open();
        await world.clock.advance('30s');
        const ended = await tasksOf(second, key);
        for (const { tick, status } of ended) {
          expect(status).toBe(
            tick === null && overlap === 'cancelPrevious' && expected.length > 0 ? 'cancelled' : 'succeeded',
          );
        }
        await second.schedules.delete(key);
        await second.close();
      },
    );
    await fc.assert(property, {
      numRuns: 30,
      examples: [['skip', 'cancelPrevious', { down: 2, late: 50 }, { missedMax: 1, busy: true }]],
    });
  });
});
