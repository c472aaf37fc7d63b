import { type AnyTask, defineTask, MemoryStorage, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf, Gate, World } from './support.ts';

describe('one Idempotency-Key', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  test('200 submits at once make one task; who comes too early is told to come back', async () => {
    const submit = (): Promise<Response> =>
      world.post('/tasks', { handler: 'held', input: { a: 1 } }, { 'idempotency-key': 'k' });
    const answers = await Promise.all(Array.from({ length: 200 }, submit));
    const bodies = await Promise.all(answers.map(bodyOf));
    expect((await world.json('/tasks?total=true')).total).toBe(1);
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
    for (const [index, { status, headers }] of answers.entries()) {
      if (status === 409) {
        expect([bodies[index]?.code, headers.get('retry-after')]).toEqual(['idempotency_in_flight', '1']);
      } else expect([200, 202]).toContain(status);
    }
    expect(new Set(bodies.filter(({ id }) => id !== undefined).map(({ id }) => id)).size).toBe(1);
    const [again] = [await submit()];
    expect(again?.status).toBe(200);
  });

  test('the order of keys in the body means nothing, another value does', async () => {
    const send = (body: string): Promise<Response> =>
      world.fetch('/tasks', {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', 'idempotency-key': '"k"' },
      });
    expect((await send('{"handler":"held","input":{"a":1,"b":[1,2]}}')).status).toBe(202);
    expect((await send('{ "input": { "b": [1, 2.0], "a": 1 }, "handler": "held" }')).status).toBe(200);
    expect((await send('{"handler":"held","input":{"a":1,"b":[2,1]}}')).status).toBe(422);
    expect((await send('{"handler":"broken","input":{"a":1,"b":[1,2]}}')).status).toBe(422);
  });
});

test('409 while the first request of a key is in flight, and the earlier task once it is answered', async () => {
  const stored = new Gate();
  const storage = new MemoryStorage();
  const insert = storage.insert.bind(storage);
  storage.insert = async (...args) => {
    await stored.opened;
    return insert(...args);
  };
  const idle = defineTask({ name: 'idle' }) as unknown as AnyTask;
  const handler = createHandler(new TaskManager({ storage, handlers: [idle] }));
  const submit = (key: string): Promise<Response> =>
    handler(
      new Request('http://x/tasks', {
        method: 'POST',
        body: '{"handler":"idle"}',
        headers: { 'content-type': 'application/json', 'idempotency-key': key },
      }),
    );
  const first = submit('a');
  const other = submit('b');
  const early = await submit('a');
  expect([early.status, (await bodyOf(early)).code]).toEqual([409, 'idempotency_in_flight']);
  stored.open();
  expect([(await first).status, (await other).status, (await submit('a')).status]).toEqual([202, 202, 200]);
});

describe('limits.submits', () => {
  test('429 with Retry-After above the rate, for each principal alone; refused ones count, reads do not', async () => {
    const idle = defineTask({ name: 'idle' }) as unknown as AnyTask;
    const handler = createHandler(new TaskManager({ handlers: [idle] }), {
      authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }),
      limits: { submits: { count: 2, per: '1m' } },
    });
    const ask = (principal: string, body?: string): Promise<Response> =>
      handler(
        new Request('http://x/tasks', {
          headers: { authorization: principal, 'content-type': 'application/json' },
          ...(body === undefined ? {} : { method: 'POST', body }),
        }),
      );
    const submit = (principal: string): Promise<Response> => ask(principal, '{"handler":"idle"}');
    expect((await ask('a', '{"handler":1}')).status).toBe(422);
    expect((await submit('a')).status).toBe(202);
    const refused = await submit('a');
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([429, 'rate_limited']);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(55);
    expect(seconds).toBeLessThanOrEqual(60);
    expect((await ask('a')).status).toBe(200);
    expect((await submit('b')).status).toBe(202);
  });

  test('each task of a flow counts', async () => {
    const idle = defineTask({ name: 'idle' }) as unknown as AnyTask;
    const manager = new TaskManager({ handlers: [idle] });
    const handler = createHandler(manager, { limits: { submits: { count: 5, per: '1m' } } });
    const ask = (body: object): Promise<Response> =>
      handler(
        new Request('http://x/tasks', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ handler: 'idle', ...body }),
        }),
      );
    const child = { handler: 'idle' };
    expect((await ask({ children: [child, { ...child, children: [child] }] })).status).toBe(202);
    const refused = await ask({ children: [child] });
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await manager.count()).toBe(4);
    const large = await ask({ children: Array.from({ length: 6 }, () => child) });
    expect([large.status, await manager.count()]).toEqual([429, 4]);
  });

  test('a flow that there is never room for > is not told when to come again', async () => {
    const idle = defineTask({ name: 'idle' }) as unknown as AnyTask;
    const handler = createHandler(new TaskManager({ handlers: [idle] }), {
      limits: { submits: { count: 5, per: '1m' } },
    });
    const children = Array.from({ length: 5 }, () => ({ handler: 'idle' }));
    const { status, headers } = await handler(
      new Request('http://x/tasks', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ handler: 'idle', children }),
      }),
    );
    expect([status, headers.get('retry-after')]).toEqual([429, null]);
  });
});
