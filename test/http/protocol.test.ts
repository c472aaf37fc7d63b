import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { bodyOf, World } from './support.ts';

let world: World;
afterEach(() => world.close());

describe('problem documents', () => {
  test('have type, title, status, detail and code', async () => {
    world = await World.open();
    const response = await world.fetch('/nowhere');
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await bodyOf(response)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      detail: 'There is nothing at /nowhere.',
      code: 'route_unknown',
    });
  });

  test('an error that is not meant for the caller is a 500 that says nothing, and a warning', async () => {
    world = await World.open();
    const warned = once(process, 'warning');
    world.manager.stats = () => Promise.reject(new Error('the secret is 42'));
    const response = await world.fetch('/stats');
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'internal' });
    expect(text).not.toContain('42');
    expect(String((await warned)[0])).toContain('the secret is 42');
  });
});

describe('methods', () => {
  test('405 with Allow', async () => {
    world = await World.open();
    const response = await world.fetch('/tasks', { method: 'DELETE' });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST, GET, HEAD, OPTIONS');
    expect((await bodyOf(response)).code).toBe('method_not_allowed');
    const options = await world.fetch('/tasks', { method: 'OPTIONS' });
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'POST, GET, HEAD, OPTIONS']);
  });

  test.each([
    ['/tasks/task_0', 'POST', 'GET, PATCH, DELETE, HEAD, OPTIONS'],
    ['/tasks/task_0/cancel', 'GET', 'POST, OPTIONS'],
    ['/tasks/task_0/cancel', 'HEAD', 'POST, OPTIONS'],
    ['/events', 'POST', 'GET, HEAD, OPTIONS'],
    ['/openapi.json', 'PUT', 'GET, HEAD, OPTIONS'],
  ])('%s has no %s', async (path, method, allow) => {
    world = await World.open();
    const response = await world.fetch(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
  });

  test('HEAD is GET without a body', async () => {
    world = await World.open();
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    for (const path of ['/tasks', `/tasks/${id}`, '/health', `/tasks/${id}/events`]) {
      const response = await world.fetch(path, { method: 'HEAD' });
      expect([path, response.status, await response.text()]).toEqual([path, 200, '']);
    }
    const missing = await world.fetch('/tasks/task_0', { method: 'HEAD' });
    expect([missing.status, await missing.text()]).toEqual([404, '']);
  });
});

