import { TaskAbort } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('timeout', (world) => {
  test('an attempt that takes too long sees its signal aborted, and fails with code timeout', async () => {
    const work = controlled('work', { timeout: '10s' });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await world.clock.advance(9_999);
    expect(run.context.signal.aborted).toBe(false);
    await world.clock.advance(1);
    expect(run.context.signal.reason).toBeInstanceOf(TaskAbort);
    expect(run.context.signal.reason).toMatchObject({ code: 'timeout' });
    run.fail(run.context.signal.reason);
    expect(await errorOf(task.result())).toMatchObject({
      cause: { name: 'TaskTimeoutError', code: 'timeout', message: expect.stringContaining('10000 ms') },
      task: { status: 'failed', cancelRequestedAt: null },
    });
  });

  test('a handler that ignores it is settled after the grace, and its late result is refused', async () => {
    const work = controlled('work', { timeout: '1s', cancelGrace: '2s' });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await world.clock.advance(2_999);
    expect(await manager.get(task.id)).toMatchObject({ status: 'running' });
    await world.clock.advance(1);
    const failed = await waitFor(manager, task.id, 'failed');
    run.finish('too late');
    await world.clock.advance('5s');
    expect(await manager.get(task.id)).toEqual(failed);
  });

  test('a handler that returns after its timeout has failed all the same', async () => {
    const work = controlled('work', { timeout: '1s' });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await world.clock.advance('1s');
    run.finish('too late');
    expect(await errorOf(task.result())).toMatchObject({ cause: { code: 'timeout' }, task: { result: null } });
  });

  test('is tried again, and holds for each attempt anew', async () => {
    const work = controlled('work', {
      timeout: '1s',
      retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '5s', jitter: 0 } },
    });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const first = await work.next();
    await world.clock.advance('1s');
    first.fail(first.context.signal.reason);
    expect(await waitFor(manager, task.id, 'scheduled')).toMatchObject({ error: { code: 'timeout' } });
    await world.clock.advance('5s');
    const second = await work.next();
    await world.clock.advance(999);
    second.finish('in time');
    expect(await task.result()).toBe('in time');
    expect(await manager.attempts(task.id)).toMatchObject([
      { outcome: 'retrying', error: { code: 'timeout' } },
      { outcome: 'succeeded', error: null },
    ]);
  });

  test('a cancel within it: cancelled, with the reason of the cancel', async () => {
    const work = controlled('work', { timeout: '1s' });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await task.cancel('first');
    await world.clock.advance('2s');
    expect(run.context.signal.reason).toMatchObject({ code: 'cancelled' });
    run.fail('stopped');
    expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled', reason: 'first' });
  });

  test('a cancel after it: cancelled, since nobody wants another attempt', async () => {
    const work = controlled('work', { timeout: '1s', retry: { maxAttempts: 5 } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    const run = await work.next();
    await world.clock.advance('1s');
    await task.cancel('then');
    run.fail('stopped');
    expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled', reason: 'then' });
    expect(run.context.signal.reason).toMatchObject({ code: 'timeout' });
  });

  test('counts from the start of the handler, not from the claim or the submit', async () => {
    const work = controlled('work', { timeout: '2s' });
    const manager = world.manager({ handlers: [work] });
    const task = await manager.submit('work');
    await world.clock.advance('1h');
    await manager.start();
    const run = await work.next();
    await world.clock.advance('1s');
    run.finish('done');
    expect(await task.result()).toBe('done');
  });
});
