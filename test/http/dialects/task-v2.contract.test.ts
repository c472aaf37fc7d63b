import { taskV2 } from 'tasklane/dialects';
import { afterEach, describe, expect, test } from 'vitest';
import { playContract } from './contract.ts';
import { EXCHANGES, STATUS, TASK } from './task-v2.table.ts';
import { DialectWorld, STATES } from './world.ts';

playContract({ dialect: taskV2, contentType: 'application/json', exchanges: EXCHANGES });

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

type Document = Readonly<Record<string, string | null>>;

const JSON_BODY = { 'content-type': 'application/json' };

/** Asks as `owner`, and gives what it says. */
async function ask(method: string, path: string, body?: unknown, as = 'owner') {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_BODY };
  const response = await (world as DialectWorld).ask(`/v2/task/${path}`, { method, as, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, value: text === '' ? null : JSON.parse(text) };
}

describe('the document', () => {
  test.each(STATES)('%s > its keys, in order, of their types', async (state) => {
    world = await DialectWorld.open([taskV2()]);
    const { id } = await world.seed(state);
    const { value } = await ask('GET', `view/${id}`);
    expect(Object.keys(value)).toEqual(TASK.map(([key]) => key));
    for (const [key, type, nullable] of TASK) {
      const held = (value as Document)[key];
      if (nullable && held === null) continue;
      expect([key, typeof held]).toEqual([key, 'string']);
      if (type === 'JSON') expect(() => JSON.parse(String(held))).not.toThrow();
      if (type === 'day') expect(held).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
    expect(value.status).toBe(STATUS[state]);
  });

  test('nobody submitted it: user_id is empty, and finds it', async () => {
    world = await DialectWorld.open([taskV2()]);
    const { id } = await world.manager.submit('reindex', null, { hold: true });
    expect((await ask('GET', `view/${id}`, undefined, 'admin')).value.user_id).toBe('');
    const found = await ask('POST', 'index', { filter: { user_id: '' } }, 'admin');
    expect(found.value.map((task: Document) => task.task_id)).toEqual([id]);
  });
});

describe('index', () => {
  const fill = async (): Promise<readonly string[]> => {
    world = await DialectWorld.open([taskV2()]);
    const ids: string[] = [];
    for (let n = 0; n < 12; n++) {
      const { id } = await world.manager.submit('reindex', { n: 11 - n }, { submittedBy: 'owner', hold: true });
      ids.push(id);
    }
    return ids;
  };

  test('pages > each task once, the last page is shorter, the links lead on', async () => {
    const ids = await fill();
    const seen: string[] = [];
    for (let page = 1; page <= 3; page++) {
      const { value, headers } = await ask('POST', 'index', { 'per-page': 5, page, sort: 'task_id' });
      seen.push(...value.map((task: Document) => task.task_id));
      expect(headers.get('x-pagination-page-count')).toBe('3');
      expect(headers.get('link')?.includes('rel=next')).toBe(page < 3);
      expect(headers.get('link')?.includes('rel=prev')).toBe(page > 1);
    }
    expect(seen).toEqual(ids);
  });

  test.each([
    'task_id',
    'handler',
    'user_id',
    'entity_id',
    'status',
    'request',
    'response',
    'created_at',
    'updated_at',
  ])('sort > by %s, and back', async (field) => {
    await fill();
    const [first] = (await (world as DialectWorld).manager.list({ limit: 1 })).items;
    await (world as DialectWorld).manager.update(first?.id ?? '', { entityId: 'e-1' });
    await (world as DialectWorld).manager.cancel(first?.id ?? '');
    const read = async (sort: string): Promise<readonly (string | null)[]> =>
      (await ask('POST', 'index', { sort })).value.map((task: Document) => task[field] ?? null);
    const up = await read(field);
    const order = (a: string | null, b: string | null) => (a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1);
    expect(up).toEqual([...up].sort(order));
    expect(await read(`-${field}`)).toEqual([...up].reverse());
  });

  test('statusOrder > words in an order of their own, the others behind', async () => {
    world = await DialectWorld.open([taskV2({ statusOrder: ['running', 'cancelled'] })]);
    for (const state of ['running', 'cancelled', 'failed', 'queued'] as const) await world.seed(state);
    const { value } = await ask('POST', 'index', { sort: 'status' });
    expect(value.map((task: Document) => task.status)).toEqual(['running', 'cancelled', 'failed', 'pending']);
    expect(() => taskV2({ statusOrder: ['archived'] })).toThrow(/statusOrder/);
    expect(() => taskV2({ updates: { pending: 'start' as 'restart' } })).toThrow(/updates.pending/);
  });

  test('history > a deleted task is there only with it', async () => {
    const [id = ''] = await fill();
    expect((await ask('DELETE', `delete/${id}`)).status).toBe(204);
    expect((await ask('GET', `view/${id}`)).status).toBe(404);
    const ids = async (body: object): Promise<readonly string[]> =>
      (await ask('POST', 'index', body)).value.map((task: Document) => task.task_id);
    expect(await ids({})).not.toContain(id);
    expect(await ids({ history: true })).toContain(id);
  });

  test('hidden > nobody may sort by what he cannot see', async () => {
    world = await DialectWorld.open([taskV2()], { redact: () => 'hidden' });
    const { status, value } = await ask('POST', 'index', { sort: '-request' });
    expect([status, value[0].field]).toEqual([422, 'sort']);
  });
});

describe('delete', () => {
  test('linked tasks > nothing goes, and they are listed; forced, all go', async () => {
    world = await DialectWorld.open([taskV2()]);
    const { manager } = world;
    const submit = async (options: object): Promise<string> =>
      (await manager.submit('reindex', null, { submittedBy: 'owner', hold: true, ...options })).id;
    const parent = await submit({});
    const child = await submit({ parentId: parent });
    const hidden = (await manager.submit('reindex', null, { submittedBy: 'ada', hold: true, parentId: parent })).id;
    const refused = await ask('DELETE', `delete/${parent}`);
    expect(refused.status).toBe(400);
    expect(refused.value.map((task: Document) => task.task_id)).toEqual([child]);
    expect(Object.keys(refused.value[0])).toEqual(TASK.map(([key]) => key));
    expect((await manager.get(parent))?.status).toBe('scheduled');
    expect((await ask('DELETE', `delete?id=${parent}&force=true`)).status).toBe(204);
    expect(await manager.get(parent)).toBeNull();
    expect(await manager.get(child)).toBeNull();
    expect((await manager.get(hidden))?.id).toBe(hidden); // does not exist for him
  });

  test('linked > each as the app shows it', async () => {
    world = await DialectWorld.open([taskV2({ show: ({ task_id }) => ({ task_id }) })]);
    const { id } = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true });
    const child = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true, parentId: id });
    expect((await ask('DELETE', `delete/${id}`)).value).toEqual([{ task_id: child.id }]);
  });

  test('linked > the list in another form', async () => {
    const linked = (tasks: readonly { task_id: string }[]) => ({ entities: tasks.map(({ task_id }) => task_id) });
    world = await DialectWorld.open([taskV2({ linked })]);
    const { id } = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true });
    const child = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true, parentId: id });
    expect((await ask('DELETE', `delete/${id}`)).value).toEqual({ entities: [child.id] });
  });
});

