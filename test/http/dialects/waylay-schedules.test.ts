import { defineTask } from 'tasklane';
import { waylay } from 'tasklane/dialects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { expectEntity } from './waylay.entity.ts';
import { DialectWorld } from './world.ts';

let world: DialectWorld;
beforeEach(async () => {
  world = await DialectWorld.open([waylay()]);
});
afterEach(() => world.close());

async function ask(method: string, path: string, body?: unknown, as = 'owner') {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await world.ask(`/rules/v1/${path}`, { method, as, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, value: text === '' ? null : JSON.parse(text) };
}

const create = async (specification: object): Promise<string> => {
  const { status, value, headers } = await ask('POST', 'tasks', { template: 'reindex', ...specification });
  expect([status, value]).toEqual([201, { ID: expect.stringMatching(/^task_[0-9A-Za-z]{27}$/) }]);
  expect(headers.get('location')).toBe(`http://tasks.test/rules/v1/tasks/${value.ID}`);
  return value.ID;
};

const PERIODIC = {
  template: 'reindex',
  name: 'Often',
  type: 'periodic',
  frequency: 60_000,
  variables: { folder: 'a' },
};
const CRON = {
  template: 'reindex',
  name: 'Daily',
  type: 'scheduled',
  cron: '0 0 12 * * ?',
  timeZone: 'Europe/Brussels',
};
const RRULE = { template: 'reindex', name: 'Weekly', type: 'scheduled', rrule: 'FREQ=WEEKLY;BYDAY=MO' };
const REACTIVE = { template: 'reindex', name: 'On data', type: 'reactive', resource: 'cellar', tags: { house: 1 } };
const ONCE = { template: 'reindex', name: 'Once', type: 'onetime', variables: { folder: 'b' } };

describe('what recurs, or answers to events', () => {
  test.each([PERIODIC, CRON, RRULE, REACTIVE])(
    '$type, $name > what was submitted comes back',
    async (specification) => {
      const id = await create(specification);
      expect((await ask('GET', `tasks/${id}/conf`)).value).toEqual(specification);
      const { value } = await ask('GET', `tasks/${id}`);
      expectEntity(value);
      const { template, name, type } = specification;
      expect(value).toMatchObject({
        ID: id,
        template,
        name,
        type,
        status: 'running',
        user: 'owner',
        invocationCount: 0,
      });
    },
  );

  test('frequency, cron, rrule and timeZone are told', async () => {
    expect((await ask('GET', `tasks/${await create(PERIODIC)}`)).value.frequency).toBe(60_000);
    const { value } = await ask('GET', `tasks/${await create(CRON)}`);
    expect([value.cron, value.timeZone]).toEqual([CRON.cron, CRON.timeZone]);
    expect((await ask('GET', `tasks/${await create(RRULE)}`)).value.rrule).toBe(RRULE.rrule);
  });

  test('periodic > its ticks run the template, and count', async () => {
    const id = await create(PERIODIC);
    await world.clock.advance('61s');
    const run = await world.reindex.next();
    expect(run.input).toEqual({ folder: 'a' });
    expect(run.context.task).toMatchObject({ scheduleId: id, submittedBy: 'owner', description: 'Often' });
    const { value } = await ask('GET', `tasks/${id}`);
    expect(value).toMatchObject({ status: 'running', invocationCount: 1, lastExecutionTime: expect.any(Number) });
  });

  test('limits.scheduleInterval holds for it, too', async () => {
    const bound = await DialectWorld.open([waylay()], { limits: { scheduleInterval: '1m' } });
    const send = async (method: string, path: string, specification: object) => {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(specification);
      const response = await bound.ask(`/rules/v1/${path}`, { method, as: 'owner', body, headers });
      return [response.status, ((await response.json()) as { ID?: string }).ID] as const;
    };
    const [, id] = await send('POST', 'tasks', PERIODIC);
    const [, once] = await send('POST', 'tasks', ONCE);
    const often = { ...PERIODIC, frequency: 59_999 };
    expect(await send('POST', 'tasks', often)).toEqual([400, undefined]);
    expect(await send('PUT', `tasks/${id}`, often)).toEqual([400, undefined]);
    expect(await send('PUT', `tasks/${once}`, often)).toEqual([400, undefined]);
    expect((await send('PUT', `tasks/${id}`, { ...PERIODIC, frequency: 60_001 }))[0]).toBe(200);
    await bound.close();
  });

  test('reactive > an event of its resource starts it', async () => {
    const id = await create(REACTIVE);
    // what the application publishes in nobody's name is for those who see all tasks
    expect(await world.manager.publish('cellar', { temperature: 30 })).toEqual([]);
    await world.manager.publish('cellar', { temperature: 31 }, { submittedBy: 'owner' });
    expect((await world.reindex.next()).context.task.scheduleId).toBe(id);
  });

  test('start: false > it is stopped until it is started', async () => {
    const id = await create({ ...PERIODIC, start: false });
    expect((await ask('GET', `tasks/${id}`)).value.status).toBe('stopped');
    await world.clock.advance('5m');
    expect(world.reindex.runs).toHaveLength(0);
    expect((await ask('POST', `tasks/${id}/command/start`)).value.status).toBe('running');
    await world.clock.advance('61s');
    await world.reindex.next();
  });

  test('stop and start > 400 where it is so already; a stop cancels what runs', async () => {
    const id = await create(PERIODIC);
    const again = await ask('POST', `tasks/${id}/command/start`);
    expect([again.status, again.value]).toEqual([
      400,
      { statusCode: 400, error: 'Not possible to apply action start, for the task in status running' },
    ]);
    await world.clock.advance('61s');
    const run = await world.reindex.next();
    expect((await ask('POST', `tasks/${id}/command/stop`)).value.status).toBe('stopped');
    expect((await world.manager.get(run.context.task.id))?.status).toBe('cancelling');
    expect((await ask('POST', `tasks/${id}/command/stop`)).value.error).toBe(
      'Not possible to apply action stop, for the task in status stopped',
    );
  });

  test('delete > 400 while it is on, unless forced', async () => {
    const id = await create(PERIODIC);
    const refused = await ask('DELETE', `tasks/${id}`);
    expect([refused.status, refused.value.error]).toEqual([400, 'Not possible to remove task in status running']);
    expect((await ask('DELETE', `tasks/${id}?forceStop=true`)).status).toBe(204);
    expect((await ask('GET', `tasks/${id}`)).status).toBe(404);
    expect(await world.manager.schedules.get(id)).toBeNull();
  });

  test('rights > nobody sees or changes those of somebody else', async () => {
    const id = await create(PERIODIC);
    for (const [method, path, body] of [
      ['GET', `tasks/${id}`],
      ['GET', `tasks/${id}/conf`],
      ['PUT', `tasks/${id}`, PERIODIC],
      ['DELETE', `tasks/${id}?forceStop=true`],
      ['POST', `tasks/${id}/command/stop`],
    ] as const) {
      expect((await ask(method, path, body, 'stranger')).status, `${method} ${path}`).toBe(404);
    }
    expect((await ask('GET', 'tasks', undefined, 'stranger')).value).toEqual([]);
    expect((await ask('GET', `tasks/${id}`, undefined, 'admin')).status).toBe(200);
  });

  test('what is no rule of time > 400 with details', async () => {
    const { status, value } = await ask('POST', 'tasks', { ...CRON, cron: 'noon' });
    expect(status).toBe(400);
    expect(value).toMatchObject({ statusCode: 400, code: 'VALIDATION', details: [{ severity: 'ERROR' }] });
  });

  test.each([
    ['onetime', {}],
    ['periodic', { frequency: 60_000 }],
  ])('%s > what is wrong with the variables is told of as theirs', async (type, more) => {
    const { defineTask } = await import('tasklane');
    const input = z.object({ ms: z.number() });
    world.manager.register(defineTask({ name: 'sleep', input, run: () => null }));
    const specification = { template: 'sleep', name: 'Sleep', type, variables: { ms: 'x' }, ...more };
    const { status, value } = await ask('POST', 'tasks', specification);
    expect(status).toBe(400);
    expect(value.error).toMatch(/^The body is not valid: variables\.ms: Invalid input: expected number/);
    expect(value.details).toMatchObject([{ details: { path: 'variables.ms' } }]);
    expect(value.details[0].message).toMatch(/^variables\.ms: Invalid input: expected number/);
  });

  test.each([
    ['///', 'reindex'],
    ['é'.repeat(300), 'reindex'],
    ['r'.repeat(300), 'r'.repeat(200)],
    ['/cellar 1', 'cellar-1'],
  ])('reactive > the event of a resource that is no name of one', async (resource, event) => {
    const id = await create({ ...REACTIVE, resource });
    expect(await world.manager.schedules.get(id)).toMatchObject({ on: event, entityId: resource });
  });

  test('a schedule of the app > shown as what it is', async () => {
    const { key } = await world.manager.schedules.create({
      key: 'nightly',
      handler: 'reindex',
      input: { folder: 'docs' },
      cron: '0 3 * * *',
      submittedBy: 'owner',
    });
    const { value } = await ask('GET', `tasks/${key}`);
    expectEntity(value);
    expect(value).toMatchObject({
      ID: 'nightly',
      name: 'reindex',
      type: 'scheduled',
      cron: '0 3 * * *',
      timeZone: 'UTC',
    });
    expect((await ask('GET', 'tasks/nightly/conf')).value).toEqual({
      ...{ template: 'reindex', name: 'reindex', type: 'scheduled', cron: '0 3 * * *', timeZone: 'UTC' },
      variables: { folder: 'docs' },
    });
  });
});

describe('list', () => {
  test('schedules first, then the tasks that no schedule made; pages go across', async () => {
    const schedules = [];
    for (let n = 0; n < 3; n++) schedules.push(await create({ ...PERIODIC, name: `S${n}` }));
    const tasks = [];
    for (let n = 0; n < 3; n++) tasks.unshift(await create({ ...ONCE, start: false }));
    await world.clock.advance('61s');
    const expected = [...schedules, ...tasks];
    expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe('6');
    for (const hits of [1, 2, 4, 6]) {
      const seen: string[] = [];
      for (let startIndex = 0; startIndex < 6; startIndex += hits) {
        const { value } = await ask('GET', `tasks?hits=${hits}&startIndex=${startIndex}`);
        seen.push(...value.map(({ ID }: { ID: string }) => ID));
      }
      expect(seen).toEqual(expected);
    }
  });

  test.each([
    ['type=periodic', ['Often']],
    ['type=scheduled', ['Daily', 'Weekly']],
    ['type=reactive&type=onetime', ['On data', 'Once']],
    ['status=running&type=scheduled', ['Daily', 'Weekly']],
    ['status=stopped', ['Once']],
    ['resource=cellar', ['On data']],
    ['tags.house', ['On data']],
    ['tags.house=1', ['On data']],
    ['tags.house=2', []],
    ['tags=house', ['On data']],
    ['filter=WEEK', ['Weekly']],
    ['name=Daily&name=Often', ['Daily', 'Often']],
    ['template=import', []],
    ['finishedBefore=99999999999999', []],
    ['createdBefore=99999999999999&type=periodic', ['Often']],
  ] as const)('%s', async (query, names) => {
    for (const specification of [PERIODIC, CRON, RRULE, REACTIVE, { ...ONCE, start: false }])
      await create(specification);
    const { value, headers } = await ask('GET', `tasks?${query}`);
    expect(value.map(({ name }: { name: string }) => name).sort()).toEqual([...names].sort());
    expect(headers.get('x-count')).toBe(String(names.length));
  });
});

describe('replace > a type that changes keeps the id', () => {
  test.each([
    [ONCE, PERIODIC],
    [ONCE, CRON],
    [ONCE, REACTIVE],
    [PERIODIC, CRON],
    [PERIODIC, ONCE],
    [REACTIVE, PERIODIC],
  ])('$type to $type', async (first, second) => {
    const id = await create({ ...first, start: false });
    const { status, value } = await ask('PUT', `tasks/${id}`, second);
    expect([status, value.ID, value.type, value.name]).toEqual([200, id, second.type, second.name]);
    expectEntity(value);
    expect(value.status).toBe('running');
    expect((await ask('GET', `tasks/${id}/conf`)).value).toEqual(second);
    expect((await ask('GET', 'tasks')).value.map(({ ID }: { ID: string }) => ID)).toEqual([id]);
  });

  test('other variables of a one-off > it runs with them, stops, and starts again, under its id', async () => {
    const id = await create({ ...ONCE, start: false });
    const { value } = await ask('PUT', `tasks/${id}`, { ...ONCE, variables: { folder: 'c' } });
    expect(value).toMatchObject({ ID: id, type: 'onetime', status: 'running' });
    const run = await world.reindex.next();
    expect(run.input).toEqual({ folder: 'c' });
    run.finish({ files: 1 });
    await world.manager.task(run.context.task.id).result();
    expect((await ask('GET', `tasks/${id}`)).value).toMatchObject({ status: 'stopped', invocationCount: 1 });
    expect((await ask('POST', `tasks/${id}/command/start`)).value.status).toBe('running');
    expect((await world.reindex.next()).input).toEqual({ folder: 'c' });
    expect((await ask('POST', `tasks/${id}/command/stop`)).status).toBe(200);
  });

  test('a recurring one > another frequency', async () => {
    const id = await create(PERIODIC);
    expect((await ask('PUT', `tasks/${id}`, { ...PERIODIC, frequency: 5_000 })).value.frequency).toBe(5_000);
    await world.clock.advance('6s');
    await world.reindex.next();
  });
});

test('batch > stops and removes what recurs, too', async () => {
  const ids = [await create(PERIODIC), await create(CRON), await create({ ...ONCE, start: false })];
  const follow = async (body: object) => {
    const { value } = await ask('POST', 'batch', { entity: 'task', ...body });
    for (;;) {
      const { value: state } = await ask('GET', `batch/${value.entity.id}`);
      if (state.finishedTime !== undefined) return state.results;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const stopped = await follow({ action: 'stop', query: { ids } });
  expect(Object.keys(stopped.success)).toEqual(ids.slice(0, 2));
  await follow({ action: 'updateProperties', query: { ids }, actionParameters: { tags: { old: true } } });
  expect((await ask('GET', 'tasks?tags.old=true')).headers.get('x-count')).toBe('3');
  const removed = await follow({ action: 'delete', query: { status: 'stopped' } });
  expect(Object.keys(removed.success).sort()).toEqual([...ids].sort());
  expect((await ask('GET', 'tasks')).value).toEqual([]);
});

describe('create, of what recurs', () => {
  const RECURRING = [PERIODIC, CRON, REACTIVE].map((one) => ({ ...one, template: 'old' }));
  beforeEach(() => {
    world.manager.register(defineTask({ name: 'old', deprecated: 'Use reindex.', run: () => null }));
  });

  test.each(RECURRING)('$type > warnings are told of where asked, and refused with failOnWarning', async (one) => {
    const told = await ask('POST', 'tasks?returnWarnings=true', one);
    const message = expect.stringContaining('deprecated');
    expect([told.status, told.value]).toEqual([
      201,
      { ID: expect.any(String), warnings: [{ severity: 'WARNING', type: 'handler_deprecated', message }] },
    ]);
    expect((await ask('POST', 'tasks', one)).value).toEqual({ ID: expect.any(String) });
    const refused = await ask('POST', 'tasks?failOnWarning=true', one);
    expect([refused.status, refused.value]).toEqual([
      400,
      {
        statusCode: 400,
        error: message,
        code: 'VALIDATION',
        details: [{ severity: 'WARNING', type: 'VALIDATION', message }],
      },
    ]);
    expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe('2');
  });

  const send = async (specification: object, key = 'once', as = 'owner') => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': key };
    const body = JSON.stringify(specification);
    const response = await world.ask('/rules/v1/tasks', { method: 'POST', as, headers, body });
    return { status: response.status, value: (await response.json()) as { ID?: string } };
  };

  test.each([PERIODIC, CRON, REACTIVE])('$type > Idempotency-Key: one, for each caller and key', async (one) => {
    const first = await send(one);
    expect(first.status).toBe(201);
    expect(await send({ ...one })).toEqual(first);
    expect((await send({ ...one, name: 'Another' })).status).toBe(400);
    expect((await send(one, 'other')).value.ID).not.toBe(first.value.ID);
    expect((await send(one, 'once', 'stranger')).value.ID).not.toBe(first.value.ID);
    expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe('2');
  });

  test('Idempotency-Key > at once: one; what was refused may come again; deleted, it stays so', async () => {
    expect((await send({ ...CRON, cron: 'noon' })).status).toBe(400);
    const all = await Promise.all([send(CRON), send(CRON), send(CRON)]);
    expect(new Set(all.map(({ value }) => value.ID)).size).toBe(1);
    const [{ value }] = all;
    await ask('DELETE', `tasks/${value.ID}?forceStop=true`);
    expect((await send(CRON)).value).toEqual(value);
    expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe('0');
    await world.clock.advance('25h');
    expect((await send(CRON)).value.ID).not.toBe(value.ID);
  });

  test('Idempotency-Key > not where it is switched off', async () => {
    await world.close();
    world = await DialectWorld.open([waylay({ idempotency: false })]);
    expect((await send(PERIODIC)).value.ID).not.toBe((await send(PERIODIC)).value.ID);
  });
});
