import fc from 'fast-check';
import { type AnyTask, defineTask, type Principal, TaskManager } from 'tasklane';
import { createHandler, openApiDocument, type TaskHandler } from 'tasklane/http';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { arbitraryOf, HOSTILE, type JsonSchema } from './arbitrary.ts';

/** In all at least 20,000 requests. */
const RUNS = 500;
const REQUESTS = 40;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly body: JsonSchema | null;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>> }>
  >;
}

/** A request, with holes for what only the run knows. */
interface Shot {
  /** Method and path, so that a failure can be read. */
  readonly operation: string;
  /** An index into the ids that were made so far, or text. */
  readonly id: number | string;
  readonly query: readonly (readonly [string, string])[];
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string | null;
  readonly credential: string | null;
}

const handlers = [
  defineTask({
    name: 'typed',
    on: 'typed.wanted',
    input: z.object({ n: z.int().min(0).max(9), s: z.string().optional() }),
    run: ({ n }) => n,
  }),
  defineTask({ name: 'any', on: ['any.wanted', 'typed.wanted'], run: (input: unknown) => input ?? null }),
  defineTask({
    name: 'throws',
    run: () => {
      throw new Error('as it should');
    },
  }),
  defineTask({
    name: 'long',
    run: (_input: unknown, { signal }) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  }),
] as unknown as readonly AnyTask[];

const EVENTS = ['any.wanted', 'typed.wanted', 'not.bound'];

const PRINCIPALS: Readonly<Record<string, Principal>> = {
  a: { id: 'a' },
  b: { id: 'b' },
  root: { id: 'root', admin: true },
};

const manager = new TaskManager({ handlers, concurrency: 4 });
const document = openApiDocument(manager) as {
  readonly paths: Record<string, Record<string, JsonSchema & { responses: Operation['responses'] }>>;
  readonly components: { readonly schemas: Record<string, JsonSchema> };
};
const { schemas } = document.components;
const operations: readonly Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, one]) => ({
    method: method.toUpperCase(),
    path,
    parameters: (one.parameters ?? []) as Operation['parameters'],
    body:
      (
        Object.values((one.requestBody as { content?: object } | undefined)?.content ?? {})[0] as {
          schema?: JsonSchema;
        }
      )?.schema ?? null,
    responses: one.responses,
  })),
);

const nameOf = ({ method, path }: Operation): string => `${method} ${path}`;
const byName = new Map(operations.map((operation) => [nameOf(operation), operation]));

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

/** Of a rule exactly one kind is right, which a schema does not tell. */
const SCHEDULES = fc
  .record(
    {
      key: fc.string({ minLength: 1, maxLength: 9 }),
      handler: fc.constantFrom('any', 'long'),
      every: fc.constant('1h'),
      input: fc.jsonValue(),
    },
    { requiredKeys: ['every'] },
  )
  .map((body) => JSON.stringify(body));

function shotOf(operation: Operation): fc.Arbitrary<Shot> {
  const query = operation.parameters.filter((one) => one.in === 'query');
  const headers = operation.parameters.filter((one) => one.in === 'header');
  const named = (of: typeof query): fc.Arbitrary<readonly (readonly [string, string])[]> =>
    of.length === 0
      ? fc.constant([])
      : fc.array(
          fc
            .constantFrom(...of)
            .chain(({ name, schema }) => arbitraryOf(schema, schemas).map((value) => [name, text(value)] as const)),
          { maxLength: 3 },
        );
  const odd = fc.tuple(fc.oneof(fc.constantFrom('__proto__', 'tag.a', 'tag.', 'x'), fc.string()), fc.string());
  const body =
    operation.body === null
      ? fc.option(fc.constant('{}'), { freq: 8 })
      : fc.oneof(
          { weight: 7, arbitrary: arbitraryOf(operation.body, schemas).map((value) => JSON.stringify(value) ?? '') },
          { weight: operation.path.startsWith('/schedules') ? 3 : 0, arbitrary: SCHEDULES },
          {
            weight: 1,
            arbitrary: fc.oneof(fc.string(), fc.json(), fc.constantFrom('', '{', 'null', '[]', '{"handler":')),
          },
        );
  return fc.record({
    operation: fc.constant(nameOf(operation)),
    id: fc.oneof(
      { weight: 6, arbitrary: fc.nat(1_000) },
      { weight: 1, arbitrary: fc.oneof(HOSTILE.map(text), fc.string({ minLength: 1 })) },
    ),
    query: fc.oneof({ weight: 7, arbitrary: named(query) }, { weight: 1, arbitrary: fc.array(odd, { maxLength: 2 }) }),
    headers: named(headers),
    body,
    credential: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('a', 'b', 'root') },
      { weight: 1, arbitrary: fc.constantFrom(null, 'nobody', '') },
    ),
  });
}