describe('create', () => {
  test('Idempotency-Key > one task, and 200 the second time; not where it is switched off', async () => {
    for (const [idempotency, status] of [
      [true, 200],
      [false, 201],
    ] as const) {
      world = await DialectWorld.open([taskV2({ idempotency })]);
      const send = () =>
        (world as DialectWorld).ask('/v2/task/create', {
          method: 'POST',
          headers: { ...JSON_BODY, 'idempotency-key': 'once' },
          body: '{"handler":"reindex"}',
        });
      expect((await send()).status).toBe(201);
      expect((await send()).status).toBe(status);
      await world.close();
    }
    world = null;
  });

  test('a response that is told already > is the result, where a status ends the task', async () => {
    world = await DialectWorld.open([taskV2({ response: () => 7 })]);
    const { id } = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true });
    expect((await ask('PUT', `update/${id}`, { status: 'completed', response: '7' })).status).toBe(200);
    expect((await world.manager.get(id))?.result).toBe(7);
  });

  test('what the handler does not take > the field is `request`', async () => {
    world = await DialectWorld.open([taskV2()]);
    const { status, value } = await ask('POST', 'create', {
      handler: 'reindex',
      request: `${'['.repeat(200)}${']'.repeat(200)}`,
    });
    expect([status, value[0].field]).toEqual([422, 'request']);
  });
});
