import * as tasklane from 'tasklane';
import { defineTask, MemoryStorage, Snooze, TaskManager, type TaskRecord, TransitionError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

// The names, defaults and codes of the public contract, each tried from outside: what is changed here breaks users.

describe('each subpath gives', () => {
  const SUBPATHS: Readonly<Record<string, readonly string[]>> = {
    tasklane: ['TaskManager', 'defineTask', 'MemoryStorage', 'Snooze', 'TaskAbort', 'TasklaneError'],
    'tasklane/sqlite': ['SqliteStorage'],
    'tasklane/http': ['createHandler', 'openApiDocument', 'ownerOrAdmin', 'readOnly', 'allowAll'],
    'tasklane/client': ['TaskClient', 'TasklaneError'],
    'tasklane/testing': ['fakeClock', 'waitFor', 'storageCases'],
    'tasklane/dialects': ['svix', 'jira', 'backgroundTask', 'taskV2'],
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

describe('bounds', () => {
  /** The least that is taken, and the most that is not. */
  const BOUNDS: readonly (readonly [option: string, least: unknown, tooLittle: unknown])[] = [
    ['concurrency', 1, 0],
    ['lease', '1s', '999ms'],
    ['cancelGrace', 0, -1],
    ['maxLost', 0, -1],
    ['maxSnoozes', 0, -1],
    ['maxLeaks', 1, 0],
    ['progressInterval', 1, 0],
    ['maxInputBytes', 1, 0],
    ['maxResultBytes', 1, 0],
    ['maxQueued', 1, 0],
    ['idempotencyTtl', 1, 0],
  ];
  test.each(BOUNDS)('%s: from %s, not %s', (option, least, tooLittle) => {
    expect(() => new TaskManager({ [option]: least })).not.toThrow();
    expect(() => new TaskManager({ [option]: tooLittle })).toThrow(`\`${option}\` must be`);
  });

  test.each([
    ['priority', 1_000_000, 1_000_001],
    ['priority', -1_000_000, -1_000_001],
  ])('%s of a submit: %i, not %i', async (_what, most, tooMuch) => {
    const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })] });
    const { id } = await manager.submit('work', 1, { priority: most });
    expect((await manager.get(id))?.priority).toBe(most);
    expect(await errorOf(manager.submit('work', 1, { priority: tooMuch }))).toMatchObject({ option: 'priority' });
    await manager.close();
  });

  test('of a list: 1 to 1,000, by default 50', async () => {
    const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })] });
    await manager.submitMany(Array.from({ length: 1_001 }, () => ({ handler: 'work' }) as const));
    expect((await manager.list()).items).toHaveLength(50);
    expect((await manager.list({ limit: 1_000 })).items).toHaveLength(1_000);
    for (const limit of [0, 1_001]) expect(await errorOf(manager.list({ limit }))).toMatchObject({ option: 'limit' });
    await manager.close();
  });
});

