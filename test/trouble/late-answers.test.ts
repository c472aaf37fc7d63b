import { StorageError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, gate, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';
import { bent } from './support/bent.ts';

onEachStorage('answers of the storage that come late, or never', (world) => {
  test('a change that is answered after its task was claimed takes the task from nobody', async () => {
    const { storage, bend } = bent(world.connect());
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], storage });
    const task = await manager.submit('work', null, { delay: '1s' });
    const late = gate();
    bend('change', async (run) => {
      const answer = await run();
      await late.opened;
      return answer;
    });
    const updated = manager.update(task.id, { tags: { team: 'search' } });
    await world.clock.advance('1s');
    const run = await work.next();
    late.open();
    expect(await updated).toMatchObject({ status: 'scheduled', attempt: 0 });
    expect(run.context.signal.aborted).toBe(false);
    run.finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.get(task.id)).toMatchObject({ attempt: 1, tags: { team: 'search' } });
  });

  test('what was paused stays paused, although an older look at the pauses is answered later', async () => {
    const { storage, bend } = bent(world.connect());
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], storage });
    const late = gate();
    bend('documents', async (run) => {
      bend('documents', null);
      const answer = await run();
      await late.opened;
      return answer;
    });
    await world.clock.advance('500ms'); // a poll looks, and waits for its answer
    await manager.pause('work');
    bend('documents', () => new Promise(() => {})); // no other look corrects it
    late.open();
    await turns();
    const task = await manager.submit('work');
    await turns();
    expect(work.runs).toHaveLength(0);
    expect(await manager.get(task.id)).toMatchObject({ status: 'queued' });
    bend('documents', null);
  });

  test('a task whose claim was not answered, and which is cancelled then, never starts', async () => {
    const { storage, bend } = bent(world.connect());
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], storage });
    const errors: unknown[] = [];
    manager.on('error', ({ error }) => errors.push(error));
    const lost = new StorageError('the answer was lost', { ambiguous: true, retryable: true });
    await turns(); // the claim at the start is answered
    bend('claim', async (run) => {
      await run();
      throw lost;
    });
    const task = await manager.submit('work');
    await turns();
    expect(await manager.get(task.id)).toMatchObject({ status: 'running', startedAt: null });
    expect(await task.cancel()).toMatchObject({ status: 'cancelling' });
    bend('claim', null);
    const ended = errorOf(task.result());
    await world.clock.advance('3s');
    expect(await ended).toMatchObject({ code: 'task_cancelled' });
    expect(work.runs).toHaveLength(0);
    expect(errors).toContain(lost);
    expect(await manager.attempts(task.id)).toMatchObject([{ startedAt: null, outcome: 'cancelled' }]);
  });

  test('a close while outcomes cannot be stored gives them up, and leaves no timer behind', async () => {
    const { storage, bend } = bent(world.connect());
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], storage });
    const errors: unknown[] = [];
    manager.on('error', ({ error }) => errors.push(error));
    const other = await world.start({ handlers: [] });
    const task = await manager.submit('work');
    const down = new StorageError('down', { retryable: true });
    bend('settle', () => Promise.reject(down));
    const run = await work.next();
    await world.clock.advance('200ms'); // its start is stored
    run.finish(1);
    await world.clock.advance('40s'); // the next try is many seconds away
    expect(await manager.health()).toEqual({ ready: false, problems: ['outcomes cannot be stored'] });
    const closed = manager.close({ timeout: 0 });
    await world.clock.advance('12s');
    await closed;
    expect(errors).toContain(down);
    expect(await other.get(task.id)).toMatchObject({ status: 'queued', lost: 1 });
    const next = await world.start({ handlers: [work] });
    (await work.next()).finish(2);
    expect(await waitFor(next, task.id, 'succeeded')).toMatchObject({ result: 2, attempt: 2 });
  });
});
