import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyTask, defineTask, type Principal, TaskManager } from 'tasklane';
import { createHandler, type HandlerOptions, type TaskHandler } from 'tasklane/http';
import { SqliteStorage } from 'tasklane/sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { eventsOf, type SentEvent } from './support.ts';

const quick = defineTask({ name: 'quick', run: () => 'done' }) as unknown as AnyTask;

let manager: TaskManager;
let handler: TaskHandler;
afterEach(async () => {
  vi.useRealTimers();
  await handler.close();
  await manager.close({ timeout: 0 });
});

async function serve(options: HandlerOptions): Promise<void> {
  manager = new TaskManager({ handlers: [quick] });
  handler = createHandler(manager, options);
  await manager.start();
}

const request = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  handler(new Request(`http://x${path}`, { headers }));
const rest = async (events: AsyncIterable<SentEvent>): Promise<readonly SentEvent[]> => {
  const seen: SentEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
};

describe('rights that are taken away end a stream', () => {
  test.each(['/events', 'one task'])('when the credential is no longer good: %s', async (path) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    let principal: Principal | null = { id: 'user-1' };
    await serve({ authenticate: () => principal });
    const { id } = await manager.submit('quick', null, { hold: true, submittedBy: 'user-1' });
    const events = rest(eventsOf(await request(path === '/events' ? path : `/tasks/${id}/events`)));
    await vi.advanceTimersByTimeAsync(15_000);
    principal = null;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await events).toHaveLength(path === '/events' ? 0 : 1);
  });

  test('before the next event, when the scope changes', async () => {
    const scope = { current: 'all' as 'all' | 'none' };
    const policy = { scope: () => scope.current, can: () => true };
    await serve({ authenticate: () => ({ id: 'user-1' }), policy });
    const { id } = await manager.submit('quick', null, { hold: true });
    const [one, many] = [
      rest(eventsOf(await request(`/tasks/${id}/events`))),
      rest(eventsOf(await request('/events'))),
    ];
    await manager.update(id, { priority: 1 });
    scope.current = 'none';
    await manager.runNow(id);
    expect((await one).map(({ data }) => data.status)).toEqual(['scheduled']);
    expect((await many).filter(({ data }) => data.status !== 'scheduled')).toEqual([]);
  });

  test('when the task itself leaves the scope', async () => {
    const policy = { scope: () => ({ entityId: 'mine' }), can: () => true };
    await serve({ authenticate: () => ({ id: 'user-1' }), policy });
    const { id } = await manager.submit('quick', null, { hold: true, entityId: 'mine' });
    const events = rest(eventsOf(await request(`/tasks/${id}/events`)));
    await manager.update(id, { entityId: 'theirs' });
    await manager.runNow(id);
    expect((await events).map(({ data }) => [data.status, data.entityId])).toEqual([['scheduled', 'mine']]);
  });
});

