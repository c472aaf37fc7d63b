import { request } from 'node:http';
import Waylay, { type BatchAnswer, type WaylayTasks } from '@waylay/client';
import { waylay } from 'tasklane/dialects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorOf } from '../support/gate.ts';
import { Listening } from './listening.ts';

let listening: Listening;
let tasks: WaylayTasks;
const client = (secret: string): WaylayTasks =>
  new Waylay({ clientID: secret, secret, domain: 'x.invalid', api: { baseUrl: listening.url } }).tasks;
beforeEach(async () => {
  listening = await Listening.open([waylay()]);
  tasks = client('owner');
});
afterEach(() => listening.close());

const spec = {
  template: 'reindex',
  name: 'Reindex docs',
  type: 'onetime',
  resource: 'docs',
  variables: { folder: 'docs' },
};
const status = (error: unknown): unknown => (error as { response?: { status?: unknown } }).response?.status;
const data = (error: unknown): unknown => (error as { response?: { data?: unknown } }).response?.data;

describe('@waylay/client@2.37.0', () => {
  test('create, get, stop, start, stopAndRemove > the life of a task', async () => {
    const { ID } = await tasks.create({ ...spec, tags: { env: 'prod' } });
    const task = await tasks.get(ID);
    expect(task).toMatchObject({
      ID,
      name: 'Reindex docs',
      status: 'running',
      user: 'owner',
      template: 'reindex',
      network: {},
    });
    expect(task).toMatchObject({ resourceIds: ['docs'], tags: { env: 'prod' }, type: 'onetime' });
    const run = await listening.world.reindex.next();
    expect(run.input).toEqual({ folder: 'docs' });
    expect(status(await errorOf(tasks.start(ID)))).toBe(400);
    expect(data(await errorOf(tasks.remove(ID)))).toEqual({
      statusCode: 400,
      error: 'Not possible to remove task in status running',
    });
    await tasks.stop(ID);
    run.fail(new Error('stopped'));
    await errorOf(listening.world.manager.task(ID).result());
    expect((await tasks.get(ID)).status).toBe('stopped');
    expect(status(await errorOf(tasks.stop(ID)))).toBe(400);
    expect((await tasks.start(ID)).status).toBe('running');
    await tasks.stop(ID);
    (await listening.world.reindex.next()).finish();
    await listening.world.manager.task(ID).result();
    await tasks.remove(ID);
    expect(status(await errorOf(tasks.get(ID)))).toBe(404);
  });

  test('update > the whole specification', async () => {
    const { ID } = await tasks.create({ ...spec, start: false, tags: { env: 'prod', team: 'a' } });
    const updated = await tasks.update(ID, { ...spec, name: 'Again', start: false, tags: { env: 'test' } });
    expect(updated).toMatchObject({ ID, name: 'Again', status: 'stopped', tags: { env: 'test' } });
    expect(status(await errorOf(tasks.update(ID, { template: 'reindex' })))).toBe(400);
  });

  test('list and count > filters, and all pages', async () => {
    for (let n = 0; n < 7; n++) {
      const env = n % 2 === 0 ? 'prod' : 'test';
      await tasks.create({ ...spec, name: `Task ${n}`, resource: `r${n}`, start: false, tags: { env, n } });
    }
    expect(await tasks.count()).toBe(7);
    expect(await tasks.count({ status: 'stopped', 'tags.env': ['prod', 'none'] })).toBe(4);
    expect(await tasks.count({ 'tags.env': null })).toBe(7);
    expect(await tasks.count({ 'tags.other': '' })).toBe(0);
    const names: unknown[] = [];
    for (let offset = 0; ; offset += 3) {
      const page = await tasks.list({ limit: 3, offset });
      names.push(...page.map(({ name }) => name));
      if (page.length === 0) break;
    }
    expect(names).toEqual([6, 5, 4, 3, 2, 1, 0].map((n) => `Task ${n}`));
    expect((await tasks.list('task 3')).map(({ name }) => name)).toEqual(['Task 3']);
    expect((await tasks.list({ resource: 'r5' })).map(({ name }) => name)).toEqual(['Task 5']);
    const [first, second] = await tasks.list({ limit: 2 });
    const ids = [first?.ID ?? '', second?.ID ?? ''];
    expect((await tasks.list({ ids })).map(({ ID }) => ID)).toEqual(ids);
    const headers = { accept: 'application/vnd.waylay.paged+json' };
    expect(await tasks.list({ limit: 2, offset: 4, headers })).toMatchObject({
      skip: 4,
      limit: 2,
      total: 7,
      values: [{}, {}],
    });
  });

  test('batchRemove > all or none', async () => {
    const made = [];
    for (let n = 0; n < 3; n++) made.push((await tasks.create({ ...spec, start: n !== 1 ? false : undefined })).ID);
    expect(status(await errorOf(tasks.batchRemove(made)))).toBe(400);
    expect(await tasks.count()).toBe(3);
    await tasks.batchRemove([made[0] ?? '', made[2] ?? '']);
    expect((await tasks.list({})).map(({ ID }) => ID)).toEqual([made[1]]);
  });

  test('batch > starts, stops and removes, and tells how it went', async () => {
    const made = [];
    for (let n = 0; n < 3; n++) made.push((await tasks.create({ ...spec, start: false })).ID);
    const follow = async ({ entity: { id } }: BatchAnswer): Promise<Record<string, unknown>> => {
      for (;;) {
        const operation = await tasks.operation(id);
        if (operation.finishedTime !== undefined) return operation;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const started = await follow(await tasks.batch.start([...made, 'task-1']));
    expect(started).toMatchObject({
      user: 'owner',
      operation: { entity: 'task', action: 'start', description: 'start of 4 tasks' },
      results: {
        success: Object.fromEntries(made.map((id) => [id, { statusCode: 200 }])),
        failure: { 'task-1': { statusCode: 404, error: 'Task with id task-1 not found' } },
      },
    });
    for (let n = 0; n < 3; n++) (await listening.world.reindex.next()).finish();
    for (const id of made) await listening.world.manager.task(id).result();
    const stopped = await follow(await tasks.batch.stop(made));
    expect(Object.keys((stopped.results as { failure: object }).failure)).toEqual(made);
    const removed = await follow(await tasks.batch.raw('stopAndDelete', { template: 'reindex', status: 'stopped' }));
    expect(removed.operation).toMatchObject({ action: 'delete' });
    expect(await tasks.count()).toBe(0);
    expect(status(await errorOf(tasks.operation('none')))).toBe(404);
  });

  test('errors > 401, 404, 400 with details', async () => {
    const { ID } = await tasks.create({ ...spec, start: false });
    expect(status(await errorOf(client('nobody').get(ID)))).toBe(401);
    expect(data(await errorOf(client('stranger').get(ID)))).toEqual({
      statusCode: 404,
      error: `Task with id ${ID} not found`,
    });
    expect(data(await errorOf(tasks.create({ ...spec, template: 'none', type: undefined })))).toMatchObject({
      statusCode: 400,
      code: 'VALIDATION',
      details: [{ severity: 'ERROR', type: 'VALIDATION', message: 'type is required' }],
    });
  });

  test('a bearer token', async () => {
    const bearer = new Waylay({ token: 'owner', domain: 'x.invalid', api: { baseUrl: listening.url } }).tasks;
    expect(await bearer.count()).toBe(0);
  });
});

test('header fields leave as the document writes them, for clients that look them up letter by letter', async () => {
  const send = (method: string, path: string, body?: object): Promise<readonly string[]> =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', authorization: 'Bearer owner' };
      const sent = request(`${listening.url}${path}`, { method, headers }, (response) => {
        response.resume();
        resolve(response.rawHeaders.filter((_, at) => at % 2 === 0));
      });
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  for (const root of ['/rules/v1', '/api']) {
    expect(await send('GET', `${root}/tasks`)).toContain('X-Count');
    expect(await send('HEAD', `${root}/tasks?hits=0`)).toContain('X-Count');
    expect(await send('POST', `${root}/tasks`, { ...spec, start: false })).toContain('Location');
    expect(await send('POST', `${root}/batch`, { entity: 'task', action: 'stop', query: { ids: [] } })).toContain(
      'Location',
    );
  }
});
