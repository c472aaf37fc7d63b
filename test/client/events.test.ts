import { defineTask } from 'tasklane';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Gate } from '../http/support.ts';
import { lost, problem, real, scripted, World } from './support.ts';

let gate: Gate;
const held = defineTask({
  name: 'held',
  async run(_input: { at?: string } | undefined, { progress }) {
    progress({ processed: 1, total: 2 });
    await gate.opened;
    return 'done';
  },
});
const handlers = [held] as const;

let world: World<typeof handlers>;
beforeEach(async () => {
  gate = new Gate();
  world = await World.open(handlers);
});
afterEach(() => {
  gate.open();
  return world.close();
});

/** A stream of these lines, whose connection then breaks. */
const broken = (...lines: readonly string[]): (() => Response) => {
  const chunks = [new TextEncoder().encode(`${lines.join('\n')}\n\n`)];
  const body = new ReadableStream<Uint8Array>({
    pull(out) {
      const chunk = chunks.pop();
      if (chunk === undefined) out.error(new TypeError('terminated'));
      else out.enqueue(chunk);
    },
  });
  return () => new Response(body, { headers: { 'content-type': 'text/event-stream' } });
};

/** A stream of these lines, which then ends. */
const stream = (...lines: readonly string[]): (() => Response) => {
  return () => new Response(`${lines.join('\n')}\n\n`, { headers: { 'content-type': 'text/event-stream' } });
};

describe('of one task', () => {
  test('a connection that breaks is taken up where it was, and what is known is not told again', async () => {
    const { id } = await world.client.submit('held');
    await expect.poll(async () => (await world.client.get(id))?.progress?.processed).toBe(1);
    const record = JSON.stringify(await (await fetch(`${world.url}/tasks/${id}`)).json());
    const script = scripted(
      broken('event: status', 'id: 7', `data: ${record}`),
      lost,
      problem(503, 'manager_closed', {}, { 'retry-after': '0' }),
      (url, init) => {
        const response = fetch(url, init);
        response.finally(() => gate.open());
        return response;
      },
    );
    const seen: string[] = [];
    for await (const { type, task } of world.clientWith({ fetch: script.fetch }).events(id)) {
      if (type === 'status') seen.push(task.status);
    }
    expect(script.asked.length).toBe(4);
    for (const { headers } of script.asked) expect(headers.get('accept')).toBe('text/event-stream');
    expect(seen).toEqual(['running', 'succeeded']);
  });

  test('names the last event it has seen', async () => {
    const { id } = await world.client.submit('held');
    const record = JSON.stringify(await (await fetch(`${world.url}/tasks/${id}`)).json());
    const script = scripted(
      stream('event: status', 'id: 7', `data: ${record}`),
      stream('event: reset', 'id: 8', 'data: {}', '', 'event: lagged', 'data: {}', '', 'event: unheard-of', 'data: {}'),
      real,
    );
    gate.open();
    const seen = [];
    for await (const { task } of world.clientWith({ fetch: script.fetch }).events(id)) seen.push(task.status);
    expect(script.asked.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, '7', '8']);
    expect(seen.at(-1)).toBe('succeeded');
  });

  test('the first connection is refused like any request, and so are rights that were taken away', async () => {
    const { id } = await world.client.submit('held');
    const never = world.clientWith({ fetch: scripted(lost).fetch, retry: { maxAttempts: 2 } });
    await expect(never.events(id).next()).rejects.toBeInstanceOf(TypeError);
    const record = JSON.stringify(await (await fetch(`${world.url}/tasks/${id}`)).json());
    const script = scripted(stream('event: status', `data: ${record}`), problem(403, 'forbidden'));
    const events = world.clientWith({ fetch: script.fetch }).events(id);
    await events.next();
    await expect(events.next()).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('without retries a stream that ends early ends', async () => {
    const { id } = await world.client.submit('held');
    const record = JSON.stringify(await (await fetch(`${world.url}/tasks/${id}`)).json());
    const script = scripted(stream('event: status', `data: ${record}`));
    const seen = [];
    for await (const news of world.clientWith({ fetch: script.fetch, retry: false }).events(id)) seen.push(news);
    expect([seen.length, script.asked.length]).toEqual([1, 1]);
  });
});

describe('of all that match', () => {
  test('told as they happen; goes on until it is left', async () => {
    const seen: string[] = [];
    const leaving = new AbortController();
    const filter = { handler: ['held'], entityId: 'mine' };
    const followed = (async () => {
      for await (const { task, taskId } of world.client.events(filter, { signal: leaving.signal })) {
        expect(task.id).toBe(taskId);
        if (task.status === 'succeeded') seen.push(taskId);
        if (seen.length === 2) return;
      }
    })();
    gate.open();
    await expect
      .poll(async () => {
        // whoever is told of nothing yet has not joined: submit on
        if (seen.length < 2) await world.client.submit('held', {}, { entityId: 'mine' });
        return seen.length;
      })
      .toBe(2);
    await world.client.submit('held', {}, { entityId: 'other' });
    await followed;
  });

  test('a log line of a task that was not told of yet comes with its record', async () => {
    const { id } = await world.client.submit('held');
    const line = JSON.stringify({ taskId: id, at: '2026-01-01T00:00:00.000Z', level: 'info', message: 'm' });
    const gone = JSON.stringify({ taskId: 'task_0', at: '2026-01-01T00:00:00.000Z', level: 'info', message: 'm' });
    const script = scripted(stream('event: log', `data: ${gone}`, '', 'event: log', `data: ${line}`), real);
    const { value } = await world.clientWith({ fetch: script.fetch }).events({}).next();
    expect(value).toMatchObject({ type: 'log', handler: 'held', at: Date.UTC(2026, 0), message: 'm', task: { id } });
  });

  test('nothing matches an empty list', async () => {
    expect(await world.client.events({ ids: [] }).next()).toMatchObject({ done: true });
  });
});
