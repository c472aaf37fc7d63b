import * as tasklane from 'tasklane';
import { defineTask, Snooze, TaskManager, type TaskRecord, TransitionError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

// The names, defaults and codes of the public contract, each tried from outside: what is changed here breaks users.

describe('each subpath gives', () => {
  const SUBPATHS: Readonly<Record<string, readonly string[]>> = {
    tasklane: ['TaskManager', 'defineTask', 'MemoryStorage', 'Snooze', 'TaskAbort', 'TasklaneError'],
    'tasklane/sqlite': ['SqliteStorage'],
    'tasklane/http': ['createHandler', 'openApiDocument', 'ownerOrAdmin', 'readOnly', 'allowAll'],
    'tasklane/client': ['TaskClient', 'TasklaneError'],
    'tasklane/testing': ['fakeClock', 'waitFor', 'storageCases'],
    'tasklane/dialects': ['svix', 'jira', 'backgroundTask', 'taskV2', 'waylay'],
  };
  test.each(Object.entries(SUBPATHS))('%s', async (subpath, names) => {
    expect(Object.keys(await import(subpath))).toEqual(expect.arrayContaining([...names]));
  });

  test.each(['node', 'express', 'fastify', 'koa', 'hono', 'nest', 'next'])(
    'tasklane/%s, which mounts',
    async (name) => {
      expect(Object.values(await import(`tasklane/${name}`)).some((value) => typeof value === 'function')).toBe(true);
    },
  );
});

describe('errors', () => {
  /** Class, code, HTTP status; null: never on the wire. */
  const ERRORS: readonly (readonly [name: keyof typeof tasklane, code: string, status: number | null])[] = [
    ['OptionError', 'option_invalid', 400],
    ['InputInvalidError', 'input_invalid', 422],
    ['UnknownHandlerError', 'handler_unknown', 422],
    ['PayloadTooLargeError', 'payload_too_large', 413],
    ['TaskNotFoundError', 'task_not_found', 404],
    ['TransitionError', 'transition_refused', 409],
    ['VersionConflictError', 'version_conflict', 412],
    ['UniqueConflictError', 'unique_conflict', 409],
    ['IdempotencyConflictError', 'idempotency_conflict', 422],
    ['RelatedTasksError', 'related_tasks', 409],
    ['QueueFullError', 'queue_full', 503],
    ['ManagerClosedError', 'manager_closed', 503],
    ['CursorError', 'cursor_invalid', 400],
    ['TaskFailedError', 'task_failed', null],
    ['TaskCancelledError', 'task_cancelled', null],
    ['StaleLeaseError', 'lease_stale', 409],
    ['StorageError', 'storage_failed', 503],
    ['StorageNewerError', 'storage_newer', 503],
    ['StorageLockedError', 'storage_locked', 503],
    ['StorageCorruptError', 'storage_corrupt', 503],
    ['StorageFullError', 'storage_full', 503],
    ['StorageReadonlyError', 'storage_readonly', 503],
  ];
  const CLASSES: Readonly<Record<string, unknown>> = { ...tasklane };
  // What makes each without effort; the others take what has the shape of a task.
  const task = { id: 'task_1', error: null, cancelReason: null } as unknown as TaskRecord;
  const ARGUMENTS: Readonly<Record<string, readonly unknown[]>> = {
    InputInvalidError: ['input', []],
    UnknownHandlerError: ['work', []],
    TransitionError: ['task_1', 'a cancel', 'failed', []],
    RelatedTasksError: ['task_1', 'has related tasks', []],
    TaskFailedError: [task],
    TaskCancelledError: [task],
    StorageError: ['m', { ambiguous: false, retryable: false }],
    StorageLockedError: ['m', { ambiguous: false, retryable: false }],
    StorageNewerError: ['m', { ambiguous: false, retryable: false }],
    StorageCorruptError: ['m', { ambiguous: false, retryable: false }],
    StorageFullError: ['m', { ambiguous: false, retryable: false }],
    StorageReadonlyError: ['m', { ambiguous: false, retryable: false }],
  };
  test.each(ERRORS)('%s: %s, %s', (name, code, status) => {
    const Class = CLASSES[name] as new (...args: readonly unknown[]) => tasklane.TasklaneError;
    const error = new Class(...(ARGUMENTS[name] ?? ['one', 'two', 'three']));
    expect(error).toBeInstanceOf(tasklane.TasklaneError);
    expect(error).toMatchObject({ name, code });
    expect(tasklane.ERROR_STATUS[error.code]).toBe(status);
    if (code.startsWith('storage_')) expect(error).toBeInstanceOf(tasklane.StorageError);
  });

  test.each([
    ['malformed', 400],
    ['unauthenticated', 401],
    ['forbidden', 403],
    ['route_unknown', 404],
    ['method_not_allowed', 405],
    ['idempotency_in_flight', 409],
    ['unsupported_media_type', 415],
    ['rate_limited', 429],
    ['internal', 500],
  ] as const)('of HTTP alone: %s, %i', (code, status) => {
    expect(tasklane.ERROR_STATUS[code]).toBe(status);
  });
});

describe('the record', () => {
  const KEYS = (
    'id handler description status input result error progress checkpoint priority attempt maxAttempts lost interrupted ' +
    'snoozed submittedBy entityId parentId scheduleId tags metadata idempotencyKey uniqueKey runAt startBy createdAt ' +
    'queuedAt startedAt finishedAt updatedAt cancelRequestedAt cancelReason archivedAt workerId version'
  ).split(' ');

  test('has every key, always, and never undefined', async () => {
    const manager = new TaskManager({ handlers: [defineTask({ name: 'work', run: () => undefined })] });
    await manager.start();
    const held = await manager.submit('work', undefined, { hold: true });
    const done = await manager.submit('work');
    await done.result();
    for (const { id } of [held, done]) {
      const record = (await manager.get(id)) as unknown as Record<string, unknown>;
      for (const key of KEYS) expect.soft(record[key], key).not.toBeUndefined();
    }
    await manager.close();
  });
});

describe('the statuses', () => {
  const world = useWorld('memory');

  /** What a refusal says that a task of each status may become. */
  const TABLE: Readonly<Record<string, readonly string[]>> = {
    waiting: ['queued', 'scheduled', 'cancelled', 'failed'],
    scheduled: ['queued', 'cancelled', 'succeeded', 'failed'],
    queued: ['running', 'scheduled', 'cancelled', 'succeeded', 'failed'],
    running: ['succeeded', 'failed', 'scheduled', 'queued', 'cancelling'],
    cancelling: ['cancelled', 'succeeded', 'failed'],
    succeeded: ['queued', 'scheduled', 'waiting'],
    failed: ['queued', 'scheduled', 'waiting'],
    cancelled: ['queued', 'scheduled', 'waiting'],
  };

  test.each(Object.entries(TABLE))('%s may become %j', async (status, allowed) => {
    const work = controlled('work');
    const manager = world.manager({ handlers: [work] });
    const held = await manager.submit('work', 1, { hold: true });
    const options = { waiting: { dependsOn: [held.id] }, scheduled: { hold: true } }[status] ?? {};
    const task = await manager.submit('work', 1, options);
    if (status === 'running' || status === 'cancelling') {
      await manager.start();
      await work.next();
    }
    if (status === 'cancelling' || status === 'cancelled') await task.cancel();
    if (status === 'succeeded') await manager.complete(task.id);
    if (status === 'failed') await manager.fail(task.id, 'no');
    expect((await manager.get(task.id))?.status).toBe(status);
    const refused = ['succeeded', 'failed', 'cancelled'].includes(status) ? task.cancel() : manager.restart(task.id);
    const error = await errorOf(refused);
    expect(error).toBeInstanceOf(TransitionError);
    expect(new Set((error as TransitionError).allowed)).toEqual(new Set(allowed));
  });
});

describe('the events', () => {
  const world = useWorld('memory');
  const NAMES = (
    'created scheduled queued started progress log retrying snoozed interrupted lost cancelling updated succeeded failed ' +
    'cancelled archived'
  )
    .split(' ')
    .map((name) => `task:${name}` as tasklane.TaskEventName);

  test('are told under these names, each in the one form', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 1, jitter: 0 } } });
    const link = world.mute();
    const gone = await world.start({ handlers: [work], storage: link.storage, lease: '1s' });
    const heard = new Map<string, object>();
    const listen = (manager: TaskManager): void => {
      for (const name of NAMES) manager.on(name, (event) => heard.set(name, event));
    };
    listen(gone as unknown as TaskManager);
    const { id } = await gone.submit('work', 1, { delay: 1 });
    await world.clock.advance('1s');
    const run = await work.next();
    run.context.progress({ processed: 1 });
    run.context.log('said', { level: 'warn' });
    await world.clock.advance('1s');
    link.sleep();
    const other = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 1, jitter: 0 } } });
    const manager = await world.start({ handlers: [other], sweep: '500ms' });
    listen(manager as unknown as TaskManager);
    await world.clock.advance('5s'); // lost
    (await other.next()).fail(new Snooze(1));
    await world.clock.advance('1s');
    (await other.next()).fail(new Error('again'));
    await world.clock.advance('1s');
    (await other.next()).fail(new Error('for good'));
    await world.clock.advance('1s');
    await manager.update(id, { tags: { a: 1 } });
    const succeeds = await manager.submit('work');
    (await other.next()).finish();
    await succeeds.result();
    await manager.delete(succeeds.id);
    const cancelled = await manager.submit('work');
    const last = await other.next();
    await cancelled.cancel();
    last.fail('stopped');
    await world.clock.advance('1s');
    await manager.submit('work');
    await other.next();
    const closing = manager.close({ timeout: 0 });
    await world.clock.advance('11s');
    await closing;
    expect([...heard.keys()].sort()).toEqual([...NAMES].sort());
    for (const [type, event] of heard) {
      expect(event).toMatchObject({ type, at: expect.any(Number), handler: 'work', taskId: expect.any(String) });
      expect(event).toHaveProperty('task.id');
    }
    expect(heard.get('task:log')).toMatchObject({ level: 'warn', message: 'said' });
    run.finish();
  });
});

