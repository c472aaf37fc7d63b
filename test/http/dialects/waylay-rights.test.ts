import { defineTask, type Principal, TaskManager } from 'tasklane';
import { waylay } from 'tasklane/dialects';
import { createHandler, type HandlerOptions, type Policy, type TaskHandler } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';

/** Whoever is of the `team` may do all but submit in the name of others. */
interface Someone extends Principal {
  readonly team?: boolean;
}

const PRINCIPALS: Readonly<Record<string, Someone>> = {
  owner: { id: 'owner' },
  stranger: { id: 'stranger' },
  team: { id: 'team', team: true },
};
const policy: Policy<Someone> = {
  scope: ({ id, team }) => (team === true ? 'all' : { submittedBy: id }),
  can: ({ id, team }, _action, { submittedBy }) => team === true || submittedBy === id,
};

let manager: TaskManager;
let handler: TaskHandler;

async function open(limits: HandlerOptions['limits'] = {}, asked = policy): Promise<void> {
  const work = defineTask({ name: 'work', run: (input: unknown) => input });
  const root = defineTask({ name: 'root', authorize: ({ admin }) => admin === true, run: (input: unknown) => input });
  const rules = defineTask({ name: 'rules', run: (input: unknown) => input });
  const stuck = defineTask({
    name: 'stuck',
    run: (_input: unknown, { signal }) => new Promise((_, refuse) => signal.addEventListener('abort', refuse)),
  });
  manager = new TaskManager({ handlers: [work, root, rules, stuck] });
  await manager.start();
  handler = createHandler<Someone>(manager, {
    authenticate: ({ headers }) => PRINCIPALS[headers.get('authorization')?.slice('Bearer '.length) ?? ''] ?? null,
    policy: asked,
    limits,
    dialects: [waylay({ ruleHandler: 'rules' })],
  });
}

afterEach(async () => {
  await handler.close();
  await manager.close({ timeout: 0 });
});

