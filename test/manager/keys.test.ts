import { IdempotencyConflictError, UniqueConflictError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('idempotency', (world) => {
  const open = (options = {}) => world.manager({ handlers: [controlled('work'), controlled('other')], ...options });

  test('the same key and input: the earlier task answers', async () => {
    const manager = open();
    const first = await manager.submit('work', { a: 1, b: [2] }, { idempotencyKey: 'k' });
    const again = await manager.submit('work', { b: [2], a: 1 }, { idempotencyKey: 'k', priority: 5 });
    expect(first).toMatchObject({ created: true, matched: null });
    expect(again).toMatchObject({ id: first.id, created: false, matched: 'idempotency' });
    expect(await manager.count()).toBe(1);
    expect(await manager.get(first.id)).toMatchObject({ idempotencyKey: 'k', priority: 0, version: 1 });
  });

  test('answers also once the task has ended', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { idempotencyKey: 'k' });
    await manager.complete(first.id, 'done');
    const again = await manager.submit('work', 1, { idempotencyKey: 'k' });
    expect(again).toMatchObject({ id: first.id, matched: 'idempotency' });
    expect(await again.result()).toBe('done');
  });

  test('another input, or another handler: IdempotencyConflictError with the earlier id', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { idempotencyKey: 'k' });
    for (const call of [
      () => manager.submit('work', 2, { idempotencyKey: 'k' }),
      () => manager.submit('work', '1', { idempotencyKey: 'k' }),
      () => manager.submit('work', undefined, { idempotencyKey: 'k' }),
      () => manager.submit('other', 1, { idempotencyKey: 'k' }),
    ]) {
      const error = await errorOf(call());
      expect(error).toBeInstanceOf(IdempotencyConflictError);
      expect(error).toMatchObject({ code: 'idempotency_conflict', taskId: first.id });
    }
    expect(await manager.count()).toBe(1);
  });

  test('a key is scoped to who submits', async () => {
    const manager = open();
    const nobody = await manager.submit('work', 1, { idempotencyKey: 'k' });
    const one = await manager.submit('work', 2, { idempotencyKey: 'k', submittedBy: 'user-1' });
    const other = await manager.submit('work', 3, { idempotencyKey: 'k', submittedBy: 'user-2' });
    expect(new Set([nobody.id, one.id, other.id]).size).toBe(3);
    const again = await manager.submit('work', 2, { idempotencyKey: 'k', submittedBy: 'user-1' });
    expect(again.id).toBe(one.id);
  });

  test('a key expires after 24 h, or the time of the options', async () => {
    for (const [ttl, manager] of [
      ['24h', open()],
      ['10m', open({ idempotencyTtl: '10m' })],
    ] as const) {
      const key = { idempotencyKey: `k-${ttl}` };
      const first = await manager.submit('work', 1, key);
      await manager.close(); // or the clock would have much to do
      await world.clock.advance(ttl === '24h' ? 24 * 3_600_000 - 1 : 600_000 - 1);
      const later = open({ idempotencyTtl: ttl });
      expect((await later.submit('work', 1, key)).id).toBe(first.id);
      await later.close();
      await world.clock.advance(1);
      const last = open({ idempotencyTtl: ttl });
      expect((await last.submit('work', 2, key)).id).not.toBe(first.id);
      await last.close();
    }
  });

  test('200 at once, over two managers: one task', async () => {
    const managers = [open(), open()];
    await Promise.all(managers.map((manager) => manager.start({ run: false })));
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => managers[index % 2]?.submit('work', { a: 1 }, { idempotencyKey: 'k' })),
    );
    expect(new Set(answers.map((task) => task?.id)).size).toBe(1);
    expect(answers.filter((task) => task?.created)).toHaveLength(1);
    expect(await managers[0]?.count()).toBe(1);
  });

  test('a key of a task that was purged is free', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { idempotencyKey: 'k' });
    await manager.delete(first.id, { cancel: true, purge: true });
    const next = await manager.submit('work', 2, { idempotencyKey: 'k' });
    expect(next).toMatchObject({ created: true });
    expect(next.id).not.toBe(first.id);
  });

  test('wins over a unique key', async () => {
    const manager = open();
    const keys = { idempotencyKey: 'k', unique: { key: 'u', onConflict: 'error' } } as const;
    const first = await manager.submit('work', 1, keys);
    expect(await manager.submit('work', 1, keys)).toMatchObject({ id: first.id, matched: 'idempotency' });
  });
});

