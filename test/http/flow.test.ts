import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { createHandler, openApiDocument } from 'tasklane/http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { World as ClientWorld } from '../client/support.ts';
import { RightsWorld } from './rights-world.ts';
import { type Body, bodyOf, World } from './support.ts';

describe('a flow over HTTP', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  test('children that name each other are submitted in one request', async () => {
    const response = await world.post('/tasks', {
      handler: 'held',
      children: [
        { handler: 'echo', input: { text: 'b' }, ref: 'b', dependsOn: ['a'], hold: undefined },
        { handler: 'echo', input: { text: 'a' }, ref: 'a', runAt: '2099-01-01T00:00:00Z', onFailure: 'skip' },
      ],
    });
    expect(response.status).toBe(202);
    const parent = await bodyOf(response);
    expect(parent.status).toBe('waiting');
    const related = await world.json(`/tasks/${parent.id}/related`);
    expect(related).toMatchObject({
      parent: null,
      children: [{ status: 'waiting' }, { status: 'scheduled', runAt: '2099-01-01T00:00:00.000Z' }],
      dependencies: [
        { onFailure: 'fail', waiting: true },
        { onFailure: 'skip', waiting: true },
      ],
      dependents: [],
      truncated: false,
    });
    expect((related.children as Body[])[0]).not.toHaveProperty('input');
    const explained = await world.json(`/tasks/${parent.id}/explain`);
    expect(explained.reasons).toMatchObject([
      { code: 'waits_for', taskIds: (related.children as Body[]).map(({ id }) => id) },
    ]);
  });

  /** Pages of what is related to a task: how many of each list, and the ids of what would be deleted with it. */
  async function related(id: unknown, query: string) {
    const sizes: unknown[] = [];
    const below: unknown[] = [];
    for (let path: string | undefined = `/tasks/${id}/related${query}`; path !== undefined; ) {
      const response = await world.fetch(path);
      expect(response.status).toBe(200);
      path = /^<([^>]*)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
      const page = await bodyOf(response);
      const of = (list: string): number => (page[list] as readonly Body[]).length;
      sizes.push([of('children'), of('dependencies'), of('dependents'), of('items')]);
      below.push(...(page.items as readonly Body[]).map((item) => item.id));
      expect([page.truncated, page.next !== null]).toEqual([path !== undefined, path !== undefined]);
    }
    return { sizes, below };
  }

  test('what is related comes in pages, each list from where it was', async () => {
    const runAt = '2099-01-01T00:00:00Z';
    const child = { handler: 'held', runAt };
    const body = { handler: 'held', children: [child, child, { ...child, children: [child, child] }] };
    const { id } = await bodyOf(await world.post('/tasks', body));
    await world.post('/tasks', { handler: 'held', dependsOn: [id] });
    const { sizes, below } = await related(id, '?limit=2');
    expect(sizes).toEqual([
      [2, 2, 1, 2],
      [1, 1, 0, 2],
      [0, 0, 0, 2],
    ]);
    expect((await related(id, '')).sizes).toEqual([[3, 3, 1, 6]]);
    const refused = await world.fetch(`/tasks/${id}`, { method: 'DELETE' });
    expect((await bodyOf(refused)).related).toEqual(below);
    expect(new Set(below).size).toBe(6);
  });

  test('what was deleted meanwhile hides nothing behind it', async () => {
    const children = Array.from({ length: 6 }, () => ({
      handler: 'held',
      runAt: '2099-01-01T00:00:00Z',
      onFailure: 'run',
    }));
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held', children }));
    const path = `/tasks/${id}/related?limit=3`;
    const page = await world.json(path);
    const [first] = page.items as readonly Body[];
    await world.fetch(`/tasks/${first?.id}?cancel=true`, { method: 'DELETE' });
    const { items } = await world.json(`${path}&cursor=${page.next}`);
    expect((items as readonly Body[]).length).toBe(3);
  });

  test.each([
    ['limit=0', 'malformed'],
    ['limit=1001', 'malformed'],
    ['limit=many', 'malformed'],
    ['page=2', 'malformed'],
    ['cursor=made-up', 'cursor_invalid'],
  ])('of what is related, %s is refused', async (query, code) => {
    const { id } = await world.manager.submit('held');
    const response = await world.fetch(`/tasks/${id}/related?${query}`);
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, code]);
  });

  test('a page of what is related is cut where it would be too large', async () => {
    const { manager } = world;
    const { id } = await manager.submit('held', null, { hold: true });
    const metadata = 'x'.repeat(1_000_000);
    for (let n = 0; n < 3; n++) {
      await manager.submitMany(
        Array.from({ length: 20 }, () => ({ handler: 'held', parentId: id, metadata }) as const),
      );
    }
    const { sizes, below } = await related(id, '?limit=50');
    expect(sizes).toEqual([
      [50, 0, 0, 0],
      [10, 0, 0, 7],
      [0, 0, 0, 17],
      [0, 0, 0, 17],
      [0, 0, 0, 17],
      [0, 0, 0, 2],
    ]);
    expect(new Set(below).size).toBe(60);
  });

  test('a deletion names the first thousand tasks that are in its way', async () => {
    const { manager } = world;
    const { id } = await manager.submit('held', null, { hold: true });
    await manager.submitMany(
      Array.from({ length: 1_001 }, () => ({ handler: 'held', parentId: id, hold: true }) as const),
    );
    const refused = await bodyOf(await world.fetch(`/tasks/${id}`, { method: 'DELETE' }));
    expect((refused.related as readonly string[]).length).toBe(1_000);
  });

  test('a parent shows the progress of its children, by weight', async () => {
    const runAt = '2099-01-01T00:00:00Z';
    const parent = await bodyOf(
      await world.post('/tasks', {
        handler: 'held',
        progress: 'children',
        children: [
          { handler: 'held', weight: 3, onFailure: 'run', runAt },
          { handler: 'held', runAt },
        ],
      }),
    );
    expect(parent.progress).toMatchObject({ processed: 0, total: 2, fraction: 0 });
    const { children } = await world.json(`/tasks/${parent.id}/related`);
    await world.post(`/tasks/${(children as Body[])[0]?.id}/cancel`, {});
    expect((await world.json(`/tasks/${parent.id}`)).progress).toMatchObject({
      processed: 1,
      total: 2,
      fraction: 0.75,
    });
    expect((await world.post('/tasks', { handler: 'held', weight: 0 })).status).toBe(422);
    const alone = await world.post('/tasks', { handler: 'held', weight: 2 });
    expect([alone.status, (await bodyOf(alone)).errors]).toMatchObject([400, [{ path: 'weight' }]]);
    const silent = await bodyOf(await world.post('/tasks', { handler: 'held', runAt }));
    const child = { handler: 'held', runAt, parentId: silent.id, weight: 2 };
    expect(await bodyOf(await world.post('/tasks', child))).toMatchObject({ warnings: [{ code: 'weight_uncounted' }] });
    const strict = await world.post('/tasks?failOnWarning=true', child);
    expect([strict.status, (await bodyOf(strict)).errors]).toMatchObject([422, [{ path: 'weight' }]]);
    expect((await world.post('/tasks', { handler: 'held', progress: 'own' })).status).toBe(422);
  });

  test('what depends on a task holds up its deletion: 409 with the ids', async () => {
    const first = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const second = await bodyOf(
      await world.post('/tasks', { handler: 'held', dependsOn: [{ id: first.id, onFailure: 'run' }] }),
    );
    const refused = await world.fetch(`/tasks/${first.id}?cancel=true`, { method: 'DELETE' });
    expect([refused.status, (await bodyOf(refused)).related]).toEqual([409, [second.id]]);
    const gone = await world.fetch(`/tasks/${first.id}?cancel=true&related=true`, { method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect((await world.json(`/tasks/${second.id}`)).archivedAt).not.toBeNull();
  });

  test('the same request again with its key: the flow that is there answers', async () => {
    const flow = { handler: 'held', children: [{ handler: 'held' }] };
    const headers = { 'idempotency-key': '"one"' };
    const [first, second] = [await world.post('/tasks', flow, headers), await world.post('/tasks', flow, headers)];
    expect([first.status, second.status]).toEqual([202, 200]);
    expect((await bodyOf(second)).id).toBe((await bodyOf(first)).id);
    expect(await world.manager.count()).toBe(2);
  });

  const deep = (levels: number): object => ({
    handler: 'held',
    ...(levels > 0 ? { children: [deep(levels - 1)] } : {}),
  });

  test.each([
    ['a task that is not there', { dependsOn: ['task_none'] }, 422, 'dependsOn.0'],
    ['one in a child', { children: [{ handler: 'held', dependsOn: ['task_none'] }] }, 422, 'children.0.dependsOn.0'],
    ['a circle', { children: [{ handler: 'held', ref: 'a', dependsOn: ['a'] }] }, 400, 'children.0.dependsOn'],
    ['an unknown policy', { dependsOn: [{ id: 'x', onFailure: 'stop' }] }, 422, 'dependsOn.0'],
    ['a submitter of a child', { children: [{ handler: 'held', submittedBy: 'x' }] }, 422, 'children.0'],
    ['five levels of children', deep(5), 422, 'children.0.children.0.children.0.children.0'],
  ])('refuses %s, and makes nothing', async (_what, more, status, where) => {
    const response = await world.post('/tasks', { handler: 'held', ...more });
    expect(response.status).toBe(status);
    expect(JSON.stringify(await response.json())).toContain(where);
    expect(await world.manager.count()).toBe(0);
  });

  test('takes four levels of children', async () => {
    expect((await world.post('/tasks', deep(4))).status).toBe(202);
    expect(await world.manager.count()).toBe(5);
  });

  test('the document tells of children and dependencies', () => {
    const { components } = openApiDocument(world.manager) as {
      components: { schemas: Record<string, { properties: object }> };
    };
    expect(Object.keys(components.schemas['Submit.held']?.properties ?? {})).toEqual(
      expect.arrayContaining(['children', 'dependsOn']),
    );
    expect(Object.keys(components.schemas.SubmitChild?.properties ?? {})).toEqual(
      expect.arrayContaining(['ref', 'onFailure', 'children', 'dependsOn']),
    );
  });
});

