import fc from 'fast-check';
import { svix } from 'tasklane/dialects';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { playContract } from './contract.ts';
import { EXCHANGES, ITEM, LIST, STATUS } from './svix.table.ts';
import { DialectWorld, STATES } from './world.ts';

playContract({ dialect: svix, contentType: 'application/json', exchanges: EXCHANGES });

const ROOT = '/api/v1/background-task';
const DAY_MS = 86_400_000;

interface Item {
  readonly id: string;
  readonly status: string;
  readonly task: string;
}
interface List {
  readonly data: readonly Item[];
  readonly done: boolean;
  readonly iterator: string | null;
  readonly prevIterator: string | null;
}

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

/** A world in which nothing runs. */
async function open(count: number): Promise<{ current: DialectWorld; ids: readonly string[] }> {
  const current = await DialectWorld.open([svix()]);
  world = current;
  await current.manager.pause();
  const items = Array.from({ length: count }, () => ({ handler: 'reindex', submittedBy: 'owner' }));
  const tasks = await current.manager.submitMany(items);
  return { current, ids: tasks.map(({ id }) => `qtask_${id.slice(-27)}`) };
}

async function listOf(query: Record<string, string>, as = 'owner'): Promise<List> {
  const response = await world?.ask(`${ROOT}?${new URLSearchParams(query)}`, { as });
  expect(response?.status).toBe(200);
  return (await response?.json()) as List;
}

describe('an item', () => {
  test.each(STATES)('%s > its keys, in order, of their types; a list has the same', async (state) => {
    world = await DialectWorld.open([svix()]);
    const { id } = await world.seed(state);
    const item = (await (await world.ask(`${ROOT}/${id}`)).json()) as Record<string, unknown>;
    expect(Object.entries(item).map(([key, value]) => [key, typeof value])).toEqual(ITEM);
    expect(item.id).toMatch(/^qtask_[A-Za-z0-9]{27}$/);
    expect(item.status).toBe(STATUS[state]);
    const list = await listOf({});
    expect(list.data).toEqual([item]);
    for (const [at, [key, value]] of Object.entries(list).entries()) {
      const [name, types] = LIST[at] ?? ['', []];
      expect(key).toBe(name);
      expect(types).toContain(value === null ? 'null' : typeof value);
    }
    const old = (await (await world.ask(`${ROOT}/${id}/`)).json()) as Record<string, unknown>;
    expect(Object.keys(old)).toEqual(ITEM.map(([key]) => key).slice(0, -1));
  });

  test('a result that has a `handler` of its own loses nothing', async () => {
    world = await DialectWorld.open([svix()]);
    const { id } = await world.seed('running');
    world.reindex.runs[0]?.finish({ handler: 'mine' });
    await world.manager.task(id).result();
    const item = (await (await world.ask(`${ROOT}/${id}`)).json()) as { data: unknown };
    expect(item.data).toEqual({ handler: 'reindex', result: { handler: 'mine' } });
  });
});

test('data of progress > what is not known is left out', async () => {
  world = await DialectWorld.open([svix()]);
  const { id } = await world.seed('running');
  world.reindex.runs[0]?.context.progress({ processed: 3 });
  await world.clock.advance('1s');
  const item = (await (await world.ask(`${ROOT}/${id}`)).json()) as { data: unknown };
  expect(item.data).toEqual({ handler: 'reindex', progress: { processed: 3 } });
});

