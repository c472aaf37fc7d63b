import { defineTask, OptionError, TaskAbort, TaskCancelledError, TaskNotFoundError, TransitionError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { aborted, errorOf, gate } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('cancel', (world) => {
  describe('what does not run', () => {
    test('a queued task never starts', async () => {
      const ran: unknown[] = [];
      const work = defineTask({ name: 'work', run: (input: number) => void ran.push(input) });
      const manager = world.manager({ handlers: [work] });
      const task = await manager.submit(work, 1);
      await manager.submit(work, 2);
      const cancelled = await task.cancel('not needed');
      expect(cancelled).toMatchObject({
        status: 'cancelled',
        cancelReason: 'not needed',
        cancelRequestedAt: world.clock.now(),
        finishedAt: world.clock.now(),
        attempt: 0,
        startedAt: null,
        error: null,
      });
      await manager.start();
      await manager.onIdle();
      expect(ran).toEqual([2]);
    });

    test('a task that waits for a slot never starts', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 1 });
      await manager.submit('work', 1);
      const second = await manager.submit('work', 2);
      const run = await work.next();
      expect(await second.cancel()).toMatchObject({ status: 'cancelled', cancelReason: null });
      run.finish();
      await manager.onIdle();
      expect(work.runs).toHaveLength(1);
    });

    test('a task that was claimed ahead never starts', async () => {
      const ran: number[] = [];
      const held = gate();
      const quick = defineTask({
        name: 'quick',
        run: async (input: number) => {
          ran.push(input);
          if (input === 3) await held.opened; // by then handlers were fast, so more was claimed than there are slots
        },
      });
      const manager = await world.start({ handlers: [quick], concurrency: 1 });
      await manager.submitMany(Array.from({ length: 4 }, () => ({ handler: quick, input: 0 })));
      await manager.onIdle();
      const [, last] = await manager.submitMany([
        { handler: quick, input: 3 },
        { handler: quick, input: 4 },
      ]);
      await waitFor(manager, last.id, ['queued', 'running']);
      expect(await last.cancel()).toMatchObject({ startedAt: null });
      held.open();
      await manager.onIdle();
      expect(ran).not.toContain(4);
      expect(await manager.get(last.id)).toMatchObject({ status: 'cancelled', startedAt: null });
    });

    test('scheduled and held tasks are cancelled at once', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const later = await manager.submit('work', 1, { delay: '5s' });
      const held = await manager.submit('work', 2, { hold: true });
      expect(await later.cancel()).toMatchObject({ status: 'cancelled', runAt: null });
      expect(await held.cancel('on hold too long')).toMatchObject({ status: 'cancelled' });
      await world.clock.advance('10s');
      expect(work.runs).toHaveLength(0);
    });

    test('a task that waits for its next attempt is cancelled at once, and keeps the error of the last', async () => {
      const work = controlled('work', { retry: { maxAttempts: 2 } });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      (await work.next()).fail(new Error('first'));
      await waitFor(manager, task.id, 'scheduled');
      expect(await task.cancel()).toMatchObject({ status: 'cancelled', error: { message: 'first' } });
      await world.clock.advance('10s');
      expect(work.runs).toHaveLength(1);
    });
  });

  describe('what runs', () => {
    test('a running task sees its signal aborted, with the reason', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const { context, fail } = await work.next();
      expect(context.signal.aborted).toBe(false);
      expect(await task.cancel('too slow')).toMatchObject({
        status: 'cancelling',
        cancelReason: 'too slow',
        cancelRequestedAt: world.clock.now(),
        finishedAt: null,
      });
      const reason = await aborted(context.signal);
      expect(reason).toBeInstanceOf(TaskAbort);
      expect(reason).toMatchObject({ name: 'TaskAbort', code: 'cancelled' });
      expect((reason as TaskAbort).message).toContain('too slow');
      fail(reason);
      const error = await errorOf(task.result());
      expect(error).toBeInstanceOf(TaskCancelledError);
      expect(error).toMatchObject({ code: 'task_cancelled', reason: 'too slow' });
      expect(await manager.get(task.id)).toMatchObject({ status: 'cancelled', cancelReason: 'too slow', error: null });
    });

    test('a signal that is first looked at after the cancel is aborted already', async () => {
      const cancelled = gate();
      const reasons: unknown[] = [];
      const work = defineTask({
        name: 'work',
        async run(_input: undefined, context) {
          await cancelled.opened;
          reasons.push(context.signal.reason);
        },
      });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit(work);
      await waitFor(manager, task.id, 'running');
      await task.cancel();
      cancelled.open();
      await task.result();
      expect(reasons).toMatchObject([{ code: 'cancelled' }]);
    });

    test('a handler that returns after a cancel has succeeded, and the record tells of the cancel', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      await task.cancel('never mind');
      run.finish('done all the same');
      expect(await task.result()).toBe('done all the same');
      expect(await manager.get(task.id)).toMatchObject({
        status: 'succeeded',
        cancelRequestedAt: world.clock.now(),
        cancelReason: 'never mind',
      });
    });

    test('whatever a handler throws after a cancel, the task is cancelled and not tried again', async () => {
      const work = controlled('work', { retry: { maxAttempts: 5 } });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      await task.cancel();
      run.fail(new Error('of my own'));
      expect(await errorOf(task.result())).toMatchObject({ code: 'task_cancelled', reason: null });
      expect(await manager.attempts(task.id)).toMatchObject([{ attempt: 1, outcome: 'cancelled' }]);
    });

    test('again while cancelling: no error, and the first reason stays', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      const first = await task.cancel('first');
      await world.clock.advance(5);
      expect(await task.cancel('second')).toEqual(first);
      run.fail('stopped');
      expect(await errorOf(task.result())).toMatchObject({ reason: 'first' });
    });

    test('many cancels at once: each is answered, one reason stays', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      const run = await work.next();
      const answers = await Promise.all(['a', 'b', 'c'].map((reason) => task.cancel(reason)));
      expect(answers.map(({ status }) => status)).toEqual(['cancelling', 'cancelling', 'cancelling']);
      expect(new Set(answers.map(({ cancelReason }) => cancelReason))).toEqual(new Set(['a']));
      run.finish();
      await task.result();
    });

    test('from another process: the signal is aborted within the poll', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const other = world.manager({ handlers: [controlled('work')] });
      const task = await manager.submit('work');
      const run = await work.next();
      expect(await other.cancel(task.id, 'from afar')).toMatchObject({ status: 'cancelling' });
      await world.clock.advance('500ms');
      expect(run.context.signal.reason).toMatchObject({ code: 'cancelled' });
      run.fail(run.context.signal.reason);
      await waitFor(manager, task.id, 'cancelled');
      expect(await other.get(task.id)).toMatchObject({ status: 'cancelled', cancelReason: 'from afar' });
    });
  });

  describe('a handler that ignores its signal', () => {
    test('is settled after the grace time; its late result is refused', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], cancelGrace: '10s' });
      const task = await manager.submit('work');
      const run = await work.next();
      await task.cancel('enough');
      await world.clock.advance(9_999);
      expect(await manager.get(task.id)).toMatchObject({ status: 'cancelling' });
      await world.clock.advance(1);
      const settled = await waitFor(manager, task.id, 'cancelled');
      expect(settled).toMatchObject({ cancelReason: 'enough', result: null });
      run.finish('too late');
      await world.clock.advance('10s');
      expect(await manager.get(task.id)).toEqual(settled);
    });

    test('keeps its slot until it ends, and a warning says so', async () => {
      const work = controlled('work', { cancelGrace: '1s' });
      const manager = await world.start({ handlers: [work], concurrency: 1, maxLeaks: 5 });
      const warnings: unknown[] = [];
      manager.on('warning', (warning) => warnings.push(warning));
      const stuck = await manager.submit('work', 'stuck');
      const next = await manager.submit('work', 'next');
      const run = await work.next();
      await stuck.cancel();
      await world.clock.advance('1s');
      await waitFor(manager, stuck.id, 'cancelled');
      await world.clock.advance('10s');
      expect(warnings).toMatchObject([{ code: 'handler_leaked', taskId: stuck.id, handler: 'work' }]);
      expect(await manager.get(next.id)).toMatchObject({ status: 'queued' });
      run.finish();
      expect((await work.next()).input).toBe('next');
    });

    test('the grace is that of its handler where it has one', async () => {
      const hasty = controlled('hasty', { cancelGrace: 0 });
      const manager = await world.start({ handlers: [hasty], cancelGrace: '1h' });
      const task = await manager.submit('hasty');
      await hasty.next();
      await task.cancel();
      await world.clock.advance(1);
      await waitFor(manager, task.id, 'cancelled');
    });

    test('the default grace is 10 s', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      await work.next();
      await task.cancel();
      await world.clock.advance(9_999);
      expect(await manager.get(task.id)).toMatchObject({ status: 'cancelling' });
      await world.clock.advance(1);
      await waitFor(manager, task.id, 'cancelled');
    });

    test('at maxLeaks nothing more is claimed until one ends, and a warning and health say so', async () => {
      const work = controlled('work', { cancelGrace: 0 });
      const manager = await world.start({ handlers: [work], concurrency: 3, maxLeaks: 1 });
      const warnings: string[] = [];
      manager.on('warning', ({ code }) => warnings.push(code));
      const stuck = await manager.submit('work', 'stuck');
      const run = await work.next();
      await stuck.cancel();
      await world.clock.advance(1);
      await waitFor(manager, stuck.id, 'cancelled');
      const next = await manager.submit('work', 'next');
      await world.clock.advance('10s');
      expect(await manager.get(next.id)).toMatchObject({ status: 'queued' });
      expect(warnings).toEqual(['handler_leaked', 'too_many_leaks']);
      expect(await manager.health()).toMatchObject({ ready: false, problems: [expect.stringContaining('run on')] });
      run.finish();
      expect((await work.next()).input).toBe('next');
      expect(await manager.health()).toEqual({ ready: true, problems: [] });
    });
  });

  describe('what it refuses', () => {
    test('a final task: TransitionError with what it may become', async () => {
      const work = defineTask({ name: 'work', run: () => 'done' });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit(work);
      await task.result();
      const error = await errorOf(task.cancel());
      expect(error).toBeInstanceOf(TransitionError);
      expect(error).toMatchObject({ code: 'transition_refused', allowed: ['queued', 'scheduled', 'waiting'] });
      expect((error as Error).message).toContain(task.id);
    });

    test('a cancelled task again: TransitionError, and nothing changes', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const task = await manager.submit('work');
      const cancelled = await task.cancel('first');
      expect(await errorOf(task.cancel('second'))).toBeInstanceOf(TransitionError);
      expect(await manager.get(task.id)).toEqual(cancelled);
    });

    test('an unknown id: TaskNotFoundError', async () => {
      const manager = world.manager({});
      const error = await errorOf(manager.cancel('task_none'));
      expect(error).toBeInstanceOf(TaskNotFoundError);
      expect(error).toMatchObject({ code: 'task_not_found', message: expect.stringContaining('task_none') });
    });

    test.each([
      ['a number', 5],
      ['null', null],
      ['more than 1,000 characters', 'x'.repeat(1_001)],
      ['half a character', '\ud800'],
    ])('a reason that is %s: OptionError', async (_what, reason) => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const task = await manager.submit('work');
      const error = await errorOf(task.cancel(reason as string));
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ code: 'option_invalid', option: 'reason' });
      expect(await manager.get(task.id)).toMatchObject({ status: 'queued' });
    });
  });
});
