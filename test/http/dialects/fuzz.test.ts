import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { turns } from '../../support/gate.ts';
import { HOSTILE } from '../arbitrary.ts';
import { DIALECTS, type DialectFacts, type Operation, routesOf } from './all.ts';
import { DialectWorld, STATES } from './world.ts';

/** For each dialect at least 2,000 requests. */
const RUNS = 100;
const REQUESTS = 20;

interface Shot {
  readonly method: string;
  /** As the router sees it; `{id}` is filled in. */
  readonly path: string;
  /** Which task, or text in place of its id. */
  readonly id: number | string;
  readonly query: readonly (readonly [string, string])[];
  readonly body: string | null;
  readonly type: string;
  readonly as: string | null;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));

function shotOf({ method, path, query = {}, body }: Operation): fc.Arbitrary<Shot> {
  const parameter = fc.oneof(
    ...Object.entries(query).map(([name, values]) =>
      fc
        .oneof({ weight: 3, arbitrary: fc.constantFrom(...values) }, { weight: 1, arbitrary: HOSTILE.map(text) })
        .map((value) => [name, value] as const),
    ),
    fc.tuple(fc.oneof(fc.constantFrom('__proto__', 'limit', 'id', 'tags.a', 'tags.'), fc.string()), fc.string()),
  );
  const whole = fc.oneof(
    { weight: 4, arbitrary: fc.constant(JSON.stringify(body ?? {})) },
    { weight: 4, arbitrary: spoiled(body).map((value) => JSON.stringify(value) ?? '') },
    { weight: 1, arbitrary: fc.oneof(fc.string(), fc.json(), fc.constantFrom('', '{', 'null', '[]')) },
  );
  return fc.record({
    method: fc.oneof(
      { weight: 9, arbitrary: fc.constant(method) },
      { weight: 1, arbitrary: fc.constantFrom('GET', 'PUT', 'PATCH', 'DELETE', 'POST', 'OPTIONS', 'HEAD') },
    ),
    path: fc.oneof(
      { weight: 9, arbitrary: fc.constant(path) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          `${path}/`,
          `${path}/x`,
          path.toUpperCase(),
          `${path}//`,
          path.replace('{id}', '%zz'),
        ),
      },
    ),
    id: fc.oneof(
      { weight: 5, arbitrary: fc.nat(100) },
      { weight: 1, arbitrary: fc.oneof(HOSTILE.map(text), fc.string({ minLength: 1 })) },
    ),
    query: fc.array(parameter, { maxLength: 3 }),
    body: body === undefined ? fc.option(fc.constantFrom('', '{}', 'x'), { freq: 2 }) : whole,
    type: fc.oneof(
      { weight: 8, arbitrary: fc.constant('application/json') },
      { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/x-www-form-urlencoded', '') },
    ),
    as: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('owner', 'admin') },
      { weight: 1, arbitrary: fc.constantFrom(null, 'stranger', 'nobody') },
    ),
  });
}

/** A body that fits but for one of its values. */
function spoiled(body: unknown): fc.Arbitrary<unknown> {
  if (typeof body !== 'object' || body === null) return fc.oneof(HOSTILE, fc.jsonValue({ maxDepth: 3 }));
  const keys = Object.keys(body);
  const key = fc.oneof(fc.constantFrom(...keys, 'more'), fc.string());
  return fc.tuple(key, fc.oneof(HOSTILE, fc.jsonValue({ maxDepth: 2 }))).map(([name, value]) => {
    const copy: Record<string, unknown> = Array.isArray(body) ? ([...body] as never) : { ...body };
    Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
    return copy;
  });
}

describe.each(DIALECTS)('$name', (facts: DialectFacts) => {
  let world: DialectWorld;
  const ids: string[] = [];
  beforeEach(async () => {
    world = await DialectWorld.open([facts.make()], { limits: { queryParameters: 20, jsonDepth: 20 } });
    for (const state of STATES) ids.push(facts.idOf(await world.seed(state)));
    // so that what waits is still waiting when a request comes
    await world.manager.pause();
  });
  afterEach(() => world.close());

  /** What waits for the end of a task waits for the clock: its handler does not end by itself. */
  async function soon(asked: Promise<Response>): Promise<Response> {
    const answered = asked.then(() => true);
    while (!(await Promise.race([answered, turns().then(() => false)]))) await world.clock.advance('15s');
    return asked;
  }

  const seen = new Set<string>();
  let count = 0;
  async function shoot({ method, path, id, query, body, type, as }: Shot): Promise<void> {
    const named = typeof id === 'number' ? (ids[id % ids.length] ?? '') : id;
    const filled = path.replace('{id}', encodeURIComponent(named.toWellFormed()));
    const search = new URLSearchParams(
      query.map(([name, value]): [string, string] => [name.toWellFormed(), value.toWellFormed()]),
    );
    const hasBody = body !== null && method !== 'GET' && method !== 'HEAD';
    const url = `http://tasks.test${filled}${filled.includes('?') ? '&' : '?'}${search}`;
    const response = await soon(
      world.ask(url, {
        method,
        as,
        headers: hasBody && type !== '' ? { 'content-type': type } : {},
        ...(hasBody ? { body } : {}),
      }),
    );
    count++;
    const answer = await response.text();
    const what = `${method} ${url} ${String(body).slice(0, 300)}: ${response.status} ${answer}`;
    expect(response.status, what).toBeLessThan(500);
    seen.add(`${method} ${path} ${Math.floor(response.status / 100)}`);
    // nothing, '.' and '..' as an id are other paths
    if (!world.handler.matches(new Request(url))) return;
    if (response.status < 400 || method === 'HEAD' || answer === '') return;
    expect(response.headers.get('content-type'), what).toBe(facts.errorType);
    expect(facts.isError(JSON.parse(answer), response.status), what).toBe(true);
  }

  test('whatever comes is answered, every error in its own form, and never with 500', { timeout: 60_000 }, async () => {
    const shots = fc.oneof(...routesOf(facts).map(shotOf));
    await fc.assert(
      fc.asyncProperty(fc.array(shots, { minLength: REQUESTS, maxLength: REQUESTS }), async (sequence) => {
        for (const shot of sequence) await shoot(shot);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
    expect(count).toBeGreaterThanOrEqual(RUNS * REQUESTS);
    for (const { method, path, rights } of facts.operations) {
      const succeeded = [path, facts.alias?.(path)].some((one) => seen.has(`${method} ${one} 2`));
      if (rights[2] < 400) expect([method, path, succeeded]).toEqual([method, path, true]);
    }
  });
});
