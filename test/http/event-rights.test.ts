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

const open = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
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
    const events = rest(eventsOf(await open(path === '/events' ? path : `/tasks/${id}/events`)));
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
    const [one, many] = [rest(eventsOf(await open(`/tasks/${id}/events`))), rest(eventsOf(await open('/events')))];
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
    const events = rest(eventsOf(await open(`/tasks/${id}/events`)));
    await manager.update(id, { entityId: 'theirs' });
    await manager.runNow(id);
    expect((await events).map(({ data }) => [data.status, data.entityId])).toEqual([['scheduled', 'mine']]);
  });
});

describe('streams of a principal', () => {
  test('are counted for each alone', async () => {
    await serve({
      authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }),
      limits: { streams: 2 },
    });
    const a = { authorization: 'user-a' };
    const opened = await Promise.all([open('/events', a), open('/events', a), open('/events', a)]);
    expect(opened.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    expect(opened.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('5');
    expect((await open('/events', { authorization: 'user-b' })).status).toBe(200);
    await opened.find(({ status }) => status === 200)?.body?.cancel();
    expect((await open('/events', a)).status).toBe(200);
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
  const [one, many] = [eventsOf(await open(`/tasks/${id}/events`)), eventsOf(await open('/events'))];
  await other.start();
  expect((await rest(one)).at(-1)?.data.status).toBe('succeeded');
  for await (const { data } of many) if (data.id === id && data.status === 'succeeded') break;
  await handler.close();
  await other.close();
  await manager.close();
  await rm(directory, { recursive: true });
});
