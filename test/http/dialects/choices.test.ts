import { taskV2, waylay } from 'tasklane/dialects';
import { afterEach, expect, test } from 'vitest';
import { DialectWorld } from './world.ts';

let world: DialectWorld | null = null;
afterEach(async () => {
  await world?.close();
  world = null;
});

test('waylay > inclusive bounds take in the time they name', async () => {
  for (const [bounds, count] of [
    ['exclusive', '0'],
    ['inclusive', '2'],
  ] as const) {
    world = await DialectWorld.open([waylay({ bounds })]);
    const { id } = await world.manager.submit('reindex', null, { submittedBy: 'owner', hold: true });
    await world.manager.schedules.create({
      key: 's',
      handler: 'reindex',
      input: null,
      every: '1h',
      submittedBy: 'owner',
    });
    const { createdAt } = (await world.manager.get(id)) ?? { createdAt: 0 };
    for (const bound of ['createdAfter', 'createdBefore']) {
      const { headers } = await world.ask(`/rules/v1/tasks?${bound}=${createdAt}`);
      expect([bounds, bound, headers.get('x-count')]).toEqual([bounds, bound, count]);
    }
    await world.close();
  }
  world = null;
});

test("taskV2 > fields that are not the client's are refused, or left as they are", async () => {
  for (const fixed of ['refuse', 'ignore'] as const) {
    world = await DialectWorld.open([taskV2({ fixed })]);
    const { id } = await world.manager.submit('reindex', { n: 1 }, { submittedBy: 'owner', hold: true });
    const headers = { 'content-type': 'application/json' };
    const send = async (method: string, path: string, body: object) => {
      const answer = await (world as DialectWorld).ask(`/v2/task/${path}`, {
        method,
        headers,
        body: JSON.stringify(body),
      });
      return answer.status;
    };
    const change = { handler: 'other', request: '{"n":2}', created_at: '2001-01-01', entity_id: 'e' };
    expect(await send('PUT', `update/${id}`, change)).toBe(fixed === 'refuse' ? 422 : 200);
    const task = await world.manager.get(id);
    expect([task?.handler, task?.input, task?.entityId]).toEqual([
      'reindex',
      { n: 1 },
      fixed === 'refuse' ? null : 'e',
    ]);
    expect(await send('POST', 'create', { handler: 'reindex', status: 'completed' })).toBe(
      fixed === 'refuse' ? 422 : 201,
    );
    await world.close();
  }
  world = null;
});
