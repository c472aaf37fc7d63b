import { CursorError, type ListQuery, OptionError, TaskNotFoundError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('list', (world) => {
  /** Tasks 0 to 9: even ones by `user-0`, odd ones by `user-1`; every third held. */
  async function ten() {
    const manager = world.manager({ handlers: [controlled('work'), controlled('other')] });
    const ids: string[] = [];
    for (let input = 0; input < 10; input++) {
      const task = await manager.submit(input < 5 ? 'work' : 'other', input, {
        submittedBy: `user-${input % 2}`,
        hold: input % 3 === 0,
        priority: input % 4,
        tags: { parity: input % 2 },
      });
      ids.push(task.id);
      await world.clock.advance(1);
    }
    const inputs = async (query: ListQuery) => (await manager.list(query)).items.map(({ input }) => input);
    return { manager, ids, inputs };
  }

  test('newest first, 50 at most, by default', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    await manager.submitMany(Array.from({ length: 60 }, (_, input) => ({ handler: 'work', input })));
    const page = await manager.list();
    expect(page.items.map(({ input }) => input)).toEqual(Array.from({ length: 50 }, (_, index) => 59 - index));
    expect(page).toMatchObject({ next: expect.any(String), previous: null });
  });

  test('an empty storage: an empty page', async () => {
    expect(await world.manager({}).list()).toEqual({ items: [], next: null, previous: null });
  });

  test('forward to the end and back to the start: every task once, the same pages', async () => {
    const { manager } = await ten();
    const query = { limit: 4, filter: { archived: 'both' as const } };
    const forward = [await manager.list(query)];
    for (let cursor = forward[0]?.next; cursor; cursor = forward.at(-1)?.next) {
      forward.push(await manager.list({ ...query, cursor }));
    }
    expect(forward.map(({ items }) => items.map(({ input }) => input))).toEqual([
      [9, 8, 7, 6],
      [5, 4, 3, 2],
      [1, 0],
    ]);
    expect(forward.at(-1)).toMatchObject({ next: null, previous: expect.any(String) });
    const back = await manager.list({ ...query, cursor: forward.at(-1)?.previous ?? '' });
    expect(back.items).toEqual(forward[1]?.items);
    const start = await manager.list({ ...query, cursor: back.previous ?? '' });
    expect(start.items).toEqual(forward[0]?.items);
    expect(start.previous).toBeNull();
  });

  test('a page stays where it was when tasks come and go', async () => {
    const { manager, ids } = await ten();
    const first = await manager.list({ limit: 3 });
    await manager.submit('work', 'new');
    await manager.delete(ids[7] ?? '', { cancel: true, purge: true });
    const second = await manager.list({ limit: 3, cursor: first.next ?? '' });
    expect(second.items.map(({ input }) => input)).toEqual([6, 5, 4]);
  });

  test('after, before and offset', async () => {
    const { ids, inputs } = await ten();
    expect(await inputs({ after: ids[3] ?? '', limit: 2 })).toEqual([2, 1]);
    expect(await inputs({ before: ids[3] ?? '', limit: 2 })).toEqual([5, 4]);
    expect(await inputs({ sort: 'id', after: ids[7] ?? '' })).toEqual([8, 9]);
    expect(await inputs({ offset: 8 })).toEqual([1, 0]);
    expect(await inputs({ offset: 99 })).toEqual([]);
  });

  test.each<[query: ListQuery, expected: number[]]>([
    [{ sort: 'id', limit: 3 }, [0, 1, 2]],
    [{ sort: '-createdAt', limit: 3 }, [9, 8, 7]],
    [{ sort: 'priority' }, [0, 4, 8, 1, 5, 9, 2, 6, 3, 7]],
    [{ sort: '-priority', limit: 4 }, [7, 3, 6, 2]],
    [{ sort: 'handler', limit: 3 }, [5, 6, 7]],
    [{ sort: '-submittedBy', limit: 3 }, [9, 7, 5]],
    [{ sort: 'status', statusOrder: ['scheduled', 'queued'] }, [0, 3, 6, 9, 1, 2, 4, 5, 7, 8]],
    [{ sort: 'status', statusOrder: ['queued'], limit: 7 }, [1, 2, 4, 5, 7, 8, 0]],
    [{ sort: '-finishedAt', limit: 2 }, [9, 8]],
    [{ filter: { status: 'scheduled' } }, [9, 6, 3, 0]],
    [{ filter: { handler: ['other'], submittedBy: 'user-0' } }, [8, 6]],
    [{ filter: { tags: { parity: 1 } }, sort: 'id' }, [1, 3, 5, 7, 9]],
    [{ filter: { text: 'USER-1' }, limit: 2 }, [9, 7]],
    [{ filter: { status: [] } }, []],
  ])('%j', async (query, expected) => {
    const { inputs } = await ten();
    expect(await inputs(query)).toEqual(expected);
  });

  test('sorted by anything, pages follow each other without a gap or a repeat', async () => {
    const { manager } = await ten();
    for (const sort of ['priority', '-submittedBy', 'status', '-updatedAt', 'finishedAt', '-entityId'] as const) {
      const seen: unknown[] = [];
      let cursor: string | null | undefined;
      do {
        const page = await manager.list({ sort, limit: 3, cursor: cursor ?? undefined });
        seen.push(...page.items.map(({ input }) => input));
        cursor = page.next;
      } while (cursor !== null);
      const whole = await manager.list({ sort });
      expect(seen, sort).toEqual(whole.items.map(({ input }) => input));
      expect(new Set(seen).size).toBe(10);
    }
  });

  test('what it gives is the caller’s own', async () => {
    const { manager, ids } = await ten();
    const before = await manager.get(ids[0] ?? '');
    const [one] = (await manager.list({ sort: 'id', limit: 1 })).items;
    Object.assign(one as object, { status: 'failed', input: 'changed' });
    Object.assign(one?.tags as object, { changed: true });
    expect(await manager.get(ids[0] ?? '')).toEqual(before);
    Object.assign(before as object, { status: 'failed' });
    expect((await manager.get(ids[0] ?? ''))?.status).toBe('scheduled');
  });

  describe('a cursor', () => {
    test('that was changed, of another filter, sort or form: CursorError', async () => {
      const { manager } = await ten();
      const { next } = await manager.list({ limit: 2, filter: { handler: 'work' } });
      const cursor = next ?? '';
      const changed = cursor.slice(0, -2) + (cursor.endsWith('AA') ? 'BB' : 'AA');
      for (const query of [
        { filter: { handler: 'work' }, cursor: changed },
        { filter: { handler: 'work' }, cursor: 'nonsense' },
        { filter: { handler: 'work' }, cursor: '' },
        { filter: { handler: 'other' }, cursor },
        { cursor },
        { filter: { handler: 'work' }, sort: 'id' as const, cursor },
      ]) {
        const error = await errorOf(manager.list(query));
        expect(error).toBeInstanceOf(CursorError);
        expect(error).toMatchObject({ code: 'cursor_invalid' });
      }
      expect((await manager.list({ filter: { handler: 'work' }, cursor })).items).toHaveLength(3);
    });

    test('takes another limit', async () => {
      const { manager } = await ten();
      const { next } = await manager.list({ limit: 2 });
      expect((await manager.list({ limit: 100, cursor: next ?? '' })).items).toHaveLength(8);
    });
  });

  const bad: [option: string, query: unknown][] = [
    ['limit', { limit: 0 }],
    ['limit', { limit: 1_001 }],
    ['limit', { limit: 1.5 }],
    ['limit', { limit: '5' }],
    ['limit', { limit: Number.NaN }],
    ['sort', { sort: 'input' }],
    ['sort', { sort: '--id' }],
    ['sort', { sort: '' }],
    ['sort', { sort: 5 }],
    ['offset', { offset: -1 }],
    ['offset', { offset: Number.NaN }],
    ['cursor', { cursor: 'a', after: 'b' }],
    ['cursor', { after: 'a', offset: 1 }],
    ['after', { after: 5 }],
    ['before', { before: null }],
    ['statusOrder', { statusOrder: ['done'] }],
    ['statusOrder', { statusOrder: ['queued', 'queued'] }],
    ['filter', { filter: { stat: 1 } }],
    ['filter.status', { filter: { status: 'done' } }],
  ];
  test.each(bad)('a bad %s: OptionError that names it (%j)', async (option, query) => {
    const error = await errorOf(world.manager({}).list(query as ListQuery));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
  });

  test('an unknown key, and what is no query: OptionError', async () => {
    const manager = world.manager({});
    for (const query of [{ status: 'queued' }, { page: 2 }, null, 'all']) {
      expect(await errorOf(manager.list(query as never)), String(query)).toBeInstanceOf(OptionError);
    }
  });

  test('after an id that is gone: TaskNotFoundError', async () => {
    const { manager } = await ten();
    expect(await errorOf(manager.list({ after: 'task_none' }))).toBeInstanceOf(TaskNotFoundError);
  });
});

