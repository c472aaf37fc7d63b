import { defineTask, InputInvalidError, TaskNotFoundError, TransitionError, UnknownHandlerError } from 'tasklane';
import { TaskClient } from 'tasklane/client';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { Gate } from '../http/support.ts';
import { World } from './support.ts';

let gate: Gate;
const echo = defineTask({ name: 'echo', input: z.object({ text: z.string() }), run: ({ text }) => ({ text }) });
const held = defineTask({
  name: 'held',
  async run(_input: undefined, { signal, progress, log }) {
    log('begun', { level: 'warn' });
    progress({ processed: 1, total: 2 });
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    await Promise.race([gate.opened, aborted]);
    return 2;
  },
});
const broken = defineTask({
  name: 'broken',
  run: () => {
    throw new RangeError('it broke');
  },
});
const handlers = [echo, held, broken] as const;

let world: World<typeof handlers>;
beforeEach(async () => {
  gate = new Gate();
  world = await World.open(handlers);
});
afterEach(() => world.close());

describe('submit', () => {
  test('gives the record as the library has it', async () => {
    const before = Date.now();
    const task = await world.client.submit('echo', { text: 'grün' }, { priority: 3, tags: { team: 'a' } });
    expect(task).toMatchObject({ handler: 'echo', input: { text: 'grün' }, priority: 3, warnings: [] });
    expect(task.createdAt).toBeGreaterThanOrEqual(before);
    expect(task.runAt).toBeNull();
    const { warnings, ...record } = await world.client.submit('held');
    expect(warnings).toEqual([]);
    expect(Object.keys(record).sort()).toEqual(Object.keys((await world.manager.get(task.id)) ?? {}).sort());
  });

  test('takes every option', async () => {
    const runAt = new Date(Date.now() + 60_000);
    const options = { runAt, startBy: '2h', description: 'd', entityId: 'e', metadata: { a: [1] } } as const;
    const task = await world.client.submit('echo', { text: 'a' }, { ...options, unique: { key: 'k' } });
    expect(task).toMatchObject({
      status: 'scheduled',
      runAt: runAt.getTime(),
      description: 'd',
      entityId: 'e',
      metadata: { a: [1] },
      uniqueKey: 'k',
    });
    const again = await world.client.submit('echo', { text: 'b' }, { unique: { key: 'k' } });
    expect(again.id).toBe(task.id);
    expect((await world.client.submit('echo', { text: 'a' }, { hold: true })).status).toBe('scheduled');
  });

  test('each has a key of its own, or the one it is given', async () => {
    const [one, two] = [await world.client.submit('held'), await world.client.submit('held')];
    expect(one.idempotencyKey).not.toBe(two.idempotencyKey);
    const key = 'mine "quoted" \\ and more';
    const first = await world.client.submit('echo', { text: 'a' }, { idempotencyKey: key });
    expect(first.idempotencyKey).toBe(key);
    expect((await world.client.submit('echo', { text: 'a' }, { idempotencyKey: key })).id).toBe(first.id);
    await expect(world.client.submit('echo', { text: 'b' }, { idempotencyKey: key })).rejects.toMatchObject({
      name: 'IdempotencyConflictError',
      taskId: first.id,
    });
    await expect(world.client.submit('echo', { text: 'b' }, { idempotencyKey: 'ü' })).rejects.toMatchObject({
      code: 'option_invalid',
    });
  });

  test('is refused with the errors of the library', async () => {
    const untyped = world.client as unknown as TaskClient;
    const invalid = await untyped.submit('echo', { text: 1 }).catch((error: unknown) => error);
    expect(invalid).toBeInstanceOf(InputInvalidError);
    expect(invalid).toMatchObject({ code: 'input_invalid', issues: [{ path: 'input.text' }] });
    await expect(untyped.submit('nobody', {})).rejects.toBeInstanceOf(UnknownHandlerError);
    await expect(untyped.submit('echo', { text: 1n })).rejects.toBeInstanceOf(InputInvalidError);
    await expect(world.client.submit('held', undefined, { runAt: Number.NaN })).rejects.toThrow('runAt');
  });
});

