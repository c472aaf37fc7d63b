import { type FlowItem, IdempotencyConflictError, OptionError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('a flow at submit', (world) => {
  const open = () => world.manager({ handlers: [controlled('work'), controlled('other')] });

  test('items name each other by ref, in any order, and wait for each other', async () => {
    const manager = open();
    const [load, extract] = await manager.submitMany([
      { handler: 'work', dependsOn: ['extract', { id: 'clean', onFailure: 'skip' }] },
      { handler: 'work', ref: 'extract' },
      { handler: 'other', ref: 'clean', dependsOn: ['extract'] },
    ]);
    expect((await manager.list({ sort: 'id' })).items.map(({ status }) => status)).toEqual([
      'waiting',
      'queued',
      'waiting',
    ]);
    const { dependencies, dependents } = await manager.related(load.id);
    expect(dependencies.map(({ task, onFailure, waiting }) => [task.handler, onFailure, waiting])).toEqual([
      ['work', 'fail', true],
      ['other', 'skip', true],
    ]);
    expect(dependents).toEqual([]);
    expect((await manager.related(extract.id)).dependents).toHaveLength(2);
  });

  test('a task may wait for one that is there already', async () => {
    const manager = open();
    const first = await manager.submit('work');
    const second = await manager.submit('work', null, { dependsOn: [{ id: first.id, onFailure: 'run' }], priority: 3 });
    expect(await manager.get(second.id)).toMatchObject({ status: 'waiting', priority: 3, queuedAt: null });
    await manager.complete(first.id);
    expect(await manager.get(second.id)).toMatchObject({ status: 'queued' });
    const third = await manager.submit('work', null, { dependsOn: [first.id] });
    expect(await manager.get(third.id)).toMatchObject({ status: 'queued' });
  });

  test('children are made with their parent, theirs too, and say who submitted them', async () => {
    const manager = open();
    const parent = await manager.submit('work', 'top', {
      submittedBy: 'ada',
      children: [
        { handler: 'other', input: 1, children: [{ handler: 'other', input: 2 }] },
        { handler: 'other', input: 3, submittedBy: 'bob', onFailure: 'run' },
      ],
    });
    const { items } = await manager.list({ sort: 'id' });
    expect(items.map(({ input, status, submittedBy }) => [input, status, submittedBy])).toEqual([
      ['top', 'waiting', 'ada'],
      [1, 'waiting', 'ada'],
      [2, 'queued', 'ada'],
      [3, 'queued', 'bob'],
    ]);
    expect(items.map(({ parentId }) => parentId)).toEqual([null, parent.id, items[1]?.id, parent.id]);
    const { children, dependencies, dependents } = await manager.related(parent.id);
    expect(children.map(({ input }) => input)).toEqual([1, 3]);
    expect(dependencies.map(({ onFailure }) => onFailure)).toEqual(['fail', 'run']);
    expect(dependents).toEqual([]);
    expect((await manager.related(items[2]?.id ?? '')).parent).toEqual(items[1]);
  });

  test('a parent without children is a task like any other', async () => {
    const manager = open();
    const { id } = await manager.submit('work', null, { children: [] });
    expect(await manager.get(id)).toMatchObject({ status: 'queued', parentId: null });
  });

  const REFUSED: readonly (readonly [string, readonly FlowItem[], string])[] = [
    ['a name that nobody has', [{ handler: 'work', dependsOn: ['nobody'] }], 'items.0.dependsOn'],
    [
      'a name twice',
      [
        { handler: 'work', ref: 'a' },
        { handler: 'work', ref: 'a' },
      ],
      'items.1.ref',
    ],
    ['itself', [{ handler: 'work', ref: 'a', dependsOn: ['a'] }], 'items.0.dependsOn'],
    [
      'a circle',
      [
        { handler: 'work' },
        { handler: 'work', ref: 'a', dependsOn: ['c'] },
        { handler: 'work', ref: 'b', dependsOn: ['a'] },
        { handler: 'work', ref: 'c', dependsOn: ['b'] },
      ],
      'items.1.dependsOn',
    ],
    [
      'a child that waits for its parent',
      [{ handler: 'work', ref: 'top', children: [{ handler: 'work', dependsOn: ['top'] }] }],
      'items.0.dependsOn',
    ],
    [
      'a circle through one unique key',
      [
        { handler: 'work', ref: 'a', unique: { key: 'k' }, dependsOn: ['b'] },
        { handler: 'work', ref: 'b', dependsOn: ['c'] },
        { handler: 'work', ref: 'c', unique: { key: 'k' } },
      ],
      'items.0.dependsOn',
    ],
    [
      'a circle through one idempotency key',
      [
        { handler: 'work' },
        { handler: 'work', ref: 'a', idempotencyKey: 'k', dependsOn: ['b'] },
        { handler: 'work', ref: 'b', dependsOn: ['c'] },
        { handler: 'work', ref: 'c', idempotencyKey: 'k' },
      ],
      'items.1.dependsOn',
    ],
    [
      'a child that would be its parent',
      [{ handler: 'work', unique: { key: 'k' }, children: [{ handler: 'work', unique: { key: 'k' } }] }],
      'items.0.dependsOn',
    ],
    [
      'a grandchild that would be its grandparent',
      [
        {
          handler: 'work',
          throttle: { window: '1h' },
          children: [{ handler: 'other', children: [{ handler: 'work', throttle: { window: '1h' } }] }],
        },
      ],
      'items.0.dependsOn',
    ],
    [
      'a task twice',
      [
        { handler: 'work', ref: 'a' },
        { handler: 'work', dependsOn: ['a', 'a'] },
      ],
      'items.1.dependsOn.1',
    ],
    [
      'a child twice',
      [{ handler: 'work', dependsOn: ['a'], children: [{ handler: 'work', ref: 'a' }] }],
      'items.0.dependsOn',
    ],
    [
      'no policy',
      [{ handler: 'work', dependsOn: [{ id: 'a', onFailure: 'stop' as 'fail' }] }],
      'items.0.dependsOn.0.onFailure',
    ],
    ['what is no child', [{ handler: 'work', onFailure: 'run' }], 'items.0.onFailure'],
    ['no list', [{ handler: 'work', children: 3 as never }], 'items.0.children'],
    [
      'a key that nobody knows',
      [{ handler: 'work', children: [{ handler: 'work', dependOn: [] } as never] }],
      'items.0.children.0',
    ],
    ['no handler', [{ handler: 'work', children: [{ input: 1 } as never] }], 'items.0.children.0.handler'],
    [
      'an option of a child that is out of its bounds',
      [{ handler: 'work', children: [{ handler: 'work', delay: '5 min' as '5m' }] }],
      'items.0.children.0.delay',
    ],
    ['no object', [{ handler: 'work', children: [3 as never] }], 'items.0.children.0'],
    [
      'another parent',
      [{ handler: 'work', children: [{ handler: 'work', parentId: 'task_1' }] }],
      'items.0.children.0.parentId',
    ],
    ['held', [{ handler: 'work', hold: true, children: [{ handler: 'work' }] }], 'items.0.hold'],
    [
      'what may become another',
      [{ handler: 'work', unique: { key: 'k', onConflict: 'replace' }, children: [{ handler: 'work' }] }],
      'unique.onConflict',
    ],
    [
      'what is debounced',
      [
        { handler: 'work', ref: 'a' },
        { handler: 'work', debounce: { wait: '1s' }, dependsOn: ['a'] },
      ],
      'items.1.debounce',
    ],
    [
      'a ref that is no text',
      [{ handler: 'work', children: [{ handler: 'work', ref: 3 as never }] }],
      'items.0.children.0.ref',
    ],
  ];

  test('takes families of which one answers for another, and circles that are none between submitters', async () => {
    const manager = open();
    const family = { handler: 'work', unique: { key: 'k' }, children: [{ handler: 'other', input: 1 }] } as const;
    const [first, second] = await manager.submitMany([family, family]);
    expect([second.id === first.id, second.matched, await manager.count()]).toEqual([true, 'unique', 2]);
    const once = { handler: 'work', throttle: { key: 'k', window: '1h' }, submittedBy: 'ada' } as const;
    await manager.submitMany([{ ...once, children: [{ ...once, submittedBy: 'bob' }] }]);
    expect(await manager.count()).toBe(4);
  });

  test.each(REFUSED)('refuses %s, and names where', async (_what, items, option) => {
    const manager = open();
    const error = await errorOf(manager.submitMany([{ handler: 'work' }, ...items].slice(1) as never));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
    expect(await manager.count()).toBe(0);
  });

  test('names the circle', async () => {
    const [, items] = REFUSED.find(([what]) => what === 'a circle') ?? [];
    const error = await errorOf(open().submitMany(items as never));
    expect((error as Error).message).toContain('a -> c -> b -> a');
  });

  test('one submit: the path begins with its own options', async () => {
    const manager = open();
    const children = [{ handler: 'work', children: [{ handler: 'work', dependsOn: ['nobody'] }] }];
    expect(await errorOf(manager.submit('work', null, { children }))).toMatchObject({
      option: 'children.0.children.0.dependsOn',
    });
    expect(await errorOf(manager.submit('work', null, { dependsOn: ['nobody'] }))).toMatchObject({
      option: 'dependsOn',
    });
    expect(await manager.count()).toBe(0);
  });

  test('counts whole against maxQueued', async () => {
    const manager = world.manager({ handlers: [controlled('work')], maxQueued: 10_001 });
    const { id } = await manager.submit('work', null, { hold: true });
    const children = Array.from({ length: 10_000 }, () => ({ handler: 'work' }) as const);
    expect(await errorOf(manager.submit('work', null, { children }))).toMatchObject({ code: 'queue_full' });
    expect(await manager.count()).toBe(1);
    await manager.cancel(id);
    await manager.submit('work', null, { children });
    expect(await manager.count({ status: ['waiting', 'queued'] })).toBe(10_001);
  });

  test('a child that cannot be made unmakes all', async () => {
    const manager = open();
    await manager.submit('work', null, { unique: { key: 'one' } });
    const children = [{ handler: 'work', unique: { key: 'one', onConflict: 'error' as const } }];
    await errorOf(manager.submit('other', null, { children }));
    expect(await manager.count()).toBe(1);
  });

  test('the same flow again: the earlier one answers, whole; another one under its key is refused', async () => {
    const manager = open();
    const submit = (last: number) =>
      manager.submit('work', 'top', {
        idempotencyKey: 'key',
        children: [
          { handler: 'other', input: 1 },
          { handler: 'other', input: last },
        ],
      });
    const first = await submit(2);
    expect(await submit(2)).toMatchObject({ id: first.id, created: false, matched: 'idempotency' });
    expect(await manager.count()).toBe(3);
    expect(await errorOf(submit(3))).toBeInstanceOf(IdempotencyConflictError);
    expect(await manager.count()).toBe(3);
  });

  test('however deep, and however wide', async () => {
    const manager = open();
    let item: FlowItem = { handler: 'other', input: 0 };
    for (let depth = 1; depth < 1_000; depth++) item = { handler: 'other', input: depth, children: [item] };
    await manager.submit('work', null, { children: [item] });
    expect(await manager.count({ status: 'waiting' })).toBe(1_000);
    const wide = await manager.submit('work', null, {
      children: Array.from({ length: 5_000 }, (_, input) => ({ handler: 'other', input })),
    });
    const { children, truncated } = await manager.related(wide.id);
    expect([children.length, truncated]).toEqual([100, true]);
    expect((await manager.related(wide.id, { limit: 1_000 })).dependencies).toHaveLength(1_000);
  });
});