onEachStorage('unique', (world) => {
  const open = () => world.manager({ handlers: [controlled('work'), controlled('other')] });

  test('by default an unfinished task of the handler and key answers', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { unique: { key: 'docs' } });
    expect(await manager.submit('work', 2, { unique: { key: 'docs' } })).toMatchObject({
      id: first.id,
      created: false,
      matched: 'unique',
    });
    expect(await manager.get(first.id)).toMatchObject({ uniqueKey: 'docs', input: 1 });
    expect(await manager.submit('work', 1, { unique: { key: 'other' } })).toMatchObject({ created: true });
    expect(await manager.submit('other', 1, { unique: { key: 'docs' } })).toMatchObject({ created: true });
    expect(await manager.submit('work', 1)).toMatchObject({ created: true });
  });

  test('onConflict error: UniqueConflictError with the earlier id', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { unique: { key: 'docs' } });
    const error = await errorOf(manager.submit('work', 1, { unique: { key: 'docs', onConflict: 'error' } }));
    expect(error).toBeInstanceOf(UniqueConflictError);
    expect(error).toMatchObject({
      code: 'unique_conflict',
      taskId: first.id,
      message: expect.stringContaining('docs'),
    });
    expect(await manager.count()).toBe(1);
  });

  test('unfinished: holds while it is scheduled, queued or running, and not after its end', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const unique = { key: 'docs', scope: 'unfinished' } as const;
    const first = await manager.submit('work', 1, { unique, hold: true });
    expect((await manager.submit('work', 2, { unique })).id).toBe(first.id);
    await manager.runNow(first.id);
    const run = await work.next();
    expect((await manager.submit('work', 3, { unique })).id).toBe(first.id);
    run.finish();
    await first.result();
    const next = await manager.submit('work', 4, { unique });
    expect(next).toMatchObject({ created: true });
    (await work.next()).finish();
  });

  test('unfinished: a handler that ignores its cancel still holds the key, until it ends', async () => {
    const work = controlled('work', { cancelGrace: 0 });
    const manager = await world.start({ handlers: [work] });
    const unique = { key: 'docs' };
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    await first.cancel();
    await world.clock.advance(1);
    await waitFor(manager, first.id, 'cancelled');
    expect(await manager.submit('work', 2, { unique })).toMatchObject({ id: first.id, created: false });
    run.finish();
    await world.clock.advance('1s');
    expect(await manager.submit('work', 3, { unique })).toMatchObject({ created: true });
    (await work.next()).finish();
  });

  test('unstarted: holds only until it has started', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    const unique = { key: 'docs', scope: 'unstarted' } as const;
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    await world.clock.advance('1s'); // its start is stored
    const second = await manager.submit('work', 2, { unique });
    expect(second.created).toBe(true);
    expect(await manager.submit('work', 3, { unique })).toMatchObject({ id: second.id, matched: 'unique' });
    run.finish();
    await first.result();
    (await work.next()).finish();
  });

  test('a window: holds for its time after the submit, also when the task has ended', async () => {
    const manager = open();
    const unique = { key: 'docs', scope: { window: '10m' } } as const;
    const first = await manager.submit('work', 1, { unique });
    await manager.complete(first.id);
    await manager.close();
    await world.clock.advance(600_000 - 1);
    const later = open();
    expect((await later.submit('work', 2, { unique })).id).toBe(first.id);
    await later.close();
    await world.clock.advance(1);
    expect(await open().submit('work', 3, { unique })).toMatchObject({ created: true });
  });

  test('a restart whose key is taken: UniqueConflictError, and nothing changes', async () => {
    const manager = open();
    const unique = { key: 'docs' };
    const first = await manager.submit('work', 1, { unique });
    await first.cancel();
    const second = await manager.submit('work', 2, { unique });
    const error = await errorOf(manager.restart(first.id));
    expect(error).toBeInstanceOf(UniqueConflictError);
    expect(error).toMatchObject({ taskId: second.id });
    expect(await manager.get(first.id)).toMatchObject({ status: 'cancelled' });
    await second.cancel();
    expect(await manager.restart(first.id)).toMatchObject({ status: 'queued' });
    expect((await manager.submit('work', 3, { unique })).id).toBe(first.id);
  });

  test('200 at once, over two managers: one task', async () => {
    const managers = [open(), open()];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => managers[index % 2]?.submit('work', index, { unique: { key: 'k' } })),
    );
    expect(new Set(answers.map((task) => task?.id)).size).toBe(1);
    expect(await managers[0]?.count()).toBe(1);
  });

  describe('a key as strange as it may be', () => {
    test.each([[' '], ['__proto__'], ['constructor'], ['a\0b'], ['😀'], ['k'.repeat(1_000)]])('%j', async (key) => {
      const manager = open();
      const first = await manager.submit('work', 1, { unique: { key }, idempotencyKey: key });
      expect((await manager.submit('work', 2, { unique: { key } })).id).toBe(first.id);
      expect((await manager.submit('work', 1, { idempotencyKey: key })).id).toBe(first.id);
      expect(await manager.submit('work', 1, { unique: { key: `${[...key].slice(1).join('')}x` } })).toMatchObject({
        created: true,
      });
    });
  });
});
