import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf, World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open({ run: false, http: { limits: { pageSize: 100 } } });
});
afterEach(() => world.close());

const submit = async (more: object = {}): Promise<string> =>
  (await bodyOf(await world.post('/tasks', { handler: 'held', input: { large: true }, ...more }))).id;
const ids = async (query: string): Promise<readonly string[]> =>
  (await world.json(`/tasks?${query}`)).items.map(({ id }) => id);

describe('a large page', () => {
  let large: World;
  beforeEach(async () => {
    large = await World.open({ run: false });
  });
  afterEach(() => large.close());
  const page = async (query: string) => {
    const { items, next, previous } = await large.json(`/tasks?sort=id&${query}`);
    return { ids: items.map(({ id }) => id), next: next as string | null, previous: previous as string | null };
  };

  test('is read in steps, and is the same forward and backward', async () => {
    const handles = await large.manager.submitMany(
      Array.from({ length: 350 }, () => ({ handler: 'echo', input: { text: 'a' } })),
    );
    const all = handles.map(({ id }) => id);
    const first = await page('limit=250');
    expect(first).toEqual({ ids: all.slice(0, 250), next: expect.any(String), previous: null });
    const second = await page(`limit=250&cursor=${first.next}`);
    expect(second).toEqual({ ids: all.slice(250), next: null, previous: expect.any(String) });
    const back = await page(`limit=230&cursor=${second.previous}`);
    expect(back).toEqual({ ids: all.slice(20, 250), next: expect.any(String), previous: expect.any(String) });
    expect((await page(`limit=1000&cursor=${back.next}`)).ids).toEqual(all.slice(250));
    expect(await page(`limit=250&cursor=${back.previous}`)).toMatchObject({ ids: all.slice(0, 20), previous: null });
    expect((await page('limit=1000')).ids).toEqual(all);
  });

  test('ends early where it would be larger than 16 MiB, and goes on at `next`', async () => {
    const metadata = 'x'.repeat(1_000_000);
    const item = { handler: 'echo', input: { text: 'a' }, metadata };
    const all: string[] = [];
    for (let n = 0; n < 120; n += 20) {
      for (const { id } of await large.manager.submitMany(Array.from({ length: 20 }, () => item))) all.push(id);
    }
    const seen: string[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { ids, next: onward } = await page(`limit=1000${next && `&cursor=${next}`}`);
      expect(ids).toHaveLength(Math.min(17, all.length - seen.length));
      seen.push(...ids);
      next = onward;
    }
    expect(seen).toEqual(all);
  });
});

describe('GET /tasks', () => {
  test('newest first, without input and result unless asked for', async () => {
    const [a, b] = [await submit(), await submit()];
    const page = await world.json('/tasks');
    expect(page.items.map(({ id }) => id)).toEqual([b, a]);
    expect(page).toMatchObject({ next: null, previous: null });
    expect(page).not.toHaveProperty('total');
    expect(page.items[0]).not.toHaveProperty('input');
    expect(page.items[0]).not.toHaveProperty('result');
    const [item] = (await world.json('/tasks?include=input,result')).items;
    expect(item).toMatchObject({ input: { large: true }, result: null });
  });

  test('filters: each key narrows, a repeated one widens', async () => {
    const a = await submit({ tags: { team: 'search', n: 1 }, entityId: 'e1', description: 'First' });
    const b = await submit({ tags: { team: 'mail' }, entityId: 'e2', parentId: a });
    const c = await submit({ hold: true });
    expect(await ids('sort=id&status=queued')).toEqual([a, b]);
    expect(await ids('sort=id&status=queued&status=scheduled')).toEqual([a, b, c]);
    expect(await ids('sort=id&status=queued,scheduled&entityId=e2')).toEqual([b]);
    expect(await ids('handler=echo')).toEqual([]);
    expect(await ids(`ids=${a},${c}&sort=id`)).toEqual([a, c]);
    expect(await ids(`parentId=${a}`)).toEqual([b]);
    expect(await ids('tag.team=search')).toEqual([a]);
    expect(await ids('tag.team=search&tag.team=mail&sort=id')).toEqual([a, b]);
    expect(await ids('tag.team=&sort=id')).toEqual([a, b]);
    expect(await ids('tag.n=1')).toEqual([a]);
    expect(await ids('q=FIRST')).toEqual([a]);
    expect(await ids('archived=true')).toEqual([]);
    expect(await ids('createdAfter=2100-01-01T00:00:00Z')).toEqual([]);
    expect(await ids('createdBefore=2100-01-01T00:00:00Z&sort=id')).toEqual([a, b, c]);
  });

  test('pages: cursors and Link lead through all, and back', async () => {
    const all = [await submit(), await submit(), await submit()];
    const response = await world.fetch('/tasks?limit=2&sort=id&total=true');
    const first = await bodyOf(response);
    expect(first.items.map(({ id }) => id)).toEqual(all.slice(0, 2));
    expect(first).toMatchObject({ total: 3, previous: null, next: expect.any(String) });
    const [, path = ''] = /<([^>]+)>; rel="next"/.exec(response.headers.get('link') ?? '') ?? [];
    const second = await world.json(path);
    expect(second.items.map(({ id }) => id)).toEqual(all.slice(2));
    expect(second.next).toBeNull();
    const back = await world.json(`/tasks?limit=2&sort=id&cursor=${String(second.previous)}`);
    expect(back.items.map(({ id }) => id)).toEqual(all.slice(0, 2));
  });

  test('cursors stay right while tasks are added: forward and back, nothing twice and nothing left out', async () => {
    const old = [];
    for (let n = 0; n < 5; n++) old.unshift(await submit());
    const first = await world.json('/tasks?limit=2');
    await submit();
    const second = await world.json(`/tasks?limit=2&cursor=${String(first.next)}`);
    await submit();
    const third = await world.json(`/tasks?limit=2&cursor=${String(second.next)}`);
    expect([first, second, third].flatMap(({ items }) => items.map(({ id }) => id))).toEqual(old);
    const back = await world.json(`/tasks?limit=2&cursor=${String(third.previous)}`);
    expect(back.items).toEqual(second.items);
    const more = await world.json(`/tasks?limit=9&cursor=${String(first.previous ?? back.previous)}`);
    expect(more.items.map(({ id }) => id)).toEqual([...(await ids('limit=2')), ...old.slice(0, 2)]);
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=many', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['status=done', 'status'],
    ['sort=size', 'sort'],
    ['createdAfter=yesterday', 'createdAfter'],
    ['archived=maybe', 'archived'],
    ['include=secrets', 'include'],
    ['colour=red', 'colour'],
    ['__proto__=1', '__proto__'],
    ['tag=1', 'tag'],
  ])('400 that names the parameter: %s', async (query, name) => {
    const response = await world.fetch(`/tasks?${query}`);
    expect(response.status).toBe(400);
    expect(await bodyOf(response)).toMatchObject({
      code: 'malformed',
      detail: expect.stringContaining(JSON.stringify(name)),
      errors: [{ path: name, message: expect.any(String) }],
    });
  });

  test('400 for a cursor that was tampered with', async () => {
    const response = await world.fetch('/tasks?cursor=abc');
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, 'cursor_invalid']);
  });

  test('400 for more parameters than are allowed', async () => {
    const query = Array.from({ length: 101 }, (_, n) => `tag.t${n}=1`).join('&');
    expect((await world.fetch(`/tasks?${query}`)).status).toBe(400);
  });
});