describe('bodies', () => {
  const post = (body: string | Uint8Array<ArrayBuffer>, type?: string): Promise<Response> =>
    world.fetch('/tasks', { method: 'POST', body, headers: type === undefined ? {} : { 'content-type': type } });

  test('400 for what is no JSON, for none, and for what is nested too deep', async () => {
    world = await World.open();
    for (const body of ['{"handler":', '', `{"handler":"held","input":${'['.repeat(150)}${']'.repeat(150)}}`]) {
      const response = await post(body, 'application/json');
      expect([response.status, (await bodyOf(response)).code]).toEqual([400, 'malformed']);
    }
  });

  test('415 for another media type, which says what is taken', async () => {
    world = await World.open();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', undefined]) {
      const response = await post(new TextEncoder().encode('{"handler":"held"}'), type);
      expect([response.status, (await bodyOf(response)).code]).toEqual([415, 'unsupported_media_type']);
      expect(response.headers.get('accept')).toBe('application/json');
    }
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/vnd.app+json']) {
      expect((await post('{"handler":"held"}', type)).status).toBe(202);
    }
  });

  test('415 for a charset or a content coding that is not read, and for a patch of another kind', async () => {
    world = await World.open();
    const latin = await post('{"handler":"held"}', 'application/json; charset=iso-8859-1');
    expect([latin.status, (await bodyOf(latin)).detail]).toEqual([415, expect.stringContaining('UTF-8')]);
    expect((await post('{"handler":"held"}', 'application/json; charset="UTF-8"')).status).toBe(202);
    const zipped = await world.fetch('/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"handler":"held"}'),
    });
    expect([zipped.status, zipped.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    const { id } = await world.manager.submit('held', null, { hold: true });
    for (const type of ['application/json-patch+json', 'text/plain']) {
      const patch = await world.fetch(`/tasks/${id}`, {
        method: 'PATCH',
        headers: { 'content-type': type },
        body: '{"priority":1}',
      });
      expect(patch.status).toBe(415);
      expect(patch.headers.get('accept-patch')).toBe('application/merge-patch+json, application/json');
      expect((await bodyOf(patch)).detail).toContain('application/merge-patch+json');
    }
  });

  test('what options say against each other names the one', async () => {
    world = await World.open();
    const refused = await post('{"handler":"held","hold":true,"delay":"5s"}', 'application/json');
    expect([refused.status, await bodyOf(refused)]).toEqual([
      400,
      expect.objectContaining({ code: 'option_invalid', errors: [{ path: 'delay', message: expect.any(String) }] }),
    ]);
  });

  test('a wait without a unit is refused in words that name one', async () => {
    world = await World.open();
    const { id } = await world.manager.submit('held', null, { hold: true });
    const refused = await world.fetch(`/tasks/${id}?wait=30`);
    expect(refused.status).toBe(400);
    expect((await bodyOf(refused)).detail).toMatch(/"wait".*with its unit.*'30s'/);
  });

  test('413 for 3 MB, declared or not, and the next request is fine', async () => {
    world = await World.open();
    const large = JSON.stringify({ handler: 'held', input: 'x'.repeat(3_000_000) });
    for (let round = 0; round < 3; round++) {
      const declared = await post(large, 'application/json');
      expect([declared.status, (await bodyOf(declared)).code]).toEqual([413, 'payload_too_large']);
      const chunked = await world.fetch('/tasks', {
        method: 'POST',
        body: new Blob([large]).stream(),
        headers: { 'content-type': 'application/json' },
        duplex: 'half',
      } as RequestInit);
      expect([chunked.status, (await bodyOf(chunked)).code]).toEqual([413, 'payload_too_large']);
      expect((await world.fetch('/health')).status).toBe(200);
    }
    expect((await world.json('/tasks?total=true')).total).toBe(0);
  });

  test('an input as large as the library takes fits', async () => {
    world = await World.open({ run: false });
    const response = await world.post('/tasks', { handler: 'held', input: 'x'.repeat(1_048_574) });
    expect(response.status).toBe(202);
    await response.body?.cancel();
    const above = await world.post('/tasks', { handler: 'held', input: 'x'.repeat(1_048_575) });
    expect([above.status, (await bodyOf(above)).code]).toEqual([413, 'payload_too_large']);
  });

  test('limits of the app hold', async () => {
    world = await World.open({ http: { limits: { bodyBytes: 100, jsonDepth: 2 } } });
    expect((await world.post('/tasks', { handler: 'held', input: 'x'.repeat(100) })).status).toBe(413);
    expect((await world.post('/tasks', { handler: 'held', input: [[1]] })).status).toBe(400);
    expect((await world.post('/tasks', { handler: 'held', input: [1] })).status).toBe(202);
  });
});

describe('the URL', () => {
  test('what is no URL is a 400, and both forms of a slash are the same', async () => {
    world = await World.open();
    const { port } = new URL(world.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.end('GET /tasks/%zz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect(text).toContain('"code":"malformed"');
    expect((await world.fetch('/tasks/')).status).toBe(200);
  });

  test('a base path goes into links, and `api` before the routes', async () => {
    world = await World.open({ basePath: '/api', http: { api: '/v1' }, run: false });
    const response = await world.post('/api/v1/tasks', { handler: 'held' });
    const { id } = await bodyOf(response);
    expect(response.headers.get('location')).toBe(`/api/v1/tasks/${id}`);
    await world.post('/api/v1/tasks', { handler: 'held' });
    const list = await world.fetch('/api/v1/tasks?limit=1');
    expect(list.headers.get('link')).toMatch(/^<\/api\/v1\/tasks\?limit=1&cursor=[^>]+>; rel="next"$/);
    expect((await world.fetch('/api/tasks')).status).toBe(404);
    const matches = (path: string): boolean => world.handler.matches(new Request(`http://x${path}`));
    expect([matches('/v1/tasks/a/events'), matches('/v1/tasks'), matches('/tasks'), matches('/v1/x')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('`api: false` leaves the routes out', async () => {
    world = await World.open({ http: { api: false } });
    expect((await world.fetch('/tasks')).status).toBe(404);
    expect(world.handler.matches(new Request('http://x/tasks'))).toBe(false);
  });
});

describe('clients that go', () => {
  test('one that leaves in the middle of a body disturbs nobody', async () => {
    world = await World.open();
    const upload = request(`${world.url}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '1000' },
    });
    upload.on('error', () => {});
    const arrived = once(world.server, 'request');
    upload.write('{"handler":');
    await arrived;
    upload.destroy();
    expect((await world.fetch('/health')).status).toBe(200);
  });
});
