import { MemoryStorage, TaskManager, type TaskRecord } from 'tasklane';
import { createHandler, type HandlerOptions, type TaskHandler } from 'tasklane/http';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { eventsOf } from './support.ts';

interface Page {
  readonly ids: readonly string[];
  readonly next: string | null;
  readonly previous: string | null;
  readonly total?: number;
  /** Where `Link` leads to, by relation. */
  readonly links: Readonly<Record<string, string>>;
}

let end: (() => Promise<unknown>) | null = null;
afterEach(async () => {
  await end?.();
  end = null;
});

/** Of `count` tasks only those may be read at whose place, counted from the oldest one, `readable` says so. */
async function open(count: number, readable: (place: number) => boolean, http: HandlerOptions = {}) {
  const storage = new MemoryStorage();
  const reads = vi.spyOn(storage, 'list');
  const manager = new TaskManager({ handlers: [controlled('work')], storage });
  await manager.start({ run: false });
  const places = new Map<string, number>();
  let asked = 0;
  const can = (_who: unknown, _action: string, { id }: TaskRecord) => {
    asked++;
    return readable(places.get(id) ?? -1);
  };
  const options: HandlerOptions = { authenticate: () => ({ id: 'ada' }), policy: { scope: () => 'all', can }, ...http };
  const handler: TaskHandler = createHandler(manager, options);
  end = async () => {
    await handler.close();
    await manager.close();
  };
  // three priorities, so that in that order tasks stand beside each other that did not come so
  const items = Array.from({ length: count }, (_, place) => ({ handler: 'work', priority: place % 3 }));
  const made: string[] = [];
  while (made.length < count) {
    const part = await manager.submitMany(items.slice(made.length, made.length + 1_000));
    for (const { id } of part) {
      places.set(id, made.length);
      made.push(id);
    }
  }
  const ask = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
    handler(new Request(`http://tasks.test${path}`, { headers }));
  const list = async (query: string): Promise<Page> => {
    const response = await ask(query.startsWith('/tasks') ? query : `/tasks?${query}`);
    expect(response.status).toBe(200);
    const { items, ...rest } = (await response.json()) as Page & { readonly items: readonly TaskRecord[] };
    const links = [...(response.headers.get('link') ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)];
    return {
      ...rest,
      ids: items.map(({ id }) => id),
      links: Object.fromEntries(links.map(([, path = '', relation = '']) => [relation, path])),
    };
  };
  return {
    manager,
    list,
    ask,
    ids: made,
    shown: made.filter((_, place) => readable(place)),
    asked: () => asked,
    reads,
  };
}

/** Runs of 1 to 7 that may not be read, between runs of those that may. */
const some = (place: number): boolean => (place * place) % 11 > 4 && place % 17 > 5;

/** Those of each priority in the order they came, one priority behind the other. */
const byPriority = (ids: readonly string[], all: readonly string[]): readonly string[] =>
  [0, 1, 2].flatMap((priority) => ids.filter((id) => all.indexOf(id) % 3 === priority));

describe('pages of a list in which some may not be read', () => {
  test.each(['id', '-id', 'priority', '-priority'])('by %s > are full, both ways, nothing twice', async (sort) => {
    const { list, ids, shown } = await open(200, some);
    const up = sort.endsWith('priority') ? byPriority(shown, ids) : shown;
    const all = sort.startsWith('-') ? [...up].reverse() : up;
    expect(all.length).toBeGreaterThan(40);
    for (const limit of [1, 2, 7, all.length - 1, all.length, all.length + 1]) {
      let page = await list(`sort=${sort}&limit=${limit}`);
      expect(page.previous).toBeNull();
      let from = 0;
      for (;;) {
        expect(page.ids).toEqual(all.slice(from, from + limit));
        // there is a next page where something is on it, and `Link` leads where the body says
        expect(page.next !== null).toBe(from + limit < all.length);
        expect(Object.keys(page.links)).toEqual([
          ...(page.next === null ? [] : ['next']),
          ...(page.previous === null ? [] : ['prev']),
        ]);
        if (page.next === null) break;
        from += limit;
        page = await list(page.links.next ?? '');
      }
      while (page.previous !== null) {
        page = await list(page.links.prev ?? '');
        expect(page.ids).toEqual(all.slice(Math.max(0, from - limit), from));
        expect(page.next).not.toBeNull();
        from -= page.ids.length;
      }
      expect(from).toBe(0);
    }
  });

  test('a long run that may not be read costs no page more than so much, and is got over', async () => {
    const { list, shown, asked } = await open(2_600, (place) => place < 2 || place === 2_599);
    const [oldest = '', second = '', newest = ''] = shown;
    const first = await list('limit=2');
    expect([first.ids, first.previous]).toEqual([[newest], null]);
    expect(asked()).toBeLessThan(1_200);
    const empty = await list(first.links.next ?? '');
    expect(empty.ids).toEqual([]);
    // both ways on from a page without anything on it
    expect(await list(empty.links.prev ?? '')).toMatchObject({ ids: [newest], previous: null });
    const last = await list(empty.links.next ?? '');
    expect([last.ids, last.next]).toEqual([[second, oldest], null]);
    // and back from the end
    let back = await list(last.links.prev ?? '');
    for (let steps = 0; back.previous !== null; steps++) {
      expect([back.ids, steps < 3]).toEqual([[], true]);
      back = await list(back.links.prev ?? '');
    }
    expect(back.ids).toEqual([newest]);
  });

  test('none that may be read > nothing in front and nothing behind; `total` goes by the scope', async () => {
    const { list } = await open(5, () => false);
    const page = await list('total=true');
    expect(page).toEqual({ ids: [], next: null, previous: null, total: 5, links: {} });
  });

  test('behind the last that may be read > an end, from which the way back is open', async () => {
    const { list, shown } = await open(30, (place) => place >= 20);
    const page = await list('limit=10');
    expect([page.ids, page.next]).toEqual([[...shown].reverse(), null]);
    const more = await list(`limit=4`);
    const end = await list(`limit=6&cursor=${more.next}`);
    expect([end.ids, end.next]).toEqual([[...shown].reverse().slice(4), null]);
    expect((await list(end.links.prev ?? '')).ids).toEqual([...shown].reverse().slice(0, 4));
  });
});

test('a page of which all may be read is one call of the storage, that reads one task more', async () => {
  for (const http of [{}, { authenticate: undefined, policy: undefined }]) {
    const { list, reads } = await open(300, () => true, http);
    for (const limit of [1, 50, 100]) {
      for (const query of [`limit=${limit}`, `limit=${limit}&cursor=${(await list('limit=120')).next}`]) {
        reads.mockClear();
        expect((await list(query)).ids).toHaveLength(limit);
        expect(reads.mock.calls.map(([asked]) => asked.limit)).toEqual([limit + 1]);
      }
    }
    await end?.();
    end = null;
  }
});

test('whoever missed too much is told of as many tasks as he may read, and that there are no more', async () => {
  const { ask, shown } = await open(1_400, (place) => place % 7 > 1);
  expect(shown).toHaveLength(1_000);
  const events = eventsOf(await ask('/events', { 'last-event-id': 'abc' }));
  const { value: reset } = await events.next();
  expect(reset).toMatchObject({ event: 'reset', data: { tasks: 1_000, complete: true } });
  const told: string[] = [];
  while (told.length < 1_000) told.push((await events.next()).value?.data.id ?? '');
  expect(told.sort()).toEqual([...shown].sort());
  await events.return(undefined);
});
