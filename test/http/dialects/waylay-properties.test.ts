import { afterEach, describe, expect, test } from 'vitest';
import { ONCE, PERIODIC, REACTIVE, WaylayWorld } from './waylay-world.ts';

let waylay: WaylayWorld;
afterEach(() => waylay.close());

const done = (...ids: readonly string[]) => ({
  success: Object.fromEntries(ids.map((id) => [id, { statusCode: 200 }])),
  failure: {},
});

describe('updateProperties', () => {
  test('tags and settings > merged, null takes one away; what is not named stays', async () => {
    waylay = await WaylayWorld.open();
    const variables = { folder: 'docs' };
    const ids = [
      await waylay.create({ ...ONCE, variables, tags: { env: 'prod', old: 1 }, protected: true }),
      await waylay.create({ ...PERIODIC, variables, tags: { env: 'prod', old: 1 }, protected: true }),
      await waylay.create({ ...REACTIVE, variables, tags: { env: 'prod', old: 1 }, protected: true }),
    ];
    const changes = { tags: { old: null, revision: 58 }, parallel: false, resetObservations: false };
    expect(await waylay.batch('updateProperties', { ids }, changes)).toEqual(done(...ids));
    for (const [at, before] of [ONCE, PERIODIC, REACTIVE].entries()) {
      const { value } = await waylay.ask('GET', `tasks/${ids[at]}/conf`);
      const settings = { protected: true, parallel: false, resetObservations: false };
      expect(value).toEqual({ ...before, variables, tags: { env: 'prod', revision: 58 }, ...settings });
    }
    expect(await waylay.world.manager.schedules.get(ids[1] ?? '')).toMatchObject({ overlap: 'skip' });
  });

  test.each([PERIODIC, REACTIVE, ONCE])('parallel > of what is $type from the start', async (specification) => {
    waylay = await WaylayWorld.open();
    const id = await waylay.create({ ...specification, parallel: false });
    expect((await waylay.ask('GET', `tasks/${id}`)).value.parallel).toBe(false);
    const sent = { ...specification, parallel: false, variables: { other: 1 } };
    expect((await waylay.ask('PUT', `tasks/${id}`, sent)).value.parallel).toBe(false);
  });

  test('variables > merged; what stands stays so, under its id', async () => {
    waylay = await WaylayWorld.open();
    const variables = { folder: 'docs', deep: 2 };
    const ids = [await waylay.create({ ...ONCE, variables }), await waylay.create({ ...PERIODIC, variables })];
    expect(await waylay.batch('updateProperties', { ids }, { variables: { deep: null, more: 3 } })).toEqual(
      done(...ids),
    );
    for (const [at, status] of ['stopped', 'running'].entries()) {
      expect((await waylay.ask('GET', `tasks/${ids[at]}/conf`)).value.variables).toEqual({ folder: 'docs', more: 3 });
      expect((await waylay.ask('GET', `tasks/${ids[at]}`)).value.status).toBe(status);
    }
    await waylay.ask('POST', `tasks/${ids[0]}/command/start`);
    expect((await waylay.world.reindex.next()).input).toEqual({ folder: 'docs', more: 3 });
  });

  test('variables of what runs > it runs anew with them', async () => {
    waylay = await WaylayWorld.open();
    const id = await waylay.create({ ...ONCE, start: true, variables: { folder: 'docs' } });
    const run = await waylay.world.reindex.next();
    run.context.signal.addEventListener('abort', () => run.fail(run.context.signal.reason));
    expect(await waylay.batch('updateProperties', { ids: [id] }, { variables: { folder: 'src' } })).toEqual(done(id));
    expect((await waylay.world.reindex.next()).input).toEqual({ folder: 'src' });
    expect((await waylay.ask('GET', `tasks/${id}`)).value.status).toBe('running');
  });

  test('of a rule of its own > its specification has them too', async () => {
    waylay = await WaylayWorld.open({ ruleHandler: 'reindex' });
    const rule = {
      task: { name: 'Rule', type: 'onetime', start: false, tags: { a: 1 }, variables: { x: 1 } },
      sensors: [],
    };
    const { value } = await waylay.ask('POST', 'tasks', rule);
    const changes = { tags: { a: null, b: 2 }, variables: { y: 2 }, parallel: false };
    expect(await waylay.batch('updateProperties', { ids: [value.ID] }, changes)).toEqual(done(value.ID));
    const task = { ...rule.task, tags: { b: 2 }, variables: { x: 1, y: 2 }, parallel: false };
    expect((await waylay.ask('GET', `tasks/${value.ID}/conf`)).value).toEqual({ ...rule, task });
    expect((await waylay.ask('GET', `tasks/${value.ID}`)).value).toMatchObject({ tags: { b: 2 }, parallel: false });
  });

  test('of what the app made > nothing else of it changes', async () => {
    waylay = await WaylayWorld.open();
    const { schedules } = waylay.world.manager;
    const rule = { cron: '0 3 * * *', timeZone: 'Europe/Brussels', jitter: '5s', overlap: 'skip', maxRuns: 9 } as const;
    const before = await schedules.create({
      key: 's',
      handler: 'reindex',
      input: ['a'],
      submittedBy: 'owner',
      ...rule,
    });
    const { id } = await waylay.world.manager.submit('reindex', 'text' as never, { submittedBy: 'owner', hold: true });
    expect(await waylay.batch('updateProperties', { ids: ['s', id] }, { name: 'Named' })).toEqual(done('s', id));
    const after = await schedules.get('s');
    expect(after).toEqual({ ...before, description: 'Named', updatedAt: after?.updatedAt, version: after?.version });
    expect(await waylay.world.manager.get(id)).toMatchObject({ description: 'Named', input: 'text', metadata: null });
  });

  test('many at once > what each gives a task stays, also one that recurs', async () => {
    waylay = await WaylayWorld.open();
    const ids = [await waylay.create(ONCE), await waylay.create(PERIODIC)];
    const tags = Array.from({ length: 12 }, (_, n) => ({ [`tag${n}`]: n }));
    await Promise.all(tags.map((each) => waylay.batch('updateProperties', { ids }, { tags: each })));
    for (const id of ids) {
      expect((await waylay.ask('GET', `tasks/${id}`)).value.tags).toEqual(Object.assign({}, ...tags));
    }
  });

  test('may not make this of the task > 403, and it is as it was', async () => {
    const can = (_who: unknown, _action: string, task: { tags: object }) => !Object.hasOwn(task.tags, 'secret');
    waylay = await WaylayWorld.open({}, { policy: { scope: () => 'all', can } });
    const ids = [await waylay.create({ ...ONCE }), await waylay.create({ ...PERIODIC })];
    const results = await waylay.batch('updateProperties', { ids }, { tags: { secret: true } });
    expect(ids.map((id) => results.failure[id].statusCode)).toEqual([403, 403]);
    expect((await waylay.ask('GET', `tasks/${ids[1]}`)).value.tags).toEqual({});
  });
});