describe('two sessions of one user, of which one may see more', () => {
  const talks = defineTask({
    name: 'talks',
    async run(_input: unknown, { log, signal }) {
      log('the word is swordfish');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  }) as unknown as AnyTask;
  type Session = Principal & { readonly roles?: ReadonlySet<string>; readonly trusted?: boolean };

  async function open(sessions: Readonly<Record<string, () => Session>>): Promise<string> {
    manager = new TaskManager({ handlers: [talks] });
    handler = createHandler(manager, {
      authenticate: (request): Session | null => sessions[request.headers.get('authorization') ?? '']?.() ?? null,
      redact: (value, _part, _task, principal: Session | null) =>
        principal?.trusted || principal?.roles?.has('trusted') ? value : '***',
    });
    await manager.start();
    return (await manager.submit('talks', null, { hold: true, submittedBy: 'a' })).id;
  }
  const texts = (streams: readonly Response[]): Promise<readonly string[]> =>
    Promise.all(streams.map((stream) => stream.text()));

  test('are not told the same where only JSON takes them for equal', async () => {
    const [plain, trusted] = [new Set<string>(), new Set(['trusted'])];
    const id = await open({ plain: () => ({ id: 'a', roles: plain }), trusted: () => ({ id: 'a', roles: trusted }) });
    const streams: Response[] = [];
    for (const authorization of ['trusted', 'plain', 'trusted']) {
      streams.push(await request(`/tasks/${id}/events`, { authorization }));
    }
    await manager.runNow(id);
    await expect.poll(async () => (await manager.log(id)).length).toBe(1);
    await manager.cancel(id);
    const told = await texts(streams);
    expect(told.map((text) => text.includes('swordfish'))).toEqual([true, false, true]);
    expect(told.map((text) => text.includes('***'))).toEqual([false, true, false]);
  });

  test('whoever comes with the rights that the only reader had before gets no more than they allow', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const rights = { a: false };
    const id = await open({ a: () => ({ id: 'a', trusted: rights.a }), b: () => ({ id: 'a', trusted: false }) });
    const a = await request(`/tasks/${id}/events`, { authorization: 'a' });
    rights.a = true;
    await vi.advanceTimersByTimeAsync(15_000);
    const b = await request(`/tasks/${id}/events`, { authorization: 'b' });
    await manager.runNow(id);
    await expect.poll(async () => (await manager.log(id)).length).toBe(1);
    await manager.cancel(id);
    expect((await texts([a, b])).map((text) => text.includes('swordfish'))).toEqual([true, false]);
  });

  test('are parted when the rights of one change', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const rights = { a: false };
    const id = await open({ a: () => ({ id: 'a', trusted: rights.a }), b: () => ({ id: 'a', trusted: false }) });
    const [a, b] = [
      await request(`/tasks/${id}/events`, { authorization: 'a' }),
      await request(`/tasks/${id}/events`, { authorization: 'b' }),
    ];
    rights.a = true;
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await a.text()).toContain('"status":"scheduled"'); // it has ended: he comes back
    const again = await request(`/tasks/${id}/events`, { authorization: 'a' });
    rights.a = false; // the only one of his group now: it goes on, with the rights that he has
    await vi.advanceTimersByTimeAsync(15_000);
    const late = await request(`/tasks/${id}/events`, { authorization: 'b' });
    await manager.runNow(id);
    await expect.poll(async () => (await manager.log(id)).length).toBe(1);
    await manager.cancel(id);
    for (const text of await texts([b, again, late])) {
      expect(text).toContain('***');
      expect(text).not.toContain('swordfish');
    }
  });
});

describe('streams of a principal', () => {
  test('are counted for each alone', async () => {
    await serve({
      authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }),
      limits: { streams: 2 },
    });
    const a = { authorization: 'user-a' };
    const opened = await Promise.all([request('/events', a), request('/events', a), request('/events', a)]);
    expect(opened.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    expect(opened.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('5');
    expect((await request('/events', { authorization: 'user-b' })).status).toBe(200);
    await opened.find(({ status }) => status === 200)?.body?.cancel();
    expect((await request('/events', a)).status).toBe(200);
  });
});

test('what tasks do in another process arrives too', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tasklane-http-'));
  const path = join(directory, 'tasks.db');
  manager = new TaskManager({ handlers: [quick], storage: new SqliteStorage(path) });
  handler = createHandler(manager);
  await manager.start({ run: false });
  const other = new TaskManager({ handlers: [quick], storage: new SqliteStorage(path) });
  const { id } = await manager.submit('quick');
  const [one, many] = [eventsOf(await request(`/tasks/${id}/events`)), eventsOf(await request('/events'))];
  await other.start();
  expect((await rest(one)).at(-1)?.data.status).toBe('succeeded');
  for await (const { data } of many) if (data.id === id && data.status === 'succeeded') break;
  await handler.close();
  await other.close();
  await manager.close();
  await rm(directory, { recursive: true });
});