describe('pages', () => {
  test.each(['descending', 'ascending'])(
    '%s > to the end and back again, by any size, nothing twice',
    async (order) => {
      const { ids } = await open(23);
      const inOrder = order === 'ascending' ? ids : [...ids].reverse();
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 30 }), async (limit) => {
          const seen: string[] = [];
          const pages: List[] = [];
          for (let iterator: string | null = ''; ; ) {
            const page: List = await listOf({ order, limit: String(limit), ...(iterator ? { iterator } : {}) });
            pages.push(page);
            seen.push(...page.data.map(({ id }) => id));
            expect(page.iterator).toBe(page.data.at(-1)?.id ?? null);
            expect(page.prevIterator).toBe(page.data[0] === undefined ? null : `-${page.data[0].id}`);
            expect(page.done).toBe(seen.length === ids.length);
            if (page.done) break;
            iterator = page.iterator;
          }
          expect(seen).toEqual(inOrder);
          const back: string[] = [...(pages.at(-1)?.data ?? [])].map(({ id }) => id);
          for (let iterator = pages.at(-1)?.prevIterator ?? ''; back.length < ids.length; ) {
            const page: List = await listOf({ order, limit: String(limit), iterator });
            back.unshift(...page.data.map(({ id }) => id)); // a page has the order of the list, whichever way it was walked
            expect(page.done).toBe(back.length === ids.length);
            iterator = page.prevIterator ?? '';
          }
          expect(back).toEqual(inOrder);
        }),
        { numRuns: 15 },
      );
    },
  );

  test.each(['descending', 'ascending'])('%s > go on where a task was that has been removed since', async (order) => {
    const { current, ids } = await open(9);
    const inOrder = order === 'ascending' ? ids : [...ids].reverse();
    const gone = inOrder[4] ?? '';
    await current.manager.delete(`task_${gone.slice(-27)}`, { cancel: true, purge: true });
    for (const limit of ['1', '3', '4', '9']) {
      const after = await listOf({ order, limit, iterator: gone });
      expect(after.data.map(({ id }) => id)).toEqual(inOrder.slice(5, 5 + Number(limit)));
      expect(after.done).toBe(Number(limit) >= 4);
      const before = await listOf({ order, limit, iterator: `-${gone}` });
      expect(before.data.map(({ id }) => id)).toEqual(inOrder.slice(Math.max(0, 4 - Number(limit)), 4));
      expect(before.done).toBe(Number(limit) >= 4);
    }
  });

  test('where a task was, among thousands of the same millisecond > costs one look, at no more than the page', async () => {
    const { current, ids } = await open(3_000);
    const gone = 1_500;
    await current.manager.delete(`task_${ids[gone]?.slice(-27)}`, { cancel: true, purge: true });
    const reads = vi.spyOn(current.storage, 'list');
    const newer = ids.slice(gone + 1, gone + 51);
    const older = ids.slice(gone - 50, gone);
    for (const [order, sign, expected] of [
      ['ascending', '', newer],
      ['ascending', '-', older],
      ['descending', '', [...older].reverse()],
      ['descending', '-', [...newer].reverse()],
    ] as const) {
      reads.mockClear();
      const { data, done } = await listOf({ order, iterator: sign + ids[gone] });
      expect([data.map(({ id }) => id), done]).toEqual([expected, false]);
      expect(reads.mock.calls.map(([query]) => query.limit)).toEqual([51]);
    }
  });

  test('50 by default, newest first', async () => {
    const { ids } = await open(60);
    expect((await listOf({})).data.map(({ id }) => id)).toEqual([...ids].reverse().slice(0, 50));
    expect((await listOf({ limit: '' })).data).toHaveLength(50);
  });

  test('of the caller alone', async () => {
    const { current, ids } = await open(5);
    await current.manager.submit('reindex', null, { submittedBy: 'stranger' });
    expect((await listOf({})).data).toHaveLength(5);
    expect((await listOf({}, 'admin')).data).toHaveLength(6);
    expect((await listOf({}, 'stranger')).data).toHaveLength(1);
    // also from a place that is not his
    expect((await listOf({ iterator: `-${ids[0]}` }, 'stranger')).data).toHaveLength(1);
  });
});

