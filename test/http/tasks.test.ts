import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bodyOf, World } from './support.ts';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('POST /tasks', () => {
  test('answers 202 with the record, its warnings, where it is and when to ask again', async () => {
    const response = await world.post('/tasks', { handler: 'held', input: { a: 1 }, priority: 5, tags: { team: 'x' } });
    const body = await bodyOf(response);
    expect(response.status).toBe(202);
    expect(response.statusText).toBe('Accepted');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('location')).toBe(`/tasks/${body.id}`);
    expect(response.headers.get('retry-after')).toBe('1');
    expect(body).toMatchObject({ handler: 'held', input: { a: 1 }, result: null, priority: 5, tags: { team: 'x' } });
    expect(body.warnings).toEqual([]);
    expect(body.createdAt).toMatch(TIME);
    expect(body.finishedAt).toBeNull();
  });

  test('an earlier task answers by the Idempotency-Key: 200, quoted or bare', async () => {
    const first = await bodyOf(await world.post('/tasks', { handler: 'held' }, { 'idempotency-key': '"key-1"' }));
    const again = await world.post('/tasks', { handler: 'held' }, { 'idempotency-key': 'key-1' });
    expect(again.status).toBe(200);
    expect(again.headers.get('location')).toBe(`/tasks/${first.id}`);
    expect(again.headers.get('retry-after')).toBeNull();
    expect((await bodyOf(again)).id).toBe(first.id);
    const other = await world.post('/tasks', { handler: 'held', input: 2 }, { 'idempotency-key': 'key-1' });
    expect(other.status).toBe(422);
    expect(await bodyOf(other)).toMatchObject({ code: 'idempotency_conflict', taskId: first.id });
  });

  test('an Idempotency-Key may start with a digit, and may not be empty', async () => {
    const key = '8e03978e-40d5-43e8-bc93-6894a57f9324';
    expect((await world.post('/tasks', { handler: 'held' }, { 'idempotency-key': key })).status).toBe(202);
    const record = await bodyOf(await world.post('/tasks', { handler: 'held' }, { 'idempotency-key': key }));
    expect(record.idempotencyKey).toBe(key);
    const empty = await world.post('/tasks', { handler: 'held' }, { 'idempotency-key': '""' });
    expect(empty.status).toBe(400);
  });

  test('a unique key: the earlier task answers, or 409 with its id', async () => {
    const unique = { key: 'docs' };
    const first = await bodyOf(await world.post('/tasks', { handler: 'held', unique }));
    const skipped = await world.post('/tasks', { handler: 'held', unique });
    expect([skipped.status, (await bodyOf(skipped)).id]).toEqual([200, first.id]);
    const refused = await world.post('/tasks', { handler: 'held', unique: { ...unique, onConflict: 'error' } });
    expect(refused.status).toBe(409);
    expect(await bodyOf(refused)).toMatchObject({ code: 'unique_conflict', taskId: first.id });
  });

  test('runAt, delay and hold schedule; Retry-After knows', async () => {
    const delayed = await world.post('/tasks', { handler: 'echo', input: { text: 'a' }, delay: '30s' });
    expect(delayed.headers.get('retry-after')).toBe('30');
    expect((await bodyOf(delayed)).status).toBe('scheduled');
    const runAt = '2100-01-01T00:00:00.000Z';
    const dated = await bodyOf(await world.post('/tasks', { handler: 'echo', input: { text: 'a' }, runAt }));
    expect(dated.runAt).toBe(runAt);
    const held = await bodyOf(await world.post('/tasks', { handler: 'echo', input: { text: 'a' }, hold: true }));
    expect([held.status, held.runAt]).toEqual(['scheduled', null]);
  });

  test.each([
    ['an unknown key', { handler: 'echo', inputs: {} }, 'inputs'],
    ['an unknown key below', { handler: 'echo', unique: { key: 'a', scopes: 1 } }, 'unique.scopes'],
    ['a wrong type', { handler: 7 }, 'handler'],
    ['a priority out of bounds', { handler: 'echo', priority: 1e9 }, 'priority'],
    ['a time that is none', { handler: 'echo', runAt: '2026-02-30T00:00:00Z' }, 'runAt'],
    ['a duration that is none', { handler: 'echo', delay: '30 parsecs' }, 'delay'],
    ['an input that the handler refuses', { handler: 'echo', input: { text: 1 } }, 'input.text'],
    ['no input where one is needed', { handler: 'echo' }, 'input'],
  ])('422 that names %s', async (_what, body, path) => {
    const response = await world.post('/tasks', body);
    expect(response.status).toBe(422);
    const { code, errors } = await bodyOf(response);
    expect(code).toBe('input_invalid');
    expect(errors).toEqual([{ path, message: expect.any(String) }]);
    expect((await world.json('/tasks?total=true')).total).toBe(0);
  });

  test('?failOnWarning=true refuses what would only be warned of, and nothing is made', async () => {
    const past = { handler: 'held', runAt: '2020-01-01T00:00:00Z' };
    const warned = await bodyOf(await world.post('/tasks?failOnWarning=false', past));
    expect(warned.warnings).toEqual([{ code: 'run_at_past', message: expect.any(String) }]);
    const refused = await world.post('/tasks?failOnWarning=true', past);
    expect(refused.status).toBe(422);
    expect((await bodyOf(refused)).errors).toEqual([{ path: 'runAt', message: expect.stringContaining('passed') }]);
    expect((await world.json('/tasks?total=true')).total).toBe(1);
    expect((await world.post('/tasks?failOnWarnings=true', past)).status).toBe(400);
  });

  test('422 for a handler that nobody registered', async () => {
    const response = await world.post('/tasks', { handler: 'nobody' });
    expect(response.status).toBe(422);
    expect((await bodyOf(response)).code).toBe('handler_unknown');
  });
});

