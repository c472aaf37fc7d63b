// Next.js itself, built and started: its route functions alone are in the conformance suite.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { TaskClient } from 'tasklane/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bodyOf, eventsOf } from '../support.ts';
import { Example } from './example.ts';

let example: Example | undefined;
let api: string;
let client: TaskClient;
beforeAll(async () => {
  if (!existsSync('dist/next.js')) await promisify(execFile)('npm', ['run', 'build']); // Next.js runs what users get
  example = await Example.start('next');
  api = `${example.url}/api`;
  client = new TaskClient({ baseUrl: api });
}, 120_000);
afterAll(() => example?.stop());

test('submit, links, wait, HEAD', async () => {
  const submitted = await fetch(`${api}/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ handler: 'count', input: { to: 2 } }),
  });
  expect(submitted.status).toBe(202);
  const { id } = await bodyOf(submitted);
  expect(submitted.headers.get('location')).toBe(`/api/tasks/${id}`);
  expect(await bodyOf(await fetch(`${api}/tasks/${id}?wait=10s`))).toMatchObject({ result: { counted: 2 } });
  const head = await fetch(`${api}/tasks/${id}`, { method: 'HEAD' });
  expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, expect.any(String), '']);
});

test('errors are problem documents; other pages of the app are there', async () => {
  const missing = await fetch(`${api}/tasks/task_0`);
  expect(missing.headers.get('content-type')).toBe('application/problem+json');
  expect((await bodyOf(missing)).code).toBe('task_not_found');
  for (const path of ['', '/', '/nothing']) expect([path, (await fetch(api + path)).status]).toEqual([path, 404]);
  expect((await fetch(`${api}/tasks`, { method: 'PUT' })).status).toBe(405);
  expect(await (await fetch(new URL('/', api))).text()).toContain('The tasks are at /api/tasks.');
});

test('events come as they happen, also to a client that takes gzip', async () => {
  const { id } = await client.submit('count', { to: 1_000 });
  const response = await fetch(`${api}/tasks/${id}/events`, { headers: { 'accept-encoding': 'gzip' } });
  for await (const { event } of eventsOf(response)) if (event === 'progress') break;
  await client.cancel(id);
  expect((await client.wait(id)).status).toBe('cancelled');
});

test('3 MB are 413, and the next request is fine', async () => {
  const submit = (text: string): Promise<Response> =>
    fetch(`${api}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ handler: 'count', input: { to: 1, text } }),
    });
  expect((await submit('x'.repeat(3_145_728))).status).toBe(413);
  expect((await submit('')).status).toBe(202);
});