describe('defaults', () => {
  const world = useWorld('memory');

  /** What the manager says of itself, and how often it called its storage. */
  async function manager(handlers: readonly tasklane.AnyTask[], options: object = {}) {
    const link = world.mute();
    const started = await world.start({ handlers, storage: link.storage, ...options });
    const warnings: string[] = [];
    started.on('warning', ({ code }) => warnings.push(code));
    return { manager: started, link, warnings };
  }

  test('concurrency 10', async () => {
    const work = controlled('work');
    const { manager: one } = await manager([work]);
    await one.submitMany(Array.from({ length: 11 }, () => ({ handler: 'work' })));
    await world.clock.advance('1s');
    expect(work.runs).toHaveLength(10);
  });

  test('lease 30 s, of which each third has a beat; sweep 5 s', async () => {
    const { link } = await manager([controlled('work')]);
    await world.clock.advance('1s');
    const before = { ...link.calls };
    await world.clock.advance('60s');
    expect((link.calls.beat ?? 0) - (before.beat ?? 0)).toBe(6);
    expect((link.calls.workers ?? 0) - (before.workers ?? 0)).toBe(12);
  });

  test('cancelGrace 10 s, of a close too; close waits 30 s', async () => {
    const work = controlled('work');
    const { manager: one } = await manager([work]);
    const cancelled = await one.submit('work');
    await one.submit('work');
    const [, second] = [await work.next(), await work.next()];
    await cancelled.cancel();
    await world.clock.advance(9_999);
    expect((await one.get(cancelled.id))?.status).toBe('cancelling');
    await world.clock.advance(1);
    expect((await one.get(cancelled.id))?.status).toBe('cancelled');
    let closed = false;
    void one.close().then(() => {
      closed = true;
    });
    await world.clock.advance(29_999);
    expect(second.context.signal.aborted).toBe(false);
    await world.clock.advance(1);
    expect(second.context.signal.reason).toMatchObject({ code: 'shutdown' });
    await world.clock.advance(9_999);
    expect(closed).toBe(false);
    await world.clock.advance(1_001);
    expect(closed).toBe(true);
  });

  test('maxLost 3: the fourth loss fails the task; the first is queued at once, then after 1, 2 s', async () => {
    const storage = world.connect();
    const submitter = world.manager({ handlers: [defineTask({ name: 'work' })], storage });
    const { id } = await submitter.submit('work');
    const seen: (string | number | null)[][] = [];
    for (let death = 1; death <= 4; death++) {
      const workerId = `w${death}`;
      const logLimit = { lines: 1, bytes: 1 };
      const info = {
        host: 'h',
        boot: null,
        namespace: null,
        pid: 1,
        handlers: [],
        engineKey: null,
        leaseMs: 1,
        startedAt: 0,
      };
      await storage.beat({ workerId, join: info, reports: [], logLimit, records: false });
      const handlers = [{ name: 'work', limit: 1 }];
      const { claims } = await storage.claim({ workerId, token: workerId, handlers, limit: 1 });
      const lease = { taskId: id, token: claims[0]?.token ?? '' };
      const reports = [{ lease, startedAt: world.clock.now() }];
      await storage.beat({ workerId, reports, logLimit, records: false });
      await storage.takeBack(workerId, 10);
      const task = await submitter.get(id);
      const wait = task?.runAt === null || task === null ? null : task.runAt - world.clock.now();
      seen.push([task?.status ?? '', task?.lost ?? 0, wait, task?.error?.code ?? null]);
      await world.clock.advance(wait ?? 0);
    }
    expect(seen).toEqual([
      ['queued', 1, null, null],
      ['scheduled', 2, 1_000, null],
      ['scheduled', 3, 2_000, null],
      ['failed', 4, null, 'lost'],
    ]);
  });

  test('maxSnoozes 1,000: one more fails the task', async () => {
    const work = defineTask({
      name: 'work',
      run: () => {
        throw new Snooze(0);
      },
    });
    const { manager: one } = await manager([work]);
    const { id } = await one.submit('work');
    while ((await one.get(id))?.status !== 'failed') await world.clock.advance(50);
    expect(await one.get(id)).toMatchObject({ snoozed: 1_000, attempt: 1_001, error: { code: 'snoozed_too_often' } });
  });

  test('maxLeaks: as many as concurrency', async () => {
    const work = controlled('work', { cancelGrace: 0 });
    const { manager: one, warnings } = await manager([work], { concurrency: 2 });
    const tasks = await one.submitMany([{ handler: 'work' }, { handler: 'work' }]);
    await turns();
    for (const [index, task] of tasks.entries()) {
      await task.cancel();
      await world.clock.advance(10);
      expect((await one.health()).ready).toBe(index === 0);
    }
    expect(warnings).toEqual(expect.arrayContaining(['handler_leaked', 'handler_leaked']));
  });

  test('progressInterval 100 ms', async () => {
    const work = controlled('work');
    const { manager: one } = await manager([work]);
    const { id } = await one.submit('work');
    const { context } = await work.next();
    await world.clock.advance('1s');
    context.progress({ processed: 1 });
    await turns();
    context.progress({ processed: 2 });
    await world.clock.advance(99);
    expect((await one.get(id))?.progress?.processed).toBe(1);
    await world.clock.advance(1);
    expect((await one.get(id))?.progress?.processed).toBe(2);
  });

  test.each([
    ['1,000 lines', 1_001, 'x', 1_000],
    ['64 KiB', 70, 'x'.repeat(1_024), 64],
  ])('logLimit: %s', async (_what, count, line, kept) => {
    const { manager: one } = await manager([
      defineTask({
        name: 'work',
        run: (_input, { log }) => {
          for (let index = 0; index < count; index++) log(line);
        },
      }),
    ]);
    const task = await one.submit('work');
    await task.result();
    expect(await one.log(task.id)).toHaveLength(kept);
  });

  test('maxInputBytes and maxResultBytes 1 MiB', async () => {
    const most = 1_048_576 - 2; // the quotes
    const { manager: one } = await manager([
      defineTask({ name: 'work', run: (extra) => 'x'.repeat(most + Number(extra === 'more')) }),
    ]);
    expect(await (await one.submit('work', 'x'.repeat(most))).result()).toHaveLength(most);
    expect(await errorOf(one.submit('work', 'x'.repeat(most + 1)))).toMatchObject({ code: 'payload_too_large' });
    const more = await one.submit('work', 'more');
    expect(await waitFor(one, more.id, 'failed')).toMatchObject({ error: { code: 'payload_too_large' } });
  });

  test('idempotencyTtl 24 h; retention 90 d of every final status', async () => {
    let passed = 0;
    const { clock: still } = world;
    const clock = { ...still, now: () => still.now() + passed };
    const storage = new MemoryStorage();
    const one = world.manager({ handlers: [defineTask({ name: 'work' })], clock, storage });
    const DAY = 86_400_000;
    const submit = () => one.submit('work', 1, { idempotencyKey: 'k' });
    const first = await submit();
    passed = DAY - 1;
    expect(await submit()).toMatchObject({ id: first.id, created: false, matched: 'idempotency' });
    passed = DAY;
    expect(await submit()).toMatchObject({ created: true, matched: null });
    await one.start();
    await one.complete(first.id);
    passed += 90 * DAY - 60_000;
    await world.clock.advance('10s');
    expect(await one.get(first.id)).not.toBeNull();
    passed += 60_000;
    await world.clock.advance('10s');
    expect(await one.get(first.id)).toBeNull();
  });

  test('idPrefix: task_, and 27 letters and digits', async () => {
    const { manager: one } = await manager([controlled('work')]);
    expect((await one.submit('work')).id).toMatch(/^task_[0-9A-Za-z]{27}$/);
  });

  test('of a definition: priority 0, one attempt; of a retry: 1 s, doubling to 1 h, give or take a fifth', async () => {
    const work = controlled('work', { retry: { maxAttempts: 20 } });
    const once = controlled('once');
    const { manager: one } = await manager([work, once]);
    const failed = await one.submit('once');
    (await once.next()).fail('no');
    expect(await waitFor(one, failed.id, 'failed')).toMatchObject({ priority: 0, attempt: 1, maxAttempts: 1 });
    const waits: number[] = [];
    one.on('task:retrying', ({ runAt, at }) => waits.push(runAt - at));
    const { id } = await one.submit('work');
    for (let attempt = 1; attempt <= 14; attempt++) {
      (await work.next()).fail('again');
      await turns();
      if ((await one.get(id))?.status === 'scheduled') await one.runNow(id);
    }
    for (const [index, wait] of waits.entries()) {
      const middle = Math.min(1_000 * 2 ** index, 3_600_000);
      expect(wait).toBeGreaterThanOrEqual(middle * 0.8);
      expect(wait).toBeLessThanOrEqual(middle * 1.2);
    }
    expect(waits).toHaveLength(14);
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
    const task = await manager.submit('work', 1, status === 'scheduled' ? { hold: true } : {});
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
