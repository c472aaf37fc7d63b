import { taskV2, waylay } from 'tasklane/dialects';
import { afterEach, describe, expect, test } from 'vitest';
import { DialectWorld } from './world.ts';

let world: DialectWorld;
afterEach(() => world.close());

const TASKS = 520;

/** Submits some, none of which runs. @returns their ids, newest first */
async function submitted(count: number): Promise<readonly string[]> {
  await world.manager.pause();
  const item = { handler: 'reindex', submittedBy: 'owner' };
  const made = await world.manager.submitMany(Array.from({ length: count }, () => item));
  return made.map(({ id }) => id).reverse();
}

function index(body: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return world.ask('/v2/task/index', { method: 'POST', headers, body: JSON.stringify(body) });
}

describe('pages of hundreds > have each task once, in its place', () => {
  test.each([250, 260, 1_000])('taskV2 > %d a page', async (size) => {
    world = await DialectWorld.open([taskV2()]);
    const ids = await submitted(TASKS);
    const told: string[] = [];
    for (let page = 1; page <= Math.ceil(TASKS / size); page++) {
      const items = (await (await index({ page, 'per-page': size })).json()) as { task_id: string }[];
      expect(items).toHaveLength(Math.min(size, TASKS - told.length));
      told.push(...items.map(({ task_id }) => task_id));
    }
    expect(told).toEqual(ids);
  });

  test.each([250, 260, 1_000])('waylay > %d a page', async (size) => {
    world = await DialectWorld.open([waylay()]);
    const ids = await submitted(TASKS);
    const told: string[] = [];
    for (let start = 0; start < TASKS; start += size) {
      const response = await world.ask(`/rules/v1/tasks?hits=${size}&startIndex=${start}`);
      told.push(...((await response.json()) as { ID: string }[]).map(({ ID }) => ID));
    }
    expect(told).toEqual(ids);
  });
});

test('taskV2 > a page with too much in it > 422 that names `per-page`; a smaller one is told', async () => {
  const large = 'x'.repeat(5_000_000);
  world = await DialectWorld.open([taskV2({ request: () => large })]);
  await submitted(15);
  const refused = await index({});
  const message = 'must be smaller: the page has too much in it';
  expect([refused.status, await refused.json()]).toEqual([422, [{ field: 'per-page', message }]]);
  const { status, headers } = await index({ 'per-page': 10 });
  expect([status, headers.get('x-pagination-page-count')]).toEqual([200, '2']);
});