describe('GET /tasks/{id}', () => {
  test('one task, with an entity tag that spares the body', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'echo', input: { text: 'hi' } }));
    await world.manager.task(id).result();
    const response = await world.fetch(`/tasks/${id}`);
    const etag = response.headers.get('etag') ?? '';
    const body = await bodyOf(response);
    expect(body).toMatchObject({ id, status: 'succeeded', input: { text: 'hi' }, result: { text: 'hi' }, error: null });
    expect(etag).toBe(`"${String(body.version)}"`);
    const again = await world.fetch(`/tasks/${id}`, { headers: { 'if-none-match': `"0", W/${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, '']);
  });

  test('an error has name, message and code, and no stack', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'broken' }));
    const body = await world.json(`/tasks/${id}?wait=30s`);
    expect(body.error).toEqual({ name: 'Error', message: 'it broke', code: 'handler_failed' });
  });

  test('?wait holds the answer until the task is final', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const answer = world.json(`/tasks/${id}?wait=30s`);
    world.gate.open();
    expect((await answer).status).toBe('succeeded');
  });

  test('Prefer: wait holds it too, and the answer says so', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const answer = world.fetch(`/tasks/${id}`, { headers: { prefer: 'respond-async, wait=30' } });
    world.gate.open();
    const response = await answer;
    expect(response.headers.get('preference-applied')).toBe('wait=30');
    expect((await bodyOf(response)).status).toBe('succeeded');
  });

  test('?wait answers with the task as it is when the time is over', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const body = await world.json(`/tasks/${id}?wait=1ms`);
    expect(['queued', 'running']).toContain(body.status);
  });

  test('close() answers what is held', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const answer = world.fetch(`/tasks/${id}?wait=60s`);
    await Promise.race([answer, world.fetch('/health')]);
    await world.handler.close();
    expect((await answer).status).toBe(200);
  });

  test('a client that goes ends its wait', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const ended = new Promise<void>((resolve) => {
      const { manager } = world;
      const original = manager.task.bind(manager);
      manager.task = (taskId) => {
        const handle = original(taskId);
        return {
          id: taskId,
          cancel: (reason) => handle.cancel(reason),
          events: (options) => handle.events(options),
          result(options) {
            options?.signal?.addEventListener('abort', () => resolve());
            leaving.abort();
            return handle.result(options);
          },
        };
      };
    });
    const leaving = new AbortController();
    await expect(world.fetch(`/tasks/${id}?wait=60s`, { signal: leaving.signal })).rejects.toThrow(/abort/);
    await ended;
  });

  test('404 for an id that names nothing, whatever its form', async () => {
    for (const id of ['task_0', 'a%20b', '%E2%82%AC', 'x'.repeat(300)]) {
      const response = await world.fetch(`/tasks/${id}`);
      expect([response.status, (await bodyOf(response)).code]).toEqual([404, 'task_not_found']);
    }
  });
});

describe('GET /tasks/{id}/result', () => {
  test('the bare value', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'echo', input: { text: 'hi' } }));
    await world.manager.task(id).result();
    expect(await world.json(`/tasks/${id}/result`)).toEqual({ text: 'hi' });
  });

  test('409 that tells unfinished, failed and cancelled apart', async () => {
    const held = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const broken = await bodyOf(await world.post('/tasks', { handler: 'broken' }));
    const cancelled = await bodyOf(await world.post('/tasks', { handler: 'held', hold: true }));
    await world.json(`/tasks/${broken.id}?wait=30s`);
    await world.post(`/tasks/${cancelled.id}/cancel`, { reason: 'no need' });
    const codes = [];
    for (const { id } of [held, broken, cancelled]) {
      const response = await world.fetch(`/tasks/${id}/result`);
      expect(response.status).toBe(409);
      codes.push((await bodyOf(response)).code);
    }
    expect(codes).toEqual(['task_unfinished', 'task_failed', 'task_cancelled']);
  });
});

describe('POST /tasks/{id}/cancel', () => {
  test('202 with the record; the handler is told, and the reason kept', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held' }));
    const response = await world.post(`/tasks/${id}/cancel`, { reason: 'no need' });
    expect(response.status).toBe(202);
    expect(response.headers.get('location')).toBe(`/tasks/${id}`);
    const body = await world.json(`/tasks/${id}?wait=30s`);
    expect([body.status, body.cancelReason]).toEqual(['cancelled', 'no need']);
  });

  test('an empty body of any type is no reason', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'held', hold: true }));
    const response = await world.fetch(`/tasks/${id}/cancel`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect([response.status, (await bodyOf(response)).status]).toEqual([202, 'cancelled']);
  });

  test('409 once it is final, with what it may become; 404 when there is none', async () => {
    const { id } = await bodyOf(await world.post('/tasks', { handler: 'echo', input: { text: 'a' } }));
    await world.manager.task(id).result();
    const response = await world.post(`/tasks/${id}/cancel`);
    expect(response.status).toBe(409);
    expect(await bodyOf(response)).toMatchObject({ code: 'transition_refused', allowed: expect.any(Array) });
    expect((await world.post('/tasks/task_0/cancel')).status).toBe(404);
  });
});
