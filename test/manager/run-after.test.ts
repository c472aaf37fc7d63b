import { OptionError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage("unique with onConflict 'runAfter'", (world) => {
  const unique = { key: 'docs', onConflict: 'runAfter' } as const;

  test('while one runs, one waits, and the last input is the one that runs then', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    const second = await manager.submit('work', 2, { unique });
    expect(second).toMatchObject({ created: true, matched: null });
    expect(await manager.get(second.id)).toMatchObject({ status: 'waiting', queuedAt: null, uniqueKey: 'docs' });
    for (const input of [3, 4]) {
      const again = await manager.submit('work', input, { unique });
      expect(again).toMatchObject({ id: second.id, created: false, matched: 'unique' });
    }
    run.finish('first');
    expect(await first.result()).toBe('first');
    const next = await work.next();
    expect(next.input).toBe(4);
    const third = await manager.submit('work', 5, { unique });
    expect(third).toMatchObject({ created: true });
    next.finish('second');
    expect(await second.result()).toBe('second');
    const last = await work.next();
    expect(last.input).toBe(5);
    last.finish();
    await third.result();
    expect(await manager.count()).toBe(3);
  });

  test('before one has started, the earlier task becomes the new one', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const first = await manager.submit('work', 1, { unique });
    expect(await manager.submit('work', 2, { unique })).toMatchObject({ id: first.id, matched: 'unique' });
    expect(await manager.get(first.id)).toMatchObject({ input: 2, status: 'queued' });
  });

  test('a cancel of the one that runs lets the other run', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    const second = await manager.submit('work', 2, { unique });
    await first.cancel();
    run.finish();
    const next = await work.next();
    expect(next.input).toBe(2);
    next.finish();
    await second.result();
  });

  test('a deletion of the one before takes nobody along who waited his turn, and is not refused for him', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    const second = await manager.submit('work', 2, { unique });
    const other = await manager.submit('work', 3, { dependsOn: [first.id] });
    const refused = await errorOf(manager.delete(first.id, { cancel: true }));
    expect(refused).toMatchObject({ code: 'related_tasks', related: [other.id] });
    const cancelled = new Promise((resolve) => run.context.signal.addEventListener('abort', resolve));
    const deleting = manager.delete(first.id, { cancel: true, related: true, purge: true });
    await cancelled;
    run.fail('stopped');
    await deleting;
    expect([await manager.get(first.id), await manager.get(other.id)]).toEqual([null, null]);
    (await work.next()).finish('ran');
    expect(await second.result()).toBe('ran');
    const third = await manager.submit('work', 4, { unique, dependsOn: [] });
    (await work.next()).finish();
    await third.result();
    const needs = await manager.submit('work', 5, { unique: { key: 'docs' }, dependsOn: [third.id] });
    expect(await errorOf(manager.delete(third.id))).toMatchObject({ related: [needs.id] });
    (await work.next()).finish();
    await needs.result();
  });

  test('listeners hear that it waits, and later that it is queued', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.submit('work', 1, { unique });
    const run = await work.next();
    const heard: unknown[] = [];
    for (const name of ['task:created', 'task:updated', 'task:queued'] as const) {
      manager.on(name, ({ task: { status, input } }) => heard.push([name, status, input]));
    }
    const second = await manager.submit('work', 2, { unique });
    await manager.submit('work', 3, { unique });
    run.finish();
    (await work.next()).finish();
    await second.result();
    expect(heard).toEqual([
      ['task:created', 'waiting', 2],
      ['task:updated', 'waiting', 3],
      ['task:queued', 'queued', 3],
    ]);
  });

  test.each([
    ['unique.scope', { unique: { ...unique, scope: 'unstarted' } }],
    ['unique.scope', { unique: { ...unique, scope: { window: '1s' } } }],
    ['hold', { unique, hold: true }],
  ])('%s is refused in %j', async (option, options) => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const error = await errorOf(manager.submit('work', 1, options as never));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
  });
});
