import type { TaskRecord } from 'tasklane';
import { jira } from 'tasklane/dialects';
import { afterEach, describe, expect, test } from 'vitest';
import { playContract } from './contract.ts';
import { BEAN, EXCHANGES, STATUS } from './jira.table.ts';
import { DialectWorld, STATES } from './world.ts';

playContract({
  dialect: jira,
  contentType: 'application/json',
  exchanges: EXCHANGES,
  words: ({ startedAt, finishedAt }: TaskRecord, now) => ({
    elapsed: startedAt === null ? 0 : (finishedAt ?? now) - startedAt,
  }),
});

const DAY_MS = 86_400_000;

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

describe('the bean', () => {
  test.each(STATES)('%s > its keys, in order, of their types', async (state) => {
    world = await DialectWorld.open([jira()]);
    const { id } = await world.seed(state);
    const bean = (await (await world.ask(`/rest/api/3/task/${id}`)).json()) as Record<string, unknown>;
    const present = BEAN.filter(([key, , always]) => always || Object.hasOwn(bean, key));
    expect(Object.keys(bean)).toEqual(present.map(([key]) => key));
    for (const [key, type] of present) {
      if (type === 'integer') expect([key, Number.isSafeInteger(bean[key])]).toEqual([key, true]);
      if (type === 'string') expect([key, typeof bean[key]]).toEqual([key, 'string']);
    }
    expect(bean.status).toBe(STATUS[state]);
    expect(URL.canParse(String(bean.self))).toBe(true);
  });
});

test('progress > whole percent, rounded down, and no less than was counted', async () => {
  world = await DialectWorld.open([jira()]);
  const { id } = await world.seed('running');
  for (const [processed, total, percent] of [
    [29, 100, 29],
    [57, 100, 57],
    [58, 100, 58],
    [999, 1_000, 99],
    [1, 3, 33],
  ] as const) {
    world.reindex.runs[0]?.context.progress({ processed, total });
    await world.clock.advance('1s');
    expect(await (await world.ask(`/rest/api/3/task/${id}`)).json()).toMatchObject({ progress: percent });
  }
});

test('`resultAsText` > a text is sent as it is, anything else as JSON', async () => {
  world = await DialectWorld.open([jira({ resultAsText: true })]);
  for (const [result, sent] of [
    ['https://reports.test/7', 'https://reports.test/7'],
    [{ files: 10 }, '{"files":10}'],
    [[1, null], '[1,null]'],
    [7, '7'],
    [false, 'false'],
    ['', ''],
  ] as const) {
    const { id } = await world.seed('running');
    world.reindex.runs.at(-1)?.finish(result);
    await world.manager.task(id).result();
    expect(await (await world.ask(`/rest/api/3/task/${id}`)).json()).toMatchObject({ result: sent });
  }
});

describe('14 days', () => {
  test('a task is told of for so long after it ended, and no longer', async () => {
    world = await DialectWorld.open([jira()]);
    const { id: endless } = await world.seed('running');
    const { id } = await world.seed('succeeded');
    world.jump(14 * DAY_MS);
    expect((await world.ask(`/rest/api/3/task/${id}`)).status).toBe(200);
    world.jump(1);
    for (const method of ['GET', 'POST']) {
      const path = `/rest/api/3/task/${id}${method === 'POST' ? '/cancel' : ''}`;
      expect((await world.ask(path, { method })).status).toBe(404);
    }
    expect((await world.ask(`/rest/api/3/task/${endless}`)).status).toBe(200);
    expect((await world.ask(`/tasks/${id}`)).status).toBe(200);
  });

  test('another time, or as long as it is stored', async () => {
    world = await DialectWorld.open([jira({ keep: '1h' }), jira({ keep: false, basePath: '/all' })]);
    const { id } = await world.seed('succeeded');
    world.jump(15 * DAY_MS);
    expect((await world.ask(`/rest/api/3/task/${id}`)).status).toBe(404);
    expect((await world.ask(`/all/rest/api/3/task/${id}`)).status).toBe(200);
  });

  test('a task that was deleted is not there', async () => {
    world = await DialectWorld.open([jira()]);
    const { id } = await world.seed('succeeded');
    await world.manager.delete(id);
    expect((await world.ask(`/rest/api/3/task/${id}`)).status).toBe(404);
  });
});

test('submitters that are numbers keep them, others get one of their own, nobody is 0', async () => {
  world = await DialectWorld.open([jira()]);
  const numbers = [];
  for (const submittedBy of ['42', '007', 'ada', 'bob', '9007199254740993', undefined]) {
    const { id } = await world.manager.submit('reindex', null, { submittedBy, hold: true });
    const bean = (await (await world.ask(`/rest/api/3/task/${id}`, { as: 'admin' })).json()) as { submittedBy: number };
    expect(Number.isSafeInteger(bean.submittedBy)).toBe(true);
    numbers.push(bean.submittedBy);
  }
  expect(numbers[0]).toBe(42);
  expect(numbers.at(-1)).toBe(0);
  expect(new Set(numbers).size).toBe(6);
});
