import { once } from 'node:events';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { TaskManager } from 'tasklane';
import { openApiDocument } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { bodyOf, eventsOf, type SentEvent } from '../support.ts';
import { FRAMEWORKS, type MountOptions } from './mounts.ts';
import { ROUTES } from './routes.ts';
import { World } from './support.ts';

test('the routes below are all there are', async () => {
  const manager = new TaskManager();
  const known = new Set(ROUTES.map(([method, path]) => `${method} ${path.replace(/\?.*/, '')}`));
  const { paths } = openApiDocument(manager) as { readonly paths: Readonly<Record<string, object>> };
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete']) {
      if (method in operations) expect(known).toContain(`${method.toUpperCase()} ${path}`);
    }
  }
  await manager.close();
});

describe.each(FRAMEWORKS)('$name', (framework) => {
  let world: World;
  afterEach(() => world.close());
  const open = async (options: MountOptions): Promise<World> => {
    world = await World.open(framework, options);
    return world;
  };

  describe.each(['', '/api'] as const)('at "%s"', (prefix) => {
    test('every route answers', async () => {
      await open({ prefix });
      const id = await world.submit('echo');
      await world.manager.task(id).result();
      for (const [method, path, status, body] of ROUTES) {
        const response = await world.fetch(
          path.replace('{id}', id).replace('{key}', 'k').replace('{event}', 'order.paid'),
          {
            method,
            ...(body === undefined
              ? {}
              : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
          },
        );
        const text = await response.text();
        expect([method, path, response.status, text].slice(0, 3), text).toEqual([method, path, status]);
        if (status === 204) continue;
        const type = path.endsWith('/events') && status === 200 ? 'text/event-stream' : 'application/json';
        expect(response.headers.get('content-type')).toBe(status < 400 ? type : 'application/problem+json');
      }
    });

    test('what is submitted can be followed by its links and read as it was sent', async () => {
      await open({ prefix });
      const response = await world.post('/tasks', { handler: 'echo', input: { text: 'grün ✓' } });
      const location = response.headers.get('location');
      expect(location).toBe(`${prefix}/tasks/${(await bodyOf(response)).id}`);
      const task = await bodyOf(await fetch(`${world.origin}${location}?wait=10s`));
      expect(task).toMatchObject({ status: 'succeeded', input: { text: 'grün ✓' }, result: { text: 'grün ✓' } });
      await world.submit('echo');
      const list = await world.fetch('/tasks?limit=1');
      const [, next] = /<([^>]*)>; rel="next"/.exec(list.headers.get('link') ?? '') ?? [];
      expect(next).toMatch(new RegExp(`^${prefix}/tasks\\?`));
      expect((await fetch(world.origin + next)).status).toBe(200);
      expect(world.arrived.map(({ basePath }) => basePath)).toEqual(world.arrived.map(() => prefix));
    });

    test('HEAD has the fields of GET and no body', async () => {
      await open({ prefix });
      const id = await world.submit('echo');
      await world.manager.task(id).result();
      for (const path of [`/tasks/${id}`, '/tasks', '/tasks/task_0', `/tasks/${id}/events`]) {
        const [head, get] = [await world.fetch(path, { method: 'HEAD' }), await world.fetch(path)];
        expect(await head.text()).toBe('');
        await get.text();
        expect([path, head.status]).toEqual([path, get.status]);
        for (const name of ['content-type', 'etag', 'cache-control']) {
          expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)]);
        }
      }
    });

    test('other routes of the app answer, and the root of the mount is no route', async () => {
      await open({ prefix });
      expect(await (await fetch(`${world.origin}/other`)).text()).toBe('other');
      if (framework.passesOn) expect(await (await fetch(`${world.origin}/api/other`)).text()).toBe('other');
      for (const path of ['', '/', '?a=1', '/nothing']) {
        expect([path, (await world.fetch(path)).status]).toEqual([path, 404]);
      }
      if (framework.passesOn) {
        const outside = await fetch(`${world.origin}/apiary/tasks`);
        expect(outside.status).toBe(404);
        expect(outside.headers.get('content-type')).not.toBe('application/problem+json');
      }
    });
  });

  test('events come as they happen, and end with the task', async () => {
    await open({ prefix: '/api' });
    const id = await world.submit('held');
    const response = await world.fetch(`/tasks/${id}/events`);
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    const seen: SentEvent[] = [];
    for await (const event of eventsOf(response)) {
      if (seen.length === 0) world.gate.open(); // not before the first one has come
      seen.push(event);
    }
    expect(seen[0]?.event).toBe('status');
    expect(seen.at(-1)?.data.status).toBe('succeeded');
  });

  test('events of all that match go on until the client leaves', async () => {
    await open({ prefix: '/api' });
    const leaving = new AbortController();
    const events = eventsOf(await world.fetch('/events?handler=held', { signal: leaving.signal }));
    const id = await world.submit('held');
    expect((await events.next()).value?.data.id).toBe(id);
    leaving.abort();
    await events.next().catch(() => {}); // the connection has gone
  });

  test('a client that goes away ends its stream', async () => {
    await open({ prefix: '/api' });
    const id = await world.submit('held');
    const leaving = new AbortController();
    for (let n = 0; n < 2; n++) {
      await eventsOf(await world.fetch(`/tasks/${id}/events`, { signal: leaving.signal })).next();
    }
    expect((await world.fetch(`/tasks/${id}/events`)).status).toBe(429);
    leaving.abort();
    await expect.poll(async () => (await world.fetch(`/tasks/${id}/events`, { method: 'GET' })).status).toBe(200);
  });

  test('a client that goes away ends its long poll', async () => {
    await open({ prefix: '/api' });
    const id = await world.submit('held');
    const leaving = new AbortController();
    const polled = world.fetch(`/tasks/${id}?wait=30s`, { signal: leaving.signal }).catch(({ name }) => name);
    await expect.poll(() => world.arrived.at(-1)?.url).toContain('wait=30s');
    leaving.abort();
    expect(await polled).toBe('AbortError');
    await expect.poll(() => world.arrived.at(-1)?.signal.aborted).toBe(true);
  });

  test('3 MB are 413, and the next request is fine', async () => {
    await open({ prefix: '/api' });
    const large = await world.post('/tasks', { handler: 'echo', input: { text: 'x'.repeat(3_145_728) } });
    expect([large.status, (await bodyOf(large)).code]).toEqual([413, 'payload_too_large']);
    const unknownLength = await world.fetch('/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      duplex: 'half',
      body: new Blob([JSON.stringify({ handler: 'echo', input: { text: 'x'.repeat(3_145_728) } })]).stream(),
    } as RequestInit);
    expect(unknownLength.status).toBe(413);
    await unknownLength.text();
    expect((await world.post('/tasks', { handler: 'echo', input: { text: 'a' } })).status).toBe(202);
  });

  test('a handler that throws is a 500, and the next request is fine', async () => {
    await open({ prefix: '/api' });
    const response = await world.fetch('/tasks?why=throw');
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('on purpose');
    expect((await world.fetch('/tasks')).status).toBe(200);
  });

  test('a POST without a body, and one that no parser would take', async () => {
    await open({ prefix: '/api' });
    const id = await world.submit('held');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const empty = await world.fetch(`/tasks/${id}/cancel`, { method: 'POST', headers, body: '' });
    expect(empty.status).toBe(202);
    const form = await world.fetch('/tasks', { method: 'POST', headers, body: 'handler=echo' });
    expect(form.status).toBe(415);
    const broken = await world.fetch('/tasks', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"handler":',
    });
    expect(broken.status).toBe(400);
  });

  test('close() ends what is open', async () => {
    await open({ prefix: '/api' });
    const id = await world.submit('held');
    const stream = await world.fetch(`/tasks/${id}/events`);
    const polled = world.fetch(`/tasks/${id}?wait=30s`);
    await expect.poll(() => world.arrived.at(-1)?.url).toContain('wait=30s');
    const closed = world.close();
    for await (const { data } of eventsOf(stream)) expect(data.id).toBe(id);
    expect((await polled).status).toBe(200);
    await closed;
    await open({ prefix: '/api' }); // for the end of the test
  });

  test('X-Forwarded-* count only when they are trusted', async () => {
    const headers = { 'x-forwarded-host': 'app.example', 'x-forwarded-proto': 'https' };
    await open({ prefix: '/api' });
    await (await world.fetch('/tasks', { headers })).text();
    expect(world.arrived.at(-1)?.url).toBe(`${world.origin}/tasks`);
    if (!framework.trustsProxies) return;
    await world.close();
    await open({ prefix: '/api', trustProxy: 'loopback' });
    await (await world.fetch('/tasks', { headers })).text();
    expect(world.arrived.at(-1)?.url).toBe('https://app.example/tasks');
  });

  test('repeated header fields stay apart, and names keep their case where they can', async () => {
    await open({ prefix: '/api' });
    const [message] = (await once(httpGet(`${world.url}/tasks?why=case`), 'response')) as [IncomingMessage];
    message.resume();
    expect(message.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(message.headers['x-pagination-page-count']).toBe('3');
    if (framework.keepsHeaderCase) expect(message.rawHeaders).toContain('X-Pagination-Page-Count');
  });
});