test('updatePlugins > tasks have no plugins, so nothing of them changes', async () => {
  waylay = await WaylayWorld.open();
  const id = await waylay.create(ONCE);
  const update = { name: 'reader', fromVersion: 'any', toVersion: '1.0.3' };
  for (const parameters of [update, { updates: [update, update] }]) {
    expect(await waylay.batch('updatePlugins', { ids: [id] }, parameters)).toEqual(done(id));
  }
  expect((await waylay.ask('GET', `tasks/${id}/conf`)).value).toEqual(ONCE);
});

describe('batch > the tasks it is about', () => {
  test('no ids are none, whatever else is asked', async () => {
    waylay = await WaylayWorld.open();
    const id = await waylay.create(ONCE);
    for (const query of [{ ids: [] }, { ids: [], status: 'stopped' }]) {
      expect(await waylay.batch('delete', query)).toEqual(done());
    }
    expect(await waylay.batch('delete', { ids: [id, 'task-1'], status: 'stopped' })).toEqual(done(id));
  });

  test('no ids are none, also where one of several parameters is to fit', async () => {
    waylay = await WaylayWorld.open({ match: 'any' });
    await waylay.create(ONCE);
    expect(await waylay.batch('delete', { ids: [], status: 'stopped' })).toEqual(done());
  });

  test('more than there may be > refused before anything is done', async () => {
    waylay = await WaylayWorld.open({ batchTasks: 2 });
    for (let n = 0; n < 3; n++) await waylay.create(n === 0 ? PERIODIC : ONCE);
    const { status } = await waylay.ask('POST', 'batch', { entity: 'task', action: 'stopAndDelete', query: {} });
    expect(status).toBe(400);
    expect(await waylay.names('')).toHaveLength(3);
    const results = await waylay.batch('delete', { status: 'stopped' });
    expect(Object.keys(results.success)).toHaveLength(2);
  });
});

describe('includeHealth > of what recurs', () => {
  test('how often its runs failed', async () => {
    waylay = await WaylayWorld.open();
    await waylay.world.seed('failed'); // of nobody's schedule
    const id = await waylay.create(PERIODIC);
    const health = async () => (await waylay.ask('GET', 'tasks?includeHealth=true')).value[0].health;
    expect(await health()).toEqual({ errorsCount: 0, errorsRate: 0 });
    for (let n = 0; n < 4; n++) {
      await waylay.world.clock.advance('60s');
      const run = await waylay.world.reindex.next();
      if (n === 0) run.fail(new Error('no'));
      else run.finish();
      await waylay.world.manager
        .task(run.context.task.id)
        .result()
        .catch(() => {});
    }
    expect(await health()).toEqual({ errorsCount: 1, errorsRate: 0.25 });
    const { value } = await waylay.ask('GET', `tasks/${id}?includeHealth=true`);
    expect(value.health).toEqual({ errorsCount: 1, errorsRate: 0.25 });
    expect((await waylay.ask('GET', `tasks/${id}`)).value).not.toHaveProperty('health');
  });
});

