import { type AnyTask, defineTask, type Principal, TaskManager } from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bodyOf } from './support.ts';

const receipt = defineTask({
  name: 'receipt',
  on: 'invoice.paid',
  input: z.object({ id: z.string() }),
  run: ({ id }) => `receipt ${id}`,
});
const audit = defineTask({
  name: 'audit',
  on: ['invoice.paid', 'invoice.lost'],
  authorize: ({ id }: Principal) => id !== 'clerk',
  run: () => 'noted',
});
const save = defineTask({ name: 'save', run: (text: string) => text });
const handlers = [receipt, audit, save] as const;

let manager: TaskManager;
let handler: TaskHandler;

beforeEach(async () => {
  manager = new TaskManager({ handlers: handlers as unknown as readonly AnyTask[] });
  await manager.start({ run: false });
  handler = createHandler(manager, {
    authenticate: (request) => {
      const id = request.headers.get('authorization')?.replace('Bearer ', '');
      return id === undefined ? null : { id, admin: id === 'admin' };
    },
  });
});
afterEach(async () => {
  await handler.close();
  await manager.close({ timeout: 0 });
});

function post(path: string, body?: unknown, { as = 'user', key = '' } = {}): Promise<Response> {
  const headers = {
    authorization: `Bearer ${as}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === '' ? {} : { 'idempotency-key': `"${key}"` }),
  };
  return handler(
    new Request(`http://x${path}`, {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }),
  );
}

async function items(response: Response): Promise<readonly { id: string; handler: string; submittedBy: string }[]> {
  return (await bodyOf(response)).items as never;
}

describe('POST /publish/{event}', () => {
  test('starts what is bound to the event, in the name of the caller', async () => {
    const response = await post('/publish/invoice.paid', { payload: { id: 'a' }, tags: { run: 1 }, priority: 3 });
    expect(response.status).toBe(202);
    const started = await items(response);
    expect(started).toMatchObject([
      { handler: 'receipt', input: { id: 'a' }, submittedBy: 'user', tags: { run: 1 }, priority: 3, warnings: [{}] },
      { handler: 'audit', submittedBy: 'user' },
    ]);
    expect(await manager.count({ ids: started.map(({ id }) => id) })).toBe(2);
  });

  test('without a body, and where nothing is bound', async () => {
    expect((await items(await post('/publish/invoice.lost'))).length).toBe(1);
    const response = await post('/publish/invoice.unknown');
    expect([response.status, await items(response)]).toEqual([202, []]);
  });

  test('a payload that does not fit is 422, names its fields, and nothing starts', async () => {
    const response = await post('/publish/invoice.paid', { payload: { id: 7 } });
    expect(response.status).toBe(422);
    expect(await bodyOf(response)).toMatchObject({ code: 'input_invalid', errors: [{ path: 'payload.id' }] });
    expect(await manager.count()).toBe(0);
  });

  test.each([
    ['/publish/a%20b', undefined, 400],
    ['/publish/invoice.lost', { payload: 1, unique: { key: 'k' } }, 422],
    ['/publish/invoice.lost', { delay: 'soon' }, 422],
  ])('%s with %j is %d', async (path, body, status) => {
    const response = await post(path, body);
    expect(response.status).toBe(status);
    expect(await manager.count()).toBe(0);
  });

  test('one task that the caller may not submit forbids the event', async () => {
    const response = await post('/publish/invoice.paid', { payload: { id: 'a' } }, { as: 'clerk' });
    expect([response.status, (await bodyOf(response)).code]).toEqual([403, 'forbidden']);
    expect(await manager.count()).toBe(0);
  });

  test('in the name of another only whom the policy lets', async () => {
    const body = { submittedBy: 'other' };
    expect((await post('/publish/invoice.lost', body)).status).toBe(403);
    const [task] = await items(await post('/publish/invoice.lost', body, { as: 'admin' }));
    expect(task?.submittedBy).toBe('other');
  });

  test("a stranger's schedule hears nothing of it, and forbids nothing", async () => {
    await manager.schedules.create({ key: 'spy', handler: save, on: 'invoice.paid', submittedBy: 'stranger' });
    const started = await items(await post('/publish/invoice.paid', { payload: { id: 'a' } }));
    expect(started.map((task) => task.handler)).toEqual(['receipt', 'audit']);
    expect(await manager.count()).toBe(2);
  });

  test('the same Idempotency-Key starts nothing twice, another payload is 422', async () => {
    const first = await items(await post('/publish/invoice.paid', { payload: { id: 'a' } }, { key: 'evt_1' }));
    const again = await items(await post('/publish/invoice.paid', { payload: { id: 'a' } }, { key: 'evt_1' }));
    expect(again.map(({ id }) => id)).toEqual(first.map(({ id }) => id));
    const other = await post('/publish/invoice.paid', { payload: { id: 'b' } }, { key: 'evt_1' });
    expect([other.status, (await bodyOf(other)).code]).toEqual([422, 'idempotency_conflict']);
    const stranger = await post('/publish/invoice.paid', { payload: { id: 'a' } }, { key: 'evt_1', as: 'stranger' });
    expect((await items(stranger)).some(({ id }) => first.some((task) => task.id === id))).toBe(false);
  });

  test('a schedule of a caller who may not see all tasks hears nothing that the application publishes', async () => {
    for (const as of ['user', 'admin']) {
      await post('/schedules', { key: as, handler: 'save', on: 'secret.told' }, { as });
    }
    const started = async (options = {}): Promise<readonly unknown[]> => {
      const handles = await manager.publish('secret.told', 'a secret', options);
      return Promise.all(handles.map(async ({ id }) => (await manager.get(id))?.scheduleId));
    };
    expect(await started()).toEqual(['admin']);
    expect(await started({ submittedBy: 'user' })).toEqual(['user']);
    const replaced = await handler(
      new Request('http://x/schedules/user', {
        method: 'PUT',
        headers: { authorization: 'Bearer admin', 'content-type': 'application/json' },
        body: JSON.stringify({ handler: 'save', on: 'secret.told', priority: 2 }),
      }),
    );
    expect(await bodyOf(replaced)).toMatchObject({ submittedBy: 'user', ownEvents: true, priority: 2 });
    expect(await started()).toEqual(['admin']);
  });
});

