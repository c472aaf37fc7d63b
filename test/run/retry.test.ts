import { type Backoff, defineTask, type TaskAbort, TaskFailedError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('retry', (world) => {
  const fixed = (delay: number): Backoff => ({ type: 'fixed', delay, jitter: 0 });

  test('without retry one failure is the end', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    (await work.next()).fail(new TypeError('no such thing'));
    const error = await errorOf(task.result());
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({
      code: 'task_failed',
      message: expect.stringContaining('no such thing'),
      cause: { name: 'TypeError', message: 'no such thing', code: 'handler_failed', stack: expect.any(String) },
      task: { id: task.id, status: 'failed', attempt: 1, maxAttempts: 1, result: null },
    });
  });

  test('a failed attempt is told, waits for its backoff, and runs again with the same input', async () => {
    const work = controlled('work', { retry: { maxAttempts: 3, backoff: fixed(5_000) } });
    const manager = await world.start({ handlers: [work] });
    const told: unknown[] = [];
    manager.on('task:retrying', ({ taskId, error, runAt, task }) =>
      told.push([taskId, error.message, runAt, task.status]),
    );
    const task = await manager.submit('work', { a: 1 });
    (await work.next()).fail(new Error('first'));
    const waiting = await waitFor(manager, task.id, 'scheduled');
    const runAt = world.clock.now() + 5_000;
    expect(waiting).toMatchObject({ attempt: 1, runAt, error: { message: 'first' }, finishedAt: null });
    expect(told).toEqual([[task.id, 'first', runAt, 'scheduled']]);
    await world.clock.advance(4_999);
    expect(work.runs).toHaveLength(1);
    await world.clock.advance(1);
    const second = await work.next();
    expect(second.input).toEqual({ a: 1 });
    expect(second.context.task).toMatchObject({ attempt: 2, error: { message: 'first' } });
    second.finish('done');
    expect(await task.result()).toBe('done');
    expect(await manager.get(task.id)).toMatchObject({ status: 'succeeded', attempt: 2, error: null });
  });

  test('maxAttempts includes the first', async () => {
    const work = controlled('work', { retry: { maxAttempts: 3, backoff: fixed(10) } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    for (const message of ['first', 'second', 'third']) {
      (await work.next()).fail(new Error(message));
      await world.clock.advance(10);
    }
    expect(await errorOf(task.result())).toMatchObject({ cause: { message: 'third' }, task: { attempt: 3 } });
    expect(work.runs).toHaveLength(3);
    expect(await manager.attempts(task.id)).toMatchObject([
      { attempt: 1, outcome: 'retrying', error: { message: 'first' }, finishedAt: expect.any(Number) },
      { attempt: 2, outcome: 'retrying', error: { message: 'second' } },
      { attempt: 3, outcome: 'failed', error: { message: 'third' } },
    ]);
  });

  describe('backoff', () => {
    /** How long each wait between the attempts of one task is. */
    async function waits(backoff: Backoff | undefined, attempts: number): Promise<readonly number[]> {
      const work = controlled('work', { retry: { maxAttempts: attempts, backoff } });
      const manager = world.manager({ handlers: [work] });
      const seen: number[] = [];
      manager.on('task:retrying', ({ runAt, at }) => seen.push(runAt - at));
      const task = await manager.submit('work');
      await manager.start();
      for (let attempt = 1; attempt < attempts; attempt++) {
        (await work.next()).fail(new Error(`attempt ${attempt}`));
        await waitFor(manager, task.id, 'scheduled');
        await manager.runNow(task.id);
      }
      (await work.next()).finish();
      await task.result();
      return seen;
    }

    test('exponential grows by its factor and stops at its max', async () => {
      const backoff: Backoff = { type: 'exponential', delay: '1s', factor: 3, max: '20s', jitter: 0 };
      expect(await waits(backoff, 6)).toEqual([1_000, 3_000, 9_000, 20_000, 20_000]);
    });

    test('fixed stays as it is', async () => {
      expect(await waits({ type: 'fixed', delay: '2s', factor: 5, jitter: 0 }, 4)).toEqual([2_000, 2_000, 2_000]);
    });

    test('by default 1 s, doubling, up to 1 h, plus or minus a fifth', async () => {
      const seen = await waits(undefined, 15);
      for (const [index, wait] of seen.entries()) {
        const steady = Math.min(1_000 * 2 ** index, 3_600_000);
        expect(wait).toBeGreaterThanOrEqual(steady * 0.8 - 1);
        expect(wait).toBeLessThanOrEqual(steady * 1.2 + 1);
      }
      expect(seen).toHaveLength(14);
    });

    test('jitter stays within its fraction, and differs', async () => {
      const seen = await waits({ type: 'fixed', delay: '10s', jitter: 0.5 }, 20);
      for (const wait of seen) {
        expect(wait).toBeGreaterThanOrEqual(5_000);
        expect(wait).toBeLessThanOrEqual(15_000);
      }
      expect(new Set(seen).size).toBeGreaterThan(1);
    });

    test('a function is given the attempts that counted and the error, and says any duration', async () => {
      const asked: unknown[] = [];
      const seen = await waits(({ attempt, error }) => {
        asked.push([attempt, (error as Error).message]);
        return attempt === 1 ? '3s' : attempt * 100;
      }, 3);
      expect(seen).toEqual([3_000, 200]);
      expect(asked).toEqual([
        [1, 'attempt 1'],
        [2, 'attempt 2'],
      ]);
    });

    test.each<[what: string, backoff: () => never]>([
      [
        'throws',
        () => {
          throw new Error('mine');
        },
      ],
      ['gives no duration', () => 'soon' as never],
      ['gives a promise', () => Promise.resolve(5) as never],
    ])('a function that %s: told as an error, and the wait is 1 s', async (_what, backoff) => {
      const work = controlled('work', { retry: { maxAttempts: 2, backoff } });
      const manager = await world.start({ handlers: [work] });
      const errors: unknown[] = [];
      manager.on('error', ({ taskId }) => errors.push(taskId));
      const task = await manager.submit('work');
      (await work.next()).fail(new Error('first'));
      expect(await waitFor(manager, task.id, 'scheduled')).toMatchObject({ runAt: world.clock.now() + 1_000 });
      expect(errors).toEqual([task.id]);
    });
  });

  describe('retryable', () => {
    test('false ends it at once, true goes on', async () => {
      const work = controlled('work', {
        retry: { maxAttempts: 5, backoff: fixed(10) },
        retryable: (error) => (error as Error).message !== 'hopeless',
      });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      (await work.next()).fail(new Error('hopeful'));
      await world.clock.advance(10);
      (await work.next()).fail(new Error('hopeless'));
      expect(await errorOf(task.result())).toMatchObject({ cause: { message: 'hopeless' }, task: { attempt: 2 } });
    });

    test('is asked for timeouts too, with a TaskAbort', async () => {
      const asked: unknown[] = [];
      const work = controlled('work', {
        retry: { maxAttempts: 5 },
        timeout: '1s',
        cancelGrace: 0,
        retryable: (error) => {
          asked.push((error as TaskAbort).code);
          return false;
        },
      });
      const manager = await world.start({ handlers: [work] });
      const task = await manager.submit('work');
      await work.next();
      await world.clock.advance('2s');
      expect(await errorOf(task.result())).toMatchObject({ cause: { code: 'timeout' }, task: { attempt: 1 } });
      expect(asked).toEqual(['timeout']);
    });

    test('that throws: told as an error, and the task is tried again', async () => {
      const work = controlled('work', {
        retry: { maxAttempts: 2, backoff: fixed(10) },
        retryable: () => {
          throw new Error('mine');
        },
      });
      const manager = await world.start({ handlers: [work] });
      const errors: unknown[] = [];
      manager.on('error', ({ error }) => errors.push((error as Error).message));
      const task = await manager.submit('work');
      (await work.next()).fail(new Error('first'));
      await world.clock.advance(10);
      (await work.next()).finish('done');
      expect(await task.result()).toBe('done');
      expect(errors).toEqual(['mine']);
    });
  });

  test('an input that no longer fits its schema: failed with input_invalid, and not tried again', async () => {
    let strict = false;
    const work = defineTask<'work', string, void>({
      name: 'work',
      input: {
        '~standard': {
          version: 1,
          vendor: 'test',
          validate: (value) =>
            strict ? { issues: [{ message: 'too old', path: ['a', 0] }] } : { value: value as string },
        },
      },
      retry: { maxAttempts: 5, backoff: fixed(10) },
      run: () => {},
    });
    const manager = world.manager({ handlers: [work] });
    const task = await manager.submit(work, 'a');
    strict = true;
    await manager.start();
    expect(await errorOf(task.result())).toMatchObject({
      cause: { code: 'input_invalid', message: expect.stringContaining('a.0: too old') },
      task: { attempt: 1 },
    });
  });

  test('the code of a thrown error is kept, whatever class it is of', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    (await work.next()).fail(Object.assign(new Error('gone'), { code: 'ENOENT' }));
    expect(await errorOf(task.result())).toMatchObject({ cause: { code: 'ENOENT' } });
  });
});