describe('rights in a flow', () => {
  let world: RightsWorld;
  beforeEach(async () => {
    world = await RightsWorld.open();
  });
  afterEach(() => world.close());

  test('nobody waits for what does not exist for him, and nobody is told of it', async () => {
    const theirs = await world.manager.submit('held', null, { submittedBy: 'owner' });
    const submit = (body: object) =>
      world.ask('stranger', '/tasks', { method: 'POST', body: { handler: 'quick', ...body } });
    for (const body of [{ dependsOn: [theirs.id] }, { children: [{ handler: 'quick', dependsOn: [theirs.id] }] }]) {
      expect((await submit(body)).status).toBe(422);
    }
    const mine = await world.manager.submit('quick', null, { submittedBy: 'stranger', dependsOn: [theirs.id] });
    expect(await world.json('stranger', `/tasks/${mine.id}/related`)).toMatchObject({
      dependencies: [],
      dependents: [],
    });
    const { reasons } = await world.json('stranger', `/tasks/${mine.id}/explain`);
    expect(JSON.stringify(reasons)).not.toContain(theirs.id);
    expect(await world.json('admin', `/tasks/${mine.id}/related`)).toMatchObject({
      dependencies: [{ task: { id: theirs.id } }],
    });
  });

  test('children are submitted in the name of their parent', async () => {
    const body = { handler: 'quick', children: [{ handler: 'held' }] };
    const { id } = await bodyOf(await world.ask('owner', '/tasks', { method: 'POST', body }));
    const { children } = await world.manager.related(id);
    expect(children).toMatchObject([{ submittedBy: 'owner' }]);
  });
});

