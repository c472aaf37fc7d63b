import { ApiException, BackgroundTaskStatus, BackgroundTaskType, Ordering, Svix } from 'svix';
import { svix } from 'tasklane/dialects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorOf } from '../support/gate.ts';
import { Listening } from './listening.ts';

let listening: Listening;
beforeEach(async () => {
  listening = await Listening.open([svix({ tasks: { reindex: 'endpoint.recover' } })]);
});
afterEach(() => listening.close());

const client = (token = 'owner', options = {}) =>
  new Svix(token, { serverUrl: listening.url, ...options }).backgroundTask;

describe('svix@2.5.0', () => {
  test('get > follows a task to its end', async () => {
    const { id } = await listening.world.seed('progressed');
    const qtask = `qtask_${id.slice(-27)}`;
    const running = await client().get(qtask);
    expect(running).toEqual({
      id: qtask,
      status: 'running',
      task: 'endpoint.recover',
      data: { handler: 'reindex', progress: expect.objectContaining({ processed: 5, total: 10 }) },
      updatedAt: expect.any(Date),
    });
    listening.world.reindex.runs[0]?.finish({ files: 10 });
    await listening.world.manager.task(id).result();
    expect(await client().get(qtask)).toMatchObject({ status: 'finished', data: { files: 10 } });
  });

  test('list > every page, both ways, both orders, filters', async () => {
    const { manager } = listening.world;
    await manager.pause();
    const made = await manager.submitMany(
      Array.from({ length: 7 }, () => ({ handler: 'reindex' as const, submittedBy: 'owner' })),
    );
    const ids = made.map(({ id }) => `qtask_${id.slice(-27)}`);
    for (const order of [Ordering.Ascending, Ordering.Descending]) {
      const seen: string[] = [];
      const firsts: (string | null | undefined)[] = [];
      let iterator: string | null = null;
      for (;;) {
        const page = await client().list({
          limit: 3,
          iterator,
          order,
          status: BackgroundTaskStatus.Running,
          task: BackgroundTaskType.EndpointRecover,
        });
        seen.push(...page.data.map(({ id }) => id));
        firsts.push(page.prevIterator);
        if (page.done) break;
        iterator = page.iterator;
      }
      expect(seen).toEqual(order === Ordering.Ascending ? ids : [...ids].reverse());
      const back = await client().list({ limit: 3, iterator: firsts.at(-1) ?? '', order });
      expect(back.data.map(({ id }) => id)).toEqual(seen.slice(3, 6));
    }
    expect((await client().list({ status: BackgroundTaskStatus.Finished })).data).toEqual([]);
    expect((await client().list()).data).toHaveLength(7);
  });

  test('errors > are ApiExceptions with the body of the API', async () => {
    const { id } = await listening.world.seed('queued');
    const qtask = `qtask_${id.slice(-27)}`;
    const told = async (call: Promise<unknown>) => {
      const error = await errorOf(call);
      expect(error).toBeInstanceOf(ApiException);
      return error as ApiException<unknown>;
    };
    const detail = expect.any(String);
    expect(await told(client('nobody').get(qtask))).toMatchObject({
      code: 401,
      body: { code: 'authentication_failed', detail },
    });
    expect(await told(client('nobody').list())).toMatchObject({
      code: 401,
      body: { code: 'authentication_failed', detail },
    });
    expect(await told(client('stranger').get(qtask))).toMatchObject({ code: 404, body: { code: 'not_found', detail } });
    expect(await told(client().get('qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2'))).toMatchObject({ code: 404 });
    expect(await told(client().list({ limit: 251 }))).toMatchObject({
      code: 422,
      body: { detail: [{ loc: ['query', 'limit'], msg: detail, type: 'value_error' }] },
    });
    expect(await told(client().list({ iterator: 'x' }))).toMatchObject({ code: 422 });
    expect(listening.came).toHaveLength(6); // none of them is tried again
  });

  test('retries > a 500 twice, with its own count; what is not to be tried again is not', async () => {
    const { id } = await listening.world.seed('queued');
    const qtask = `qtask_${id.slice(-27)}`;
    const broken = { status: 500, body: '{"code":"server_error","detail":"x"}' };
    listening.instead.push(broken, broken);
    expect((await client('owner', { retryScheduleInMs: [1, 1] }).get(qtask)).status).toBe('running');
    expect(listening.came.map(({ headers }) => headers['svix-retry-count'])).toEqual([undefined, '1', '2']);
    listening.instead.push({ status: 429, body: '{"code":"rate_limit_exceeded","detail":"x"}' });
    expect(await errorOf(client().get(qtask))).toMatchObject({ code: 429 });
    expect(listening.came).toHaveLength(4);
  });

  test('a closed manager is told of as JSON, which the client waits out or hands on', async () => {
    const { id } = await listening.world.seed('queued');
    const closing = listening.world.manager.close({ timeout: 0 });
    await listening.world.clock.advance('1m');
    await closing;
    const error = await errorOf(client('owner', { retryScheduleInMs: [] }).get(id));
    expect(error).toMatchObject({ code: 503 });
    const { body } = error as ApiException<string>;
    expect(JSON.parse(body)).toMatchObject({ code: 'server_error' });
  });
});
