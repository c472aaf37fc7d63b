import { TaskManager } from 'tasklane';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { operationsOf, RightsWorld } from './rights-world.ts';
import { bodyOf, eventsOf } from './support.ts';

let world: RightsWorld;
beforeEach(async () => {
  world = await RightsWorld.open();
});
afterEach(() => world.close());

const OPERATIONS = operationsOf(new TaskManager()).filter(({ path }) => path.includes('{id}'));

/** Everything an answer tells, with the id in it made the same. */
async function told(response: Response, id: string): Promise<unknown> {
  const text = await response.text();
  const same = (value: string): string => value.replaceAll(id, '<id>');
  return { status: response.status, headers: [...response.headers].map(([k, v]) => [k, same(v)]), text: same(text) };
}

/** Of the same form, and nobody's. */
const unknownLike = (id: string): string => `${id.slice(0, -3)}${id.endsWith('zzz') ? 'yyy' : 'zzz'}`;

const VARIANTS: readonly {
  readonly query?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}[] = [
  {},
  { query: '?wait=1ms' },
  { query: '?purge=true&related=true&cancel=true' },
  { query: '?nonsense=1' },
  { body: {} },
  { body: { priority: 'high' } },
  { body: '{' },
  { headers: { 'if-match': '"1"' } },
  { headers: { 'if-none-match': '*' } },
  { headers: { 'last-event-id': 'x' } },
];

describe('a stranger who guesses the id of a task is told what he is told of an id that is nobody’s', () => {
  const cases = OPERATIONS.flatMap((operation) => VARIANTS.map((variant) => [operation, variant] as const));

  test.each(['queued', 'running', 'final', 'archived'])('%s', async (state) => {
    const handler = state === 'running' ? 'held' : 'quick';
    const { id } = await world.submit(handler, state === 'queued' ? { hold: true } : {});
    if (state === 'archived') await world.manager.delete(id);
    const stored = (): Promise<unknown> => world.manager.get(id, { archived: true });
    const before = await stored();
    for (const [{ method, path }, { query = '', body, headers = {} }] of cases) {
      if (method === 'GET' && body !== undefined) continue;
      const ask = async (one: string): Promise<unknown> => {
        const url = path.replace('{id}', one) + query;
        return told(await world.ask('stranger', url, { method, body, headers }), one);
      };
      expect(await ask(id), `${method} ${path}${query}`).toEqual(await ask(unknownLike(id)));
      const head = method === 'GET' ? 'HEAD' : method;
      const asHead = await world.ask('stranger', path.replace('{id}', id), { method: head });
      expect(asHead.status).toBeGreaterThanOrEqual(400);
    }
    expect(await stored()).toEqual(before);
  });
});

describe('a stranger who guesses the key of a schedule is told what he is told of one that there is not', () => {
  const withKey = operationsOf(new TaskManager()).filter(({ path }) => path.includes('{key}'));
  const bodies = [
    ...VARIANTS,
    { body: { handler: 'quick', every: '1h' } },
    { body: { handler: 'nobody', every: '1h' } },
  ];

  test.each(withKey.map((operation) => [operation.id, operation] as const))('%s', async (_id, { method, path }) => {
    const { schedules } = world.manager;
    await schedules.create({ key: 'his', handler: 'quick', input: 'secret', every: '1h', submittedBy: 'owner' });
    const before = await schedules.get('his');
    for (const { query = '', body, headers = {} } of bodies) {
      if (method === 'GET' && body !== undefined) continue;
      const ask = async (key: string): Promise<unknown> =>
        told(await world.ask('stranger', path.replace('{key}', key) + query, { method, body, headers }), key);
      expect(await ask('his'), `${method} ${path}${query} ${JSON.stringify(body)}`).toEqual(await ask('nix'));
    }
    expect(await schedules.get('his')).toEqual(before);
    expect(await world.manager.count()).toBe(0);
  });

  test('lists of schedules, whatever the filter and the cursor', async () => {
    const { schedules } = world.manager;
    for (const key of ['a', 'b', 'c']) {
      const more = { tags: { team: 'a' }, entityId: 'e1', description: 'Hidden', submittedBy: 'owner' };
      await schedules.create({ key, handler: 'quick', every: '1h', ...more });
    }
    await schedules.create({ key: 'ab', handler: 'quick', every: '1h', submittedBy: 'stranger' });
    const { next } = await world.json('owner', '/schedules?limit=1');
    for (const query of [
      '',
      'q=hidden',
      'submittedBy=owner',
      'entityId=e1',
      'tag.team=a',
      'limit=1',
      `cursor=${next}`,
    ]) {
      const page = await world.json('stranger', `/schedules?${query}`);
      const own = page.items.filter(({ key }) => key === 'ab').length;
      expect([query, page.items.length, page.next]).toEqual([query, own, null]);
    }
  });
});

