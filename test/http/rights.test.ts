import { TaskManager } from 'tasklane';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CALLERS, type CallerName, RIGHTS } from './rights.table.ts';
import { type Operation, operationsOf, RightsWorld } from './rights-world.ts';
import { bodyOf } from './support.ts';

let world: RightsWorld;
beforeEach(async () => {
  world = await RightsWorld.open();
});
afterEach(() => world.close());

const OPERATIONS = operationsOf(new TaskManager());

/** A task of the owner with which an operation succeeds. */
async function taskFor({ id }: Operation): Promise<string> {
  if (id === 'runTaskNow' || id === 'updateTask') return (await world.submit('quick', { hold: true })).id;
  if (id === 'cancelTask') return (await world.submit('held')).id;
  return (await world.submit('quick')).id;
}

const BODIES: Readonly<Record<string, unknown>> = {
  submitTask: { handler: 'quick' },
  updateTask: { priority: 1 },
  createSchedule: { key: 'new', handler: 'quick', every: '1h' },
  previewSchedule: { every: '1h' },
  replaceSchedule: { handler: 'quick', every: '2h' },
};

async function call(operation: Operation, caller: CallerName, id: string): Promise<Response> {
  const response = await world.ask(
    caller,
    operation.path.replace('{id}', id).replace('{key}', 'his').replace('{event}', 'quick.wanted'),
    {
      method: operation.method,
      body: BODIES[operation.id],
    },
  );
  if (response.headers.get('content-type') === 'text/event-stream') await response.body?.cancel();
  return response;
}

describe('the table of rights', () => {
  test('has a row for every route', () => {
    expect(OPERATIONS.map(({ id }) => id).sort()).toEqual(Object.keys(RIGHTS).sort());
  });

  for (const operation of OPERATIONS) {
    test.each(CALLERS.map((caller, column) => [caller, RIGHTS[operation.id]?.[column]] as const))(
      `${operation.id} > %s is answered %d`,
      async (caller, status) => {
        const id = await taskFor(operation);
        await world.manager.schedules.create({ key: 'his', handler: 'quick', every: '1h', submittedBy: 'owner' });
        const before = await world.manager.get(id);
        const schedule = await world.manager.schedules.get('his');
        const response = await call(operation, caller, id);
        expect(response.status).toBe(status);
        if (response.status < 400) return;
        expect(response.headers.get('content-type')).toBe('application/problem+json');
        if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer');
        expect(await world.manager.get(id)).toEqual(before); // what was refused has changed nothing
        expect(await world.manager.schedules.get('his')).toEqual(schedule);
      },
    );
  }
});

describe('hideForbidden', () => {
  const refused = OPERATIONS.filter(({ id, path }) => RIGHTS[id]?.[4] === 403 && /\{(id|key)\}/.test(path));

  test.each(refused.map((operation) => [operation.id, operation] as const))(
    '%s > what is there and not allowed is answered as what is not there',
    async (_id, operation) => {
      const hidden = await RightsWorld.open({ hideForbidden: true });
      const { id } = await hidden.submit('quick', { hold: true });
      await hidden.manager.schedules.create({ key: 'his', handler: 'quick', every: '1h', submittedBy: 'owner' });
      const ask = async (task: string, key: string): Promise<readonly [number, string]> => {
        const path = operation.path.replace('{id}', task).replace('{key}', key);
        const { method } = operation;
        const response = await hidden.ask('reader', path, { method, body: BODIES[operation.id] });
        return [response.status, (await response.text()).replaceAll(task, 'ID').replaceAll(key, 'KEY')];
      };
      const there = await ask(id, 'his');
      expect(there[0]).toBe(404);
      expect(there).toEqual(await ask('task_0', 'nix'));
      await hidden.close();
    },
  );

  test('is asked of every operation that the table forbids a reader', () => {
    expect(refused.length).toBeGreaterThanOrEqual(10);
  });
});

describe('who submits', () => {
  const submit = (caller: CallerName, more: object = {}): Promise<Response> =>
    world.ask(caller, '/tasks', { method: 'POST', body: { handler: 'quick', ...more } });

  test('is the principal, unless he may name another', async () => {
    expect((await bodyOf(await submit('owner'))).submittedBy).toBe('owner');
    expect((await bodyOf(await submit('owner', { submittedBy: 'owner' }))).submittedBy).toBe('owner');
    expect((await bodyOf(await submit('admin', { submittedBy: 'owner' }))).submittedBy).toBe('owner');
    const refused = await submit('stranger', { submittedBy: 'owner' });
    expect([refused.status, (await bodyOf(refused)).code]).toEqual([403, 'forbidden']);
    expect((await world.json('admin', '/tasks?total=true')).total).toBe(3);
  });

  test('has idempotency keys of his own', async () => {
    const headers = { 'idempotency-key': 'k1' };
    const body = { handler: 'quick' };
    const mine = await bodyOf(await world.ask('owner', '/tasks', { method: 'POST', headers, body }));
    const his = await world.ask('stranger', '/tasks', { method: 'POST', headers, body: { ...body, input: 'other' } });
    expect(his.status).toBe(202);
    expect((await bodyOf(his)).id).not.toBe(mine.id);
  });
});

test('where a task runs is told only to those for whom all tasks exist', async () => {
  const { id } = await world.submit('held');
  const workerFor = async (caller: CallerName): Promise<unknown> =>
    (await world.json(caller, `/tasks/${id}/explain`)).worker;
  expect(await workerFor('owner')).toMatchObject({ id: expect.any(String), host: null, pid: null });
  expect(await workerFor('admin')).toMatchObject({ host: expect.any(String), pid: process.pid });
});

describe('GET /me', () => {
  test('says who the caller is, and what he may do', async () => {
    const actions = ['submit', 'read', 'cancel', 'restart', 'runNow', 'update', 'delete'];
    expect(await world.json('owner', '/me')).toEqual({
      principal: { id: 'owner', admin: false },
      scope: 'some',
      actions,
    });
    expect(await world.json('admin', '/me')).toEqual({
      principal: { id: 'admin', admin: true },
      scope: 'all',
      actions,
    });
    expect(await world.json('reader', '/me')).toEqual({
      principal: { id: 'reader', admin: false },
      scope: 'all',
      actions: ['read'],
    });
  });
});
