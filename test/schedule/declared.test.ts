import { type DeclaredSchedule, type OnOrphan, OptionError, TaskManager, UnknownHandlerError } from 'tasklane';
import { expect, test } from 'vitest';
import { meet } from '../support/meet.ts';
import { onEachStorage } from '../support/world.ts';
import { ticksOf, warnings, work } from './support.ts';

onEachStorage('schedules that stand in the code', (world) => {
  async function restart(schedules: readonly DeclaredSchedule[], onOrphan?: OnOrphan) {
    const manager = world.manager({ handlers: [work], schedules, onOrphan });
    const codes = warnings(manager);
    await manager.start();
    return { manager, codes };
  }
  const nightly = { key: 'nightly', handler: work, cron: '0 0 * * *', tags: { a: 1, b: 2 } } as const;

  test('are made at start, and left alone while they stay the same', async () => {
    const { manager } = await restart([nightly]);
    const made = await manager.schedules.get('nightly');
    expect(made).toMatchObject({ declared: true, version: 1, cron: '0 0 * * *' });
    await manager.close();
    await world.clock.advance('1h');
    const second = await restart([{ ...nightly, handler: 'work', tags: { b: 2, a: 1 } }]);
    expect(await second.manager.schedules.get('nightly')).toEqual(made);
    expect(second.codes).toEqual([]);
  });

  test('a period goes on where it was, over a restart', async () => {
    const every = { key: 'e', handler: work, every: '1m' } as const;
    const begun = world.clock.now();
    const { manager } = await restart([every]);
    await world.clock.advance('90s');
    await manager.close();
    const second = await restart([every]);
    await world.clock.advance('31s');
    expect(await ticksOf(second.manager, 'e')).toEqual([begun + 60_000, begun + 120_000]);
  });

  test('changed ones are changed, and stay paused', async () => {
    const { manager } = await restart([nightly]);
    await manager.schedules.pause('nightly');
    await manager.close();
    const second = await restart([{ ...nightly, cron: '0 1 * * *', input: 5 }]);
    expect(await second.manager.schedules.get('nightly')).toMatchObject({
      ...{ cron: '0 1 * * *', input: 5, nextRunAt: null, declared: true },
      pausedAt: expect.any(Number),
    });
  });

  test.each<[OnOrphan | undefined, object | null]>([
    [undefined, { pausedAt: null }],
    ['report', { pausedAt: null }],
    ['pause', { pausedAt: expect.any(Number), nextRunAt: null }],
    ['delete', null],
  ])('those that left the code: %s', async (onOrphan, expected) => {
    const { manager } = await restart([nightly, { ...nightly, key: 'stays' }]);
    await manager.schedules.create({ key: 'made', handler: work, every: '1h' });
    await manager.close();
    const second = await restart([{ ...nightly, key: 'stays' }], onOrphan);
    expect(second.codes).toEqual(['schedule_orphaned']);
    const found = await second.manager.schedules.get('nightly');
    if (expected === null) expect(found).toBeNull();
    else expect(found).toMatchObject(expected);
    for (const key of ['made', 'stays']) {
      expect(await second.manager.schedules.get(key)).toMatchObject({ pausedAt: null });
    }
  });

  test('one that was paused as an orphan goes on when it is back; one that somebody paused does not', async () => {
    const minutely = { key: 'a', handler: work, every: '1m' } as const;
    const both = [minutely, { ...minutely, key: 'b' }, { ...minutely, key: 'c' }];
    const first = await restart(both);
    await first.manager.schedules.pause('b');
    await first.manager.close();
    const without = await restart([], 'pause');
    expect(without.codes).toEqual(['schedule_orphaned', 'schedule_orphaned', 'schedule_orphaned']);
    await without.manager.schedules.pause('c');
    await world.clock.advance('10m');
    await without.manager.close();
    const { manager } = await restart(both, 'pause');
    const now = world.clock.now();
    expect(await manager.schedules.get('a')).toMatchObject({ pausedAt: null });
    await world.clock.advance('1m');
    expect(await ticksOf(manager, 'a')).toEqual([now + 60_000]);
    for (const key of ['b', 'c']) {
      expect(await manager.schedules.get(key)).toMatchObject({ pausedAt: expect.any(Number), nextRunAt: null });
      expect(await ticksOf(manager, key)).toEqual([]);
    }
  });

  test.each<OnOrphan>(['report', 'pause', 'delete'])('two programs with lists of their own: %s', async (onOrphan) => {
    const spec = { handler: work, every: '1m' } as const;
    const [own, shared, others] = [
      { key: 'own', ...spec },
      { key: 'shared', ...spec },
      { key: 'others', ...spec },
    ];
    const one = await restart([own, shared], onOrphan);
    await world.clock.advance('1m');
    const other = await restart([shared, others], onOrphan);
    expect([one.codes, other.codes]).toEqual([[], ['schedule_orphaned']]);
    await world.clock.advance('2m');
    const counts = async () =>
      Promise.all(['own', 'shared', 'others'].map(async (key) => (await ticksOf(one.manager, key)).length));
    expect(await counts()).toEqual(onOrphan === 'report' ? [3, 3, 2] : [1, 3, 2]);
    // Whoever starts last has the others for orphans.
    await one.manager.close();
    const again = await restart([own, shared], onOrphan);
    expect(again.codes).toEqual(['schedule_orphaned']);
    await world.clock.advance('2m');
    const goesOn = onOrphan === 'report';
    const made = await Promise.all(['own', 'shared', 'others'].map((key) => ticksOf(again.manager, key)));
    expect(made.map(({ length }) => length)).toEqual(goesOn ? [5, 5, 4] : [3, 5, 2]);
    const found = await again.manager.schedules.get('others');
    if (onOrphan === 'delete') expect(found).toBeNull();
    else expect(found).toMatchObject({ pausedAt: goesOn ? null : expect.any(Number), declared: true });
  });

  test.each<OnOrphan>(['report', 'pause', 'delete'])(
    'several that start at once with one orphan: %s',
    async (onOrphan) => {
      const first = await restart([nightly, { ...nightly, key: 'stays' }]);
      await first.manager.close();
      const all = await Promise.all([1, 2, 3].map(() => restart([{ ...nightly, key: 'stays' }], onOrphan)));
      for (const { codes } of all) expect(codes.every((code) => code === 'schedule_orphaned')).toBe(true);
      expect(all.flatMap(({ codes }) => codes).length).toBeGreaterThan(0);
      const [{ manager }] = all as [(typeof all)[0]];
      expect(await manager.schedules.get('stays')).toMatchObject({ pausedAt: null });
    },
  );

  test('one that another process deletes as its orphan meanwhile is made again', async () => {
    const first = await restart([nightly]);
    await first.manager.close();
    const other = world.manager({ handlers: [work] });
    const orphaned = () => other.schedules.delete('nightly');
    const storage = meet(world.connect(), 'after', 'document', orphaned, (kind) => kind === 'schedule');
    const manager = world.manager({ handlers: [work], storage, schedules: [{ ...nightly, input: 1 }] });
    await manager.start();
    expect(await manager.schedules.get('nightly')).toMatchObject({ input: 1, declared: true });
  });

  test.each<[string, readonly object[], RegExp]>([
    ['a rule', [nightly, { ...nightly, key: 'b', cron: '61 * * * *' }], /^`schedules\.1\.cron` must be /],
    ['no rule', [{ key: 'b', handler: work }], /^`schedules\.0\.cron` must be given, or another one of cron, rrule, /],
    [
      'a key nobody knows',
      [{ ...nightly, timezone: 'UTC' }],
      /^`schedules\.0` must .+ has "timezone" \(timeZone\?\)\.$/,
    ],
    [
      'a key twice',
      [nightly, nightly],
      /^`schedules\.1\.key` must be one that no other schedule has, but is "nightly"/,
    ],
    ['no key', [{ ...nightly, key: '' }], /^`schedules\.0\.key` must be /],
    ['no schedule', [null as never], /^`schedules\.0/],
  ])('names the one that is wrong: %s', async (_what, schedules, message) => {
    const manager = world.manager({ handlers: [work], schedules: schedules as readonly DeclaredSchedule[] });
    await expect(manager.start()).rejects.toThrow(OptionError);
    await expect(manager.start()).rejects.toThrow(message);
    expect((await manager.schedules.list()).items).toEqual([]);
  });

  test('without the option nothing is compared; an empty list has left all', async () => {
    const { manager } = await restart([nightly]);
    await manager.close();
    const none = world.manager({ handlers: [work], onOrphan: 'delete' });
    await none.start();
    expect(await none.schedules.get('nightly')).not.toBeNull();
    await none.close();
    const empty = await restart([], 'delete');
    expect(await empty.manager.schedules.get('nightly')).toBeNull();
  });

  test('one that create made is taken over by its key', async () => {
    const first = world.manager({ handlers: [work] });
    await first.schedules.create({ key: 'nightly', handler: work, every: '1m' });
    await first.close();
    const { manager } = await restart([nightly]);
    expect(await manager.schedules.get('nightly')).toMatchObject({ declared: true, every: null, cron: '0 0 * * *' });
  });

  test('one whose end has passed keeps nobody from starting', async () => {
    const end = world.clock.now() - 1;
    const { manager } = await restart([
      { ...nightly, end },
      { key: 't', handler: work, times: [end] },
    ]);
    expect(await manager.schedules.get('nightly')).toMatchObject({ nextRunAt: null });
    expect(await manager.schedules.get('t')).toMatchObject({ nextRunAt: null });
  });

  test('what is wrong keeps it from starting, and changes nothing', async () => {
    const bad = { key: 'bad', handler: work, cron: 'nonsense' };
    await expect(restart([nightly, bad])).rejects.toThrow(OptionError);
    await expect(restart([nightly, nightly])).rejects.toThrow('`schedules.1.key`');
    await expect(restart([nightly, { ...nightly, key: 'x', handler: 'gone' }])).rejects.toThrow(UnknownHandlerError);
    const watching = world.manager({ handlers: [work] });
    expect((await watching.schedules.list()).items).toEqual([]);
    expect(() => new TaskManager({ schedules: {} as never })).toThrow('`schedules`');
    expect(() => new TaskManager({ onOrphan: 'x' as never })).toThrow('`onOrphan`');
  });

  test('two processes that start at once agree', async () => {
    const list = Array.from({ length: 20 }, (_, n) => ({ ...nightly, key: `k${n}` }));
    const both = await Promise.all([restart(list), restart(list)]);
    const { items } = await (both[0] as (typeof both)[0]).manager.schedules.list();
    expect(items.map(({ version }) => version)).toEqual(list.map(() => 1));
  });
});
