import { ScheduleExistsError, ScheduleNotFoundError, TaskManager, VersionConflictError } from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RightsWorld } from './rights-world.ts';
import { type Body, bodyOf } from './support.ts';

let world: RightsWorld;
beforeEach(async () => {
  world = await RightsWorld.open();
});
afterEach(() => world.close());

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';
const ask = (method: Method, path: string, body?: unknown, caller: 'owner' | 'stranger' | 'admin' = 'owner') =>
  world.ask(caller, path, { method, ...(body === undefined ? {} : { body }) });
const create = (more: object = {}, caller: 'owner' | 'stranger' | 'admin' = 'owner') =>
  ask('POST', '/schedules', { key: 'k', handler: 'quick', every: '1h', ...more }, caller);
async function code(response: Promise<Response>): Promise<readonly [number, string]> {
  const answer = await response;
  return [answer.status, (await bodyOf(answer)).code as string];
}

describe('schedules over HTTP', () => {
  test('are made, read, replaced, paused, triggered and deleted', async () => {
    const made = await create({ key: 'a/b ü', input: { n: 1 }, tags: { team: 'x' }, start: '2040-01-01T00:00:00Z' });
    expect(made.status).toBe(201);
    const path = made.headers.get('location') ?? '';
    expect(path).toBe('/schedules/a%2Fb%20%C3%BC');
    const record = await bodyOf(made);
    expect(record).toMatchObject({
      ...{ key: 'a/b ü', handler: 'quick', input: { n: 1 }, every: 3_600_000, submittedBy: 'owner', version: 1 },
      ...{ start: '2040-01-01T00:00:00.000Z', nextRunAt: '2040-01-01T00:00:00.000Z', pausedAt: null, cron: null },
    });
    expect(await bodyOf(await ask('GET', path))).toEqual(record);
    const replaced = await ask('PUT', path, { handler: 'quick', cron: '0 9 * * *', timeZone: 'Europe/Berlin' });
    expect(await bodyOf(replaced)).toMatchObject({ cron: '0 9 * * *', tags: {}, submittedBy: 'owner', version: 2 });
    expect(await bodyOf(await ask('POST', `${path}/pause`))).toMatchObject({ pausedAt: expect.any(String) });
    expect(await bodyOf(await ask('POST', `${path}/resume`))).toMatchObject({ pausedAt: null });
    const triggered = await ask('POST', `${path}/trigger`);
    expect(triggered.status).toBe(202);
    const task = await bodyOf(triggered);
    expect(task).toMatchObject({ scheduleId: 'a/b ü', tick: null, submittedBy: 'owner' });
    expect(triggered.headers.get('location')).toBe(`/tasks/${task.id}`);
    expect((await world.json('owner', '/tasks?scheduleId=a/b%20ü')).items).toHaveLength(1);
    expect((await ask('DELETE', path)).status).toBe(204);
    expect(await code(ask('GET', path))).toEqual([404, 'schedule_not_found']);
  });

  test('are listed in pages, each caller his own', async () => {
    for (let n = 0; n < 5; n++) await create({ key: `k${n}`, tags: { odd: n % 2 === 1 } });
    await create({ key: 'k22' }, 'stranger');
    const keys = async (query: string, caller: 'owner' | 'stranger' | 'admin' = 'owner') =>
      (await world.json(caller, `/schedules${query}`)).items.map(({ key }: Body) => key);
    expect(await keys('')).toEqual(['k0', 'k1', 'k2', 'k3', 'k4']);
    expect(await keys('', 'stranger')).toEqual(['k22']);
    expect(await keys('?submittedBy=owner', 'stranger')).toEqual([]);
    expect(await keys('', 'admin')).toHaveLength(6);
    expect(await keys('?tag.odd=true')).toEqual(['k1', 'k3']);
    expect(await keys('?q=K3&handler=quick&paused=false')).toEqual(['k3']);
    const { next } = await world.json('owner', '/schedules?limit=3');
    expect(await keys(`?limit=3&cursor=${next}`)).toEqual(['k3', 'k4']);
    expect(await code(ask('GET', '/schedules?nope=1'))).toEqual([400, 'malformed']);
    expect(await code(ask('GET', '/schedules?limit=0'))).toEqual([400, 'malformed']);
  });

  test('one whose key is the word of another route is one like any other', async () => {
    await create({ key: 'preview' });
    expect(await bodyOf(await ask('GET', '/schedules/preview'))).toMatchObject({ key: 'preview', every: 3_600_000 });
    const replaced = await ask('PUT', '/schedules/preview', { handler: 'quick', every: '2h' });
    expect(await bodyOf(replaced)).toMatchObject({ every: 7_200_000 });
    expect((await bodyOf(await ask('POST', '/schedules/preview', { every: '1h', count: 1 }))).items).toHaveLength(1);
    const refused = await world.ask('owner', '/schedules/preview', { method: 'PATCH' });
    expect([refused.status, refused.headers.get('allow')]).toEqual([405, 'POST, GET, PUT, DELETE, HEAD, OPTIONS']);
    expect((await ask('DELETE', '/schedules/preview')).status).toBe(204);
  });

  test('a preview makes nothing', async () => {
    const body = { cron: '30 2 * * *', timeZone: 'Europe/Berlin', from: '2026-03-28T00:00:00Z', count: 2 };
    const answer = await ask('POST', '/schedules/preview', body);
    expect(await bodyOf(answer)).toEqual({ items: ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z'] });
    expect((await world.json('owner', '/schedules')).items).toEqual([]);
  });

  test('a preview of one that is stored is for whoever may read it', async () => {
    await create({ start: '2040-01-01T00:00:00Z' });
    const { items } = await world.json('owner', '/schedules/k/preview?count=2');
    expect(items).toEqual(['2040-01-01T00:00:00.000Z', '2040-01-01T01:00:00.000Z']);
    expect(await code(ask('GET', '/schedules/k/preview', undefined, 'stranger'))).toEqual([404, 'schedule_not_found']);
    expect(await code(ask('GET', '/schedules/none/preview'))).toEqual([404, 'schedule_not_found']);
    expect(await code(ask('GET', '/schedules/k/preview?count=0'))).toEqual([400, 'malformed']);
  });

  test('what is wrong is told', async () => {
    await create();
    expect(await code(create())).toEqual([409, 'schedule_exists']);
    expect(await code(create({ key: 'x', every: 'soon' }))).toEqual([422, 'input_invalid']);
    expect(await code(create({ key: 'x', cron: '@daily' }))).toEqual([400, 'option_invalid']);
    expect(await code(create({ key: 'x', every: null, cron: '0 0 30 2 *' }))).toEqual([400, 'option_invalid']);
    expect(await code(create({ key: 'x', every: null, cron: '@daily', timeZone: 'No/Where' }))).toEqual([
      400,
      'option_invalid',
    ]);
    expect(await code(create({ key: 'x', handler: 'gone' }))).toEqual([422, 'handler_unknown']);
    expect(await code(create({ key: 'x'.repeat(201) }))).toEqual([422, 'input_invalid']);
    expect(await code(ask('GET', `/schedules/${'x'.repeat(201)}`))).toEqual([404, 'schedule_not_found']);
    const other = ask('PUT', '/schedules/k', { key: 'other', handler: 'quick', every: '1h' });
    expect(await code(other)).toEqual([400, 'option_invalid']);
  });

  test('nobody schedules in the name of another, nor learns of what is not his', async () => {
    expect(await code(create({ submittedBy: 'admin' }))).toEqual([403, 'forbidden']);
    expect((await bodyOf(await create({ key: 'for', submittedBy: 'owner' }, 'admin'))).submittedBy).toBe('owner');
    const renamed = ask('PUT', '/schedules/for', { handler: 'quick', every: '1h', submittedBy: 'stranger' });
    expect(await code(renamed)).toEqual([403, 'forbidden']);
    for (const [method, path, body] of [
      ['GET', '/schedules/KEY', undefined],
      ['PUT', '/schedules/KEY', { handler: 'quick', every: '1h' }],
      ['DELETE', '/schedules/KEY', undefined],
      ['POST', '/schedules/KEY/pause', undefined],
      ['POST', '/schedules/KEY/resume', undefined],
      ['POST', '/schedules/KEY/trigger', undefined],
    ] as const) {
      const his = await ask(method, path.replace('KEY', 'for'), body, 'stranger');
      const none = await ask(method, path.replace('KEY', 'not'), body, 'stranger');
      expect(his.status).toBe(404);
      expect((await his.text()).replaceAll('for', 'not')).toBe(await none.text());
    }
  });

  test('If-Match: what is changed is at that version, whatever ticks came', async () => {
    const ticked = new Promise((resolve) => world.manager.on('task:created', resolve));
    const etag = (await create({ every: '100ms' })).headers.get('etag') ?? '';
    await ticked;
    const read = await ask('GET', '/schedules/k');
    expect([read.headers.get('etag'), (await bodyOf(read)).version]).toEqual([etag, 1]);
    const at = (method: Method, path: string, match: string, body?: unknown) =>
      world.ask('owner', path, { method, headers: { 'if-match': match }, ...(body === undefined ? {} : { body }) });
    const other = { handler: 'quick', every: '1h' };
    for (const match of ['"99"', `W/${etag}`, '1']) {
      for (const [method, path, body] of [
        ['PUT', '/schedules/k', other],
        ['DELETE', '/schedules/k', undefined],
        ['POST', '/schedules/k/pause', undefined],
        ['POST', '/schedules/k/resume', undefined],
      ] as const) {
        expect(await code(at(method, path, match, body))).toEqual([412, 'version_conflict']);
      }
    }
    const replaced = await at('PUT', '/schedules/k', `"99", ${etag}`, other);
    expect(replaced.status).toBe(200);
    expect(replaced.headers.get('etag')).not.toBe(etag);
    expect((await at('PUT', '/schedules/k', etag, other)).status).toBe(412);
    const paused = await at('POST', '/schedules/k/pause', replaced.headers.get('etag') ?? '');
    expect(paused.status).toBe(200);
    expect((await at('POST', '/schedules/k/resume', replaced.headers.get('etag') ?? '')).status).toBe(412);
    expect((await at('POST', '/schedules/k/resume', '*')).status).toBe(200);
    expect((await at('DELETE', '/schedules/k', etag)).status).toBe(412);
    const last = (await ask('GET', '/schedules/k')).headers.get('etag') ?? '';
    expect((await at('DELETE', '/schedules/k', last)).status).toBe(204);
    expect(await code(at('DELETE', '/schedules/k', last))).toEqual([404, 'schedule_not_found']);
    await create({ key: 'his' }, 'stranger');
    expect(await code(at('DELETE', '/schedules/his', '"99"'))).toEqual([404, 'schedule_not_found']);
  });

  test('of many that change one version, one does', async () => {
    const etag = (await create()).headers.get('etag') ?? '';
    const tries = Array.from({ length: 8 }, (_, n) =>
      world.ask('owner', '/schedules/k', {
        ...{ method: 'PUT', headers: { 'if-match': etag } },
        body: { handler: 'quick', every: '1h', input: n },
      }),
    );
    const statuses = (await Promise.all(tries)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
  });

  test('limits.scheduleInterval: no tick of a caller’s schedule comes sooner after another', async () => {
    const bound = await RightsWorld.open({ limits: { scheduleInterval: '1m' } });
    const put = (key: string, rule: object, method = 'POST') =>
      bound.ask('owner', method === 'POST' ? '/schedules' : `/schedules/${key}`, {
        method,
        body: { key, handler: 'quick', ...rule },
      });
    const close: readonly (readonly [string, object])[] = [
      ['every', { every: '59s' }],
      ['cron', { cron: '*/30 * * * * *' }],
      ['cron', { cron: '0,59 0 12 1 1 *' }],
      ['cron', { cron: '0,59 */2 * * * *', start: '2040-01-01T00:00:00Z' }],
      ['rrule', { rrule: 'FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0,1' }],
      ['times', { times: ['2040-01-01T00:00:00Z', '2041-01-01T00:00:00Z', '2041-01-01T00:00:59Z'] }],
    ];
    const far: readonly object[] = [
      { every: '1m' },
      { cron: '* * * * *' },
      { rrule: 'FREQ=MINUTELY' },
      { times: ['2040-01-01T00:00:00Z', '2040-01-01T00:01:00Z'] },
      { on: 'quick.wanted' },
    ];
    for (const [index, rule] of far.entries()) expect((await put(`k${index}`, rule)).status).toBe(201);
    for (const [option, rule] of close) {
      for (const answer of [await put('new', rule), await put('k0', rule, 'PUT')]) {
        const { code: why, detail } = await bodyOf(answer);
        expect([answer.status, why]).toEqual([400, 'option_invalid']);
        expect(detail).toContain(`\`${option}\` must be a rule whose runs are at least 60000 ms apart`);
      }
    }
    expect(await bodyOf(await bound.ask('owner', '/schedules/k0'))).toMatchObject({ every: 60_000, version: 1 });
    await bound.manager.schedules.create({ key: 'own', handler: 'quick', every: '1s' });
    await bound.close();
  });

  test('an input that is redacted in tasks is redacted in schedules', async () => {
    const secret = await RightsWorld.open({ redact: () => '***' });
    await secret.manager.schedules.create({
      key: 'k',
      handler: 'quick',
      input: 'secret',
      every: '1h',
      submittedBy: 'owner',
    });
    for (const path of ['/schedules/k', '/schedules']) {
      expect(JSON.stringify(await secret.json('owner', path))).not.toContain('secret');
    }
    await secret.close();
  });

  test('the client has them as the library has', async () => {
    const fetchHere: typeof fetch = (input, init) => world.handler(new Request(input, init));
    const client = new TaskClient({
      baseUrl: 'http://x',
      fetch: fetchHere,
      headers: { authorization: 'Bearer owner' },
      retry: false,
    } as ConstructorParameters<typeof TaskClient>[0]);
    const start = Date.UTC(2040, 0, 1);
    const made = await client.schedules.create({
      key: 'k',
      handler: 'quick',
      input: 1,
      times: [start, new Date(start + 5)],
    });
    expect(made).toEqual(await world.manager.schedules.get('k'));
    expect(await client.schedules.get('k')).toEqual(made);
    expect(await client.schedules.get('none')).toBeNull();
    expect(await client.schedules.list({ filter: { handler: 'quick', text: 'K' }, limit: 5 })).toEqual({
      items: [made],
      next: null,
    });
    await expect(client.schedules.create({ key: 'k', handler: 'quick', every: '1h' })).rejects.toThrow(
      ScheduleExistsError,
    );
    const replaced = await client.schedules.replace('k', { handler: 'quick', every: '1h', start });
    expect(replaced).toEqual(await world.manager.schedules.get('k'));
    expect((await client.schedules.pause('k')).pausedAt).toEqual(expect.any(Number));
    expect((await client.schedules.resume('k')).pausedAt).toBeNull();
    expect(await client.schedules.trigger('k')).toMatchObject({ scheduleId: 'k', tick: null });
    const rule = { cron: '0 9 * * *', timeZone: 'Asia/Tokyo' };
    const manager = new TaskManager();
    expect(await client.schedules.preview({ ...rule, from: start }, 3)).toEqual(
      await manager.schedules.preview({ ...rule, from: start }, 3),
    );
    await manager.close();
    expect(await client.schedules.preview('k')).toEqual(await world.manager.schedules.preview('k'));
    expect(await client.schedules.preview('k', 2)).toHaveLength(2);
    await expect(client.schedules.preview('none')).rejects.toThrow(ScheduleNotFoundError);
    const old = { ifVersion: made.version };
    await expect(client.schedules.replace('k', { handler: 'quick', every: '1h' }, old)).rejects.toThrow(
      VersionConflictError,
    );
    await expect(client.schedules.pause('k', old)).rejects.toThrow(VersionConflictError);
    await expect(client.schedules.resume('k', old)).rejects.toThrow(VersionConflictError);
    await expect(client.schedules.delete('k', old)).rejects.toThrow(VersionConflictError);
    const { version } = (await client.schedules.get('k')) ?? {};
    const paused = await client.schedules.pause('k', { ifVersion: version });
    await client.schedules.delete('k', { ifVersion: paused.version });
    await expect(client.schedules.pause('k')).rejects.toThrow(ScheduleNotFoundError);
  });
});
