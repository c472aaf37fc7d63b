import type { TaskRecord } from 'tasklane';
import { taskV2, waylay } from 'tasklane/dialects';
import { type Dialect, type Policy, readOnly } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { DIALECTS, type DialectFacts, type Operation, routesOf } from './all.ts';
import { DialectWorld } from './world.ts';

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

const CALLERS = [null, 'stranger', 'owner', 'admin', 'reader'] as const;

async function call(
  facts: DialectFacts,
  operation: Operation,
  as: string | null,
  options = {},
): Promise<{ response: Response; before: TaskRecord; after: TaskRecord | null }> {
  world = await DialectWorld.open([facts.make()], { ...options, ...(as === 'reader' ? { policy: readOnly } : {}) });
  const before = await world.seed(operation.task);
  const { method, path, body } = operation;
  const response = await world.ask(path.replace('{id}', facts.idOf(before)), {
    method,
    as,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { response, before, after: await world.manager.get(before.id) };
}

describe('pages by number, in which some may not be read', () => {
  /** Seven pages of three, of 21 tasks of which every third is the only one that may be read. */
  async function pages(dialect: Dialect, ask: (page: number) => Promise<Response> | undefined) {
    const readable = new Set<string>();
    const can: Policy['can'] = (_who, _action, { id }) => readable.has(id);
    world = await DialectWorld.open([dialect], { policy: { scope: () => 'all', can } });
    await world.manager.pause();
    const made = await world.manager.submitMany(Array.from({ length: 21 }, () => ({ handler: 'reindex' })));
    for (const [place, { id }] of made.entries()) if (place % 3 === 0) readable.add(id);
    const answers: Response[] = [];
    for (let page = 1; page <= 7; page++) answers.push((await ask(page)) as Response);
    return { answers, shown: [...readable].reverse() };
  }

  test('taskV2 > are of what is in scope, as the counts are: each task is on one', async () => {
    const { answers, shown } = await pages(taskV2(), (page) => {
      const headers = { 'content-type': 'application/json' };
      return world?.ask('/v2/task/index', { method: 'POST', headers, body: JSON.stringify({ page, 'per-page': 3 }) });
    });
    const told = await Promise.all(answers.map((answer) => answer.json() as Promise<{ task_id: string }[]>));
    expect(told.map((page) => page.map((one) => one.task_id))).toEqual(shown.map((id) => [id]));
    for (const { headers } of answers) {
      expect([headers.get('x-pagination-total-count'), headers.get('x-pagination-page-count')]).toEqual(['21', '7']);
    }
  });

  test('waylay > are of what is in scope, as the count is: each task is on one', async () => {
    const { answers, shown } = await pages(waylay(), (page) =>
      world?.ask(`/rules/v1/tasks?hits=3&startIndex=${3 * (page - 1)}`),
    );
    const told = await Promise.all(answers.map((answer) => answer.json() as Promise<{ ID: string }[]>));
    expect(told.map((page) => page.map(({ ID }) => ID))).toEqual(shown.map((id) => [id]));
    for (const { headers } of answers) expect(headers.get('x-count')).toBe('21');
  });
});

for (const facts of DIALECTS) {
  describe(`${facts.name} > who is answered what`, () => {
    for (const operation of routesOf(facts)) {
      test.each(CALLERS.map((caller, column) => [caller, operation.rights[column]] as const))(
        `${operation.id} > %s: %d`,
        async (caller, status) => {
          const { response, before, after } = await call(facts, operation, caller);
          expect(response.status).toBe(status);
          if (response.status < 400) return;
          expect(response.headers.get('content-type')).toBe(facts.errorType);
          const told = await response.text();
          if (operation.method === 'HEAD') expect(told).toBe('');
          else expect(facts.isError(JSON.parse(told), response.status)).toBe(true);
          if (status === 401) expect(response.headers.get('www-authenticate')).toBe(facts.challenge);
          expect(after).toEqual(before); // what was refused has changed nothing
        },
      );

      const [, stranger, , , reader] = operation.rights;
      if (reader === 403) {
        test(`${operation.id} > hideForbidden: what is not allowed is not there`, async () => {
          const { response } = await call(facts, operation, 'reader', { hideForbidden: true });
          expect(response.status).toBe(operation.path.includes('{id}') ? 404 : 403);
        });
      }
      if (stranger === 404) {
        test(`${operation.id} > a task of somebody else is answered as one that there is not`, async () => {
          const { response, before } = await call(facts, operation, 'stranger');
          const absent = `task_${'0'.repeat(27)}`;
          const { method, path, body } = operation;
          const unknown = facts.idOf({ ...before, id: absent });
          const other = await world?.ask(path.replace('{id}', unknown), {
            method,
            as: 'stranger',
            headers: body === undefined ? {} : { 'content-type': 'application/json' },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          });
          const plain = (text = ''): string => text.replaceAll(before.id.slice(-27), absent.slice(-27));
          expect(plain(await response.text())).toBe(await other?.text());
        });
      }
    }
  });
}

describe('an update is judged by what it makes of the task', () => {
  const policy: Policy = {
    scope: () => 'all',
    can: (_principal, action, task) =>
      task.entityId !== 'theirs' && !(action === 'submit' && (task.input as { folder?: string })?.folder === 'secret'),
  };
  const once = { template: 'reindex', name: 'Once', type: 'onetime', variables: { folder: 'docs' } };
  const often = { ...once, type: 'periodic', frequency: 60_000, variables: { folder: 'secret' } };

  test.each([
    ['PUT', '/v2/task/update/{id}', { entity_id: 'theirs' }, { entity_id: 'mine' }],
    ['PUT', '/rules/v1/tasks/{id}', { ...once, resource: 'theirs' }, { ...once, resource: 'mine' }],
    ['PUT', '/rules/v1/tasks/{id}', often, { ...often, variables: { folder: 'docs' } }],
  ])('%s %s: %j', async (method, path, forbidden, allowed) => {
    world = await DialectWorld.open([taskV2(), waylay()], { policy });
    const { id } = await world.seed('held');
    const put = async (body: object): Promise<number | undefined> => {
      const asked = { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
      return (await world?.ask(path.replace('{id}', id), asked))?.status;
    };
    const before = await world.manager.get(id);
    expect(await put(forbidden)).toBe(403);
    expect(await world.manager.get(id)).toEqual(before);
    expect(await world.manager.schedules.get(id)).toBeNull();
    expect(await put(allowed)).toBe(200);
  });
});
