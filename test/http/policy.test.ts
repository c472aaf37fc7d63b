import { once } from 'node:events';
import { type AnyTask, defineTask, type Principal, TaskManager } from 'tasklane';
import { createHandler, type HandlerOptions, type Policy } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { bodyOf } from './support.ts';

let manager: TaskManager;
afterEach(() => manager.close({ timeout: 0 }));

/** Asks as a principal; what `authenticate` gives is under the test's control. */
async function serve(options: HandlerOptions, task: Partial<AnyTask> = {}) {
  const echo = defineTask({ name: 'echo', ...task } as AnyTask);
  manager = new TaskManager({ handlers: [echo] });
  const principal: { current: Principal | null } = { current: { id: 'user-1' } };
  const handler = createHandler(manager, { authenticate: () => principal.current, ...options });
  const ask = (path: string, init?: RequestInit): Promise<Response> => handler(new Request(`http://x${path}`, init));
  const submit = async (more: object = {}): Promise<string> =>
    (await manager.submit('echo', { n: 1 }, { hold: true, submittedBy: 'user-1', ...more })).id;
  return { ask, submit, principal };
}

const policyOf = (policy: Partial<Policy>): Policy => ({ scope: () => 'all', can: () => true, ...policy });

describe('scope', () => {
  test('a list of filters: any of them', async () => {
    const policy = policyOf({ scope: ({ id }) => [{ submittedBy: id }, { tags: { shared: true } }] });
    const { ask, submit } = await serve({ policy });
    const [mine, shared, other] = [
      await submit(),
      await submit({ submittedBy: 'user-2', tags: { shared: true } }),
      await submit({ submittedBy: 'user-2' }),
    ];
    const { items, total } = await bodyOf(await ask('/tasks?sort=id&total=true'));
    expect([items.map(({ id }) => id), total]).toEqual([[mine, shared], 2]);
    expect((await bodyOf(await ask('/tasks?submittedBy=user-2'))).items.map(({ id }) => id)).toEqual([shared]);
    expect((await ask(`/tasks/${other}`)).status).toBe(404);
  });

  test("'none': nothing exists; archived tasks are in a scope unless it says", async () => {
    const none = await serve({ policy: policyOf({ scope: () => 'none' }) });
    const id = await none.submit();
    expect((await bodyOf(await none.ask('/tasks?archived=both&total=true'))).total).toBe(0);
    expect((await none.ask(`/tasks/${id}`)).status).toBe(404);
    await manager.close();
    const mine = await serve({});
    const gone = await mine.submit();
    await manager.delete(gone, { cancel: true });
    expect((await bodyOf(await mine.ask('/tasks?archived=true'))).items.map(({ id }) => id)).toEqual([gone]);
    expect((await mine.ask(`/tasks/${gone}`)).status).toBe(200);
  });

  test.each<[string, () => unknown]>([
    ['a promise', async () => ({ submittedBy: 'user-1' })],
    ['a key that is undefined', () => ({ submittedBy: undefined })],
    ['nothing', () => undefined],
    ['no filter', () => ({ owner: 'user-1' })],
  ])('%s is our own fault, and shows nothing', async (_what, scope) => {
    const { ask, submit } = await serve({ policy: policyOf({ scope: scope as Policy['scope'] }) });
    const id = await submit();
    const warned = once(process, 'warning');
    const response = await ask(`/tasks/${id}`);
    expect([response.status, (await bodyOf(response)).code]).toEqual([500, 'internal']);
    expect(String((await warned)[0])).toContain('`scope` of the policy');
  });
});