/** A request of ours, or of Waylay's API below `/rules/v1`. */
async function ask(as: string, method: string, path: string, body?: unknown) {
  const headers = { authorization: `Bearer ${as}`, 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await handler(new Request(`http://tasks.test${path}`, { method, headers, ...sent }));
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a test reads
  const value: any = JSON.parse((await response.text()) || 'null');
  return { status: response.status, headers: response.headers, value };
}

/** What becomes of a task in a batch. */
async function updated(as: string, id: string, actionParameters: object): Promise<object> {
  const asked = { entity: 'task', action: 'updateProperties', query: { ids: [id] }, actionParameters };
  const { value } = await ask(as, 'POST', '/rules/v1/batch', asked);
  for (;;) {
    const { value: state } = await ask(as, 'GET', `/rules/v1/batch/${value.entity.id}`);
    if (state.finishedTime !== undefined) return state.results;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function submitted(body: object): Promise<string> {
  const { value } = await ask('owner', 'POST', '/tasks', { handler: 'work', hold: true, ...body });
  return value.id;
}

const SPECIFICATION = { name: 'Root', type: 'onetime', variables: { x: 1 } };

describe('what a task says of itself in its metadata', () => {
  test.each([
    ['another template', { template: 'root', type: 'onetime' }, { x: 1 }],
    ['a rule that names a template', { rule: true }, { template: 'root', ...SPECIFICATION, task: SPECIFICATION }],
    ['a rule', { rule: true }, { task: SPECIFICATION }],
  ])('%s > gives it no other handler when its variables change', async (_what, own, input) => {
    await open();
    const id = await submitted({ input, metadata: { waylay: own } });
    expect(await updated('owner', id, { variables: { y: 2 } })).toEqual({
      success: { [id]: { statusCode: 200 } },
      failure: {},
    });
    expect((await manager.schedules.get(id))?.handler).toBe('work');
  });

  test.each([
    ['another template', { template: 'root', name: 'Root', resource: 'r', tags: { a: 1 }, variables: { z: 1 } }, [1]],
    ['a rule that names a template', { rule: true }, { template: 'root', ...SPECIFICATION }],
  ])('%s > is not told as its own', async (_what, own, input) => {
    await open();
    const id = await submitted({ input, metadata: { waylay: own } });
    const { value } = await ask('owner', 'GET', `/rules/v1/tasks/${id}/conf`);
    const variables = Array.isArray(input) ? undefined : { variables: input };
    expect(value).toEqual({ template: 'work', name: 'work', type: 'onetime', ...variables });
  });
});

describe('whoever may change what is of others, and not submit in their name', () => {
  test.each([
    ['other variables of a task', { name: 'n', type: 'onetime', start: false, variables: { a: 2 } }, 403],
    ['another name of a task', { name: 'other', type: 'onetime', start: false, variables: { a: 1 } }, 200],
  ])('%s: %s %i', async (_what, specification, status) => {
    await open();
    const id = await submitted({ input: { a: 1 } });
    const put = await ask('team', 'PUT', `/rules/v1/tasks/${id}`, { template: 'work', ...specification });
    expect([put.status, (await manager.get(id))?.input]).toEqual([status, { a: 1 }]);
  });

  test('of a schedule, and of variables in a batch', async () => {
    await open();
    const specification = { template: 'work', name: 'n', type: 'periodic', frequency: 60_000, variables: { a: 1 } };
    const { value } = await ask('owner', 'POST', '/rules/v1/tasks', specification);
    const put = await ask('team', 'PUT', `/rules/v1/tasks/${value.ID}`, { ...specification, variables: { a: 2 } });
    expect(put.status).toBe(403);
    const { failure } = (await updated('team', value.ID, { variables: { a: 2 } })) as { failure: object };
    expect(failure).toMatchObject({ [value.ID]: { statusCode: 403 } });
    expect((await manager.schedules.get(value.ID))?.input).toEqual({ a: 1 });
  });
});

test('the tasks of a schedule of somebody else, that had the key before > are neither cancelled nor counted', async () => {
  await open();
  await ask('owner', 'POST', '/schedules', { key: 'nightly', handler: 'stuck', every: '1h' });
  const { value } = await ask('owner', 'POST', '/schedules/nightly/trigger');
  await manager.fail((await ask('owner', 'POST', '/schedules/nightly/trigger')).value.id, new Error('no'));
  await ask('owner', 'DELETE', '/schedules/nightly');
  await ask('stranger', 'POST', '/schedules', { key: 'nightly', handler: 'work', every: '1h' });
  const own = await ask('stranger', 'POST', '/schedules/nightly/trigger');
  await manager.task(own.value.id).result();
  const { value: seen } = await ask('stranger', 'GET', '/rules/v1/tasks/nightly?includeHealth=true');
  expect(seen.health).toEqual({ errorsCount: 0, errorsRate: 0 });
  expect((await ask('stranger', 'POST', '/rules/v1/tasks/nightly/command/stop')).status).toBe(200);
  expect((await ask('stranger', 'DELETE', '/rules/v1/tasks/nightly?forceStop=true')).status).toBe(204);
  expect((await manager.get(value.id))?.cancelRequestedAt).toBeNull();
});

test('a policy is asked about the same task, whichever API a schedule is asked for by', async () => {
  const asked = new Set<string>();
  const can: typeof policy.can = (_who, action, { handler, status, priority, scheduleId }) => {
    if (action === 'read') asked.add(JSON.stringify([handler, status, priority, scheduleId]));
    return true;
  };
  await open({}, { scope: () => ({ scheduleId: 'nightly' }), can });
  await manager.schedules.create({ key: 'nightly', handler: 'work', every: '1h', priority: 7 });
  for (const path of ['/schedules/nightly', '/rules/v1/tasks/nightly']) {
    expect((await ask('owner', 'GET', path)).status).toBe(200);
  }
  expect([...asked]).toEqual([JSON.stringify(['work', 'scheduled', 7, 'nightly'])]);
});

test('stopping a schedule cancels the tasks that the caller may cancel', async () => {
  await open();
  await ask('owner', 'POST', '/schedules', { key: 'nightly', handler: 'stuck', every: '1h' });
  const { value } = await ask('owner', 'POST', '/schedules/nightly/trigger');
  await ask('owner', 'POST', '/rules/v1/tasks/nightly/command/stop');
  await expect(manager.task(value.id).result()).rejects.toMatchObject({ code: 'task_cancelled' });
});

describe('limits.submits > count', () => {
  const ONCE = { template: 'work', name: 'n', type: 'onetime', start: false, variables: { a: 1 } };

  test('a schedule that takes the place of a task, one that is replaced, and one that is run', async () => {
    await open({ submits: { count: 4, per: '1h' } });
    const { value } = await ask('owner', 'POST', '/rules/v1/tasks', ONCE);
    const path = `/rules/v1/tasks/${value.ID}`;
    expect((await ask('owner', 'PUT', path, { ...ONCE, name: 'no submit' })).status).toBe(200);
    expect((await ask('owner', 'PUT', path, { ...ONCE, variables: { a: 2 } })).status).toBe(200);
    expect((await ask('owner', 'PUT', path, { ...ONCE, variables: { a: 3 } })).status).toBe(200);
    expect((await ask('owner', 'POST', `${path}/command/start`)).status).toBe(200);
    const refused = await ask('owner', 'PUT', path, { ...ONCE, variables: { a: 4 } });
    expect([refused.status, (await manager.schedules.get(value.ID))?.input]).toEqual([429, { a: 3 }]);
  });

  test('a batch, for one', async () => {
    await open({ submits: { count: 2, per: '1h' } });
    const begin = async () => {
      const asked = { entity: 'task', action: 'stop', query: { ids: ['a', 'b', 'c'] } };
      return (await ask('owner', 'POST', '/rules/v1/batch', asked)).status;
    };
    expect([await begin(), await begin(), await begin()]).toEqual([202, 202, 429]);
  });
});

test.each([
  ['names', { name: Array.from({ length: 5_000 }, (_, n) => `n${n}`) }],
  ['resources', { resource: Array.from({ length: 5_000 }, (_, n) => `r${n}`) }],
  ['tags', { tags: Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`t${n}`, 'x'])) }],
  ['values of a tag', { tags: { t: Array.from({ length: 50_000 }, (_, n) => n) } }],
])('a question for thousands of %s > 400', async (_what, query) => {
  await open();
  const { status, value } = await ask('owner', 'POST', '/rules/v1/batch', { entity: 'task', action: 'stop', query });
  expect([status, value.error]).toEqual([400, expect.stringContaining('more than the 400')]);
});