describe('pages of a list in which some may not be read', () => {
  /** Of `count` tasks only those may be read at whose place, counted from the oldest one, `pattern` says so. */
  async function openSome(count: number, pattern: (place: number) => boolean) {
    const seen = new Map<string, number>();
    let asked = 0;
    const can = (_who: unknown, _action: string, { id }: { readonly id: string }) => {
      asked++;
      return pattern(seen.get(id) ?? -1);
    };
    world = await DialectWorld.open([svix()], { policy: { scope: () => 'all', can } });
    await world.manager.pause();
    const items = Array.from({ length: count }, () => ({ handler: 'reindex', submittedBy: 'owner' }));
    const tasks = await world.manager.submitMany(items);
    for (const [place, { id }] of tasks.entries()) seen.set(id, place);
    const ids = tasks.map(({ id }) => `qtask_${id.slice(-27)}`);
    return { readable: ids.filter((_id, place) => pattern(place)), ids, asked: () => asked };
  }

  test.each(['descending', 'ascending'])('%s > are full all the same, both ways, nothing twice', async (order) => {
    // runs of 1 to 7 that may not be read, between runs of those that may
    const { readable } = await openSome(200, (place) => (place * place) % 11 > 4 && place % 17 > 5);
    const inOrder = order === 'ascending' ? readable : [...readable].reverse();
    expect(inOrder.length).toBeGreaterThan(40);
    for (const limit of [1, 2, 7, inOrder.length - 1, inOrder.length, inOrder.length + 1]) {
      const seen: string[] = [];
      let page: List = await listOf({ order, limit: String(limit) });
      for (;;) {
        const left = inOrder.length - seen.length;
        expect(page.data.map(({ id }) => id)).toEqual(inOrder.slice(seen.length, seen.length + limit));
        expect([page.data.length, page.done]).toEqual([Math.min(limit, left), left <= limit]);
        expect(page.iterator).toBe(page.data.at(-1)?.id);
        expect(page.prevIterator).toBe(`-${page.data[0]?.id}`);
        seen.push(...page.data.map(({ id }) => id));
        if (page.done) break;
        page = await listOf({ order, limit: String(limit), iterator: page.iterator ?? '' });
      }
      let back = page.data.length;
      while (back < inOrder.length) {
        page = await listOf({ order, limit: String(limit), iterator: page.prevIterator ?? '' });
        const end = inOrder.length - back;
        expect(page.data.map(({ id }) => id)).toEqual(inOrder.slice(Math.max(0, end - limit), end));
        back += page.data.length;
        expect(page.done).toBe(back === inOrder.length);
      }
    }
  });

  test('a long run that may not be read costs no page more than so much, and is got over', async () => {
    const { readable, ids, asked } = await openSome(2_600, (place) => place < 2 || place === 2_599);
    const [oldest = '', second = '', newest = ''] = readable;
    let page = await listOf({ limit: '2' });
    expect([page.data.map(({ id }) => id), page.done]).toEqual([[newest], false]);
    expect(asked()).toBeLessThan(1_200);
    expect(page.prevIterator).toBe(`-${newest}`);
    const places = [page.iterator];
    page = await listOf({ limit: '2', iterator: page.iterator ?? '' });
    expect([page.data, page.done]).toEqual([[], false]);
    places.push(page.iterator);
    // both ways on from a page without anything on it
    const back = await listOf({ limit: '2', iterator: page.prevIterator ?? '' });
    expect([back.data.map(({ id }) => id), back.done]).toEqual([[newest], true]);
    page = await listOf({ limit: '2', iterator: page.iterator ?? '' });
    expect([page.data.map(({ id }) => id), page.done]).toEqual([[second, oldest], true]);
    // of those in between it names where it stopped
    for (const place of places) expect(ids).toContain(place);
    expect(new Set(places).size).toBe(2);
    // and from the end
    page = await listOf({ limit: '2', iterator: `-${second}` });
    for (let steps = 0; !page.done; steps++) {
      expect([page.data, steps < 3]).toEqual([[], true]);
      page = await listOf({ limit: '2', iterator: page.prevIterator ?? '' });
    }
    expect(page.data.map(({ id }) => id)).toEqual([newest]);
  });

  test('none that may be read > a page that is empty and done names no task', async () => {
    await openSome(5, () => false);
    expect(await listOf({})).toEqual({ data: [], done: true, iterator: null, prevIterator: null });
  });
});

