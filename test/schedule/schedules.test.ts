import {
  defineTask,
  InputInvalidError,
  ManagerClosedError,
  OptionError,
  ScheduleExistsError,
  ScheduleNotFoundError,
  type ScheduleSpec,
  UnknownHandlerError,
} from 'tasklane';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { onEachStorage } from '../support/world.ts';
import { held, tasksOf, ticksOf, warnings, work } from './support.ts';

const MINUTE = 60_000;

onEachStorage('schedules', (world) => {
  test('each tick makes one task, with what the schedule says', async () => {
    const manager = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    const options = { priority: 7, startBy: '1h', tags: { a: 1 }, description: 'd', entityId: 'e' } as const;
    const more = { submittedBy: 'u', metadata: { m: [1] } };
    await manager.schedules.create({
      key: 'k',
      handler: 'work',
      input: { n: 1 },
      cron: '* * * * *',
      ...options,
      ...more,
    });
    await world.clock.advance('3m');
    expect(await ticksOf(manager, 'k')).toEqual([1, 2, 3].map((n) => begun + n * MINUTE));
    const [task] = await tasksOf(manager, 'k');
    expect(task).toMatchObject({
      ...{ handler: 'work', input: { n: 1 }, status: 'succeeded', scheduleId: 'k', createdAt: begun + MINUTE },
      ...{ priority: 7, startBy: begun + 61 * MINUTE, tags: { a: 1 }, description: 'd', entityId: 'e', ...more },
    });
    expect(await manager.schedules.get('k')).toMatchObject({
      ...{ runs: 3, lastTick: begun + 3 * MINUTE, nextRunAt: begun + 4 * MINUTE, version: 1, pausedAt: null },
      lastTaskId: (await tasksOf(manager, 'k')).at(-1)?.id,
    });
  });

  test('debounce and throttle of a definition collapse submits, and no ticks', async () => {
    const quiet = defineTask({ name: 'quiet', debounce: { key: () => 'all', wait: '10m' }, run: () => {} });
    const seldom = defineTask({ name: 'seldom', throttle: { key: () => 'all', window: '10m' }, run: () => {} });
    const manager = await world.start({ handlers: [quiet, seldom] });
    const begun = world.clock.now();
    for (const handler of [quiet, seldom]) {
      await manager.schedules.create({ key: handler.name, handler, every: '1m' });
      await world.clock.advance('1ms');
    }
    await world.clock.advance('3m');
    expect(await ticksOf(manager, 'quiet')).toEqual([1, 2, 3].map((n) => begun + n * MINUTE));
    expect(await ticksOf(manager, 'seldom')).toHaveLength(3);
    expect(await manager.count({ status: 'succeeded' })).toBe(6);
  });

  test('the record has every key, and what was given', async () => {
    const manager = world.manager({ handlers: [work] });
    const now = world.clock.now();
    const made = await manager.schedules.create({ key: 'k', handler: work, every: '1h' });
    expect(made).toEqual({
      ...{ key: 'k', handler: 'work', input: null, cron: null, rrule: null, every: 3_600_000, wallClock: false },
      ...{ times: null, on: null, timeZone: 'UTC', start: null, end: null, jitter: 0, maxRuns: null },
      ...{
        overlap: 'allow',
        missed: 'once',
        missedMax: 100,
        missedWithin: null,
        ownEvents: false,
        priority: null,
        startBy: null,
      },
      ...{ tags: {}, description: null, entityId: null, submittedBy: null, metadata: null, declared: false },
      ...{ createdAt: now, updatedAt: now, pausedAt: null, lastTick: null, lastTaskId: null, runs: 0 },
      ...{ nextRunAt: now + 3_600_000, version: 1 },
    });
    expect(await manager.schedules.get('k')).toEqual(made);
    expect(await manager.schedules.get('other')).toBeNull();
    expect(await manager.schedules.preview(made, 2)).toEqual([now + 3_600_000, now + 7_200_000]);
  });

  test('every does not drift, and times run once each', async () => {
    const manager = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'e', handler: work, every: 700 });
    await manager.schedules.create({ key: 't', handler: work, times: [begun + 1_000, begun + 2_500] });
    await world.clock.advance('2s');
    expect(await ticksOf(manager, 'e')).toEqual([begun + 700, begun + 1_400]);
    await world.clock.advance('1500ms');
    expect(await ticksOf(manager, 'e')).toHaveLength(5);
    await world.clock.advance('1m');
    expect(await ticksOf(manager, 't')).toEqual([begun + 1_000, begun + 2_500]);
    expect(await manager.schedules.get('t')).toMatchObject({ nextRunAt: null, runs: 2 });
  });

  test('a time that passes while the schedule is being stored is one of its runs', async () => {
    const slow = world.mute();
    const manager = world.manager({ handlers: [work], storage: slow.storage });
    const begun = world.clock.now();
    slow.sleep();
    const making = manager.schedules.create({ key: 'k', handler: work, times: [begun + 1], missed: 'skip' });
    await world.clock.advance(5);
    slow.wake();
    expect(await making).toMatchObject({ nextRunAt: begun + 1, createdAt: begun });
    await manager.start();
    await world.clock.advance(1);
    expect(await ticksOf(manager, 'k')).toEqual([begun + 1]);
    slow.sleep();
    const now = world.clock.now();
    const replacing = manager.schedules.replace('k', { handler: work, times: [now + 1] });
    await world.clock.advance(5);
    slow.wake();
    expect(await replacing).toMatchObject({ nextRunAt: now + 1 });
    await world.clock.advance(1);
    expect(await ticksOf(manager, 'k')).toEqual([begun + 1, now + 1]);
  });

  test('start, end and maxRuns bound it', async () => {
    const manager = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    const [start, end] = [begun + 90_000, begun + 4 * MINUTE];
    await manager.schedules.create({ key: 'a', handler: work, cron: '* * * * *', start, end });
    await manager.schedules.create({ key: 'b', handler: work, cron: '* * * * *', maxRuns: 2 });
    await world.clock.advance('5m');
    expect(await ticksOf(manager, 'a')).toEqual([2, 3, 4].map((n) => begun + n * MINUTE));
    expect(await ticksOf(manager, 'b')).toEqual([1, 2].map((n) => begun + n * MINUTE));
    expect(await manager.schedules.get('b')).toMatchObject({ nextRunAt: null, runs: 2 });
  });

  test('jitter delays the task and not the tick, within its bound, the same in every process', async () => {
    const [one, other] = [await world.start({ handlers: [work] }), await world.start({ handlers: [work] })];
    const begun = world.clock.now();
    await one.schedules.create({ key: 'k', handler: work, every: '1m', jitter: '30s' });
    await world.clock.advance('12m');
    const made = await tasksOf(other, 'k');
    expect(made.map(({ tick }) => tick)).toEqual(made.map((_, n) => begun + (n + 1) * MINUTE));
    const delays = made.map(({ tick, createdAt }) => createdAt - (tick ?? 0));
    expect(delays.every((ms) => ms >= 0 && ms < 30_000)).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(10);
    expect(Math.max(...delays) - Math.min(...delays)).toBeGreaterThan(10_000);
  });

  test('pause stops it, resume goes on with the next tick; twice: no error', async () => {
    const manager = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1m', missed: 'all' });
    await world.clock.advance('1m');
    const paused = await manager.schedules.pause('k');
    expect(paused).toMatchObject({ pausedAt: begun + MINUTE, nextRunAt: null, version: 3 });
    expect(await manager.schedules.pause('k')).toEqual(paused);
    await world.clock.advance('5m');
    expect(await ticksOf(manager, 'k')).toHaveLength(1);
    expect(await manager.schedules.resume('k')).toMatchObject({ pausedAt: null, nextRunAt: begun + 7 * MINUTE });
    expect(await manager.schedules.resume('k')).toMatchObject({ version: 4 });
    await world.clock.advance('1m');
    expect(await ticksOf(manager, 'k')).toEqual([begun + MINUTE, begun + 7 * MINUTE]);
  });

  test('trigger makes a task at once, without a tick, paused or not', async () => {
    const manager = await world.start({ handlers: [work] });
    await manager.schedules.create({ key: 'k', handler: work, input: 5, every: '1h', tags: { a: 1 } });
    await manager.schedules.pause('k');
    const task = await manager.schedules.trigger('k');
    await world.clock.advance(1);
    expect(await manager.get(task.id)).toMatchObject({
      status: 'succeeded',
      scheduleId: 'k',
      tick: null,
      tags: { a: 1 },
    });
    expect(await task.result()).toBeNull();
    expect(await manager.schedules.get('k')).toMatchObject({ runs: 0, lastTaskId: task.id, nextRunAt: null });
  });

  test('trigger of one that waits for a payload its handler needs is refused; with an input of its own it is not', async () => {
    const strict = defineTask({ name: 'strict', input: z.object({ to: z.string() }), run: ({ to }) => to });
    const manager = await world.start({ handlers: [strict, work] });
    await manager.schedules.create({ key: 'none', handler: strict, on: 'paid' });
    await manager.schedules.create({ key: 'own', handler: strict, on: 'paid', input: { to: 'a' } });
    await manager.schedules.create({ key: 'any', handler: work, on: 'paid' });
    await expect(manager.schedules.trigger('none')).rejects.toThrow(InputInvalidError);
    expect(await tasksOf(manager, 'none')).toEqual([]);
    const tasks = [await manager.schedules.trigger('own'), await manager.schedules.trigger('any')];
    await world.clock.advance(1);
    expect(await Promise.all(tasks.map((task) => task.result()))).toEqual(['a', null]);
  });

  test('replace changes it: the same rule goes on, another begins anew, the runs stay', async () => {
    const manager = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1m', tags: { a: 1 } });
    await world.clock.advance('90s');
    const same = await manager.schedules.replace('k', { handler: work, input: 2, every: '1m' });
    expect(same).toMatchObject({ input: 2, tags: {}, runs: 1, nextRunAt: begun + 2 * MINUTE, createdAt: begun });
    const anew = await manager.schedules.replace('k', { key: 'k', handler: work, every: '5m' });
    expect(anew).toMatchObject({ nextRunAt: begun + 90_000 + 5 * MINUTE, runs: 1, lastTick: begun + MINUTE });
    await manager.schedules.pause('k');
    expect(await manager.schedules.replace('k', { handler: work, every: '1s' })).toMatchObject({ nextRunAt: null });
    await world.clock.advance('1m');
    expect(await ticksOf(manager, 'k')).toHaveLength(1);
    const over = await manager.schedules.replace('k', { handler: work, every: '1s', maxRuns: 1 });
    await manager.schedules.resume('k');
    expect(over.nextRunAt).toBeNull();
    await world.clock.advance('1m');
    expect(await ticksOf(manager, 'k')).toHaveLength(1);
  });

  test.each([
    ['the same rule', '1m', [1, 6]],
    ['another rule', '2m', [1, 7]],
  ] as const)(
    'replaced while it is paused, with %s: it stays so, and goes on from its resume',
    async (_, every, made) => {
      const manager = await world.start({ handlers: [work] });
      const begun = world.clock.now();
      await manager.schedules.create({ key: 'k', handler: work, every: '1m' });
      await world.clock.advance('1m');
      await manager.schedules.pause('k');
      await world.clock.advance('2m');
      const replaced = await manager.schedules.replace('k', {
        handler: work,
        every,
        input: 'new',
        start: begun + MINUTE,
      });
      expect(replaced).toMatchObject({ pausedAt: begun + MINUTE, nextRunAt: null, runs: 1, input: 'new' });
      await world.clock.advance('150s');
      expect(await ticksOf(manager, 'k')).toHaveLength(1);
      await manager.schedules.resume('k');
      await world.clock.advance('2m');
      expect((await ticksOf(manager, 'k')).slice(0, 2)).toEqual(made.map((n) => begun + n * MINUTE));
      expect((await tasksOf(manager, 'k')).at(-1)?.input).toBe('new');
    },
  );

  test('delete ends it, and leaves its tasks', async () => {
    const manager = await world.start({ handlers: [work] });
    await manager.schedules.create({ key: 'k', handler: work, every: '1m' });
    await world.clock.advance('1m');
    await manager.schedules.delete('k');
    await world.clock.advance('5m');
    expect(await manager.schedules.get('k')).toBeNull();
    expect(await ticksOf(manager, 'k')).toHaveLength(1);
    expect((await manager.schedules.list()).items).toEqual([]);
    for (const call of [
      manager.schedules.delete('k'),
      manager.schedules.pause('k'),
      manager.schedules.resume('k'),
      manager.schedules.trigger('k'),
      manager.schedules.replace('k', { handler: work, every: '1m' }),
    ]) {
      await expect(call).rejects.toThrow(ScheduleNotFoundError);
    }
  });

  test('a new one of a deleted key is not taken for the old one', async () => {
    const manager = world.manager({ handlers: [work] });
    const old = await manager.schedules.create({ key: 'k', handler: work, every: '1m' });
    await manager.schedules.delete('k');
    const anew = await manager.schedules.create({ key: 'k', handler: work, every: '2m' });
    expect(anew.version).toBeGreaterThan(old.version);
    await manager.schedules.delete('k');
    const both = [1, 2].map((n) => manager.schedules.create({ key: 'k', handler: work, every: n * 1_000 }));
    expect((await Promise.allSettled(both)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('a preview by key has the ticks that come, as it is then', async () => {
    const manager = await world.start({ handlers: [work] });
    const { schedules } = manager;
    const begun = world.clock.now();
    const minutes = (...list: readonly number[]) => list.map((n) => begun + n * MINUTE);
    await schedules.create({ key: 'every', handler: work, every: '7m' });
    await schedules.create({ key: 'runs', handler: work, every: '1m', maxRuns: 4, jitter: '10s' });
    await schedules.create({ key: 'event', handler: work, on: 'paid' });
    await world.clock.advance('90s');
    expect(await schedules.preview('every', 2)).toEqual(minutes(7, 14));
    expect(await schedules.preview('every')).toHaveLength(10);
    expect(await schedules.preview('runs', 10)).toEqual(minutes(2, 3, 4));
    expect(await schedules.preview('event')).toEqual([]);
    await schedules.pause('every');
    await schedules.pause('runs');
    await world.clock.advance('9m');
    expect(await schedules.preview('every', 1)).toEqual(minutes(14));
    expect(await schedules.preview('runs')).toEqual(minutes(11, 12, 13));
    await schedules.resume('runs');
    await world.clock.advance('5m');
    expect((await ticksOf(manager, 'runs')).slice(1)).toEqual(minutes(11, 12, 13));
    expect(await schedules.preview('runs')).toEqual([]);
    await expect(schedules.preview('none')).rejects.toThrow(ScheduleNotFoundError);
    await expect(schedules.preview('every', 0)).rejects.toThrow('`count`');
  });

  test('list gives pages by key, and filters', async () => {
    const manager = world.manager({ handlers: [work, held().task] });
    const make = (key: string, more: object) =>
      manager.schedules.create({ key, handler: 'work', every: '1h', ...more } as ScheduleSpec<typeof work, 'work'>);
    for (let n = 0; n < 7; n++) await make(`k${n}`, { tags: { n: n % 2 }, submittedBy: n < 3 ? 'u' : 'v' });
    await make('ev', { every: null, on: 'paid', description: 'Says THANKS' });
    await make('other', { handler: 'held', entityId: 'e' });
    await manager.schedules.pause('k4');
    const keys = async (query: Parameters<typeof manager.schedules.list>[0]) =>
      (await manager.schedules.list(query)).items.map(({ key }) => key);
    expect(await keys({})).toEqual(['ev', 'k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'other']);
    const walked: string[][] = [];
    let cursor: string | null = null;
    do {
      const page = await manager.schedules.list({ limit: 4, ...(cursor === null ? {} : { cursor }) });
      walked.push(page.items.map(({ key }) => key));
      cursor = page.next;
    } while (cursor !== null);
    expect(walked).toEqual([['ev', 'k0', 'k1', 'k2'], ['k3', 'k4', 'k5', 'k6'], ['other']]);
    expect((await manager.schedules.list({ limit: 9 })).next).toBeNull();
    expect(await keys({ filter: { tags: { n: '1' } } })).toEqual(['k1', 'k3', 'k5']);
    expect(await keys({ filter: { submittedBy: 'u', tags: { n: 0 } }, limit: 2 })).toEqual(['k0', 'k2']);
    expect(await keys({ filter: { paused: true } })).toEqual(['k4']);
    expect(await keys({ filter: { handler: 'held', entityId: 'e', paused: false } })).toEqual(['other']);
    expect(await keys({ filter: { on: 'paid' } })).toEqual(['ev']);
    expect(await keys({ filter: { text: 'thanks' } })).toEqual(['ev']);
    await expect(keys({ limit: 0 })).rejects.toThrow('`limit`');
    await expect(keys({ filter: { nope: 1 } as object })).rejects.toThrow('`filter`');
    await expect(keys({ filter: { paused: 'x' } as object })).rejects.toThrow('`filter.paused`');
    await expect(keys({ filter: { text: 1 } as object })).rejects.toThrow('`filter.text`');
  });

  test('what is wrong is refused, and nothing is made', async () => {
    const strict = defineTask({ name: 'strict', input: z.object({ to: z.string() }), run: () => {} });
    const manager = world.manager({ handlers: [work, strict] });
    const create = (spec: object) => manager.schedules.create({ key: 'k', handler: work, ...spec } as never);
    const refusals: readonly [object, string][] = [
      [{}, 'cron'],
      [{ every: '1m', key: '' }, 'key'],
      [{ every: '1m', key: 'x'.repeat(201) }, 'key'],
      [{ every: '1m', key: undefined }, 'key'],
      [{ every: '1m', nope: 1 }, 'spec'],
      [{ every: '1m', overlap: 'maybe' }, 'overlap'],
      [{ every: '1m', missed: 'maybe' }, 'missed'],
      [{ every: '1m', missedMax: 0 }, 'missedMax'],
      [{ every: '1m', missedWithin: 'x' }, 'missedWithin'],
      [{ every: '1m', maxRuns: 0 }, 'maxRuns'],
      [{ every: '1m', jitter: '25h' }, 'jitter'],
      [{ every: '1m', priority: 0.5 }, 'priority'],
      [{ every: '1m', tags: { a: {} } }, 'tags.a'],
      [{ every: '1m', delay: '1s' }, 'spec'],
    ];
    for (const [spec, option] of refusals) {
      const error: unknown = await create(spec).catch((caught: unknown) => caught);
      expect(error, JSON.stringify(spec)).toBeInstanceOf(OptionError);
      expect((error as OptionError).option, JSON.stringify(spec)).toBe(option);
    }
    await expect(create({ handler: 'gone', every: '1m' })).rejects.toThrow(UnknownHandlerError);
    await expect(create({ handler: strict, every: '1m', input: {} })).rejects.toThrow(InputInvalidError);
    await expect(create({ every: '1m', input: 1n })).rejects.toThrow(InputInvalidError);
    await expect(manager.schedules.create(null as never)).rejects.toThrow(OptionError);
    expect((await manager.schedules.list()).items).toEqual([]);
    await create({ every: '1m' });
    await expect(create({ every: '2m' })).rejects.toThrow(ScheduleExistsError);
    await expect(manager.schedules.replace('k', { key: 'other', handler: work, every: '1m' })).rejects.toThrow('`key`');
    await manager.close();
    await expect(create({ key: 'later', every: '1m' })).rejects.toThrow(ManagerClosedError);
    await expect(manager.schedules.get('k')).rejects.toThrow(ManagerClosedError);
  });

  test('a process that does not run tasks makes none of a schedule', async () => {
    const watching = world.manager({ handlers: [work] });
    await watching.start({ run: false });
    await watching.schedules.create({ key: 'k', handler: work, every: '1m' });
    await world.clock.advance('2m');
    expect(await ticksOf(watching, 'k')).toEqual([]);
  });

  test('a handler that is gone: the task waits for it, and a warning says so', async () => {
    const first = world.manager({ handlers: [work] });
    await first.schedules.create({ key: 'k', handler: work, every: '1m', priority: 3 });
    await first.close();
    const second = await world.start({ handlers: [held().task] });
    const codes = warnings(second);
    await world.clock.advance('1m');
    expect(codes).toEqual(['handler_unserved']);
    expect(await tasksOf(second, 'k')).toMatchObject([{ status: 'queued', handler: 'work', priority: 3 }]);
    second.register(work);
    await world.clock.advance('1s');
    expect(await tasksOf(second, 'k')).toMatchObject([{ status: 'succeeded' }]);
  });

  test('where there are maxQueued tasks the tick waits for room', async () => {
    const { task, open } = held();
    const manager = await world.start({ handlers: [task], maxQueued: 1, concurrency: 1 });
    const codes = warnings(manager);
    await manager.submit(task, null);
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: task, times: [begun + 1_000] });
    await world.clock.advance('2s');
    expect(codes).toContain('schedule_delayed');
    expect(await ticksOf(manager, 'k')).toEqual([]);
    open();
    await world.clock.advance('10s');
    expect(await ticksOf(manager, 'k')).toEqual([begun + 1_000]);
  });

  test('of many ticks at once those for which there is room make their tasks, and the others theirs later', async () => {
    const { task, open } = held();
    const manager = await world.start({ handlers: [task], maxQueued: 5 });
    const begun = world.clock.now();
    const keys = Array.from({ length: 12 }, (_, n) => `k${n}`);
    for (const key of keys) await manager.schedules.create({ key, handler: task, times: [begun + 1_000] });
    await world.clock.advance('1s');
    const made = async () => (await Promise.all(keys.map((key) => ticksOf(manager, key)))).flat();
    expect(await made()).toEqual(Array.from({ length: 5 }, () => begun + 1_000));
    open();
    await world.clock.advance('30s');
    expect(await made()).toEqual(keys.map(() => begun + 1_000));
  });
});

describe('types', () => {
  test('the input is that of the handler', () => {
    const typed = defineTask({ name: 'typed', run: (input: { to: string }) => input.to });
    const right: ScheduleSpec<typeof typed, 'typed'> = { key: 'k', handler: 'typed', input: { to: 'a' }, every: '1m' };
    // @ts-expect-error the input is missing
    const missing: ScheduleSpec<typeof typed, 'typed'> = { key: 'k', handler: 'typed', every: '1m' };
    // @ts-expect-error another input
    const wrong: ScheduleSpec<typeof typed, typeof typed> = { key: 'k', handler: typed, input: 1, every: '1m' };
    expect([right, missing, wrong]).toHaveLength(3);
  });
});
