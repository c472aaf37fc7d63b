import fc from 'fast-check';
import type { ScheduleRule, TaskManager } from 'tasklane';
import { expect, test } from 'vitest';
import { boundTo } from '../../src/schedule/bindings.ts';
import { meet } from '../support/meet.ts';
import { onEachStorage } from '../support/world.ts';
import { held, tasksOf, ticksOf, warnings, work } from './support.ts';

const rule: fc.Arbitrary<ScheduleRule> = fc.oneof(
  fc.record({
    cron: fc.constantFrom('*/7 * * * *', '0,20 1-3 * * *', '15 2 * * *', '30 */5 * * *', '0 0 0/3 ? * *', '@hourly'),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/New_York'),
  }),
  fc.record({
    rrule: fc.constantFrom(
      'FREQ=HOURLY;INTERVAL=5',
      'FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=10,40;BYSECOND=0',
      'FREQ=MINUTELY;INTERVAL=17;COUNT=20',
    ),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe'),
  }),
  fc.record({ every: fc.integer({ min: 300_000, max: 7_200_000 }) }),
  fc.record({
    every: fc.integer({ min: 600_000, max: 7_200_000 }),
    wallClock: fc.constant(true),
    timeZone: fc.constantFrom('Europe/Berlin', 'Australia/Lord_Howe'),
  }),
);

