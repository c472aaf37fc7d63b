import { defineTask, TaskNotFoundError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('explain', (world) => {
  const idle = defineTask({ name: 'idle', run: () => 'done' });

  test('held, or not due: says so, and when it will be', async () => {
    const manager = await world.start({ handlers: [idle] });
    const held = await manager.submit(idle, undefined, { hold: true });
    expect(await manager.explain(held.id)).toEqual({
      taskId: held.id,
      handler: 'idle',
      status: 'scheduled',
      reasons: [{ code: 'held', message: 'It is held until somebody runs it.' }],
      worker: null,
      progress: null,
    });
    const later = await manager.submit(idle, undefined, { delay: '1h' });
    const runAt = world.clock.now() + 3_600_000;
    expect((await manager.explain(later.id)).reasons).toEqual([
      { code: 'run_at', runAt, message: `It is not due before ${new Date(runAt).toISOString()}.` },
    ]);
  });

  test('no live process has the handler', async () => {
    const manager = world.manager({ handlers: [idle] });
    const task = await manager.submit(idle);
    expect((await manager.explain(task.id)).reasons.map(({ code }) => code)).toEqual(['unserved']);
    const other = await world.start({ handlers: [controlled('other')] });
    expect((await other.explain(task.id)).reasons).toEqual([
      { code: 'unserved', message: 'No live process runs the tasks of handler idle.' },
    ]);
  });

  test('paused: the handler, or all; also in a process that learned of it only now', async () => {
    const manager = await world.start({ handlers: [idle] });
    await manager.pause('idle');
    const task = await manager.submit(idle);
    const watching = world.manager({ handlers: [] });
    await watching.start({ run: false });
    expect((await watching.explain(task.id)).reasons).toEqual([
      { code: 'paused', handler: 'idle', message: 'Handler idle is paused.' },
    ]);
    await manager.pause();
    expect((await manager.explain(task.id)).reasons).toEqual([
      { code: 'paused', handler: null, message: 'All handlers are paused.' },
    ]);
  });

  test('all slots are taken: those of the process, or of the handler', async () => {
    const one = controlled('one', { concurrency: 1 });
    const manager = await world.start({ handlers: [one, idle], concurrency: 2 });
    await manager.submit('one', 1);
    const first = await one.next();
    const waits = await manager.submit('one', 2);
    expect((await manager.explain(waits.id)).reasons).toEqual([
      {
        code: 'slots_taken',
        of: 'handler',
        used: 1,
        limit: 1,
        message: 'All 1 slots of handler one in this process are taken.',
      },
    ]);
    manager.setConcurrency(1);
    expect((await manager.explain(waits.id)).reasons.map((reason) => 'of' in reason && reason.of)).toEqual([
      'manager',
      'handler',
    ]);
    first.finish();
    (await one.next()).finish();
  });

  test('it runs: in which process, its last sign of life, and how far it is', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    run.context.progress({ processed: 1, total: 4 });
    const watching = world.manager({ handlers: [] });
    await watching.start({ run: false });
    await expect.poll(async () => (await watching.get(task.id))?.progress?.processed).toBe(1);
    const explained = await watching.explain(task.id);
    expect(explained).toMatchObject({ status: 'running', reasons: [], progress: { processed: 1, total: 4 } });
    expect(explained.worker).toEqual({
      id: (await manager.get(task.id))?.workerId,
      host: expect.any(String),
      pid: process.pid,
      lastSeenAt: world.clock.now(),
    });
    run.finish();
    await waitFor(manager, task.id, 'succeeded');
    expect(await manager.explain(task.id)).toMatchObject({ status: 'succeeded', reasons: [], worker: null });
  });

  test('a sign of life is a beat that was seen, not only what the task reports', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    const watching = world.manager({ handlers: [] });
    await watching.start({ run: false });
    const before = await watching.explain(task.id);
    await world.clock.advance('20s');
    await expect
      .poll(async () => {
        await world.clock.advance('5s');
        return (await watching.explain(task.id)).worker?.lastSeenAt;
      })
      .toBeGreaterThan(before.worker?.lastSeenAt ?? 0);
    run.finish();
  });

  test('no such task is an error', async () => {
    const manager = await world.start({ handlers: [idle] });
    expect(await errorOf(manager.explain('task_0'))).toBeInstanceOf(TaskNotFoundError);
  });
});
