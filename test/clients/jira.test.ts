import { Version2Client, Version3Client } from 'jira.js-5';
import { createCloudClient, isNotFoundError, isRateLimitError } from 'jira.js-6';
import { jira } from 'tasklane/dialects';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { errorOf } from '../support/gate.ts';
import { Listening } from './listening.ts';

let listening: Listening;
beforeEach(async () => {
  listening = await Listening.open([jira()]);
});
afterEach(() => listening.close());

const basic = (apiToken: string) => ({ type: 'basic', email: 'someone@example.com', apiToken }) as const;

describe('jira.js@6.2.0', () => {
  const client = (token = 'owner') => createCloudClient({ host: listening.url, auth: basic(token) });

  test('getTask > follows a task to its end, and finds no fault with the bean', async () => {
    const complaints = vi.spyOn(console, 'warn');
    const { id } = await listening.world.seed('progressed');
    const running = await client().tasks.getTask({ taskId: id });
    expect(running).toMatchObject({
      id,
      self: `${listening.url}/rest/api/3/task/${id}`,
      status: 'RUNNING',
      progress: 50,
    });
    listening.world.reindex.runs[0]?.finish({ files: 10 });
    await listening.world.manager.task(id).result();
    const done = await client().tasks.getTask({ taskId: id });
    expect(done).toMatchObject({ status: 'COMPLETE', progress: 100, result: { files: 10 } });
    expect(complaints).not.toHaveBeenCalled(); // where it tells of what its schema does not describe
    complaints.mockRestore();
  });

  test('a bearer token', async () => {
    const { id } = await listening.world.seed('queued');
    const auth = { type: 'bearer', token: 'owner' } as const;
    const task = await createCloudClient({ host: listening.url, auth }).tasks.getTask({ taskId: id });
    expect(task.status).toBe('ENQUEUED');
  });

  test('errors > 401, 404, and what a proxy may say', async () => {
    const { id } = await listening.world.seed('queued');
    expect(await errorOf(client('nobody').tasks.getTask({ taskId: id }))).toMatchObject({ status: 401 });
    expect(isNotFoundError(await errorOf(client('stranger').tasks.getTask({ taskId: id })))).toBe(true);
    expect(isNotFoundError(await errorOf(client().tasks.getTask({ taskId: '10000' })))).toBe(true);
    listening.instead.push({
      status: 429,
      body: '{"errorMessages":["slow down"],"errors":{}}',
      headers: { 'retry-after': '2' },
    });
    const refused = await errorOf(client().tasks.getTask({ taskId: id }));
    expect(isRateLimitError(refused) && refused.retryAfterMs).toBe(2_000);
  });

  test('retries > a 503 is tried again, and then there is an answer', async () => {
    const { id } = await listening.world.seed('queued');
    listening.instead.push({ status: 503, body: '{"errorMessages":["not now"],"errors":{}}' });
    const retry = { maxAttempts: 2, initialDelayMs: 1 };
    const stubborn = createCloudClient({ host: listening.url, auth: basic('owner'), retry } as Parameters<
      typeof createCloudClient
    >[0]);
    expect((await stubborn.tasks.getTask({ taskId: id })).status).toBe('ENQUEUED');
    expect(listening.came).toHaveLength(2);
  });
});

describe('jira.js@5.4.0', () => {
  const client = (apiToken = 'owner') =>
    new Version3Client({
      host: listening.url,
      authentication: { basic: { email: 'someone@example.com', apiToken } },
    });

  test('getTask and cancelTask > RUNNING, CANCEL_REQUESTED, CANCELLED', async () => {
    const { id } = await listening.world.seed('running');
    expect((await client().tasks.getTask({ taskId: id })).status).toBe('RUNNING');
    await client().tasks.cancelTask({ taskId: id });
    expect((await client().tasks.getTask({ taskId: id })).status).toBe('CANCEL_REQUESTED');
    listening.world.reindex.runs[0]?.fail(new Error('stopped'));
    await errorOf(listening.world.manager.task(id).result());
    expect((await client().tasks.getTask({ taskId: id })).status).toBe('CANCELLED');
  });

  test('of version 2 > getTask and cancelTask, whose `self` is of that version', async () => {
    const older = new Version2Client({
      host: listening.url,
      authentication: { basic: { email: 'someone@example.com', apiToken: 'owner' } },
    });
    const { id } = await listening.world.seed('running');
    const self = `${listening.url}/rest/api/2/task/${id}`;
    expect(await older.tasks.getTask({ taskId: id })).toMatchObject({ self, status: 'RUNNING' });
    await older.tasks.cancelTask({ taskId: id });
    expect((await older.tasks.getTask({ taskId: id })).status).toBe('CANCEL_REQUESTED');
  });

  test('cancelTask > an enqueued task at once; a final one is refused', async () => {
    const { id } = await listening.world.seed('queued');
    await client().tasks.cancelTask({ taskId: id });
    expect((await client().tasks.getTask({ taskId: id })).status).toBe('CANCELLED');
    const refused = await errorOf(client().tasks.cancelTask({ taskId: id }));
    expect(refused).toMatchObject({
      status: 400,
      response: { data: { errorMessages: [expect.stringContaining('cannot be cancelled')], errors: {} } },
    });
  });

  test('errors > 401, 404', async () => {
    const { id } = await listening.world.seed('queued');
    for (const [who, status] of [
      ['nobody', 401],
      ['stranger', 404],
    ] as const) {
      expect(await errorOf(client(who).tasks.getTask({ taskId: id }))).toMatchObject({ status });
      expect(await errorOf(client(who).tasks.cancelTask({ taskId: id }))).toMatchObject({ status });
    }
  });
});