test('POST /tasks takes debounce, throttle, replace and runAfter', async () => {
  const submit = (input: string, more: object) => post('/tasks', { handler: 'save', input, ...more });
  for (const more of [
    { debounce: { key: 'a', wait: '1h', maxWait: 7_200_000 } },
    { unique: { key: 'a', onConflict: 'replace' } },
    { unique: { key: 'b', onConflict: 'runAfter' } },
  ]) {
    const first = await bodyOf(await submit('old', more));
    const response = await submit('new', more);
    expect(response.status).toBe(200);
    expect(await bodyOf(response)).toMatchObject({ id: first.id, input: 'new' });
  }
  const throttle = { throttle: { window: '1h' } };
  const first = await bodyOf(await submit('old', throttle));
  expect(await bodyOf(await submit('new', throttle))).toMatchObject({ id: first.id, input: 'old' });
  expect((await submit('new', { debounce: { wait: 'x' } })).status).toBe(422);
});

test('TaskClient.publish gives the records, and repeats safely', async () => {
  const sent: string[] = [];
  const client = new TaskClient<typeof handlers>({
    baseUrl: 'http://x',
    headers: { authorization: 'Bearer user' },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      sent.push(request.headers.get('idempotency-key') ?? '');
      const response = await handler(request);
      return sent.length === 1 ? new Response(null, { status: 503 }) : response; // the first answer is lost
    },
  });
  const [task, ...others] = await client.publish('invoice.paid', { id: 'a' }, { tags: { a: 1 } });
  expect(task).toMatchObject({ handler: 'receipt', input: { id: 'a' }, tags: { a: 1 } });
  expect(typeof task?.createdAt).toBe('number');
  expect(others).toHaveLength(1);
  expect(new Set(sent).size).toBe(1);
  expect(await manager.count()).toBe(2);
  expect(await client.publish('elsewhere', 7)).toEqual([]);
});