describe('options > of what recurs', () => {
  test('between', async () => {
    waylay = await WaylayWorld.open({ between: 'pending' });
    const id = await waylay.create(PERIODIC);
    expect((await waylay.ask('GET', `tasks/${id}`)).value.status).toBe('pending');
    expect([await waylay.names('status=pending'), await waylay.names('status=running')]).toEqual([['Often'], []]);
    expect((await waylay.ask('POST', `tasks/${id}/command/start`)).status).toBe(400);
    expect((await waylay.ask('POST', `tasks/${id}/command/stop`)).value.status).toBe('stopped');
    expect((await waylay.ask('POST', `tasks/${id}/command/start`)).value.status).toBe('pending');
    await waylay.world.clock.advance('61s');
    const run = await waylay.world.reindex.next();
    await waylay.world.clock.advance('1s');
    expect((await waylay.ask('GET', `tasks/${id}`)).value).toMatchObject({ status: 'running', invocationCount: 1 });
    expect([await waylay.names('status=pending'), await waylay.names('status=running')]).toEqual([[], ['Often']]);
    run.finish();
    await waylay.world.manager.task(run.context.task.id).result();
    const { value } = await waylay.ask('GET', `tasks/${id}`);
    expect([value.status, value.finishedTime, value.invocationCount]).toEqual(['pending', undefined, 1]);
    expect(await waylay.names('finishedBefore=99999999999999')).toEqual([]);
  });

  test('commands > allowed where nothing is to be done', async () => {
    waylay = await WaylayWorld.open({ commands: () => true });
    const id = await waylay.create(PERIODIC);
    for (const [command, status] of [
      ['start', 'running'],
      ['stop', 'stopped'],
      ['stop', 'stopped'],
      ['start', 'running'],
    ]) {
      const answer = await waylay.ask('POST', `tasks/${id}/command/${command}`);
      expect([answer.status, answer.value.status]).toEqual([200, status]);
    }
    expect((await waylay.ask('DELETE', `tasks/${id}`)).status).toBe(204);
  });

  test('match > any', async () => {
    waylay = await WaylayWorld.open({ match: 'any' });
    await waylay.create({ ...PERIODIC, tags: { env: 'prod' } });
    await waylay.create({ ...ONCE, resource: 'docs' });
    expect(await waylay.names('tags.env=prod&resource=docs')).toEqual(['Often', 'Once']);
    expect(await waylay.names('tags.env=test&resource=docs')).toEqual(['Once']);
    expect(await waylay.names('type=periodic&status=failed')).toEqual(['Often']);
    expect(await waylay.names('')).toEqual(['Often', 'Once']);
  });

  test('filter > the task that a schedule makes is looked at', async () => {
    const filter = (name: string, values: readonly string[]) =>
      name === 'resourceMetadataExpression' ? values.map((entityId) => ({ entityId })) : undefined;
    waylay = await WaylayWorld.open({ filter });
    await waylay.create({ ...PERIODIC, resource: 'docs' });
    await waylay.create({ ...ONCE, resource: 'src' });
    expect(await waylay.names('resourceMetadataExpression=docs')).toEqual(['Often']);
    expect(await waylay.names('resourceMetadataExpression=src&resourceMetadataExpression=docs')).toHaveLength(2);
    const removed = await waylay.batch('delete', { resource: 'src' });
    expect(Object.keys(removed.success)).toHaveLength(1);
  });
});

describe('Idempotency-Key > of another type', () => {
  const send = (specification: object) => waylay.ask('POST', 'tasks', specification, { 'idempotency-key': 'once' });

  test.each([
    [ONCE, PERIODIC],
    [PERIODIC, ONCE],
  ])('after $type > 400, and nothing is made', async (first, second) => {
    waylay = await WaylayWorld.open();
    const made = await send(first);
    expect(made.status).toBe(201);
    expect((await send(second)).status).toBe(400);
    expect((await send(first)).value).toEqual(made.value);
    expect(await waylay.names('')).toEqual([first.name]);
  });

  test('what was refused may come again as another', async () => {
    waylay = await WaylayWorld.open();
    expect((await send({ ...ONCE, template: 'import' })).status).toBe(400);
    expect((await send(PERIODIC)).status).toBe(201);
  });
});