test('a page with more than can be answered is cut, and goes on', async () => {
  world = await DialectWorld.open([svix({ data: () => ({ text: 'x'.repeat(6_000_000) }) })]);
  await world.manager.pause();
  const items = Array.from({ length: 5 }, () => ({ handler: 'reindex', submittedBy: 'owner' }));
  const ids = (await world.manager.submitMany(items)).map(({ id }) => `qtask_${id.slice(-27)}`).reverse();
  const first = await listOf({});
  expect([first.data.map(({ id }) => id), first.done]).toEqual([ids.slice(0, 3), false]);
  const second = await listOf({ iterator: first.iterator ?? '' });
  expect([second.data.map(({ id }) => id), second.done]).toEqual([ids.slice(3), true]);
});

test('`query` > what a list is asked for', async () => {
  const query = (asked: URLSearchParams) => {
    const order = asked.get('order') === 'ascending' ? 'descending' : 'ascending'; // the other way round
    asked.set('order', order);
    if (asked.get('task') === 'mail.send') asked.delete('task'); // and a word of its own
    return asked;
  };
  world = await DialectWorld.open([svix(), svix({ query, basePath: '/other' })]);
  for (let made = 0; made < 3; made++)
    await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true });
  const ids = async (path: string) => {
    const { data } = (await (await (world as DialectWorld).ask(path + ROOT_QUERY)).json()) as List;
    return data.map(({ id }) => id);
  };
  const ROOT_QUERY = `${ROOT}?order=ascending`;
  const oldestFirst = await ids('');
  expect(oldestFirst).toHaveLength(3);
  expect(await ids('/other')).toEqual([...oldestFirst].reverse());
  expect((await world.ask(`${ROOT}?task=mail.send`)).status).toBe(422);
  expect((await world.ask(`/other${ROOT}?task=mail.send`)).status).toBe(200);
});

describe('what is in the list', () => {
  test('tasks of the past 90 days, or of another age', async () => {
    world = await DialectWorld.open([
      svix(),
      svix({ listAge: '1h', basePath: '/hour' }),
      svix({ listAge: false, basePath: '/all' }),
    ]);
    const current = world;
    await current.seed('queued');
    const lengths = async (): Promise<readonly number[]> =>
      Promise.all(
        ['', '/hour', '/all'].map(async (base) => {
          const { data } = (await (await current.ask(base + ROOT)).json()) as List;
          return data.length;
        }),
      );
    expect(await lengths()).toEqual([1, 1, 1]);
    world.jump(3_600_000);
    expect(await lengths()).toEqual([1, 0, 1]);
    world.jump(90 * DAY_MS);
    expect(await lengths()).toEqual([0, 0, 1]);
  });

  test('status and task, each by any of several words', async () => {
    world = await DialectWorld.open([svix({ tasks: { mail: 'application.stats', gone: 'sdk.generate' } })]);
    for (const state of ['succeeded', 'failed', 'cancelled', 'held'] as const) await world.seed(state);
    const statuses = async (query: Record<string, string>) => (await listOf(query)).data.map(({ status }) => status);
    expect(await statuses({ status: 'failed' })).toEqual(['failed', 'failed']);
    expect((await statuses({ status: 'failed,finished' })).sort()).toEqual(['failed', 'failed', 'finished']);
    expect(await statuses({ task: 'application.stats' })).toEqual([]);
    expect(await statuses({ task: 'endpoint.replay' })).toHaveLength(4);
    expect(await statuses({ task: 'endpoint.replay', status: 'running' })).toEqual(['running']);
    expect(await statuses({ status: '' })).toHaveLength(4);
  });

  test('a task that was deleted is in no list, and not there', async () => {
    world = await DialectWorld.open([svix()]);
    const { id } = await world.seed('succeeded');
    await world.manager.delete(id);
    expect((await listOf({})).data).toEqual([]);
    expect((await world.ask(`${ROOT}/${id}`)).status).toBe(404);
  });
});
