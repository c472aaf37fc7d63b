import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { encodeCursor, fingerprintOf } from '../../src/task/cursor.ts';
import { parseFilter } from '../../src/task/query.ts';
import { bodyOf, eventsOf, World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

/** Sends bytes as they are. @returns all that came back */
async function raw(...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
  socket.on('error', () => {});
  for (const part of parts) socket.write(part);
  socket.end();
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const head = (length: number, more = ''): string =>
  `POST /tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n${more}\r\n`;
const total = async (): Promise<unknown> => (await world.json('/tasks?total=true')).total;

describe('bodies', () => {
  test('one that ends too early makes no task', async () => {
    await raw(head(100), '{"handler":"held"}');
    expect(await total()).toBe(0);
    expect((await world.fetch('/health')).status).toBe(200);
  });

  test.each<[string, readonly number[]]>([
    ['a byte that starts nothing', [0xff]],
    ['half a character', [0xe2, 0x82]],
    ['Latin-1', [0xe9]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['half a pair', [0xed, 0xa0, 0x80]],
  ])('400 for what is no UTF-8: %s', async (_what, bytes) => {
    const body = Buffer.concat([Buffer.from('{"handler":"held","input":"'), Buffer.from(bytes), Buffer.from('"}')]);
    const answer = await raw(head(body.length), body);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('UTF-8');
    const request = new Request('http://x/tasks', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect((await world.handler(request)).status).toBe(400);
    expect(await total()).toBe(0);
  });

  test('U+FFFD that was sent is text like any other', async () => {
    const { input } = await bodyOf(await world.post('/tasks', { handler: 'held', input: '\ufffd' }));
    expect(input).toBe('\ufffd');
  });

  test.each([
    '{"__proto__":{"admin":true},"handler":"held"}',
    '{"handler":"__proto__"}',
    '{"handler":"constructor"}',
    '{"handler":"held","tags":{"__proto__":{"x":1}}}',
    '{"handler":"held","unique":{"key":"k","__proto__":1}}',
    '{"handler":"held","priority":1e400}',
    '{"handler":"held","tags":[]}',
    '{"handler":"held","tags":{"":"x"}}',
    '{"handler":"held","runAt":"+275760-09-13T00:00:00.001Z"}',
    '{"handler":"held","delay":"99999999999999y"}',
    '{"handler":"held","delay":"99999999999999999w"}',
    '{"handler":"held","description":"\\ud800"}',
    '"held"',
    '[]',
    'null',
    '{"handler":"held"}{"handler":"held"}',
    '{"handler":["held"]}',
  ])('%s is refused, and changes no prototype', async (body) => {
    const response = await world.fetch('/tasks', {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect([400, 422]).toContain(response.status);
    expect((await bodyOf(response)).code).toEqual(expect.any(String));
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(await total()).toBe(0);
  });

  test('a body with 50,000 faults is answered with the first of them, not with a multiple of itself', async () => {
    const tags = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`t${n}`, null]));
    const response = await world.post('/tasks', { handler: 'held', tags });
    const text = await response.text();
    expect(response.status).toBe(422);
    expect(text.length).toBeLessThan(20_000);
    const { detail, errors } = JSON.parse(text) as { detail: string; errors: readonly { path: string }[] };
    expect(errors.map(({ path }) => path)).toEqual(Array.from({ length: 100 }, (_, n) => `tags.t${n}`));
    expect(detail).toMatch(/tags\.t9: [^;]*; and 49990 more$/);
  });

  test('more dependencies than a task may have are counted, not looked up', async () => {
    const dependsOn = Array.from({ length: 10_001 }, (_, n) => `task_${n}`);
    const response = await world.post('/tasks', { handler: 'held', dependsOn });
    expect([response.status, (await bodyOf(response)).errors]).toEqual([
      422,
      [{ path: 'dependsOn', message: expect.stringContaining('10000') }],
    ]);
  });

  test('so may that of a child', async () => {
    const response = await world.fetch('/tasks', {
      method: 'POST',
      body: '{"handler":"held","children":[{"handler":"held","input":{"__proto__":{"a":1}}}]}',
      headers: { 'content-type': 'application/json' },
    });
    const { id } = await bodyOf(response);
    const { items } = await world.json(`/tasks?parentId=${id}&include=input`);
    expect(JSON.stringify(items[0]?.input)).toBe('{"__proto__":{"a":1}}');
  });

  test('an input may have any keys, and comes back as it was', async () => {
    const text = '{"handler":"held","hold":true,"input":{"__proto__":{"a":1},"constructor":2,"":3}}';
    const response = await world.fetch('/tasks', {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(202);
    expect(await response.text()).toContain('"input":{"__proto__":{"a":1},"constructor":2,"":3}');
  });
});

describe('queries', () => {
  test.each([
    '__proto__=1',
    'constructor=1',
    'tag.__proto__=1',
    'status[]=queued',
    'status[0]=queued',
    'limit=1e3&limit=2',
    'limit=1.5',
    'limit=-1',
    'limit=%00',
    'limit=1e99',
    'sort=__proto__',
    'createdAfter=NaN',
    'cursor=',
    `cursor=${'A'.repeat(5_000)}`,
    'cursor=%ff%fe',
    'total=1',
    'include=input,input,__proto__',
  ])('400: %s', async (query) => {
    const response = await world.fetch(`/tasks?${query}`);
    expect(response.status).toBe(400);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
  });

  test('10,000 parameters are counted, not read', async () => {
    const query = Array.from({ length: 10_000 }, (_, n) => `tag.${n}=1`).join('&');
    const response = await world.handler(new Request(`http://x/tasks?${query}`));
    expect(response.status).toBe(400);
    expect((await bodyOf(response)).detail).toContain('10000 parameters');
    expect((await world.fetch(`/tasks?${query}`)).status).toBe(431); // Node reads no such head
  });

  test('a tampered cursor is refused, whichever character it is', async () => {
    for (let n = 0; n < 3; n++) await world.post('/tasks', { handler: 'held', hold: true });
    const next = String((await world.json('/tasks?limit=1')).next);
    for (let at = 0; at < next.length; at += 3) {
      const changed = next.slice(0, at) + (next[at] === 'A' ? 'B' : 'A') + next.slice(at + 1);
      expect((await world.fetch(`/tasks?limit=1&cursor=${changed}`)).status).toBe(400);
    }
    expect((await world.fetch(`/tasks?limit=1&sort=id&cursor=${next}`)).status).toBe(400);
    expect((await world.fetch(`/tasks?limit=1&cursor=${next}`)).status).toBe(200);
  });
});

describe('cursors', () => {
  test('one that somebody made by computing its digest is refused where no task has such a place', async () => {
    for (let n = 0; n < 3; n++) await world.post('/tasks', { handler: 'held', hold: true });
    const where = [[parseFilter({})]];
    for (const [place, status] of [
      [[0, null, 1e9], 200],
      [[0, { a: 1 }, 1], 400],
      [[0, null, 'x'], 400],
      [[0, [1], 1.5], 400],
    ] as const) {
      const [, ...from] = place;
      const made = encodeCursor(fingerprintOf([where, '-id', null]), false, from as never);
      expect((await world.fetch(`/tasks?limit=1&cursor=${made}`)).status).toBe(status);
    }
  });

  test.each(['', '{', 'null', '7', '"x"', '[]', '{}'])('one with %s in it, its digest computed > 400', async (text) => {
    const { id } = (await (await world.post('/tasks', { handler: 'held', hold: true })).json()) as { id: string };
    const digest = (of: string): string => createHash('sha256').update(of).digest('base64url').slice(0, 16);
    const of = fingerprintOf([[[parseFilter({})]], '-id', null]);
    const made = Buffer.from(digest(of + text) + text).toString('base64url');
    expect((await world.fetch(`/tasks?limit=1&cursor=${made}`)).status).toBe(400);
    const related = fingerprintOf(['related', id, ['children', 'dependencies', 'dependents', 'below']]);
    const inner = encodeCursor(related, false, [text, 0]);
    const { status } = await world.fetch(`/tasks/${id}/related?cursor=${inner}`);
    expect(status).toBe(['[]', '{}'].includes(text) ? 200 : 400); // these say nothing: it begins
  });
});

describe('headers', () => {
  test('nothing of a request gets into a header of the answer unescaped', async () => {
    for (let n = 0; n < 2; n++) await world.post('/tasks', { handler: 'held', hold: true });
    const evil = encodeURIComponent('a>; rel="evil", <https://evil.example>\r\nset-cookie: a=b');
    const list = await world.fetch(`/tasks?limit=1&status=scheduled&tag.x=&q=held&description=${evil}`);
    expect(list.status).toBe(400);
    const response = await world.fetch(`/tasks?limit=1&q=task_&submittedBy=`);
    expect(response.headers.get('set-cookie')).toBeNull();
    const tagged = await bodyOf(
      await world.post('/tasks', { handler: 'held', hold: true, tags: { 'a>; rel="evil"\r\nset-cookie: a=b': 1 } }),
    );
    await world.post('/tasks', { handler: 'held', hold: true, tags: tagged.tags });
    const key = encodeURIComponent('a>; rel="evil"\r\nset-cookie: a=b');
    const page = await world.fetch(`/tasks?limit=1&tag.${key}=1`);
    expect([page.status, page.headers.get('set-cookie')]).toEqual([200, null]);
    expect(page.headers.get('link')).toMatch(/^<\/tasks\?[^<>"\s]*>; rel="next"$/);
  });

  test.each(['', '""', '"a', 'a\tb"', 'é', 'x'.repeat(300)])('400 for a key that is none: %j', async (key) => {
    const answer = await raw(head(18, `Idempotency-Key: ${key}\r\n`), '{"handler":"held"}');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(await total()).toBe(0);
  });

  test.each(['wait', 'wait=abc', 'wait=-1', 'wait=1e9', ';;;', 'wait="30"', 'x'.repeat(5_000)])(
    'a Prefer that cannot be read is ignored: %s',
    async (prefer) => {
      const { id } = await bodyOf(await world.post('/tasks', { handler: 'held', hold: true }));
      const response = await world.fetch(`/tasks/${id}`, { headers: { prefer } });
      expect([response.status, response.headers.get('preference-applied')]).toEqual([200, null]);
    },
  );
});

describe('clients that go away', () => {
  test('in the middle of a submit: the task is made once or not at all, and the server serves on', async () => {
    for (let n = 0; n < 20; n++) {
      const body = JSON.stringify({ handler: 'held', hold: true });
      const sent = request(`${world.url}/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `k${n}` },
      });
      sent.on('error', () => {});
      const arrived = once(world.server, 'request');
      sent.end(body);
      await arrived;
      sent.destroy();
    }
    for (let n = 0; n < 20; n++) {
      const again = await world.post('/tasks', { handler: 'held', hold: true }, { 'idempotency-key': `k${n}` });
      expect([200, 202]).toContain(again.status);
    }
    expect(await total()).toBe(20);
  });

  test('in the middle of a stream: others read on, and its place is free', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const stays = eventsOf(await world.fetch(`/tasks/${id}/events`));
    await stays.next();
    for (let n = 0; n < 50; n++) {
      const leaving = new AbortController();
      const response = await world.fetch(n % 2 === 0 ? `/tasks/${id}/events` : '/events', { signal: leaving.signal });
      const reading = response.text().catch(() => '');
      leaving.abort();
      await reading;
    }
    world.gate.open();
    let last = '';
    for await (const { data } of stays) last = String(data.status ?? last);
    expect(last).toBe('succeeded');
  });
});