onEachStorage('count, stats and health', (world) => {
  test('count with and without a filter', async () => {
    const manager = world.manager({ handlers: [controlled('work'), controlled('other')] });
    await manager.submitMany([{ handler: 'work' }, { handler: 'work', hold: true }, { handler: 'other' }]);
    expect(await manager.count()).toBe(3);
    expect(await manager.count({ handler: 'work' })).toBe(2);
    expect(await manager.count({ handler: 'work', status: 'queued' })).toBe(1);
    expect(await errorOf(manager.count({ status: 'done' as never }))).toBeInstanceOf(OptionError);
  });

  test('stats have every status, of all and of each handler, registered or stored', async () => {
    const work = controlled('work');
    const elsewhere = world.manager({ handlers: [controlled('elsewhere')] });
    await elsewhere.submit('elsewhere', 1, { hold: true });
    const manager = await world.start({ handlers: [work, controlled('idle')] });
    const tasks = [
      await manager.submit('work'),
      await manager.submit('work'),
      await manager.submit('work', 1, { hold: true }),
    ];
    (await work.next()).finish();
    await tasks[0]?.result();
    await work.next();
    await tasks[1]?.cancel();
    await tasks[2]?.cancel();
    const zeros = {
      waiting: 0,
      scheduled: 0,
      queued: 0,
      running: 0,
      cancelling: 0,
      succeeded: 0,
      failed: 0,
      cancelled: 0,
    };
    expect(await manager.stats()).toEqual({
      byStatus: { ...zeros, scheduled: 1, cancelling: 1, succeeded: 1, cancelled: 1 },
      byHandler: {
        work: { ...zeros, cancelling: 1, succeeded: 1, cancelled: 1 },
        idle: zeros,
        elsewhere: { ...zeros, scheduled: 1 },
      },
    });
  });

  test('stats agree with count after many changes', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work] });
    const tasks = await manager.submitMany(Array.from({ length: 12 }, () => ({ handler: 'work' })));
    for (let run = 0; run < 10; run++) {
      const { finish, fail } = await work.next();
      if (run % 2 === 0) finish();
      else fail('no');
    }
    await world.clock.advance(50);
    await tasks[0]?.result();
    await manager.restart(tasks[0]?.id ?? '');
    await manager.delete(tasks[2]?.id ?? '');
    await manager.delete(tasks[4]?.id ?? '', { purge: true });
    const { byStatus, byHandler } = await manager.stats();
    for (const [status, count] of Object.entries(byStatus)) {
      expect([status, await manager.count({ status: status as 'queued' })]).toEqual([status, count]);
    }
    expect(byHandler.work).toEqual(byStatus);
  });

  test('health: ready while everything works', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    expect(await manager.health()).toEqual({ ready: false, problems: ['the manager has not been started'] });
    await manager.start();
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
  });

  test('health: ready where tasks are only submitted and watched', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    await manager.start({ run: false });
    expect(await manager.health()).toEqual({ ready: true, problems: [] });
  });

  test('get of an unknown id is null, of what is no id an OptionError', async () => {
    const manager = world.manager({});
    expect(await manager.get('task_none')).toBeNull();
    expect(await manager.get('')).toBeNull();
    expect(await errorOf(manager.get(5 as unknown as string))).toBeInstanceOf(OptionError);
  });

  test('attempts of a task that never ran are none, of an unknown id a TaskNotFoundError', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const { id } = await manager.submit('work');
    expect(await manager.attempts(id)).toEqual([]);
    expect(await errorOf(manager.attempts('task_none'))).toBeInstanceOf(TaskNotFoundError);
  });

  test('attempts show who ran when, also while it runs', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const { id } = await manager.submit('work');
    const startedAt = world.clock.now();
    const run = await work.next();
    await world.clock.advance('1s');
    const running = {
      attempt: 1,
      workerId: expect.any(String),
      startedAt,
      finishedAt: null,
      outcome: null,
      error: null,
    };
    expect(await manager.attempts(id)).toEqual([running]);
    run.finish();
    await manager.onIdle();
    expect(await manager.attempts(id)).toEqual([{ ...running, finishedAt: startedAt + 1_000, outcome: 'succeeded' }]);
  });
});