describe('filters and sorts', () => {
  const world = useWorld('memory');

  test('each key finds what it says, and nothing else', async () => {
    const manager = world.manager({ handlers: [controlled('work'), controlled('other')] });
    const at = world.clock.now();
    await manager.submit('other', 1);
    await world.clock.advance(10);
    const about = { submittedBy: 'u', entityId: 'e', description: 'Said so', tags: { t: 1 } };
    const { id } = await manager.submit('work', 1, { ...about, parentId: 'p', hold: true });
    await world.clock.advance(10);
    await manager.cancel(id);
    const filters: readonly tasklane.TaskFilter[] = [
      { status: 'cancelled' },
      { status: ['cancelled', 'failed'] },
      { handler: 'work' },
      { handler: ['work', 'none'] },
      { ids: [id] },
      { submittedBy: 'u' },
      { entityId: 'e' },
      { parentId: 'p' },
      { description: 'Said so' },
      { tags: { t: '1' } },
      { tags: { t: [2, 1] } },
      { tags: { t: { any: true } } },
      { created: { after: at } },
      { updated: { after: at } },
      { finished: { after: at, before: at + 21 } },
      { text: 'said' },
    ];
    for (const filter of filters) {
      const { items } = await manager.list({ filter });
      expect
        .soft(
          items.map((task) => task.id),
          JSON.stringify(filter),
        )
        .toEqual([id]);
    }
    for (const filter of [{ scheduleId: 's' }, { created: { before: at } }, { finished: { after: at + 20 } }]) {
      expect.soft(await manager.count(filter), JSON.stringify(filter)).toBe(0);
    }
    await manager.delete(id);
    expect([
      await manager.count(),
      await manager.count({ archived: true }),
      await manager.count({ archived: 'both' }),
    ]).toEqual([1, 1, 2]);
  });

  test.each([
    'id',
    'createdAt',
    'updatedAt',
    'finishedAt',
    'priority',
    'handler',
    'status',
    'submittedBy',
    'entityId',
  ] as const)('by %s, both ways; by default the newest first', async (key) => {
    const manager = world.manager({ handlers: [controlled('a'), controlled('b')] });
    const first = await manager.submit('a', 1, { priority: 1, submittedBy: 'a', entityId: 'a' });
    await world.clock.advance(10);
    const second = await manager.submit('b', 1, { priority: 2, submittedBy: 'b', entityId: 'b', hold: true });
    await manager.complete(first.id);
    await world.clock.advance(10);
    await manager.complete(second.id);
    if (key === 'status') await manager.restart(first.id);
    const ids = async (sort: string) =>
      (await manager.list({ sort: sort as 'id' })).items.map((task) => [first.id, second.id].indexOf(task.id));
    expect(await ids(key)).toEqual([0, 1]);
    expect(await ids(`-${key}`)).toEqual([1, 0]);
    expect((await manager.list()).items[0]?.id).toBe(second.id);
  });
});
