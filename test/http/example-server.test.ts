import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf } from './support.ts';

const USERS = JSON.stringify({
  'admin-token': { id: 'admin', admin: true },
  'user-token': { id: 'user-1' },
  'other-token': { id: 'user-2' },
});

let directory: string;
let child: ChildProcess | null = null;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tasklane-users-'));
});
afterEach(async () => {
  if (child !== null && child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  child = null;
  await rm(directory, { recursive: true, force: true });
});

/** Starts the example. @returns its address; null: it ended instead */
async function start(env: Record<string, string>): Promise<string | null> {
  const main = resolve('examples/server/main.ts');
  const server = spawn(process.execPath, ['--conditions=tasklane-source', main], {
    cwd: directory,
    env: { ...process.env, PORT: '0', TASKLANE_DB: 'test.db', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child = server;
  let text = '';
  for await (const chunk of server.stdout) {
    text += String(chunk);
    const [url] = /http:\/\/127\.0\.0\.1:\d+(?=\s)/.exec(text) ?? [];
    if (url !== undefined) return url;
  }
  return null;
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('TASKLANE_USERS', () => {
  test('each user has his own tasks; the key is a bearer token, a user name or a password', async () => {
    const url = await start({ TASKLANE_USERS: USERS });
    const ask = (path: string, authorization?: string, body?: unknown): Promise<Response> =>
      fetch(url + path, {
        headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
        ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      });
    for (const credential of [undefined, 'Bearer nobody', 'Bearer __proto__', basic(':'), basic('a:b'), 'Bearer']) {
      for (const path of ['/tasks', '/me', '/openapi.json', '/search?q=a']) {
        expect([credential, path, (await ask(path, credential)).status]).toEqual([credential, path, 401]);
      }
      expect((await ask('/health', credential)).status).toBe(200);
    }
    for (const credential of ['Bearer user-token', 'bearer user-token', basic('user-token:'), basic('x:user-token')]) {
      expect(await bodyOf(await ask('/me', credential))).toMatchObject({ principal: { id: 'user-1', admin: false } });
    }
    const { id } = await bodyOf(await ask('/tasks', 'Bearer user-token', { handler: 'sleep', input: { ms: 0 } }));
    expect((await ask(`/tasks/${id}`, 'Bearer other-token')).status).toBe(404);
    expect((await bodyOf(await ask('/tasks', 'Bearer other-token'))).items).toEqual([]);
    expect((await bodyOf(await ask('/tasks', 'Bearer user-token'))).items).toHaveLength(1);
    expect((await ask(`/tasks/${id}`, 'Bearer admin-token')).status).toBe(200);
    expect((await ask('/stats', 'Bearer user-token')).status).toBe(403);
    expect((await ask('/search?q=a', 'Bearer user-token')).status).toBe(200);
    const nothing = await ask('/search', 'Bearer user-token');
    expect([nothing.status, nothing.headers.get('content-type')]).toEqual([400, 'application/problem+json']);
    expect(await nothing.json()).toMatchObject({
      status: 400,
      code: 'malformed',
      detail: expect.stringContaining('"q"'),
    });
    const posted = await fetch(`${url}/search?q=a`, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await posted.json()).toMatchObject({ code: 'method_not_allowed' });
  });

  test('hold in every dialect too, which are mounted at their published paths', async () => {
    const url = await start({ TASKLANE_USERS: USERS });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer user-token' };
    const body = JSON.stringify({ handler: 'sleep', input: { ms: 0 } });
    const { id } = await bodyOf(await fetch(`${url}/tasks`, { method: 'POST', headers, body }));
    const tail = id.slice(-27);
    for (const path of [
      `/rest/api/3/task/${id}`,
      `/api/backgroundtask/sleep-${tail}`,
      `/api/v1/background-task/qtask_${tail}`,
      `/api/v1/background-task/qtask_${tail}/`,
    ]) {
      const statuses = [];
      for (const authorization of [
        'Bearer nobody',
        'Bearer other-token',
        basic('ada@example.com:user-token'),
        basic('admin-token:'),
      ]) {
        statuses.push((await fetch(url + path, { headers: { authorization } })).status);
      }
      expect([path, ...statuses]).toEqual([path, 401, 404, 200, 200]);
    }
  });

  test('a create without an input is taken, whichever API it comes by', async () => {
    const url = await start({ TASKLANE_USERS: USERS });
    const headers = { 'content-type': 'application/json', authorization: 'Bearer user-token' };
    const send = async (path: string, body: object): Promise<number> =>
      (await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })).status;
    for (const handler of ['sleep', 'fail']) {
      expect(await send('/tasks', { handler })).toBe(202);
      expect(await send('/v2/task/create', { handler, user_id: 'user-1', status: 'pending' })).toBe(201);
      expect(await send('/rules/v1/tasks', { template: handler, name: 'No variables', type: 'onetime' })).toBe(201);
      const often = { template: handler, name: 'Often', type: 'periodic', frequency: 900_000 };
      expect(await send('/rules/v1/tasks', often)).toBe(201);
    }
  });

  test('left out: any credential, or none, is an administrator', async () => {
    const url = await start({});
    for (const authorization of ['Bearer x', basic('a:b'), '']) {
      expect((await fetch(`${url}/stats`, { headers: { authorization } })).status).toBe(200);
    }
  });

  test.each(['', '[]', '{"t":{}}', '{"t":{"id":""}}', 'users.json'])(
    'what is no list of users lets nobody in: the server does not start: %j',
    async (users) => {
      expect(await start({ TASKLANE_USERS: users })).toBeNull();
    },
  );
});

describe('reindex', () => {
  test('stays below the working directory', async () => {
    const url = await start({});
    const submit = (folder: string): Promise<Response> =>
      fetch(`${url}/tasks`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ handler: 'reindex', input: { folder } }),
      });
    for (const folder of ['/etc', '..', '../other', 'docs/../..', './..', 'docs/../../x', '', 'a\u0000b']) {
      expect([folder, (await submit(folder)).status]).toEqual([folder, 422]);
    }
    await mkdir(join(directory, 'docs'));
    await writeFile(join(directory, 'docs/a.md'), 'words');
    await symlink('/etc', join(directory, 'docs/out'));
    for (const [folder, status] of [
      ['docs', 'succeeded'],
      ['docs/../docs', 'succeeded'],
      ['..docs', 'failed'],
      ['docs/out', 'failed'],
    ] as const) {
      const { id } = await bodyOf(await submit(folder));
      expect([folder, (await bodyOf(await fetch(`${url}/tasks/${id}?wait=30s`))).status]).toEqual([folder, status]);
    }
  });
});
