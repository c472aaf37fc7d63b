import { OptionError, Snooze, type TaskEventName, type TaskEvents } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

const NAMES: readonly TaskEventName[] = [
  'task:created',
  'task:scheduled',
  'task:queued',
  'task:started',
  'task:progress',
  'task:log',
  'task:retrying',
  'task:snoozed',
  'task:interrupted',
  'task:lost',
  'task:cancelling',
  'task:updated',
  'task:succeeded',
  'task:failed',
  'task:cancelled',
  'task:archived',
];

onEachStorage('events', (world) => {
  const retry = { maxAttempts: 2, backoff: { type: 'fixed', delay: '1s', jitter: 0 } } as const;

  /** A started manager all of whose task events are heard, by name. */
  async function heard() {
    const work = controlled('work', { retry });
    const manager = world.manager({ handlers: [work] });
    const events: TaskEvents[TaskEventName][] = [];
    for (const name of NAMES) manager.on(name, (event) => void events.push(event));
    await manager.start();
    const names = () => events.splice(0).map(({ type }) => type);
    return { manager, work, events, names };
  }

  test('a task that succeeds', async () => {
    const { manager, work, names } = await heard();
    const task = await manager.submit('work');
    (await work.next()).finish();
    await task.result();
    expect(names()).toEqual(['task:created', 'task:queued', 'task:started', 'task:succeeded']);
  });

  test('a task that is tried again, snoozes, and fails', async () => {
    const { manager, work, names } = await heard();
    const task = await manager.submit('work', 1, { delay: '1s' });
    await world.clock.advance('1s');
    for (const thrown of ['one', new Snooze('1s'), 'two']) {
      (await work.next()).fail(thrown);
      await world.clock.advance('1s');
    }
    await waitFor(manager, task.id, 'failed');
    expect(names()).toEqual([
      'task:created',
      'task:scheduled',
      'task:queued',
      'task:started',
      'task:retrying',
      'task:queued',
      'task:started',
      'task:snoozed',
      'task:queued',
      'task:started',
      'task:failed',
    ]);
  });

  test('a task that is changed, cancelled, run again and archived', async () => {
    const { manager, work, names } = await heard();
    const task = await manager.submit('work', 1, { hold: true });
    await manager.update(task.id, { description: 'new' });
    await manager.runNow(task.id);
    const run = await work.next();
    await manager.cancel(task.id);
    await manager.cancel(task.id);
    run.fail('stopped');
    await waitFor(manager, task.id, 'cancelled');
    await manager.restart(task.id);
    await work.next();
    await manager.complete(task.id);
    await manager.delete(task.id);
    expect(names()).toEqual([
      'task:created',
      'task:scheduled',
      'task:updated',
      'task:queued',
      'task:started',
      'task:cancelling',
      'task:cancelled',
      'task:queued',
      'task:started',
      'task:succeeded',
      'task:archived',
    ]);
  });

  test('a task that is given back by a close', async () => {
    const { manager, work, names } = await heard();
    await manager.submit('work');
    const run = await work.next();
    const closing = manager.close({ timeout: 0 });
    await world.clock.advance(1);
    run.fail('stopped');
    await closing;
    expect(names().at(-1)).toBe('task:interrupted');
  });

  test('each has type, time, handler, id, and the record as it is then', async () => {
    const { manager, work, events } = await heard();
    const task = await manager.submit('work', { a: 1 }, { tags: { team: 'search' } });
    const run = await work.next();
    await world.clock.advance('1s');
    run.finish('done');
    await task.result();
    for (const event of events) {
      expect(event).toMatchObject({ handler: 'work', taskId: task.id, task: { id: task.id, input: { a: 1 } } });
    }
    const [created, queued, started, succeeded] = events;
    const now = world.clock.now();
    expect(created).toMatchObject({ type: 'task:created', at: now - 1_000, task: { status: 'queued', attempt: 0 } });
    expect(queued).toMatchObject({ type: 'task:queued', task: { status: 'queued', queuedAt: now - 1_000 } });
    expect(started).toMatchObject({
      type: 'task:started',
      task: { status: 'running', attempt: 1, startedAt: now - 1_000, workerId: expect.any(String) },
    });
    expect(succeeded).toMatchObject({
      type: 'task:succeeded',
      at: now,
      task: { status: 'succeeded', result: 'done', finishedAt: now },
    });
    expect((succeeded as TaskEvents['task:succeeded']).task).toEqual(await manager.get(task.id));
  });

  test('are of this process only: nobody is told twice', async () => {
    const here = await heard();
    const there = world.manager({ handlers: [controlled('work')] });
    const others: string[] = [];
    for (const name of NAMES) there.on(name, ({ type }) => others.push(type));
    const task = await there.submit('work');
    await world.clock.advance('5s');
    (await here.work.next()).finish();
    await world.clock.advance('1s');
    expect(others).toEqual(['task:created', 'task:queued']);
    expect(here.names()).toEqual(['task:started', 'task:succeeded']);
    expect(await there.get(task.id)).toMatchObject({ status: 'succeeded' });
  });

  test('end for a listener that no longer wants them; twice: no error', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const [one, other]: [string[], string[]] = [[], []];
    const off = manager.on('task:created', ({ taskId }) => one.push(taskId));
    manager.on('task:created', ({ taskId }) => other.push(taskId));
    await manager.submit('work', 1, { hold: true });
    off();
    off();
    await manager.submit('work', 1, { hold: true });
    expect([one.length, other.length]).toEqual([1, 2]);
  });

  test('a name that no event has, or no function: OptionError', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    for (const name of ['task:done', 'succeeded', 'toString', undefined]) {
      expect(() => manager.on(name as 'error', () => {})).toThrow(
        /`name` must be one of task:created, .+, error, but is/,
      );
    }
    expect(() => manager.on('error', null as never)).toThrow(OptionError);
  });

  test('the same listener twice hears twice', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    let count = 0;
    const listener = () => count++;
    const offs = [manager.on('task:created', listener), manager.on('task:created', listener)];
    await manager.submit('work', 1, { hold: true });
    expect(count).toBe(2);
    offs[0]?.();
    await manager.submit('work', 1, { hold: true });
    expect(count).toBe(3);
  });

  describe('listeners can do no harm', () => {
    test('one that throws, and one that rejects: an error event each, the others hear, the task goes on', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const [errors, told]: [unknown[], string[]] = [[], []];
      manager.on('error', ({ error }) => errors.push(error));
      manager.on('task:started', () => {
        throw new Error('thrown');
      });
      manager.on('task:started', async () => {
        throw new Error('rejected');
      });
      manager.on('task:started', ({ taskId }) => told.push(taskId));
      const task = await manager.submit('work');
      (await work.next()).finish('done');
      expect(await task.result()).toBe('done');
      await turns();
      expect(told).toEqual([task.id]);
      expect(errors).toMatchObject([{ message: 'thrown' }, { message: 'rejected' }]);
    });

    test('an error listener that throws or rejects: a process warning, and nothing else', async () => {
      const manager = await world.start({ handlers: [controlled('work')] });
      manager.on('error', () => {
        throw new Error('thrown by the error listener');
      });
      manager.on('error', () => Promise.reject(new Error('rejected by the error listener')));
      manager.on('task:created', () => {
        throw new Error('first');
      });
      expect(await manager.submit('work', 1, { hold: true })).toMatchObject({ created: true });
      const warnings = await world.takeProcessWarnings();
      expect(warnings.map(({ message }) => message)).toEqual([
        expect.stringContaining('thrown by the error listener'),
        expect.stringContaining('rejected by the error listener'),
      ]);
    });

    test('an unheard error goes to process.emitWarning', async () => {
      const manager = await world.start({ handlers: [controlled('work')] });
      manager.on('task:created', () => {
        throw new Error('nobody hears this');
      });
      await manager.submit('work', 1, { hold: true });
      expect(await world.takeProcessWarnings()).toMatchObject([
        { name: 'TasklaneWarning', message: expect.stringContaining('nobody hears this') },
      ]);
    });

    test.each([['text'], [undefined], [null], [Object.freeze({})], [Symbol('s')]])(
      'one that throws %o',
      async (thrown) => {
        const manager = await world.start({ handlers: [controlled('work')] });
        const errors: unknown[] = [];
        manager.on('error', ({ error }) => errors.push(error));
        manager.on('task:created', () => {
          throw thrown;
        });
        await manager.submit('work', 1, { hold: true });
        expect(errors).toEqual([thrown]);
      },
    );

    test('one that throws such things, unheard', async () => {
      const manager = await world.start({ handlers: [controlled('work')] });
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      for (const thrown of [Symbol('s'), Object.create(null), proxy]) {
        manager.on('task:created', () => {
          throw thrown;
        });
      }
      await manager.submit('work', 1, { hold: true });
      expect(await world.takeProcessWarnings()).toHaveLength(3);
    });

    test('one that changes the record it is given changes no stored task', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      for (const name of ['task:created', 'task:queued', 'task:started', 'task:succeeded'] as const) {
        manager.on(name, ({ task }) => {
          Object.assign(task as object, { status: 'failed', input: 'changed', priority: 99 });
        });
      }
      const task = await manager.submit('work', { a: 1 });
      const run = await work.next();
      expect(run.input).toEqual({ a: 1 });
      run.finish('done');
      expect(await task.result()).toBe('done');
      expect(await manager.get(task.id)).toMatchObject({ status: 'succeeded', input: { a: 1 }, priority: 0 });
    });

    test('one that calls the manager back is no danger', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const seen: unknown[] = [];
      manager.on('task:created', async ({ taskId }) => {
        await manager.cancel(taskId, 'from a listener');
        seen.push((await manager.get(taskId))?.status);
      });
      await manager.submit('work', 1, { delay: '1h' });
      await turns();
      expect(seen).toEqual(['cancelled']);
    });
  });

  test('without any listener a task runs all the same', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const { id } = await manager.submit('work');
    (await work.next()).finish('done');
    await manager.onIdle();
    expect(await manager.get(id)).toMatchObject({ status: 'succeeded', result: 'done' });
  });
});
