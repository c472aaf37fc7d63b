import { waylay } from 'tasklane/dialects';
import { afterEach, describe, expect, test } from 'vitest';
import { playContract } from './contract.ts';
import { expectEntity } from './waylay.entity.ts';
import { EXCHANGES, STATUS } from './waylay.table.ts';
import { DialectWorld, STATES } from './world.ts';

playContract({ dialect: waylay, contentType: 'application/json', exchanges: EXCHANGES });

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

async function ask(method: string, path: string, body?: unknown) {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await (world as DialectWorld).ask(`/rules/v1/${path}`, { method, ...sent });
  const text = await response.text();
  return { status: response.status, headers: response.headers, value: text === '' ? null : JSON.parse(text) };
}

describe('the entity', () => {
  test.each(STATES)('%s > its keys, in order, of their types', async (state) => {
    world = await DialectWorld.open([waylay()]);
    const { id } = await world.seed(state);
    const { value } = await ask('GET', `tasks/${id}`);
    expectEntity(value);
    expect(value.status).toBe(STATUS[state]);
  });
});

describe('conf', () => {
  const SPECIFICATIONS: readonly (readonly [name: string, specification: object])[] = [
    ['the least', { template: 'reindex', name: 'Reindex', type: 'onetime' }],
    [
      'all there is',
      {
        template: 'reindex',
        name: 'Reindex',
        type: 'onetime',
        start: false,
        resource: 'docs',
        resourceType: 'folder',
        tags: { env: 'prod', size: 3, hot: true },
        variables: { folder: 'docs', deep: { a: [1, null] } },
        parallel: false,
        resetObservations: false,
        gatesNeedFullObservation: true,
        protected: true,
      },
    ],
    [
      'a rule of its own',
      {
        task: { name: 'Rule', type: 'onetime', start: false, resource: 'docs', tags: { env: 'prod' } },
        sensors: [{ label: 's', name: 'reader' }],
        actuators: [],
        relations: [],
        triggers: [],
        notes: 'mine',
      },
    ],
  ];

  test.each(SPECIFICATIONS)('%s > what was submitted comes back', async (_name, specification) => {
    world = await DialectWorld.open([waylay({ ruleHandler: 'reindex' })]);
    await world.manager.pause();
    const { value } = await ask('POST', 'tasks', specification);
    expect((await ask('GET', `tasks/${value.ID}/conf`)).value).toEqual(specification);
    expectEntity((await ask('GET', `tasks/${value.ID}`)).value);
  });

  test('replaced > the new one comes back', async () => {
    world = await DialectWorld.open([waylay()]);
    const first = { template: 'reindex', name: 'A', type: 'onetime', start: false, tags: { a: 1 }, parallel: false };
    const second = { template: 'reindex', name: 'B', type: 'onetime', start: false, tags: { b: 2 }, protected: true };
    const { value } = await ask('POST', 'tasks', first);
    expect((await ask('PUT', `tasks/${value.ID}`, second)).status).toBe(200);
    expect((await ask('GET', `tasks/${value.ID}/conf`)).value).toEqual(second);
  });
});

test.each([['text'], [['a', 'b']], [7], [null]])(
  'conf > of a task whose input is %j has no variables, and may be put back as it is',
  async (input) => {
    world = await DialectWorld.open([waylay()]);
    const { id } = await world.manager.submit('reindex', input as never, { hold: true, submittedBy: 'owner' });
    const conf = { template: 'reindex', name: 'reindex', type: 'onetime' };
    expect((await ask('GET', `tasks/${id}/conf`)).value).toEqual(conf);
    expect((await ask('PUT', `tasks/${id}`, { ...conf, name: 'B', start: false })).status).toBe(200);
    expect(await world.manager.get(id)).toMatchObject({ input, description: 'B', status: 'scheduled' });
  },
);