describe('get', () => {
  test('a record, or null', async () => {
    const { id } = await world.client.submit('echo', { text: 'a' });
    await world.manager.task(id).result();
    const task = await world.client.get(id);
    expect(task).toEqual(await world.manager.get(id));
    expect(await world.client.get('task_0')).toBeNull();
    expect(await world.client.get('../tasks')).toBeNull();
  });
});

describe('wait', () => {
  test('the final record, whatever its status', async () => {
    const { id } = await world.client.submit('held');
    const waiting = world.client.wait(id);
    gate.open();
    expect(await waiting).toMatchObject({ id, status: 'succeeded', result: 2 });
    const failed = await world.client.submit('broken');
    expect(await world.client.wait(failed.id)).toMatchObject({
      status: 'failed',
      error: { name: 'RangeError', message: 'it broke' },
    });
  });

  test('rejects with the reason of the signal, after the timeout, and for no task', async () => {
    const { id } = await world.client.submit('held');
    const leaving = new AbortController();
    const waiting = world.client.wait(id, { signal: leaving.signal });
    leaving.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(world.client.wait(id, { timeout: 20 })).rejects.toMatchObject({ name: 'TimeoutError' });
    await expect(world.client.wait('task_0')).rejects.toBeInstanceOf(TaskNotFoundError);
  });

  test('polls on when the server holds nothing', async () => {
    const unheld = await World.open(handlers, { limits: { wait: 0 } });
    const { id } = await unheld.client.submit('held');
    const waiting = unheld.client.wait(id);
    gate.open();
    expect((await waiting).status).toBe('succeeded');
    await unheld.close();
  });
});

describe('cancel', () => {
  test('a running task, with a reason', async () => {
    const { id } = await world.client.submit('held');
    expect(['cancelling', 'cancelled']).toContain((await world.client.cancel(id, 'no longer')).status);
    expect(await world.client.wait(id)).toMatchObject({ status: 'cancelled', cancelReason: 'no longer' });
    await expect(world.client.cancel(id)).rejects.toBeInstanceOf(TransitionError);
    await expect(world.client.cancel(id)).rejects.toMatchObject({ allowed: ['queued', 'scheduled', 'waiting'] });
  });
});

describe('list', () => {
  test('all pages, one after the other', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 7; n++) ids.push((await world.client.submit('echo', { text: String(n) })).id);
    const listed: string[] = [];
    for await (const task of world.client.list({ limit: 2, sort: 'id' })) {
      expect(task).not.toHaveProperty('input');
      listed.push(task.id);
    }
    expect(listed).toEqual(ids);
  });

  test('by filter; input and result where they are asked for', async () => {
    const since = Date.now() - 1;
    const { id } = await world.client.submit('echo', { text: 'a' }, { tags: { team: 'x y', n: 1 }, entityId: 'e,1' });
    await world.client.submit('echo', { text: 'b' }, { tags: { team: 'z' } });
    await world.manager.task(id).result();
    const filter = {
      status: ['succeeded', 'failed'],
      handler: 'echo',
      ids: [id],
      entityId: 'e,1',
      tags: { team: ['x y', 'q'], n: { any: true } },
      created: { after: since, before: since + 60_000 },
      text: 'ECHO',
    } as const;
    const listed = [];
    for await (const task of world.client.list({ filter, include: ['input', 'result'] })) listed.push(task);
    expect(listed).toEqual([await world.manager.get(id)]);
    for await (const task of world.client.list({ filter: { status: [] } })) expect(task).toBeNull();
  });

  test('where to begin is said by `cursor` alone: what HTTP has no word for is refused', async () => {
    for (const query of [
      { offset: 1 },
      { after: 'task_0' },
      { before: 'task_0' },
      { statusOrder: ['failed'] },
    ] as const) {
      await expect(world.client.list(query).next()).rejects.toMatchObject({ code: 'malformed' });
    }
    await expect(world.client.list({ filter: { tags: { team: '' } } }).next()).rejects.toThrow('filter.tags.team');
  });

  test('can be left at any time, and be given up', async () => {
    for (let n = 0; n < 3; n++) await world.client.submit('held');
    for await (const { id } of world.client.list({ limit: 1 })) if (id) break;
    await expect(world.client.list({ signal: AbortSignal.abort(new Error('enough')) }).next()).rejects.toThrow(
      'enough',
    );
  });
});

