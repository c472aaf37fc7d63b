import { defineTask, TaskManager } from 'tasklane';
import { backgroundTask } from 'tasklane/dialects';
import { createHandler } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { DOCUMENT, EXCHANGES } from './background-task.table.ts';
import { playContract } from './contract.ts';
import { DialectWorld, STATES } from './world.ts';

playContract({ dialect: backgroundTask, contentType: 'application/json; charset=utf-8', exchanges: EXCHANGES });

const DAY_MS = 86_400_000;

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

const pathOf = (id: string): string => `/api/backgroundtask/reindex-${id.slice(-27)}`;

describe('the document', () => {
  test.each(STATES)('%s > its keys, in order, of their types', async (state) => {
    world = await DialectWorld.open([backgroundTask()]);
    const { id } = await world.seed(state);
    const document = (await (await world.ask(pathOf(id))).json()) as Record<string, unknown>;
    const present = DOCUMENT.filter(([key, , always]) => always || Object.hasOwn(document, key));
    expect(Object.keys(document)).toEqual(present.map(([key]) => key));
    for (const [key, type] of present) {
      const value = document[key];
      if (type === 'integer') expect([key, Number.isInteger(value)]).toEqual([key, true]);
      else if (type === 'time') expect(value).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      else expect([key, typeof value]).toEqual([key, type]);
    }
    expect(Object.hasOwn(document, 'FinishedAt')).toBe(document.Complete);
  });

  test('ProgressInPercent > a fraction, with its decimal', async () => {
    world = await DialectWorld.open([backgroundTask()]);
    const { id } = await world.seed('running');
    for (const [fraction, printed] of [
      [0, '0.0'],
      [0.25, '0.25'],
      [1, '1.0'],
    ] as const) {
      world.reindex.runs[0]?.context.progress({ fraction });
      await world.clock.advance('1s');
      expect(await (await world.ask(pathOf(id))).text()).toContain(`"ProgressInPercent":${printed},`);
    }
  });

  test('counts > are integers of 32 bits, whatever the handler says', async () => {
    world = await DialectWorld.open([backgroundTask()]);
    const { id } = await world.seed('running');
    world.reindex.runs[0]?.context.progress({ processed: 2.7, total: 1e12 });
    await world.clock.advance('1s');
    expect(await (await world.ask(pathOf(id))).json()).toMatchObject({
      TotalElements: 2_147_483_647,
      ProcessedElements: 2,
    });
  });
});

describe('404 > once flushed', () => {
  test('by default when the storage has forgotten it, or it was deleted', async () => {
    world = await DialectWorld.open([backgroundTask()]);
    const { id } = await world.seed('succeeded');
    world.jump(80 * DAY_MS);
    expect((await world.ask(pathOf(id))).status).toBe(200);
    await world.manager.delete(id);
    expect((await world.ask(pathOf(id))).status).toBe(404);
  });

  test('`keep` > some time after its end', async () => {
    world = await DialectWorld.open([backgroundTask({ keep: '1h' })]);
    const { id } = await world.seed('succeeded');
    world.jump(3_600_000);
    expect((await world.ask(pathOf(id))).status).toBe(200);
    world.jump(1);
    expect((await world.ask(pathOf(id))).status).toBe(404);
  });
});

test("a task's own handler has the last word on who may read it", async () => {
  const secret = defineTask({ name: 'a-secret', authorize: ({ id }) => id === 'ada', run: () => 42 });
  const manager = new TaskManager({ handlers: [secret] });
  await manager.start();
  const authenticate = (request: Request) => ({ id: request.headers.get('authorization') ?? '', admin: true });
  const handler = createHandler(manager, { authenticate, dialects: [backgroundTask()] });
  const { id } = await manager.submit(secret);
  const ask = (authorization: string) =>
    handler(new Request(`http://tasks.test/api/backgroundtask/${id}`, { headers: { authorization } }));
  expect((await ask('bob')).status).toBe(403);
  expect(await (await ask('ada')).json()).toMatchObject({ Id: `a-secret-${id.slice(-27)}` });
  await handler.close();
  await manager.close();
});