onEachStorage('schedules of several processes', (world) => {
  test('each tick has one task', async () => {
    const managers = await Promise.all([1, 2, 3].map(() => world.start({ handlers: [work] })));
    const begun = world.clock.now();
    const [one] = managers as [TaskManager<[typeof work]>];
    for (let n = 0; n < 20; n++) await one.schedules.create({ key: `k${n}`, handler: work, every: '1s' });
    await world.clock.advance('5s');
    for (let n = 0; n < 20; n++) {
      expect(await ticksOf(one, `k${n}`)).toEqual([1, 2, 3, 4, 5].map((s) => begun + s * 1_000));
    }
  });

  test('a change meets a tick: neither is lost', async () => {
    const managers = await Promise.all([1, 2].map(() => world.start({ handlers: [work] })));
    const begun = world.clock.now();
    const [one, other] = managers as [TaskManager<[typeof work]>, TaskManager<[typeof work]>];
    await one.schedules.create({ key: 'k', handler: work, every: '1s' });
    for (let n = 1; n <= 10; n++) {
      const [, replaced] = await Promise.all([
        world.clock.advance('1s'),
        other.schedules.replace('k', { handler: work, input: n, every: '1s' }),
        one.schedules.trigger('k'),
      ]);
      expect(replaced.input).toBe(n);
    }
    const ticks = await ticksOf(one, 'k');
    expect(ticks.filter((tick) => tick !== null)).toEqual(
      Array.from({ length: 10 }, (_, n) => begun + (n + 1) * 1_000),
    );
    expect(ticks.filter((tick) => tick === null)).toHaveLength(10);
  });

  /** The tick of `k` is due; `other` does something to it between the look at it and the write that makes its task. */
  async function meetTick(rule: object, meanwhile: (other: TaskManager<[typeof work]>) => Promise<unknown>) {
    const other = world.manager({ handlers: [work] });
    const storage = meet(
      world.connect(),
      'before',
      'insert',
      () => meanwhile(other),
      (_drafts, options) => ((options as { documents?: unknown[] } | undefined)?.documents?.length ?? 0) > 0,
    );
    const begun = world.clock.now();
    await other.schedules.create({ key: 'k', handler: work, input: 'old', every: '1m', ...rule });
    const manager = await world.start({ handlers: [work], storage });
    const codes = warnings(manager);
    await world.clock.advance('1m');
    return { other, manager, codes, minutes: (n: number) => begun + n * 60_000 };
  }

  test('deleted while a tick fires: it makes no task, and a new one of the key has none of the old one’s', async () => {
    const { other, codes, minutes } = await meetTick({}, (one) => one.schedules.delete('k'));
    await world.clock.advance('1m');
    expect(await ticksOf(other, 'k')).toEqual([]);
    await other.schedules.create({ key: 'k', handler: work, every: '5m' });
    await world.clock.advance('5m');
    expect(await ticksOf(other, 'k')).toEqual([minutes(7)]);
    expect(codes).toEqual([]);
  });

  test('deleted and made anew while a tick fires: the old one’s tick makes no task of the new one', async () => {
    const { other, minutes } = await meetTick({}, async (one) => {
      await one.schedules.delete('k');
      await one.schedules.create({ key: 'k', handler: work, every: '1m' });
    });
    await world.clock.advance('1m');
    expect(await ticksOf(other, 'k')).toEqual([minutes(2)]);
  });

  test('a tick that fires while it is deleted has its task, and the schedule is gone', async () => {
    const running = await world.start({ handlers: [work] });
    const begun = world.clock.now();
    await running.schedules.create({ key: 'k', handler: work, every: '1m' });
    const fire = () => world.clock.advance('1m');
    const storage = meet(world.connect(), 'after', 'document', fire, (kind) => kind === 'schedule');
    await world.manager({ handlers: [work], storage }).schedules.delete('k');
    await world.clock.advance('2m');
    expect(await running.schedules.get('k')).toBeNull();
    expect(await ticksOf(running, 'k')).toEqual([begun + 60_000]);
  });

  test('many deletes meet many ticks: of each at most one task, and no error', async () => {
    const managers = await Promise.all([1, 2].map(() => world.start({ handlers: [work] })));
    const [one, other] = managers as [TaskManager<[typeof work]>, TaskManager<[typeof work]>];
    const errors: unknown[] = [];
    for (const each of managers) each.on('error', ({ error }) => void errors.push(error));
    for (let round = 0; round < 10; round++) {
      const tick = world.clock.now() + 1_000;
      await one.schedules.create({ key: 'k', handler: work, times: [tick, tick + 500] });
      await Promise.all([world.clock.advance('1s'), other.schedules.delete('k')]);
      const made = (await ticksOf(one, 'k')).filter((each) => (each ?? 0) >= tick);
      expect([[], [tick]]).toContainEqual(made);
      await world.clock.advance('1s');
      expect(await one.schedules.get('k')).toBeNull();
    }
    expect(errors).toEqual([]);
  });

  test('replaced while a tick is due: with the same rule the tick has what it says now', async () => {
    const { other, minutes } = await meetTick({}, (one) =>
      one.schedules.replace('k', { handler: work, input: 'new', every: '1m' }),
    );
    expect((await tasksOf(other, 'k')).map(({ tick, input }) => [tick, input])).toEqual([[minutes(1), 'new']]);
  });

  test('replaced while a tick is due: with another rule it begins anew', async () => {
    const { other, minutes } = await meetTick({}, (one) =>
      one.schedules.replace('k', { handler: work, input: 'new', every: '3m' }),
    );
    await world.clock.advance('3m');
    expect((await tasksOf(other, 'k')).map(({ tick, input }) => [tick, input])).toEqual([[minutes(4), 'new']]);
  });

  test('paused while a tick is due: it makes no task', async () => {
    const { other } = await meetTick({}, (one) => one.schedules.pause('k'));
    await world.clock.advance('3m');
    expect(await ticksOf(other, 'k')).toEqual([]);
    expect(await other.schedules.get('k')).toMatchObject({ pausedAt: expect.any(Number), runs: 0 });
  });

  test('a lost hint costs no more than a sweep', async () => {
    const deaf = world.mute({ deaf: true });
    const runs = await world.start({ handlers: [work], storage: deaf.storage });
    const makes = world.manager({ handlers: [work] });
    const begun = world.clock.now();
    await makes.schedules.create({ key: 'k', handler: work, times: [begun + 1_000, begun + 20_000] });
    await world.clock.advance('6s');
    expect(await ticksOf(runs, 'k')).toEqual([begun + 1_000]);
  });

  test('a storage that fails for a while costs no tick, and no second task', async () => {
    const link = world.mute();
    const manager = await world.start({ handlers: [work], storage: link.storage });
    const errors: unknown[] = [];
    manager.on('error', ({ error }) => void errors.push(error));
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: work, every: '1s' });
    link.fail('insert', 1, true);
    await world.clock.advance('3s');
    link.fail('insert', 2);
    await world.clock.advance('20s');
    expect(errors.length).toBeGreaterThan(0);
    expect(await ticksOf(manager, 'k')).toEqual(Array.from({ length: 23 }, (_, n) => begun + (n + 1) * 1_000));
  });

  test('what a preview says is what runs, while a process is up and when one comes back', {
    timeout: 60_000,
  }, async () => {
    const day = fc.constantFrom('2030-03-30', '2030-10-26', '2030-04-06', '2030-10-05');
    await fc.assert(
      fc.asyncProperty(rule, day, fc.integer({ min: 0, max: 1_439 }), async (spec, date, minute) => {
        const at = Date.parse(`${date}T00:00Z`) + minute * 60_000;
        await world.clock.advance(Math.max(0, at - world.clock.now()));
        const first = await world.start({ handlers: [work] });
        const from = world.clock.now();
        const all = await first.schedules.preview({ ...spec, from }, 1_000);
        await first.schedules.create({ key: `${from}`, handler: work, ...spec, missed: 'all', missedMax: 1_000 });
        await world.clock.advance('90s');
        await first.close();
        await world.clock.advance('36h');
        const second = await world.start({ handlers: [work] });
        await world.clock.advance(1);
        const expected = all.filter((tick) => tick <= world.clock.now());
        expect(await ticksOf(second, `${from}`)).toEqual(expected);
        await second.schedules.delete(`${from}`);
        await second.close();
      }),
      { numRuns: 12, endOnFailure: true },
    );
  });

  test('a rule that cannot be computed any more is paused, and stands in nobody’s way', async () => {
    const manager = await world.start({ handlers: [work] });
    const told: string[] = [];
    manager.on('warning', ({ code, message }) => void told.push(`${code}: ${message}`));
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'a', handler: work, cron: '* * * * * *' });
    await manager.schedules.create({ key: 'b', handler: work, every: '1s' });
    const storage = world.connect();
    await storage.open({ clock: world.clock });
    const { value } = (await storage.document('schedule', 'a')) ?? {};
    const broken = JSON.parse(JSON.stringify(value).replace('* * * * * *', 'no more'));
    await storage.putDocument('schedule', 'a', broken, { dueAt: begun + 1_000 });
    await world.clock.advance('3s');
    expect(told).toEqual([expect.stringMatching(/^schedule_failed: Schedule a cannot be computed/)]);
    expect(await manager.schedules.get('a')).toMatchObject({ pausedAt: begun + 1_000, nextRunAt: null });
    expect(await ticksOf(manager, 'a')).toEqual([]);
    expect(await ticksOf(manager, 'b')).toHaveLength(3);
    await manager.schedules.replace('a', { handler: work, cron: '* * * * * *' });
    await manager.schedules.resume('a');
    await world.clock.advance('1s');
    expect(await ticksOf(manager, 'a')).toHaveLength(1);
    await storage.close();
  });

  test('what a later version wrote, and this one cannot read, stands in nobody’s way', async () => {
    const manager = await world.start({ handlers: [work] });
    const codes = warnings(manager);
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'a', handler: work, every: '1s', overlap: 'skip' });
    await manager.schedules.create({ key: 'b', handler: work, every: '1s' });
    const storage = world.connect();
    await storage.open({ clock: world.clock });
    const { value } = (await storage.document('schedule', 'a')) ?? {};
    const later = JSON.parse(JSON.stringify(value).replace('"skip"', '"later"'));
    await storage.putDocument('schedule', 'a', later, { dueAt: begun + 1_000 });
    await world.clock.advance('3s');
    expect(codes).toEqual(['schedule_failed']);
    expect(await manager.schedules.get('a')).toMatchObject({ pausedAt: begun + 1_000 });
    expect(await ticksOf(manager, 'b')).toHaveLength(3);
    await storage.close();
  });

  test('one that the storage holds for due, and that is not, keeps nobody busy', async () => {
    const link = world.mute();
    const manager = await world.start({ handlers: [work], storage: link.storage });
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'a', handler: work, times: [begun + 60_000] });
    await manager.schedules.create({ key: 'b', handler: work, every: '1s' });
    const storage = world.connect();
    await storage.open({ clock: world.clock });
    const { value = null } = (await storage.document('schedule', 'a')) ?? {};
    await storage.putDocument('schedule', 'a', value, { dueAt: begun + 1_000 }); // as of a version that reckons otherwise
    await world.clock.advance('3s');
    expect(link.calls.dueDocuments).toBeLessThan(50);
    await world.clock.advance('60s');
    expect(await ticksOf(manager, 'a')).toEqual([begun + 60_000]);
    expect(await ticksOf(manager, 'b')).toHaveLength(63);
    await storage.close();
  });

  test('cancelPrevious: a storage that fails between the cancel and the next task costs neither', async () => {
    const link = world.mute();
    const { task, open } = held();
    const manager = await world.start({ handlers: [task], storage: link.storage });
    manager.on('error', () => {});
    const begun = world.clock.now();
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap: 'cancelPrevious' });
    await world.clock.advance('1m');
    link.fail('insert', 1);
    await world.clock.advance('70s');
    const made = await tasksOf(manager, 'k');
    expect(made.map(({ tick, status }) => [tick, status])).toEqual([
      [begun + 60_000, 'cancelled'],
      [begun + 120_000, 'running'],
    ]);
    open();
    await world.clock.advance('1s');
  });

  test('two processes whose clocks differ: each tick once', async () => {
    const still = world.clock;
    const ahead = await world.start({ handlers: [work], clock: { ...still, now: () => still.now() + 4_000 } });
    const right = await world.start({ handlers: [work] });
    const begun = still.now();
    for (const [key, one] of [
      ['a', ahead],
      ['r', right],
    ] as const) {
      await one.schedules.create({ key, handler: work, cron: '*/10 * * * * *', missed: 'all' });
    }
    await still.advance('35s');
    for (const key of ['a', 'r']) {
      const ticks = await ticksOf(right, key);
      expect(ticks.at(-1)).toBe(begun + 30_000);
      expect(ticks).toEqual([...new Set(ticks)]);
    }
  });

  test('those bound to an event are found by it, and no others', async () => {
    const manager = world.manager({ handlers: [work] });
    const storage = world.connect();
    await storage.open({ clock: world.clock });
    const bound = async (event: string) => (await boundTo(storage, event, world.clock.now())).map(({ key }) => key);
    await manager.schedules.create({ key: 'a', handler: work, on: 'paid' });
    await manager.schedules.create({ key: 'b', handler: work, on: 'paid', end: world.clock.now() + 1_000 });
    await manager.schedules.create({ key: 'c', handler: work, on: 'sent', start: world.clock.now() + 1_000 });
    await manager.schedules.create({ key: 'd', handler: work, every: '1h' });
    expect([await bound('paid'), await bound('sent'), await bound('other')]).toEqual([['a', 'b'], [], []]);
    await manager.schedules.replace('a', { handler: work, on: 'sent' });
    await manager.schedules.replace('d', { handler: work, on: 'other' });
    await world.clock.advance('2s');
    expect([await bound('paid'), await bound('sent'), await bound('other')]).toEqual([[], ['a', 'c'], ['d']]);
    await manager.schedules.pause('c');
    await manager.schedules.delete('a');
    await manager.schedules.replace('d', { handler: work, every: '1h' });
    expect([await bound('sent'), await bound('other')]).toEqual([[], []]);
    await manager.close();
    await storage.close();
  });
});
