import { OptionError, TaskManager } from 'tasklane';
import { backgroundTask, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import { createHandler, type Dialect, type HandlerOptions } from 'tasklane/http';
import { describe, expect, test } from 'vitest';

const handlerOf = (options: HandlerOptions) => createHandler(new TaskManager(), options);
const ask = (options: HandlerOptions, path: string, init?: RequestInit) =>
  handlerOf(options)(new Request(`http://tasks.test${path}`, init));

describe('what a handler takes', () => {
  test.each<[string, unknown]>([
    ['no list', jira()],
    ['an object of somebody else', [{ name: 'jira' }]],
    ['null', [null]],
    ['the function itself', [jira]],
  ])('refuses %s', (_what, dialects) => {
    expect(() => handlerOf({ dialects: dialects as readonly Dialect[] })).toThrow(OptionError);
  });

  test('refuses two that want the same path, and one that wants ours', () => {
    expect(() => handlerOf({ dialects: [jira(), jira()] })).toThrow(/apart from each other at \/rest\/api\/3\/task/);
    expect(() => handlerOf({ dialects: [jira(), jira({ basePath: '/other' })] })).not.toThrow();
    expect(() => handlerOf({ api: '/rest/api/3/task', dialects: [jira()] })).toThrow(/apart from our own/);
  });

  test.each<[string, object]>([
    ['jira.basePath', { basePath: 'jira' }],
    ['jira.basePath', { basePath: '/a b' }],
    ['jira.origin', { origin: 'tasks.example.com' }],
    ['jira.origin', { origin: 'https://tasks.example.com/' }],
    ['jira.userId', { userId: 7 }],
    ['jira.keep', { keep: 'for ever' }],
    ['jira.forbidden', { forbidden: 401 }],
    ['jira.resultAsText', { resultAsText: 'yes' }],
    ['jira.aliases', { aliases: 2 }],
    ['jira', { userID: () => 7 }],
  ])('%s: names what is wrong with %j', (option, options) => {
    expect(() => jira(options)).toThrow(expect.objectContaining({ option }));
  });

  test.each<[string, object]>([
    ['svix.tasks', { tasks: null }],
    ['svix.tasks.mail', { tasks: { mail: 'mail' } }],
    ['svix.otherTask', { otherTask: 'sdk.generate' }],
    ['svix.data', { data: {} }],
    ['svix.listAge', { listAge: -1 }],
    ['svix.emptyIterator', { emptyIterator: 'undefined' }],
    ['svix.query', { query: 'order' }],
    ['svix', { keep: '1d' }],
  ])('%s: names what is wrong with %j', (option, options) => {
    expect(() => svix(options)).toThrow(expect.objectContaining({ option }));
  });

  test.each<[string, object]>([
    ['backgroundTask.keep', { keep: 'long' }],
    ['backgroundTask', { listAge: '1d' }],
  ])('%s: names what is wrong with %j', (option, options) => {
    expect(() => backgroundTask(options)).toThrow(expect.objectContaining({ option }));
  });
});

describe('where it answers', () => {
  test('matches what is below its paths, whether or not there is a route', () => {
    const { matches } = handlerOf({ api: false, dialects: [jira({ basePath: '/jira' })] });
    const known = (path: string) => matches(new Request(`http://tasks.test${path}`));
    expect(known('/jira/rest/api/3/task/1')).toBe(true);
    expect(known('/jira/rest/api/3/task/1/2/3')).toBe(true);
    expect(known('/jira/rest/api/3/tasks')).toBe(false);
    expect(known('/rest/api/3/task/1')).toBe(false);
    expect(known('/tasks')).toBe(false);
  });

  test('is as published: elsewhere our own API answers', async () => {
    const response = await ask({ dialects: [jira({ aliases: false })] }, '/rest/api/2/task/1');
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/problem+json']);
    expect((await ask({ api: false, dialects: [jira()] }, '/tasks')).status).toBe(404);
  });

  test.each<[string, HandlerOptions, string, string]>([
    ['its published prefix', { dialects: [jira()] }, '/rest/api/3/myself', 'errorMessages'],
    ['its published prefix', { dialects: [jira()] }, '/rest/api/2/myself', 'errorMessages'],
    ['no other version', { dialects: [jira({ aliases: false })] }, '/rest/api/2/myself', 'type'],
    ['the nearest one', { dialects: [backgroundTask(), svix()] }, '/api/v1/message', 'detail'],
    ['the nearest one', { dialects: [svix(), backgroundTask()] }, '/api/backgroundtasks', 'Message'],
    ['its base path', { dialects: [jira({ basePath: '/jira' })] }, '/jira/rest', 'errorMessages'],
    [
      'its base path, and no more its published one',
      { dialects: [jira({ basePath: '/jira' })] },
      '/rest/api/3',
      'type',
    ],
    ['our own, which is nearer', { api: '/api/v1', dialects: [backgroundTask()] }, '/api/v1/x', 'type'],
    ['our own, which is as near', { api: '/api/v1', dialects: [svix()] }, '/api/v1/x', 'type'],
    ['no path that only begins alike', { dialects: [taskV2()] }, '/v22', 'type'],
    ['its published prefix', { dialects: [taskV2()] }, '/v2/office/index', 'type'],
    ['its published prefix', { dialects: [waylay()] }, '/rules/v1/templates', 'statusCode'],
  ])('what nobody has is refused in its form below %s', async (_where, options, path, key) => {
    const response = await ask(options, path);
    const body = (await response.json()) as object;
    expect([response.status, Object.keys(body).includes(key)]).toEqual([404, true]);
    const isOurs = response.headers.get('content-type') === 'application/problem+json';
    expect(isOurs).toBe(key === 'type' && Object.hasOwn(body, 'title'));
    // an adapter still hands it on to the app, which may have it
    expect(handlerOf({ ...options, api: false }).matches(new Request(`http://tasks.test${path}`))).toBe(false);
  });
});

describe('what holds for every dialect', () => {
  const collection = { errorMessages: [expect.any(String)], errors: {} };

  test('HEAD > as GET, without a body', async () => {
    const response = await ask({ dialects: [jira()] }, '/rest/api/3/task/1', { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/json']);
  });

  test('more query parameters than allowed', async () => {
    const options = { dialects: [jira()], limits: { queryParameters: 2 } };
    const response = await ask(options, '/rest/api/3/task/1?a=1&b=2&c=3');
    expect([response.status, await response.json()]).toEqual([400, collection]);
  });

  test('what `authenticate` throws is a 500 in its own form, which says nothing', async () => {
    const authenticate = () => {
      throw new Error('the secret is 42');
    };
    const response = await ask({ dialects: [jira()], authenticate }, '/rest/api/3/task/1');
    const text = await response.text();
    expect([response.status, JSON.parse(text)]).toEqual([500, collection]);
    expect(text).not.toContain('42');
  });

  test('a page of another site cannot use the credentials that a browser adds', async () => {
    const options = { dialects: [jira()], authenticate: () => ({ id: 'ada' }) };
    const headers = { authorization: `Basic ${btoa('ada:token')}`, origin: 'https://elsewhere.example' };
    const response = await ask(options, '/rest/api/3/task/1/cancel', { method: 'POST', headers });
    expect([response.status, await response.json()]).toEqual([403, collection]);
  });

  test('a closed manager', async () => {
    const manager = new TaskManager();
    const handler = createHandler(manager, { dialects: [jira()] });
    await manager.start();
    await manager.close();
    const response = await handler(new Request('http://tasks.test/rest/api/3/task/1'));
    expect([response.status, await response.json()]).toEqual([503, collection]);
  });
});