describe('list', () => {
  test('tags > several values are OR, several tags AND, bare is any value', async () => {
    world = await DialectWorld.open([waylay()]);
    for (const tags of [{ env: 'prod', n: 1 }, { env: 'test', n: 2 }, { env: true }, { other: 1 }]) {
      await ask('POST', 'tasks', {
        template: 'reindex',
        name: JSON.stringify(tags),
        type: 'onetime',
        start: false,
        tags,
      });
    }
    for (const [query, count] of [
      ['tags.env=prod', 1],
      ['tags.env=prod&tags.env=test', 2],
      ['tags.env=true', 1],
      ['tags.env', 3],
      ['tags.env=', 3],
      ['tags.env&tags.n=2', 1],
      ['tags=n,other', 3],
    ] as const) {
      const { headers, value } = await ask('GET', `tasks?${query}`);
      expect([query, headers.get('x-count'), value.length]).toEqual([query, String(count), count]);
    }
  });

  test('resourceType > of the metadata', async () => {
    world = await DialectWorld.open([waylay()]);
    for (const resourceType of ['folder', 'file']) {
      await ask('POST', 'tasks', {
        template: 'reindex',
        name: resourceType,
        type: 'onetime',
        start: false,
        resourceType,
      });
    }
    const { value } = await ask('GET', 'tasks?resourceType=file');
    expect(value.map(({ name }: { name: string }) => name)).toEqual(['file']);
  });
});

describe('create', () => {
  test('warnings > told of where asked, and refused with failOnWarning', async () => {
    world = await DialectWorld.open([waylay()]);
    const { defineTask } = await import('tasklane');
    world.manager.register(defineTask({ name: 'old', deprecated: 'Use reindex.', run: () => null }));
    const specification = { template: 'old', name: 'Old', type: 'onetime', start: false };
    const told = await ask('POST', 'tasks?returnWarnings=true', specification);
    expect(told.value.warnings).toEqual([
      { severity: 'WARNING', type: 'handler_deprecated', message: expect.stringContaining('deprecated') },
    ]);
    const refused = await ask('POST', 'tasks?failOnWarning=true', specification);
    expect(refused.status).toBe(400);
    expect(refused.value).toMatchObject({ code: 'VALIDATION', details: [{ severity: 'WARNING' }] });
    expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe('1');
  });

  test('Idempotency-Key > one task; not where it is switched off', async () => {
    for (const [idempotency, count] of [
      [true, '1'],
      [false, '2'],
    ] as const) {
      world = await DialectWorld.open([waylay({ idempotency })]);
      for (let n = 0; n < 2; n++) {
        await world.ask('/rules/v1/tasks', {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': 'once' },
          body: '{"template":"reindex","name":"Once","type":"onetime","start":false}',
        });
      }
      expect((await ask('GET', 'tasks')).headers.get('x-count')).toBe(count);
      await world.close();
    }
    world = null;
  });
});

describe('batch', () => {
  test('null is as good as left out', async () => {
    world = await DialectWorld.open([waylay()]);
    const { id } = await world.seed('held');
    const query = { ids: [id], name: null, status: null, tags: null };
    const request = { entity: 'task', action: 'start', query, actionParameters: null };
    const { status, value } = await ask('POST', 'batch', request);
    expect(status).toBe(202);
    await expect
      .poll(async () => (await ask('GET', `batch/${value.entity.id}`)).value.results)
      .toEqual({
        success: { [id]: { statusCode: 200 } },
        failure: {},
      });
  });

  test('202 > where it is, what it does; somebody else is told of none', async () => {
    world = await DialectWorld.open([waylay()]);
    await world.seed('failed');
    const { status, value, headers } = await ask('POST', 'batch', { entity: 'task', action: 'stop', query: {} });
    expect(status).toBe(202);
    expect(value).toEqual({
      statusCode: 202,
      uri: `http://tasks.test/rules/v1/batch/${value.entity.id}`,
      entity: {
        id: expect.any(String),
        user: 'owner',
        operation: { entity: 'task', action: 'stop', description: 'stop of 1 task' },
        queueTime: world.clock.now(),
      },
    });
    expect(headers.get('location')).toBe(value.uri);
    expect((await world.ask(value.uri, { as: 'stranger' })).status).toBe(404);
    expect((await world.ask(value.uri, { as: 'admin' })).status).toBe(200);
  });
});