describe('can', () => {
  const canOnly = (...actions: readonly string[]) =>
    policyOf({ can: (_principal, action) => actions.includes(action) });

  test('what is in the scope but not allowed is 403; with hideForbidden 404, as if it were not there', async () => {
    const open = await serve({ policy: canOnly('read') });
    const id = await open.submit();
    const refused = await open.ask(`/tasks/${id}/cancel`, { method: 'POST' });
    expect([refused.status, (await bodyOf(refused)).detail]).toEqual([403, `You may not cancel task ${id}.`]);
    await manager.close();
    const hidden = await serve({ policy: canOnly('cancel'), hideForbidden: true });
    const other = await hidden.submit();
    const answers = await Promise.all([hidden.ask(`/tasks/${other}`), hidden.ask('/tasks/task_0')]);
    const [there, nowhere] = await Promise.all(answers.map((answer) => answer.text()));
    expect(answers[0]?.status).toBe(404);
    expect(there?.replace(other, '')).toBe(nowhere?.replace('task_0', ''));
  });

  test('only `true` allows: not a promise of it', async () => {
    const { ask, submit } = await serve({ policy: policyOf({ can: (async () => true) as unknown as Policy['can'] }) });
    expect((await ask(`/tasks/${await submit()}`)).status).toBe(403);
  });

  test('what may not be read is left out of lists', async () => {
    const policy = policyOf({ can: (_principal, _action, { priority }) => priority < 5 });
    const { ask, submit } = await serve({ policy });
    const [low] = [await submit({ priority: 1 }), await submit({ priority: 9 })];
    expect((await bodyOf(await ask('/tasks'))).items.map(({ id }) => id)).toEqual([low]);
  });

  test('a submit is judged by what it would make', async () => {
    const policy = policyOf({
      can: (_principal, action, { priority, id }) => action !== 'submit' || (priority < 5 && id === ''),
    });
    const { ask } = await serve({ policy });
    const submit = (priority: number): Promise<Response> =>
      ask('/tasks', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ handler: 'echo', priority }),
      });
    expect([(await submit(1)).status, (await submit(9)).status]).toEqual([202, 403]);
  });
});

describe('an update', () => {
  const patch = (body: object): RequestInit => ({
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

  test('is judged by what it makes of the task, too: nothing gets by it what no submit may have', async () => {
    const policy = policyOf({
      scope: () => ({ entityId: 'mine' }),
      can: (_principal, _action, { tags, priority, metadata }) =>
        tags.team !== 'b' && priority < 5 && (metadata as { vip?: boolean } | null)?.vip !== true,
    });
    const { ask, submit } = await serve({ policy });
    const id = await submit({ entityId: 'mine', tags: { team: 'a', n: 1 }, metadata: { a: 1 } });
    const before = await manager.get(id);
    for (const body of [
      { tags: { team: 'b' } },
      { priority: 9 },
      { metadata: { vip: true } },
      { entityId: 'theirs' },
      { entityId: null },
    ]) {
      const response = await ask(`/tasks/${id}`, patch(body));
      expect([response.status, (await bodyOf(response)).code]).toEqual([403, 'forbidden']);
    }
    expect(await manager.get(id)).toEqual(before);
    const allowed = { tags: { n: null, x: 2 }, priority: 4, metadata: { b: 2 }, runAt: '2099-01-01T00:00:00Z' };
    expect((await ask(`/tasks/${id}`, patch(allowed))).status).toBe(200);
    expect(await manager.get(id)).toMatchObject({ tags: { team: 'a', x: 2 }, priority: 4, metadata: { a: 1, b: 2 } });
  });
});

describe('authorize of a handler', () => {
  test('only narrows what the policy allows', async () => {
    const asked: string[] = [];
    const authorize = (_principal: Principal, action: string): boolean => {
      asked.push(action);
      return action === 'read';
    };
    const { ask, submit } = await serve({}, { authorize });
    const id = await submit();
    expect((await ask(`/tasks/${id}`)).status).toBe(200);
    expect((await ask(`/tasks/${id}/cancel`, { method: 'POST' })).status).toBe(403);
    expect(asked).toEqual(['read', 'cancel']);
    expect((await ask(`/tasks/${await submit({ submittedBy: 'user-2' })}`)).status).toBe(404);
    expect(asked).toHaveLength(2);
  });
});

describe('authenticate', () => {
  test('what is no principal is our own fault', async () => {
    const { ask, principal } = await serve({});
    principal.current = {} as Principal;
    expect((await ask('/tasks')).status).toBe(500);
    principal.current = { id: '' };
    expect((await ask('/tasks')).status).toBe(500);
  });

  test('/health and /ready ask nobody; what is not there needs no credential either', async () => {
    const { ask, principal } = await serve({});
    principal.current = null;
    await manager.start();
    const statuses = ['/health', '/ready', '/nowhere', '/me'].map(async (path) => (await ask(path)).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 404, 401]);
  });
});
