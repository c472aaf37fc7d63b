import { type DeclaredSchedule, type OnOrphan, OptionError, TaskManager, UnknownHandlerError } from 'tasklane';
import { expect, test } from 'vitest';
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
    await expect(restart([nightly, nightly])).rejects.toThrow('`schedules`');
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
