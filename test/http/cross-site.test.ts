import { TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { expect, test } from 'vitest';
import { bodyOf } from './support.ts';

const manager = new TaskManager();
const handler = createHandler(manager, {
  authenticate: () => ({ id: 'user-1' }),
  cors: { origin: 'https://app.example.com', credentials: true },
});

const statusOf = async (method: string, headers: Record<string, string>): Promise<number> =>
  (await handler(new Request('http://api.example.com/tasks/task_0/cancel', { method, headers }))).status;

const COOKIE = { cookie: 'session=1' };
const BASIC = { authorization: 'Basic dTpw' };

test.each<[string, Record<string, string>]>([
  ['another site, by a cookie', { ...COOKIE, 'sec-fetch-site': 'cross-site' }],
  ['another site, by basic authentication', { ...BASIC, 'sec-fetch-site': 'cross-site' }],
  ['another origin of the same site', { ...COOKIE, 'sec-fetch-site': 'same-site' }],
  ['another origin, told by Origin alone', { ...COOKIE, origin: 'https://evil.example' }],
  ['an origin of nobody', { ...COOKIE, origin: 'null' }],
  ['an origin that is no URL', { ...COOKIE, origin: '%' }],
])('refuses %s', async (_what, headers) => {
  expect(await statusOf('POST', headers)).toBe(403);
});

test.each<[string, Record<string, string>]>([
  ['our own pages', { ...COOKIE, 'sec-fetch-site': 'same-origin' }],
  ['what the user typed', { ...COOKIE, 'sec-fetch-site': 'none' }],
  ['our own origin behind a proxy that ends TLS', { ...COOKIE, origin: 'https://api.example.com' }],
  ['an origin that the app lets in', { ...COOKIE, origin: 'https://app.example.com', 'sec-fetch-site': 'cross-site' }],
  ['what is no browser', COOKIE],
  ['a credential that no browser adds by itself', { authorization: 'Bearer t', 'sec-fetch-site': 'cross-site' }],
  ['no credential at all', { 'sec-fetch-site': 'cross-site' }],
])('lets through %s', async (_what, headers) => {
  expect(await statusOf('POST', headers)).toBe(404);
});

test('what changes nothing may come from everywhere', async () => {
  const url = 'http://api.example.com/me';
  const response = await handler(new Request(url, { headers: { ...COOKIE, 'sec-fetch-site': 'cross-site' } }));
  expect(await bodyOf(response)).toMatchObject({ principal: { id: 'user-1' } });
});
