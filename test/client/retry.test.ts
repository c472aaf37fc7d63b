import { defineTask } from 'tasklane';
import { type TaskClient, TasklaneError } from 'tasklane/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Asked, answerLost, lost, problem, real, type Step, scripted, World } from './support.ts';

const echo = defineTask({ name: 'echo', run: (input: { text: string }) => input });
const handlers = [echo] as const;

let world: World<typeof handlers>;
beforeEach(async () => {
  world = await World.open(handlers);
});
afterEach(() => world.close());

const over = (...steps: readonly Step[]): { client: TaskClient<typeof handlers>; asked: readonly Asked[] } => {
  const { fetch, asked } = scripted(...steps);
  return { asked, client: world.clientWith({ fetch }) };
};

describe('a submit', () => {
  test('whose answer was lost is repeated under the same key, and makes one task', async () => {
    const { client, asked } = over(answerLost, lost, real);
    const task = await client.submit('echo', { text: 'a' });
    const keys = asked.map(({ headers }) => headers.get('idempotency-key'));
    expect(keys).toEqual([keys[0], keys[0], keys[0]]);
    expect(keys[0]).toMatch(/^"[0-9a-f-]{36}"$/);
    expect(await world.manager.count()).toBe(1);
    expect((await world.manager.get(task.id))?.id).toBe(task.id);
  });

  test('of a page that came over plain HTTP draws a key as well', async () => {
    const randomUUID = vi.spyOn(crypto, 'randomUUID').mockReturnValue('a' as never);
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true });
    const { client, asked } = over(real);
    await client.submit('echo', { text: 'a' });
    Reflect.deleteProperty(crypto, 'randomUUID');
    randomUUID.mockRestore();
    expect(asked[0]?.headers.get('idempotency-key')).toMatch(/^"[0-9a-f]{32}"$/);
    expect(typeof crypto.randomUUID).toBe('function');
  });

  test('is repeated on 429, 502, 503 and 504, and waits as long as it is told', async () => {
    const busy = problem(503, 'queue_full', {}, { 'retry-after': '1' });
    const { client, asked } = over(problem(429, 'rate_limited', {}, { 'retry-after': '0' }), busy, real);
    const begun = Date.now();
    await client.submit('echo', { text: 'a' });
    expect(asked.length).toBe(3);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(990);
    const between = over(
      () => new Response('<html>', { status: 502 }),
      () => new Response(null, { status: 504 }),
      real,
    );
    await between.client.submit('echo', { text: 'a' });
    expect(between.asked.length).toBe(3);
  });

  test('a date in Retry-After counts, and one that has gone by is now', async () => {
    const past = new Date(Date.now() - 60_000).toUTCString();
    const { client } = over(problem(503, 'manager_closed', {}, { 'retry-after': past }), real);
    await client.submit('echo', { text: 'a' });
  });

  test('gives up after its attempts, with the last failure', async () => {
    const script = scripted(lost, problem(503, 'queue_full', {}, { 'retry-after': '0' }));
    const client = world.clientWith({ fetch: script.fetch, retry: { maxAttempts: 3 } });
    await expect(client.submit('echo', { text: 'a' })).rejects.toMatchObject({ name: 'QueueFullError' });
    expect(script.asked.length).toBe(3);
    const once = scripted(lost);
    const hasty = world.clientWith({ fetch: once.fetch, retry: false });
    await expect(hasty.submit('echo', { text: 'a' })).rejects.toBeInstanceOf(TypeError);
    expect(once.asked.length).toBe(1);
  });

  test('is not repeated where that changes nothing', async () => {
    const { client, asked } = over(problem(422, 'input_invalid', { errors: [] }));
    await expect(client.submit('echo', { text: 'a' })).rejects.toMatchObject({ code: 'input_invalid' });
    expect(asked.length).toBe(1);
  });

  test('is given up by its signal while it waits for another try', async () => {
    const { client, asked } = over(problem(503, 'queue_full', {}, { 'retry-after': '60' }));
    const leaving = new AbortController();
    const submitted = client.submit('echo', { text: 'a' }, { signal: leaving.signal });
    await vi.waitFor(() => expect(asked.length).toBe(1));
    leaving.abort(new Error('enough'));
    await expect(submitted).rejects.toThrow('enough');
    await expect(client.submit('echo', { text: 'a' }, { signal: leaving.signal })).rejects.toThrow('enough');
    expect(asked.length).toBe(1);
  });
});

describe('what is carried out once, although the answer was lost', () => {
  test('cancel: the cancelled task', async () => {
    const { id } = await world.client.submit('echo', { text: 'a' }, { hold: true });
    const { client } = over(answerLost, real);
    expect(await client.cancel(id, 'why')).toMatchObject({ status: 'cancelled', cancelReason: 'why' });
  });

  test('cancel of a task that has ended by itself: TransitionError', async () => {
    const { id } = await world.client.submit('echo', { text: 'a' });
    await world.client.wait(id);
    const { client } = over(lost, real);
    await expect(client.cancel(id)).rejects.toMatchObject({
      code: 'transition_refused',
      allowed: ['queued', 'scheduled', 'waiting'],
    });
  });

  test('delete: no error', async () => {
    const { id } = await world.client.submit('echo', { text: 'a' });
    await world.client.wait(id);
    await over(answerLost, real).client.delete(id, { purge: true });
    expect(await world.client.get(id)).toBeNull();
    await expect(world.client.delete(id)).rejects.toMatchObject({ code: 'task_not_found' });
  });

  test('restart: not repeated, as it might have ended again; but where it was refused for now', async () => {
    const { id } = await world.client.submit('echo', { text: 'a' });
    await world.client.wait(id);
    const { client, asked } = over(answerLost, real);
    await expect(client.restart(id)).rejects.toBeInstanceOf(TypeError);
    expect(asked.length).toBe(1);
    await world.client.wait(id);
    await over(problem(503, 'storage_locked', {}, { 'retry-after': '0' }), real).client.restart(id);
    expect(await world.client.wait(id)).toMatchObject({ status: 'succeeded', attempt: 3 });
  });
});

describe('headers', () => {
  test('are asked for anew with each request', async () => {
    let token = 0;
    const script = scripted(lost, real);
    const headers = async () => ({ authorization: `Bearer ${++token}` });
    await world.clientWith({ fetch: script.fetch, headers }).submit('echo', { text: 'a' });
    expect(script.asked.map(({ headers: sent }) => sent.get('authorization'))).toEqual(['Bearer 1', 'Bearer 2']);
  });

  test('that cannot be made end the request', async () => {
    const script = scripted(real);
    const headers = () => Promise.reject(new Error('signed out'));
    await expect(world.clientWith({ fetch: script.fetch, headers }).get('a')).rejects.toThrow('signed out');
    expect(script.asked).toEqual([]);
  });
});

test('an answer that is none of ours says so, and is not asked for again', async () => {
  const page = over(() => new Response('<!doctype html>'));
  const failure = await page.client.get('a').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(TasklaneError);
  expect(failure).toMatchObject({
    code: 'internal',
    message: 'GET /tasks/a was answered with something else than JSON.',
  });
  expect(page.asked.length).toBe(1);
  const missing = over(() => new Response('<html>', { status: 404, statusText: 'Not Found' }));
  await expect(missing.client.get('a')).rejects.toMatchObject({
    code: 'route_unknown',
    message: 'GET /tasks/a was answered with 404 Not Found, and no reason.',
  });
});