describe('a stranger finds nothing', () => {
  const submitMine = async (): Promise<string> =>
    (await bodyOf(await world.ask('stranger', '/tasks', { method: 'POST', body: { handler: 'quick', hold: true } })))
      .id;

  test('in lists and counts, whatever the filter', async () => {
    const parent = await world.submit('quick', { tags: { team: 'a' }, entityId: 'e1', description: 'Hidden' });
    await world.submit('quick', { parentId: parent.id });
    const mine = await submitMine();
    for (const query of [
      '',
      `ids=${parent.id}`,
      `q=${parent.id}`,
      'q=hidden',
      'submittedBy=owner',
      'entityId=e1',
      `parentId=${parent.id}`,
      'tag.team=a',
      'tag.team=',
      'status=succeeded',
      'handler=quick',
      'archived=both',
      'sort=-updatedAt',
      'include=input,result',
      'createdAfter=2000-01-01T00:00:00Z',
    ]) {
      const page = await world.json('stranger', `/tasks?total=true&${query}`);
      const own = page.items.filter(({ id }) => id === mine).length;
      expect([query, page.items.length, page.total]).toEqual([query, own, own]);
      expect(page.next).toBeNull();
    }
  });

  test('by a cursor of somebody else, or one made up', async () => {
    for (let n = 0; n < 3; n++) await world.submit('quick');
    const page = await world.json('owner', '/tasks?limit=1');
    for (const cursor of [String(page.next), Buffer.from('{"id":1}').toString('base64url')]) {
      const response = await world.ask('stranger', `/tasks?limit=1&cursor=${cursor}`);
      expect([response.status, (await bodyOf(response)).code]).toEqual([400, 'cursor_invalid']);
    }
  });

  test('behind a key that is taken', async () => {
    await world.submit('quick', { hold: true, unique: { key: 'k' } });
    for (const onConflict of ['skip', 'error', 'replace', 'runAfter']) {
      const body = { handler: 'quick', unique: { key: 'k', onConflict } };
      const response = await world.ask('stranger', '/tasks', { method: 'POST', body });
      expect(response.status).toBe(409);
      expect(await bodyOf(response)).toEqual({
        type: 'about:blank',
        title: 'Conflict',
        status: 409,
        detail: 'Another task has the unique key.',
        code: 'unique_conflict',
      });
    }
  });

  test('behind a key whose task runs: he does not wait for its end', async () => {
    const { id } = await world.submit('held', { unique: { key: 'k' } });
    for (const onConflict of ['skip', 'error', 'replace', 'runAfter']) {
      const body = { handler: 'held', unique: { key: 'k', onConflict } };
      const response = await world.ask('stranger', '/tasks', { method: 'POST', body });
      expect([response.status, await response.text()]).toEqual([409, expect.not.stringContaining(id)]);
    }
    expect(await world.manager.count()).toBe(1);
  });

  test('among what his own may depend on', async () => {
    const { id } = await world.submit('quick');
    const depend = async (on: string, more: object = {}): Promise<unknown> => {
      const body = { handler: 'quick', ...more, dependsOn: [on] };
      return told(await world.ask('stranger', '/tasks', { method: 'POST', body }), on);
    };
    expect(await depend(id)).toEqual(await depend(unknownLike(id)));
    expect(await depend(id)).toMatchObject({ status: 422 });
  });

  test('related to his own, and deletes nothing that is not his', async () => {
    const mine = await submitMine();
    const { id: child } = await world.submit('quick', { parentId: mine });
    expect((await world.json('stranger', `/tasks/${mine}/related`)).items).toEqual([]);
    const gone = await world.ask('stranger', `/tasks/${mine}?related=true&cancel=true&purge=true`, {
      method: 'DELETE',
    });
    expect(gone.status).toBe(204);
    expect(await world.manager.get(child)).not.toBeNull();
  });

  test('and holds up nobody: a child of his does not keep a task from being deleted', async () => {
    const { id } = await world.submit('quick');
    const child = await world.submit('quick', { hold: true, parentId: id, submittedBy: 'stranger' });
    expect((await world.ask('owner', `/tasks/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect(await world.manager.get(child.id)).not.toBeNull();
  });

  test('and hangs nothing on a task of another: it is refused as one that there is not', async () => {
    const { id } = await world.submit('quick');
    const hang = async (parentId: string): Promise<unknown> => {
      const body = { handler: 'quick', hold: true, parentId };
      return told(await world.ask('stranger', '/tasks', { method: 'POST', body }), parentId);
    };
    expect(await hang(id)).toEqual(await hang(unknownLike(id)));
    const refused = await world.ask('stranger', '/tasks', { method: 'POST', body: { handler: 'quick', parentId: id } });
    expect(refused.status).toBe(422);
    expect(await bodyOf(refused)).toMatchObject({ code: 'input_invalid', errors: [{ path: 'parentId' }] });
    expect((await world.ask('admin', `/tasks/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await world.json('admin', '/tasks?total=true')).total).toBe(0);
  });

  test('in the stream of all tasks', async () => {
    const leaving = new AbortController();
    const response = await world.handler(
      new Request('http://x/events?archived=both', {
        headers: { authorization: 'Bearer stranger' },
        signal: leaving.signal,
      }),
    );
    const events = eventsOf(response);
    await world.submit('held');
    await world.submit('quick');
    const mine = await submitMine();
    const first = await events.next();
    expect(first.value?.data.id).toBe(mine);
    const next = events.next();
    await world.submit('quick');
    await world.handler.close();
    expect((await next).done).toBe(true);
  });

  test('in the counts of all tasks', async () => {
    expect((await world.ask('stranger', '/stats')).status).toBe(403);
  });
});
