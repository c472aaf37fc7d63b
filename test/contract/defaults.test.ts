import type * as tasklane from 'tasklane';
import { defineTask, MemoryStorage, Snooze, TaskManager } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { useWorld } from '../support/world.ts';

// The bounds and defaults of the public contract, each tried from outside: what is changed here breaks users.

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
