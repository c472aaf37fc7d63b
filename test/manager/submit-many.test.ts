import {
  defineTask,
  IdempotencyConflictError,
  InputInvalidError,
  OptionError,
  QueueFullError,
  UniqueConflictError,
  UnknownHandlerError,
} from 'tasklane';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('submitMany', (world) => {
  const slow = defineTask({ name: 'slow', input: z.string().refine(async (text) => text !== 'bad'), run: () => {} });
  const open = (options = {}) => world.manager({ handlers: [controlled('work'), slow], ...options });

  test('answers in order, with a handle each', async () => {
    const manager = open();
    const tasks = await manager.submitMany([
      { handler: 'work', input: 'a', priority: 1 },
      { handler: slow, input: 'b', hold: true },
      { handler: 'work' },
    ]);
    expect(tasks.map(({ created }) => created)).toEqual([true, true, true]);
    const { items } = await manager.list({ sort: 'id' });
    expect(items.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
    expect(items).toMatchObject([
      { handler: 'work', input: 'a', priority: 1, status: 'queued' },
      { handler: 'slow', input: 'b', status: 'scheduled' },
      { handler: 'work', input: null },
    ]);
  });

  test('none: nothing is made', async () => {
    expect(await open().submitMany([])).toEqual([]);
  });

  test('more than one transaction takes: all of them, in order', async () => {
    const manager = open();
    const tasks = await manager.submitMany(
      Array.from({ length: 3_000 }, (_, input) => ({ handler: 'work' as const, input })),
    );
    expect(await manager.count()).toBe(3_000);
    expect((await manager.get(tasks[2_999]?.id ?? ''))?.input).toBe(2_999);
    expect(tasks.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id).sort());
  });

  test('one bad input refuses all', async () => {
    const manager = open();
    const error = await errorOf(
      manager.submitMany([
        { handler: 'work', input: 1 },
        { handler: 'work', input: 1n },
      ]),
    );
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(await manager.count()).toBe(0);
  });

  test('one unknown handler refuses all', async () => {
    const manager = open();
    const items = [{ handler: 'work' as const }, { handler: 'wrok' as 'work' }];
    expect(await errorOf(manager.submitMany(items))).toBeInstanceOf(UnknownHandlerError);
    expect(await manager.count()).toBe(0);
  });

  test('what an asynchronous schema refuses refuses all', async () => {
    const manager = open();
    const items = [{ handler: 'work' as const }, { handler: slow, input: 'bad' }] as const;
    expect(await errorOf(manager.submitMany(items))).toBeInstanceOf(InputInvalidError);
    expect(await manager.count()).toBe(0);
  });

  test('several refused at once, now and later: one error, and nothing is left unhandled', async () => {
    const manager = open();
    const items = [
      { handler: slow, input: 'bad' },
      { handler: 'work', input: 1n },
    ] as const;
    expect(await errorOf(manager.submitMany(items))).toBeInstanceOf(InputInvalidError);
    await turns();
    expect(await manager.count()).toBe(0);
  });

  test.each([
    ['no list', 'work'],
    ['null', null],
    ['a list of nothing', [null]],
    ['a list of names', ['work']],
    ['an item with an unknown key', [{ handler: 'work', prioriti: 1 }]],
    ['an item without a handler', [{ input: 1 }]],
  ])('%s: OptionError', async (_what, items) => {
    const manager = open();
    expect(await errorOf(manager.submitMany(items as never))).toBeInstanceOf(OptionError);
    expect(await manager.count()).toBe(0);
  });

  test('a match answers in its place', async () => {
    const manager = open();
    const earlier = await manager.submit('work', 1, { idempotencyKey: 'k' });
    const [one, other] = await manager.submitMany([
      { handler: 'work', input: 2 },
      { handler: 'work', input: 1, idempotencyKey: 'k' },
    ]);
    expect(one).toMatchObject({ created: true, matched: null });
    expect(other).toMatchObject({ id: earlier.id, created: false, matched: 'idempotency' });
    expect(await manager.count()).toBe(2);
  });

  test('the same key twice in one call: the first answers for both', async () => {
    const manager = open();
    const [one, other] = await manager.submitMany([
      { handler: 'work', input: 1, unique: { key: 'k' } },
      { handler: 'work', input: 2, unique: { key: 'k' } },
    ]);
    expect(other).toMatchObject({ id: one.id, created: false, matched: 'unique' });
    expect(await manager.count()).toBe(1);
  });

  test('a conflict refuses all', async () => {
    const manager = open();
    const earlier = await manager.submit('work', 1, { idempotencyKey: 'k', unique: { key: 'u' } });
    const idempotency = await errorOf(
      manager.submitMany([{ handler: 'work' }, { handler: 'work', input: 2, idempotencyKey: 'k' }]),
    );
    expect(idempotency).toBeInstanceOf(IdempotencyConflictError);
    expect(idempotency).toMatchObject({ taskId: earlier.id });
    const unique = await errorOf(
      manager.submitMany([{ handler: 'work' }, { handler: 'work', unique: { key: 'u', onConflict: 'error' } }]),
    );
    expect(unique).toBeInstanceOf(UniqueConflictError);
    expect(unique).toMatchObject({ taskId: earlier.id });
    expect(await manager.count()).toBe(1);
  });

  test('a refused call leaves its keys free', async () => {
    const manager = open();
    const keys = { idempotencyKey: 'k', unique: { key: 'u' } };
    await manager.submit('work', 1, { idempotencyKey: 'taken' });
    await errorOf(
      manager.submitMany([
        { handler: 'work', ...keys },
        { handler: 'work', idempotencyKey: 'taken' },
      ]),
    );
    expect(await manager.submit('work', 2, keys)).toMatchObject({ created: true });
  });

  test('more than maxQueued allows: QueueFullError, and none is made', async () => {
    const manager = open({ maxQueued: 2 });
    const items = Array.from({ length: 3 }, () => ({ handler: 'work' as const }));
    expect(await errorOf(manager.submitMany(items))).toBeInstanceOf(QueueFullError);
    expect(await manager.count()).toBe(0);
    expect(await manager.submitMany(items.slice(1))).toHaveLength(2);
  });
});