describe('events', () => {
  test('of one task, to its end', async () => {
    const { id } = await world.client.submit('held');
    const seen = [];
    for await (const news of world.client.events(id)) {
      seen.push(news);
      expect(news.taskId).toBe(id);
      expect(news.handler).toBe('held');
      if (news.type === 'progress') gate.open();
    }
    expect(seen[0]?.type).toBe('status');
    expect(seen.at(-1)?.task).toMatchObject({ status: 'succeeded', id });
    expect(typeof seen.at(-1)?.task.finishedAt).toBe('number');
    const log = seen.find(({ type }) => type === 'log');
    expect(log).toMatchObject({ level: 'warn', message: 'begun', task: { id } });
    const progress = seen.find(({ type }) => type === 'progress');
    expect(progress?.task.progress).toMatchObject({ processed: 1, total: 2, fraction: 0.5 });
  });

  test('can be given up, and left', async () => {
    const { id } = await world.client.submit('held');
    const leaving = new AbortController();
    const read = (async () => {
      for await (const news of world.client.events(id, { signal: leaving.signal })) {
        if (news) leaving.abort(new Error('enough'));
      }
    })();
    await expect(read).rejects.toThrow('enough');
    for await (const news of world.client.events(id)) if (news) break;
    await expect(world.client.events('task_0').next()).rejects.toBeInstanceOf(TaskNotFoundError);
  });
});

test('options > a URL that is none, and attempts that are none, are refused', () => {
  expect(() => new TaskClient({ baseUrl: '/api' })).toThrow('baseUrl');
  expect(() => new TaskClient({ baseUrl: 'localhost:3000' })).toThrow('`baseUrl` must be an http or https URL');
  expect(() => new TaskClient({ baseUrl: 'http://a', retry: { maxAttempts: 0 } })).toThrow('retry.maxAttempts');
  expect(new TaskClient({ baseUrl: new URL('http://a/api/') })).toBeInstanceOf(TaskClient);
});

test('types flow from the handlers', () => {
  const { client } = world;
  type Echoed = Awaited<ReturnType<typeof client.submit<'echo'>>>;
  expectTypeOf<Echoed['input']>().toEqualTypeOf<{ text: string }>();
  expectTypeOf<Echoed['result']>().toEqualTypeOf<{ text: string } | null>();
  // biome-ignore lint/correctness/noConstantCondition: compiled, never called
  if (false) {
    // @ts-expect-error no such handler
    client.submit('nobody');
    // @ts-expect-error an input is needed
    client.submit('echo');
    // @ts-expect-error of another form
    client.submit('echo', { text: 1 });
    // @ts-expect-error no such option
    client.submit('held', undefined, { prio: 1 });
    new TaskClient({ baseUrl: 'http://a' }).submit('anything', { a: 1 });
  }
  type News = Awaited<ReturnType<ReturnType<typeof client.events>['next']>>;
  type Task = Extract<Exclude<News['value'], undefined>, { handler: 'echo' }>['task'];
  expectTypeOf<Task['input']>().toEqualTypeOf<{ text: string } | undefined>();
  expectTypeOf<Task['handler']>().toEqualTypeOf<'echo'>();
});
