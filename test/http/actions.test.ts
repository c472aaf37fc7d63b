import { waitFor } from 'tasklane/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Body, bodyOf, World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const submit = async (body: object): Promise<Body> => bodyOf(await world.post('/tasks', body));
const send = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  world.fetch(path, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

describe('POST /tasks/{id}/restart', () => {
  test('202 with the record, and it runs again; 409 while it is not final', async () => {
    const { id } = await submit({ handler: 'broken' });
    await world.json(`/tasks/${id}?wait=30s`);
    const response = await world.post(`/tasks/${id}/restart`);
    expect([response.status, response.headers.get('location'), response.headers.get('retry-after')]).toEqual([
      202,
      `/tasks/${id}`,
      '1',
    ]);
    expect((await world.json(`/tasks/${id}?wait=30s`)).attempt).toBe(2);
    const held = await submit({ handler: 'held', hold: true });
    const refused = await world.post(`/tasks/${held.id}/restart`);
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([409, 'transition_refused']);
  });

  test('409 where another task holds its unique key now', async () => {
    const unique = { key: 'k' };
    const first = await submit({ handler: 'echo', input: { text: 'a' }, unique });
    await waitFor(world.manager, first.id, 'succeeded');
    const second = await submit({ handler: 'held', hold: true, unique });
    expect(second.id).not.toBe(first.id);
    const third = await submit({ handler: 'echo', input: { text: 'a' }, unique, hold: true });
    const refused = await world.post(`/tasks/${first.id}/restart`);
    expect(refused.status).toBe(409);
    expect(await bodyOf(refused)).toMatchObject({ code: 'unique_conflict', taskId: third.id });
  });
});

describe('POST /tasks/{id}/run-now', () => {
  test('202, and a held task runs; 409 once it is final', async () => {
    const { id } = await submit({ handler: 'echo', input: { text: 'a' }, hold: true });
    expect((await world.post(`/tasks/${id}/run-now`)).status).toBe(202);
    expect((await world.json(`/tasks/${id}?wait=30s`)).status).toBe('succeeded');
    expect((await world.post(`/tasks/${id}/run-now`)).status).toBe(409);
  });
});

describe('PATCH /tasks/{id}', () => {
  test('merges what it is given, under both media types', async () => {
    const { id } = await submit({ handler: 'held', hold: true, tags: { a: 1, b: 2 }, metadata: { x: 1, y: { z: 1 } } });
    const patch = {
      priority: 7,
      tags: { a: null, c: true },
      description: 'New',
      entityId: 'e',
      metadata: { y: { z: null } },
    };
    const response = await world.fetch(`/tasks/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(patch),
    });
    const body = await bodyOf(response);
    expect(response.status).toBe(200);
    expect(response.headers.get('etag')).toBe(`"${String(body.version)}"`);
    expect(body).toMatchObject({ priority: 7, description: 'New', entityId: 'e' });
    expect([body.tags, body.metadata]).toEqual([
      { b: 2, c: true },
      { x: 1, y: {} },
    ]);
    const runAt = '2100-01-01T00:00:00.000Z';
    expect((await bodyOf(await send('PATCH', `/tasks/${id}`, { runAt, description: null }))).runAt).toBe(runAt);
    expect(await bodyOf(await send('PATCH', `/tasks/${id}`, { runAt: null }))).toMatchObject({
      runAt: null,
      description: null,
    });
  });

  test.each([
    ['a key that is fixed', { handler: 'echo' }, 'handler'],
    ['a wrong type', { priority: 'high' }, 'priority'],
    ['a tag that is none', { tags: { a: [] } }, 'tags.a'],
    ['no object', [1], ''],
  ])('422 that names %s', async (_what, patch, path) => {
    const { id } = await submit({ handler: 'held', hold: true });
    const response = await send('PATCH', `/tasks/${id}`, patch);
    expect([response.status, (await bodyOf(response)).errors]).toEqual([422, [{ path, message: expect.any(String) }]]);
  });

  test('If-Match: only at that version, by strong comparison', async () => {
    const { id } = await submit({ handler: 'held', hold: true });
    const etag = (await world.fetch(`/tasks/${id}`)).headers.get('etag') ?? '';
    for (const match of ['"999"', `W/${etag}`, 'nonsense', '']) {
      const response = await send('PATCH', `/tasks/${id}`, { priority: 1 }, { 'if-match': match });
      expect([match, response.status, (await bodyOf(response)).code]).toEqual([match, 412, 'version_conflict']);
    }
    expect((await send('PATCH', `/tasks/${id}`, { priority: 1 }, { 'if-match': `"0", ${etag}` })).status).toBe(200);
    expect((await send('PATCH', `/tasks/${id}`, { priority: 2 }, { 'if-match': etag })).status).toBe(412);
    expect((await send('PATCH', `/tasks/${id}`, { priority: 2 }, { 'if-match': '*' })).status).toBe(200);
  });

  test('of 20 that saw the same version, one wins', async () => {
    const { id } = await submit({ handler: 'held', hold: true });
    const headers = { 'if-match': '"1"' };
    const all = Array.from({ length: 20 }, (_, priority) => send('PATCH', `/tasks/${id}`, { priority }, headers));
    const statuses = (await Promise.all(all)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array<number>(19).fill(412)]);
  });
});

describe('DELETE /tasks/{id}', () => {
  test('to the archive, where it can still be read; with purge for good', async () => {
    const { id } = await submit({ handler: 'held', hold: true });
    await world.post(`/tasks/${id}/cancel`);
    expect((await send('DELETE', `/tasks/${id}`)).status).toBe(204);
    expect((await world.json('/tasks')).items).toEqual([]);
    expect((await world.json(`/tasks/${id}`)).archivedAt).not.toBeNull();
    const other = await submit({ handler: 'held', hold: true });
    expect((await send('DELETE', `/tasks/${other.id}?cancel=true&purge=true`)).status).toBe(204);
    expect((await world.fetch(`/tasks/${other.id}`)).status).toBe(404);
  });

  test('409 with the tasks that stand in its way, 412 at another version', async () => {
    const parent = await submit({ handler: 'echo', input: { text: 'a' } });
    await waitFor(world.manager, parent.id, 'succeeded');
    const child = await submit({ handler: 'held', hold: true, parentId: parent.id });
    const related = await send('DELETE', `/tasks/${parent.id}`);
    expect([related.status, (await bodyOf(related)).related]).toEqual([409, [child.id]]);
    const unfinished = await send('DELETE', `/tasks/${parent.id}?related=true`);
    expect([unfinished.status, (await bodyOf(unfinished)).related]).toEqual([409, [child.id]]);
    expect((await send('DELETE', `/tasks/${parent.id}`, undefined, { 'if-match': '"99"' })).status).toBe(412);
    expect((await world.json(`/tasks/${parent.id}/related`)).items.map(({ id }) => id)).toEqual([child.id]);
    expect((await send('DELETE', `/tasks/${parent.id}?related=true&cancel=true`)).status).toBe(204);
    expect((await world.json('/tasks?total=true')).total).toBe(0);
  });
});

describe('what happened to a task', () => {
  test('GET /log pages through its lines; GET /attempts tells each attempt', async () => {
    const { id } = await submit({ handler: 'held' });
    world.gate.open();
    await waitFor(world.manager, id, 'succeeded');
    await world.post(`/tasks/${id}/restart`);
    await waitFor(world.manager, id, 'succeeded');
    const line = { seq: expect.any(Number), at: expect.stringMatching(/Z$/), level: 'info', message: 'begun' };
    const all = await world.json(`/tasks/${id}/log`);
    expect(all).toEqual({ items: [line, line], next: null });
    const first = await world.json(`/tasks/${id}/log?limit=1`);
    expect(first.next).toBe(first.items[0]?.seq);
    expect((await world.json(`/tasks/${id}/log?limit=1&after=${String(first.next)}`)).items).toEqual([all.items[1]]);
    expect((await world.fetch(`/tasks/${id}/log?limit=0`)).status).toBe(400);
    const { items } = await world.json(`/tasks/${id}/attempts`);
    expect(items).toMatchObject([
      { attempt: 1, outcome: 'succeeded', error: null, startedAt: expect.stringMatching(/Z$/) },
      { attempt: 2, outcome: 'succeeded' },
    ]);
    const broken = await submit({ handler: 'broken' });
    await waitFor(world.manager, broken.id, 'failed');
    const [attempt] = (await world.json(`/tasks/${broken.id}/attempts`)).items;
    expect(attempt?.error).toEqual({ name: 'Error', message: 'it broke', code: 'handler_failed' }); // no stack
  });

  test('GET /explain says why it does not run, or who runs it', async () => {
    const later = await submit({ handler: 'held', runAt: '2100-01-01T00:00:00.000Z' });
    expect(await world.json(`/tasks/${later.id}/explain`)).toMatchObject({
      status: 'scheduled',
      reasons: [{ code: 'run_at', runAt: '2100-01-01T00:00:00.000Z' }],
      worker: null,
    });
    const { id } = await submit({ handler: 'held' });
    await waitFor(world.manager, id, 'running');
    const explained = await world.json(`/tasks/${id}/explain`);
    expect(explained).toMatchObject({
      reasons: [],
      worker: { pid: process.pid, lastSeenAt: expect.stringMatching(/Z$/) },
    });
  });
});

describe('Retry-After', () => {
  test('is what is left, by the estimate of the handler or until it is due, from 1 to 30 s', async () => {
    const { retryAfter } = await import('../../src/http/retry-after.ts');
    const { previewOf } = await import('../../src/http/submit-preview.ts');
    const task = { ...previewOf({}, null, 0), status: 'running' as const };
    const progress = { processed: 1, total: 2, fraction: 0.5, message: null, rate: 1, at: 1_000 };
    const left = (remainingMs: number | null): string =>
      retryAfter({ ...task, progress: { ...progress, remainingMs } }, 2_000);
    expect([left(null), left(500), left(5_500), left(90_000)]).toEqual(['1', '1', '5', '30']);
    expect(retryAfter({ ...task, status: 'scheduled', runAt: 9_000 }, 2_000)).toBe('7');
    expect(retryAfter({ ...task, status: 'scheduled', runAt: null }, 2_000)).toBe('1');
  });

  test('goes with a task that has not ended', async () => {
    const { id } = await submit({ handler: 'held', delay: '10s' });
    expect((await world.fetch(`/tasks/${id}`)).headers.get('retry-after')).toBe('10');
    await world.post(`/tasks/${id}/cancel`);
    expect((await world.fetch(`/tasks/${id}`)).headers.get('retry-after')).toBeNull();
  });
});
