import { TaskClient } from 'tasklane/client';
import { expect, test } from 'vitest';
import { Example } from './example.ts';

test.each([
  ['node', ''],
  ['express', '/api'],
  ['fastify', '/api'],
  ['koa', '/api'],
  ['hono', '/api'],
  ['nest', '/api'],
  ['page', '/api'],
])('npm run example %s > starts, runs a task, and ends with a stream open', async (name, prefix) => {
  const example = await Example.start(name);
  const client = new TaskClient({ baseUrl: example.url + prefix });
  const { id } = await client.submit('count', { to: 2 });
  expect(await client.wait(id)).toMatchObject({ status: 'succeeded', result: { counted: 2 } });
  const leaving = new AbortController();
  const endless = await client.submit('count', { to: 1_000 });
  const events = client.events(endless.id, { signal: leaving.signal });
  await events.next();
  await client.cancel(endless.id);
  await client.submit('count', { to: 1 });
  const opened = client.events({}, { signal: leaving.signal }).next();
  const over = opened.catch(() => {}); // it is told something, refused, or left
  expect(await example.stop()).toEqual([0, null]);
  leaving.abort(new Error('left'));
  await over;
});

test('an example that is not there', async () => {
  await expect(Example.start('nothing')).rejects.toThrow('ended before it was ready');
});