/** Submits come more often than their share of the routes, so that there is something to find. */
const shots = fc.oneof(
  ...operations.map((operation) => ({
    weight:
      (operation.method === 'POST' && operation.body !== null ? 4 : 1) *
      (operation.path.startsWith('/schedules') ? 1 : 3),
    arbitrary: shotOf(operation),
  })),
);

let handler: TaskHandler;
beforeEach(async () => {
  handler = createHandler(manager, {
    authenticate: (request) => {
      const name = request.headers.get('authorization') ?? '';
      return Object.hasOwn(PRINCIPALS, name) ? (PRINCIPALS[name] ?? null) : null;
    },
    limits: { wait: '2ms', queryParameters: 20, jsonDepth: 20 },
  });
  await manager.start();
});
afterEach(async () => {
  await handler.close();
  await manager.close({ timeout: 0 });
});

const ids: string[] = [];
/** Of tasks that do not run yet. */
const held: string[] = [];
const keys: string[] = [];
const seen = new Map<string, number>();
let count = 0;

async function shoot({ operation: name, id, query, headers, body, credential }: Shot): Promise<void> {
  const operation = byName.get(name);
  if (operation === undefined) throw new Error(`No operation ${name}`);
  const known = operation.path.endsWith('/run-now') && held.length > 0 ? held : ids;
  const named = typeof id === 'number' ? (known.at(id % Math.max(1, known.length)) ?? 'task_0') : id;
  const key = typeof id === 'number' ? (keys.at(id % Math.max(1, keys.length)) ?? 'key') : id;
  const event = typeof id === 'number' ? (EVENTS.at(id % EVENTS.length) ?? '') : id;
  const path = operation.path
    .replace('{event}', encodeURIComponent(event.toWellFormed()))
    .replace('{id}', encodeURIComponent(named.toWellFormed()))
    .replace('{key}', encodeURIComponent(key.toWellFormed()));
  const search = new URLSearchParams(
    query.map(([name, value]): [string, string] => [name.toWellFormed(), value.toWellFormed()]),
  );
  const sent = new Headers();
  for (const [name, value] of headers) if (/^[\x20-\x7e]*$/.test(value)) sent.set(name, value);
  if (credential !== null) sent.set('authorization', credential);
  const hasBody = body !== null && operation.method !== 'GET';
  if (hasBody) sent.set('content-type', 'application/json');
  const request = new Request(`http://x${path}?${search}`, {
    method: operation.method,
    headers: sent,
    ...(hasBody ? { body } : {}),
  });
  // nothing, '.' and '..' as an id are other paths
  const moved = named === '' || key === '' || !new URL(request.url).pathname.endsWith(path);
  const response = await handler(request);
  count++;
  const what = `${operation.method} ${path}?${search} ${String(body).slice(0, 500)}`;
  seen.set(`${operation.method} ${operation.path} ${response.status}`, 1);
  const type = response.headers.get('content-type');
  if (type === 'text/event-stream') {
    await response.body?.cancel();
    return;
  }
  const answer = await response.text();
  expect(response.status, `${what}\n${answer}`).not.toBe(500);
  if (moved) return;
  const declared = operation.responses[response.status];
  expect(declared, `${what} answered ${response.status}, which is not declared: ${answer}`).toBeDefined();
  if (response.status >= 400) {
    const schema = declared?.content?.['application/problem+json']?.schema as {
      properties?: { code?: { enum?: readonly string[] } };
    };
    expect(type, what).toBe('application/problem+json');
    const problem = JSON.parse(answer) as { readonly code: string; readonly status: number };
    expect(problem, what).toMatchObject({
      type: 'about:blank',
      status: response.status,
      title: expect.any(String),
      detail: expect.any(String),
    });
    expect(schema?.properties?.code?.enum, what).toContain(problem.code);
  } else if (answer !== '') {
    const value = JSON.parse(answer) as {
      readonly id?: string;
      readonly key?: string;
      readonly status?: string;
    } | null;
    if (operation.path === '/tasks' && typeof value?.id === 'string') ids.push(value.id);
    if (operation.path === '/tasks' && value?.status === 'scheduled' && value.id !== undefined) held.push(value.id);
    if (response.status === 201 && typeof value?.key === 'string') keys.push(value.key);
  }
}

const unreached = (): readonly Operation[] =>
  operations.filter((operation) => ![...seen.keys()].some((key) => key.startsWith(`${nameOf(operation)} 2`)));

test('whatever comes is answered, by what the document declares, and never with 500', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(shots, { minLength: REQUESTS, maxLength: REQUESTS }), async (sequence) => {
      for (const shot of sequence) await shoot(shot);
    }),
    { numRuns: RUNS, endOnFailure: true },
  );
  expect(count).toBeGreaterThanOrEqual(20_000);
  // It got through to where things happen, and did not only bounce; what chance left out is tried on.
  for (let more = 0; more < 20 && unreached().length > 0; more++) {
    for (const operation of unreached()) for (const shot of fc.sample(shotOf(operation), 200)) await shoot(shot);
  }
  expect(unreached().map(nameOf)).toEqual([]);
});
