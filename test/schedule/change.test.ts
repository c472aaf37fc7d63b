import { type TaskManager, VersionConflictError } from 'tasklane';
import { expect, test } from 'vitest';
import { meet } from '../support/meet.ts';
import { onEachStorage } from '../support/world.ts';
import { ticksOf, work } from './support.ts';

onEachStorage('changing schedules', (world) => {
  test('its version moves with what it was told, and not with its ticks', async () => {
    const manager = await world.start({ handlers: [work] });
    const { schedules } = manager;
    const spec = { handler: work, every: '1m' } as const;
    const { version } = await schedules.create({ key: 'k', ...spec });
    await world.clock.advance('3m');
    await schedules.trigger('k');
    await schedules.resume('k');
    expect(await schedules.get('k')).toMatchObject({ version, runs: 3 });
    const replaced = await schedules.replace('k', { ...spec, input: 1 }, { ifVersion: version });
    const old = { ifVersion: version };
    for (const call of [
      schedules.replace('k', { ...spec, input: 2 }, old),
      schedules.pause('k', old),
      schedules.resume('k', old),
      schedules.delete('k', old),
    ]) {
      await expect(call).rejects.toThrow(VersionConflictError);
    }
    expect(await schedules.get('k')).toEqual(replaced);
    await world.clock.advance('1m');
    const paused = await schedules.pause('k', { ifVersion: replaced.version });
    const resumed = await schedules.resume('k', { ifVersion: paused.version });
    expect(new Set([version, replaced.version, paused.version, resumed.version]).size).toBe(4);
    await world.clock.advance('1m');
    await schedules.delete('k', { ifVersion: resumed.version });
    const anew = await schedules.create({ key: 'k', ...spec });
    await expect(schedules.delete('k', { ifVersion: version })).rejects.toThrow(VersionConflictError);
    expect(await schedules.get('k')).toEqual(anew);
    await expect(schedules.pause('k', { ifVersion: 0 })).rejects.toThrow('`ifVersion`');
    await expect(schedules.replace('k', spec, { version: 1 } as object)).rejects.toThrow('`options`');
  });

  test('of many that replace one version, one does', async () => {
    const managers = await Promise.all([1, 2, 3].map(() => world.start({ handlers: [work] })));
    const [one] = managers as [TaskManager<[typeof work]>];
    const { version } = await one.schedules.create({ key: 'k', handler: work, every: '1s' });
    const tries = managers.map((manager, input) =>
      manager.schedules.replace('k', { handler: work, every: '1s', input }, { ifVersion: version }),
    );
    const [answers] = await Promise.all([Promise.allSettled(tries), world.clock.advance('3s')]);
    const done = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(done).toHaveLength(1);
    expect((await one.schedules.get('k'))?.input).toBe(done[0]?.input);
    expect(await ticksOf(one, 'k')).toHaveLength(3);
  });

  test('pauseAll pauses what matches, of somebody or of all', async () => {
    const manager = await world.start({ handlers: [work] });
    const { schedules } = manager;
    const make = (key: string, submittedBy: string, rule: object = { every: '1m' }) =>
      schedules.create({ key, handler: work, submittedBy, ...rule });
    for (let n = 0; n < 3; n++) await make(`a${n}`, 'gone');
    await make('event', 'gone', { on: 'paid' });
    await make('stays', 'here');
    await schedules.pause('a1');
    await world.clock.advance('1m');
    expect(await schedules.pauseAll({ submittedBy: 'gone' })).toBe(3);
    expect(await schedules.pauseAll({ submittedBy: 'gone' })).toBe(0);
    await world.clock.advance('2m');
    await manager.publish('paid', 1);
    const made = await Promise.all(['a0', 'a1', 'a2', 'event', 'stays'].map((key) => ticksOf(manager, key)));
    expect(made.map(({ length }) => length)).toEqual([1, 0, 1, 0, 3]);
    await schedules.resume('a0');
    await expect(schedules.pauseAll({ submittedBy: undefined } as object)).rejects.toThrow('`filter.submittedBy`');
    await expect(schedules.pauseAll({ nope: 1 } as object)).rejects.toThrow('`filter`');
    await expect(schedules.pauseAll(undefined as never)).rejects.toThrow('`filter`');
    expect(await schedules.get('a0')).toMatchObject({ pausedAt: null });
    expect(await schedules.pauseAll({})).toBe(2);
  });

  test('pauseAll leaves what was given to somebody else meanwhile, and minds nothing that is gone', async () => {
    const other = world.manager({ handlers: [work] });
    const storage = meet(world.connect(), 'after', 'documents', async () => {
      await other.schedules.replace('a', { handler: work, every: '1m', submittedBy: 'here' });
      await other.schedules.delete('b');
    });
    const one = world.manager({ handlers: [work], storage });
    for (const key of ['a', 'b', 'c']) {
      await other.schedules.create({ key, handler: work, every: '1m', submittedBy: 'gone' });
    }
    expect(await one.schedules.pauseAll({ submittedBy: 'gone' })).toBe(1);
    expect(await one.schedules.get('a')).toMatchObject({ pausedAt: null });
    expect(await one.schedules.get('c')).toMatchObject({ pausedAt: expect.any(Number) });
  });

  test('ifVersion holds for a delete that meets a change', async () => {
    const other = world.manager({ handlers: [work] });
    const { version } = await other.schedules.create({ key: 'k', handler: work, every: '1m' });
    const change = () => other.schedules.pause('k');
    const storage = meet(world.connect(), 'after', 'document', change, (kind) => kind === 'schedule');
    const one = world.manager({ handlers: [work], storage });
    await expect(one.schedules.delete('k', { ifVersion: version })).rejects.toThrow(VersionConflictError);
    expect(await other.schedules.get('k')).toMatchObject({ pausedAt: expect.any(Number) });
  });
});
