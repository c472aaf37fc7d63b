import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf, eventsOf, type SentEvent, World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open({ http: { limits: { streams: 3 } } });
});
afterEach(() => world.close());

const submit = async (body: object): Promise<string> => (await bodyOf(await world.post('/tasks', body))).id;
const all = async (events: AsyncIterable<SentEvent>): Promise<readonly SentEvent[]> => {
  const seen: SentEvent[] = [];
  for await (const event of events) seen.push(event);
  return seen;
};

describe('GET /tasks/{id}/events', () => {
  test('first the status as it is, then what happens, and the end after the final status', async () => {
    const id = await submit({ handler: 'held', input: { secret: true } });
    const response = await world.fetch(`/tasks/${id}/events`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    expect(response.headers.get('cache-control')).toBe('no-cache, no-transform');
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    const seen: SentEvent[] = [];
    for await (const event of eventsOf(response)) {
      seen.push(event);
      if (event.event === 'progress') world.gate.open();
    }
    expect(seen[0]?.event).toBe('status');
    expect(seen.at(-1)).toMatchObject({ event: 'status', data: { id, status: 'succeeded' } });
    expect(seen.filter(({ data }) => data.status === 'succeeded' && data.finishedAt === null)).toEqual([]);
    expect(seen.some(({ event }) => event === 'progress')).toBe(true);
    const log = seen.find(({ event }) => event === 'log');
    expect(log?.data).toEqual({ taskId: id, at: expect.any(String), level: 'info', message: 'begun' });
    for (const { event, data } of seen) {
      if (event === 'log') continue;
      expect(data).not.toHaveProperty('input');
      expect(data).not.toHaveProperty('result');
      expect(data.createdAt).toMatch(/\.\d{3}Z$/);
    }
    const order = seen.map(({ id }) => Number(id.split('-')[1]));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(new Set(order).size).toBe(order.length);
  });

  test('of a task that has ended: its status, and the end', async () => {
    const id = await submit({ handler: 'echo', input: { text: 'a' } });
    await world.manager.task(id).result();
    const events = await all(eventsOf(await world.fetch(`/tasks/${id}/events`)));
    expect(events.map(({ event, data }) => [event, data.status])).toEqual([['status', 'succeeded']]);
  });

  test('several readers of one task see the same end; one that leaves takes nobody along', async () => {
    const id = await submit({ handler: 'held' });
    const leaving = new AbortController();
    const left = await world.fetch(`/tasks/${id}/events`, { signal: leaving.signal });
    const readers = [await world.fetch(`/tasks/${id}/events`), await world.fetch(`/tasks/${id}/events`)];
    const gone = all(eventsOf(left)).catch((error: Error) => error.name);
    leaving.abort();
    expect(await gone).toBe('AbortError');
    world.gate.open();
    for (const events of await Promise.all(readers.map((reader) => all(eventsOf(reader))))) {
      expect(events[0]?.event).toBe('status');
      expect(events.at(-1)?.data.status).toBe('succeeded');
    }
  });

  test('a reader who stops reading is told `lagged` and let go, while others are told all', async () => {
    const socket = connect(Number(new URL(world.url).port), '127.0.0.1');
    socket.write('GET /events HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'readable'); // it listens
    const leaving = new AbortController();
    const reads = eventsOf(await world.fetch('/events', { signal: leaving.signal }));
    const metadata = 'x'.repeat(500_000);
    let last = '';
    for (let n = 0; n < 60; n++) {
      last = (await world.manager.submit('held', null, { hold: true, metadata })).id;
      for (let read = await reads.next(); read.value?.data.id !== last; ) read = await reads.next();
    }
    leaving.abort();
    let text = '';
    for await (const chunk of socket) {
      text += String(chunk);
      if (text.includes('event: lagged')) break;
    }
    expect(text).toContain('event: lagged\ndata: {}\n\n');
    expect(text).not.toContain(last);
  });

  test('404 for no task; 429 above the limit, and room again when one has gone', async () => {
    expect((await world.fetch('/tasks/task_0/events')).status).toBe(404);
    const id = await submit({ handler: 'held' });
    const open: Response[] = [];
    for (let n = 0; n < 3; n++) open.push(await world.fetch(`/tasks/${id}/events`));
    const refused = await world.fetch(`/tasks/${id}/events`);
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([429, 'rate_limited']);
    expect(refused.headers.get('retry-after')).toBe('5');
    world.gate.open();
    await Promise.all(open.map((response) => all(eventsOf(response))));
    expect((await world.fetch(`/tasks/${id}/events`)).status).toBe(200);
  });

  test('close() ends the streams, so that a server can close', async () => {
    const id = await submit({ handler: 'held' });
    const events = all(eventsOf(await world.fetch(`/tasks/${id}/events`)));
    await world.handler.close();
    expect((await events)[0]?.data.status).toMatch(/queued|running/);
    expect((await world.fetch(`/tasks/${id}/events`)).status).toBe(503);
  });
});
