import type { TaskRecord } from 'tasklane';
import { backgroundTask, type DialectOptions, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import type { Dialect } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { DialectWorld } from './world.ts';

type Make = (options: DialectOptions) => Dialect;

/** The path of a task, and what is answered where there is none. */
const ALL: readonly (readonly [name: string, make: Make, path: (id: string) => string, unknown: object])[] = [
  ['jira', jira, (id) => `/rest/api/3/task/${id}`, { errorMessages: ['No task has the id "7".'], errors: {} }],
  ['backgroundTask', backgroundTask, (id) => `/api/backgroundtask/${id}`, { Message: 'No task has the id "7".' }],
  ['svix', svix, (id) => `/api/v1/background-task/${id}`, { code: 'not_found', detail: 'No task has the id "7".' }],
  [
    'taskV2',
    taskV2,
    (id) => `/v2/task/view/${id}`,
    {
      name: 'Not Found',
      message: 'No task has the id "7".',
      code: 0,
      status: 404,
      type: 'yii\\web\\NotFoundHttpException',
    },
  ],
  ['waylay', waylay, (id) => `/rules/v1/tasks/${id}`, { statusCode: 404, error: 'Task with id 7 not found' }],
];

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

async function open(...dialects: readonly Dialect[]): Promise<DialectWorld> {
  world = await DialectWorld.open(dialects);
  return world;
}

const mark = (shown: object, { handler }: TaskRecord) => ({ ...shown, description: 'shown', ours: handler });

describe.each(ALL)('%s', (name, make, path, unknown) => {
  test('show > what is told of a task, with all that the dialect would', async () => {
    const plain = await open(make({}));
    const { id } = await plain.seed('queued');
    const before = Object.keys((await (await plain.ask(path(id))).json()) as object);
    await plain.close();
    const { seed, ask } = bound(await open(make({ show: mark })));
    const task = await seed('queued');
    const shown = (await (await ask(path(task.id))).json()) as Record<string, unknown>;
    expect(shown).toMatchObject({ description: 'shown', ours: 'reindex' });
    expect(Object.keys(shown)).toEqual(expect.arrayContaining(before));
  });

  test('show > gets the task as the caller may see it', async () => {
    const show = (shown: object, { result }: TaskRecord) => ({ ...shown, ours: result });
    world = await DialectWorld.open([make({ show })], { redact: () => 'hidden' });
    const { id } = await world.seed('succeeded');
    const shown = (await (await world.ask(path(id))).json()) as Record<string, unknown>;
    expect(shown.ours).toBe('hidden');
  });

  test('show > what throws is a 500 in its own form, and a later task is answered', async () => {
    let throws = true;
    const show = (shown: object) => {
      if (throws) throw new Error('the secret is 42');
      return shown;
    };
    const { seed, ask } = bound(await open(make({ show })));
    const { id } = await seed('queued');
    const response = await ask(path(id));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('42');
    throws = false;
    expect((await ask(path(id))).status).toBe(200);
  });

  test('refuse > the status and the body of an error, while its headers stay', async () => {
    const came: unknown[] = [];
    const refuse = (refusal: { status: number; body: unknown }, code: string) => {
      came.push(refusal, code);
      return { status: refusal.status === 404 ? 410 : refusal.status, body: { gone: code } };
    };
    const { ask } = bound(await open(make({ refuse })));
    const response = await ask(path('7'));
    expect([response.status, await response.json()]).toEqual([410, { gone: 'task_not_found' }]);
    const headers = response.headers.get('content-type') === 'application/json' ? {} : expect.any(Object);
    expect(came).toEqual([{ status: 404, body: unknown, headers }, 'task_not_found']);
    const nobody = await ask(path('7'), { as: null });
    expect([nobody.status, await nobody.json()]).toEqual([401, { gone: 'unauthenticated' }]);
    expect(nobody.headers.get('www-authenticate')).toContain('Bearer');
    expect(nobody.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await (await ask(path('%zz'))).json()).toEqual({ gone: 'malformed' });
    expect(await (await ask(`${path('7')}/1/2/3`)).json()).toEqual({ gone: 'route_unknown' });
    expect(await (await ask(path('7'), { method: 'PATCH' })).json()).toEqual({ gone: 'method_not_allowed' });
  });

  test('refuse > the headers of an error, all of them', async () => {
    const came: Record<string, unknown> = {};
    const { ask } = bound(
      await open(
        make({
          refuse: ({ status, body, headers }, code) => {
            came[code] = headers;
            const { allow, ...rest } = { ...headers };
            return { status, body, headers: { ...rest, 'www-authenticate': 'OAuth realm="ours"', 'x-trace': '7' } };
          },
        }),
      ),
    );
    const nobody = await ask(path('7'), { as: null });
    expect(nobody.headers.get('www-authenticate')).toBe('OAuth realm="ours"');
    const method = await ask(path('7'), { method: 'PATCH' });
    expect([method.headers.get('allow'), method.headers.get('x-trace')]).toEqual([null, '7']);
    expect(came.method_not_allowed).toMatchObject({ allow: expect.stringContaining('OPTIONS') });
    expect(came.unauthenticated).toMatchObject({ 'www-authenticate': expect.stringContaining('Bearer') });
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('the secret is 42');
      },
    ],
    ['gives no error', () => ({ status: 200, body: {} })],
    ['gives nothing', () => undefined as never],
    ['gives headers that are none', () => ({ status: 404, body: {}, headers: { 'a b': 'x' } })],
    ['gives a header with lines', () => ({ status: 404, body: {}, headers: { 'x-trace': '7\r\nset-cookie: a=b' } })],
  ])('refuse > what %s is a 500, or as if it were not', async (_what, refuse) => {
    const { ask } = bound(await open(make({ refuse })));
    const response = await ask(path('7'));
    expect([404, 500]).toContain(response.status);
    expect(await response.text()).not.toContain('42');
  });

  test.each(['show', 'refuse'])('%s > is a function', (option) => {
    expect(() => make({ [option]: 7 })).toThrow(expect.objectContaining({ option: `${name}.${option}` }));
  });
});

test('show > lists are told in the same way', async () => {
  const { seed, ask } = bound(await open(svix({ show: mark }), taskV2({ show: mark }), waylay({ show: mark })));
  await seed('queued');
  const headers = { 'content-type': 'application/json' };
  const rule = { template: 'reindex', name: 'Often', type: 'periodic', frequency: 60_000 };
  await ask('/rules/v1/tasks', { method: 'POST', headers, body: JSON.stringify(rule) });
  const svixPage = (await (await ask('/api/v1/background-task')).json()) as { data: object[] };
  const lists = [
    svixPage.data,
    (await (await ask('/v2/task/index', { method: 'POST' })).json()) as object[],
    (await (await ask('/rules/v1/tasks')).json()) as object[],
  ];
  expect(lists.map(({ length }) => length)).toEqual([1, 1, 2]);
  for (const item of lists.flat()) expect(item).toMatchObject({ ours: 'reindex' });
});

test('show > a fraction of Background Task keeps its decimal', async () => {
  const show = (shown: object) => ({ Elapsed: '1s', ...shown });
  const { seed, ask } = bound(await open(backgroundTask({ show })));
  const { id } = await seed('succeeded');
  expect(await (await ask(`/api/backgroundtask/${id}`)).text()).toMatch(
    /^\{"Elapsed":"1s","Complete":true,.*"ProgressInPercent":1\.0,/,
  );
});

function bound(opened: DialectWorld) {
  return { seed: opened.seed.bind(opened), ask: opened.ask.bind(opened) };
}