test('whoever may not submit one of the children, however deep, submits nothing', async () => {
  const free = defineTask({ name: 'free' }) as unknown as AnyTask;
  const closed = defineTask({ name: 'closed', authorize: ({ id }) => id === 'ada' }) as unknown as AnyTask;
  const manager = new TaskManager({ handlers: [free, closed] });
  const handler = createHandler(manager, {
    authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }),
  });
  const body = JSON.stringify({ handler: 'free', children: [{ handler: 'free', children: [{ handler: 'closed' }] }] });
  const submit = (authorization: string): Promise<Response> =>
    handler(
      new Request('http://x/tasks', {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
      }),
    );
  expect([(await submit('bob')).status, await manager.count()]).toEqual([403, 0]);
  expect([(await submit('ada')).status, await manager.count()]).toEqual([202, 3]);
});

test('the client submits a flow, and reads what belongs together', async () => {
  const part = defineTask({ name: 'part', run: (input: number) => input + 1 });
  const whole = defineTask({
    name: 'whole',
    run: async (_input: unknown, { dependencies }) => (await dependencies()).map(({ result }) => result),
  });
  const world = await ClientWorld.open([part, whole]);
  const { client } = world;
  const task = await client.submit('whole', null, {
    children: [
      { handler: part, input: 1, ref: 'one' },
      { handler: 'part', input: 2, dependsOn: ['one'] },
    ],
  });
  expect((await client.wait(task.id)).result).toEqual([2, 3]);
  const related = await client.related(task.id);
  expect(related.children.map(({ status, finishedAt }) => [status, typeof finishedAt])).toEqual([
    ['succeeded', 'number'],
    ['succeeded', 'number'],
  ]);
  expect(related.dependencies.map(({ onFailure, waiting }) => [onFailure, waiting])).toEqual([
    ['fail', false],
    ['fail', false],
  ]);
  expect([related.below.length, related.parent, related.truncated]).toEqual([2, null, false]);
  const first = await client.related(task.id, { limit: 1 });
  const second = await client.related(task.id, { limit: 1, cursor: first.next ?? '' });
  expect([first, second].map(({ children, below, next }) => [children.length, below.length, next !== null])).toEqual([
    [1, 1, true],
    [1, 1, false],
  ]);
  await world.close();
});
