import { InputInvalidError, PayloadTooLargeError, StaleLeaseError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('checkpoint', (world) => {
  async function running(options = {}) {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work], ...options });
    const task = await manager.submit('work');
    return { manager, task, work, run: await work.next() };
  }

  test('is stored when it resolves', async () => {
    const { manager, task, run } = await running();
    await run.context.checkpoint({ at: 5, done: ['a'] });
    expect((await manager.get(task.id))?.checkpoint).toEqual({ at: 5, done: ['a'] });
  });

  test('is read by the next attempt, and by one in another process', async () => {
    const { manager, run, work, task } = await running();
    await run.context.checkpoint({ at: 5 });
    await run.context.checkpoint({ at: 6 });
    run.fail('once');
    await waitFor(manager, task.id, 'scheduled');
    await manager.close();
    const elsewhere = controlled('work');
    await world.start({ handlers: [elsewhere] });
    await world.clock.advance('1s');
    const second = await elsewhere.next();
    expect(second.context.task).toMatchObject({ attempt: 2, checkpoint: { at: 6 } });
    expect(work.runs).toHaveLength(1);
    second.finish();
  });

  test('of the first attempt is null', async () => {
    const { run } = await running();
    expect(run.context.task.checkpoint).toBeNull();
  });

  test('several in one turn: the last one counts, and all resolve', async () => {
    const { manager, task, run } = await running();
    await Promise.all([1, 2, 3].map((at) => run.context.checkpoint({ at })));
    expect((await manager.get(task.id))?.checkpoint).toEqual({ at: 3 });
  });

  test('that nobody waits for is stored with the end', async () => {
    const { manager, task, run } = await running();
    const stored = run.context.checkpoint('on the way');
    run.fail('once');
    await stored;
    expect(await waitFor(manager, task.id, 'scheduled')).toMatchObject({ checkpoint: 'on the way' });
  });

  test('changing the value afterwards changes nothing', async () => {
    const { manager, task, run } = await running();
    const value = { list: [1] };
    const stored = run.context.checkpoint(value);
    value.list.push(2);
    await stored;
    expect((await manager.get(task.id))?.checkpoint).toEqual({ list: [1] });
  });

  test('undefined is null', async () => {
    const { manager, task, run } = await running();
    await run.context.checkpoint('x');
    await run.context.checkpoint(undefined);
    expect((await manager.get(task.id))?.checkpoint).toBeNull();
  });

  test('what JSON cannot hold: InputInvalidError, and the earlier one stays', async () => {
    const { manager, task, run } = await running();
    await run.context.checkpoint('earlier');
    const error = await errorOf(run.context.checkpoint({ a: [1n] }));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(error).toMatchObject({ issues: [{ path: 'a.0' }] });
    expect((await manager.get(task.id))?.checkpoint).toBe('earlier');
    run.finish('done');
    expect(await task.result()).toBe('done');
  });

  test('too large: PayloadTooLargeError', async () => {
    const { run } = await running({ maxResultBytes: 10 });
    expect(await errorOf(run.context.checkpoint('x'.repeat(9)))).toBeInstanceOf(PayloadTooLargeError);
  });

  test('after the end: StaleLeaseError', async () => {
    const { task, run } = await running();
    run.finish();
    await task.result();
    const error = await errorOf(run.context.checkpoint('late'));
    expect(error).toBeInstanceOf(StaleLeaseError);
    expect(error).toMatchObject({ code: 'lease_stale', message: expect.stringContaining(task.id) });
  });

  test('of a task that was settled from outside meanwhile: StaleLeaseError', async () => {
    const { run, task } = await running();
    const other = world.manager({ handlers: [controlled('work')] });
    await other.complete(task.id, 'by hand');
    expect(await errorOf(run.context.checkpoint('mine'))).toBeInstanceOf(StaleLeaseError);
    expect(run.context.signal.reason).toMatchObject({ code: 'superseded' });
    expect(await other.get(task.id)).toMatchObject({ checkpoint: null, result: 'by hand' });
  });

  test('while cancelling is still taken', async () => {
    const { manager, task, run } = await running();
    await task.cancel();
    await run.context.checkpoint('on the way out');
    expect(await manager.get(task.id)).toMatchObject({ status: 'cancelling', checkpoint: 'on the way out' });
  });

  test('stays with a task that failed or was cancelled, for its restart; not with one that succeeded', async () => {
    const { manager, task, run, work } = await running();
    await run.context.checkpoint({ at: 1 });
    await task.cancel();
    run.fail('stopped');
    await waitFor(manager, task.id, 'cancelled');
    await manager.restart(task.id);
    const again = await work.next();
    expect(again.context.task.checkpoint).toEqual({ at: 1 });
    again.finish();
    await waitFor(manager, task.id, 'succeeded');
    await manager.restart(task.id);
    expect((await work.next()).context.task.checkpoint).toBeNull();
  });
});
