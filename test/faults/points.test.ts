import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Child, ChildGone, Stage } from './support/child.ts';
import { evidenceOf, onlyTask } from './support/evidence.ts';
import { explain } from './support/explain.ts';
import type { Item, Trap, TrapCall } from './support/messages.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

/** A process that kills itself at this point. It has not started to run tasks. */
function trapped(call: TrapCall, when: Trap['when']): Child {
  return stage.child({ trap: { call, when }, listen: false, start: false });
}

/** Waits for the trap. @param asked is never acknowledged */
async function dies(child: Child, asked?: Promise<unknown>): Promise<void> {
  expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  if (asked !== undefined) await expect(asked).rejects.toThrow(ChildGone);
}

/** Another process finishes what is there. @returns the task, all of whose attempts are explained */
async function finished(id: string) {
  const next = stage.child();
  await next.ask('releaseAll');
  await next.ask('ended', id);
  expect(await next.close()).toEqual({ code: 0, signal: null });
  const { task, attempts, runs } = await onlyTask(stage);
  expect(task.id).toBe(id);
  return { task, outcomes: attempts.map(({ outcome }) => outcome), ran: runs.map(({ attempt }) => attempt), runs };
}

/** A process submits a task, which is acknowledged, runs it, and dies in the trap. @returns the id */
async function submitAndDie(item: Item, call: TrapCall, when: Trap['when']): Promise<string> {
  const child = trapped(call, when);
  const { id } = await child.ask('submit', item);
  void child.ask('start', true);
  await dies(child);
  return id;
}

describe('insert', () => {
  const items: readonly Item[] = [1, 2, 3].map((priority) => ({ handler: 'noop', priority, tags: { a: priority } }));

  test('killed before: a submit that was not acknowledged left nothing', async () => {
    const child = trapped('insert', 'before');
    await dies(child, child.ask('submit', { handler: 'noop' }));
    expect(await evidenceOf(stage)).toEqual([]);
  });

  test('killed after: a submit that was not acknowledged is there whole, and runs', async () => {
    const child = trapped('insert', 'after');
    await dies(child, child.ask('submit', { handler: 'noop', priority: 7, tags: { a: 1 }, description: 'whole' }));
    const [there] = await evidenceOf(stage);
    expect(there?.task).toMatchObject({
      status: 'queued',
      attempt: 0,
      priority: 7,
      tags: { a: 1 },
      description: 'whole',
    });
    const { task, outcomes } = await finished(there?.task.id ?? '');
    expect([task.status, outcomes]).toEqual(['succeeded', ['succeeded']]);
  });

  test('killed after: the same idempotency key, sent again, finds the task that nobody acknowledged', async () => {
    const child = trapped('insert', 'after');
    const item: Item = { handler: 'noop', idempotencyKey: 'once' };
    await dies(child, child.ask('submit', item));
    const next = stage.child();
    const { id, created } = await next.ask('submit', item);
    expect(created).toBe(false);
    expect((await next.ask('ended', id)).status).toBe('succeeded');
    await next.close();
    expect((await onlyTask(stage)).task.id).toBe(id);
  });

  test.each([
    ['before', 0],
    ['after', 3],
  ] as const)('killed %s: of several tasks submitted together %i are there', async (when, count) => {
    const child = trapped('insert', when);
    await dies(child, child.ask('submitMany', items));
    const there = await evidenceOf(stage);
    expect(there.map(({ task }) => task.priority)).toEqual([1, 2, 3].slice(0, count));
  });
});

describe('claim', () => {
  test('killed before: the task never knew', async () => {
    const { task, outcomes, ran } = await finished(await submitAndDie({ handler: 'noop' }, 'claim', 'before'));
    expect([task.status, outcomes, ran]).toEqual(['succeeded', ['succeeded'], [1]]);
  });

  test('killed after: claimed and never started, it is given back free', async () => {
    const { task, outcomes, ran } = await finished(await submitAndDie({ handler: 'noop' }, 'claim', 'after'));
    expect([task.status, outcomes, ran]).toEqual(['succeeded', ['interrupted', 'succeeded'], [2]]);
  });
});

describe('the beat that stores a start', () => {
  test.each([
    ['before', 'interrupted'],
    ['after', 'lost'],
  ] as const)('killed %s: the run is %s', async (when, outcome) => {
    const { task, outcomes, ran } = await finished(await submitAndDie({ handler: 'hold', input: {} }, 'start', when));
    expect([task.status, outcomes, ran]).toEqual(['succeeded', [outcome, 'succeeded'], [1, 2]]);
  });

  test.each([
    ['before', 'interrupted'],
    ['after', 'lost'],
  ] as const)(
    'of a task that was given back, killed %s: the handler never ran, the attempt is %s',
    async (when, outcome) => {
      const id = await submitAndDie({ handler: 'noop' }, 'claim', 'after');
      const second = trapped('start', when);
      void second.ask('start', true);
      await dies(second);
      const { task, outcomes, ran } = await finished(id);
      expect([task.status, outcomes, ran]).toEqual(['succeeded', ['interrupted', outcome, 'succeeded'], [3]]);
    },
  );
});

describe('the beat that stores a checkpoint', () => {
  test.each([
    ['before', [null, null]],
    ['after', [null, { at: 1 }]],
  ] as const)('killed %s: the next attempt goes on from what was stored', async (when, seen) => {
    const item: Item = { handler: 'work', input: { ms: 1, steps: 1 } };
    const { task, runs } = await finished(await submitAndDie(item, 'checkpoint', when));
    expect(task).toMatchObject({ status: 'succeeded', attempt: 2, checkpoint: { at: 1 } });
    expect(runs.map((run) => run.seen)).toEqual(seen);
    expect(runs[0]?.stored).toEqual([]); // nobody acknowledged it
  });
});

describe('settle', () => {
  test('killed before: a run that reached its end runs again, and has one outcome', async () => {
    const { task, outcomes, runs } = await finished(await submitAndDie({ handler: 'noop' }, 'settle', 'before'));
    expect([task.status, outcomes]).toEqual(['succeeded', ['interrupted', 'succeeded']]);
    expect(runs.map(({ end }) => end?.how)).toEqual(['returned', 'returned']);
  });

  test('killed after: what succeeded does not run again', async () => {
    const { task, outcomes, ran } = await finished(await submitAndDie({ handler: 'noop' }, 'settle', 'after'));
    expect([task.status, outcomes, ran]).toEqual(['succeeded', ['succeeded'], [1]]);
  });

  test.each([
    ['before', ['interrupted', 'retrying', 'succeeded']],
    ['after', ['retrying', 'succeeded']],
  ] as const)('of a retry, killed %s: a failure that was not stored did not count', async (when, expected) => {
    const { task, outcomes } = await finished(
      await submitAndDie({ handler: 'flaky', input: { times: 1 } }, 'settle', when),
    );
    expect([task.status, outcomes]).toEqual(['succeeded', expected]);
  });

  test.each([
    ['before', ['interrupted', 'snoozed', 'succeeded']],
    ['after', ['snoozed', 'succeeded']],
  ] as const)('of a snooze, killed %s: it is run again', async (when, expected) => {
    const { task, outcomes } = await finished(
      await submitAndDie({ handler: 'snooze', input: { times: 1 } }, 'settle', when),
    );
    expect([task.status, outcomes]).toEqual(['succeeded', expected]);
  });

  test.each([
    ['before', 'lost'],
    ['after', 'interrupted'],
  ] as const)('of a task given back by a shutdown, killed %s: the run is %s', async (when, outcome) => {
    const child = trapped('settle', when);
    const { id } = await child.ask('submit', { handler: 'hold', input: { stored: true } });
    await child.ask('start', true);
    await child.began(id);
    await dies(child, child.ask('close', 0));
    const { task, outcomes } = await finished(id);
    expect([task.status, outcomes]).toEqual(['succeeded', [outcome, 'succeeded']]);
  });
});

describe('change', () => {
  test.each([
    ['before', 'succeeded'],
    ['after', 'cancelled'],
  ] as const)('killed %s the cancel of a queued task: it ends as %s', async (when, status) => {
    const child = trapped('change', when);
    const { id } = await child.ask('submit', { handler: 'noop' });
    await dies(child, child.ask('cancel', id, 'why'));
    const { task } = await finished(id);
    expect([task.status, task.cancelReason]).toEqual([status, when === 'after' ? 'why' : null]);
  });

  test.each([
    ['before', 'succeeded', ['lost', 'succeeded']],
    ['after', 'cancelled', ['cancelled']],
  ] as const)('killed %s the cancel of a task it runs: it ends as %s', async (when, status, expected) => {
    const child = trapped('change', when);
    const { id } = await child.ask('submit', { handler: 'hold', input: { stored: true } });
    await child.ask('start', true);
    await child.began(id);
    await dies(child, child.ask('cancel', id, 'why'));
    const { task, outcomes } = await finished(id);
    expect([task.status, outcomes]).toEqual([status, expected]);
  });
});

describe('takeBack', () => {
  test.each(['before', 'after'] as const)(
    'killed %s: the tasks of the first dead process are run by a third',
    async (when) => {
      const first = stage.child();
      const { id } = await first.ask('submit', { handler: 'hold', input: { stored: true } });
      await first.began(id);
      await first.kill();
      const second = trapped('takeBack', when);
      void second.ask('start', true);
      await dies(second);
      const { task, outcomes } = await finished(id);
      expect([task.status, outcomes]).toEqual(['succeeded', ['lost', 'succeeded']]);
    },
  );

  test('killed between two batches of a dead process: none of its tasks stays behind', async () => {
    const first = stage.child({ concurrency: 250 });
    const items = Array.from({ length: 250 }, (): Item => ({ handler: 'hold', input: { once: true } }));
    const submitted = await first.ask('submitMany', items);
    await Promise.all(submitted.map(({ id }) => first.began(id)));
    await first.kill();
    const second = trapped('takeBack', 'after');
    void second.ask('start', true);
    await dies(second);
    const left = (await evidenceOf(stage)).filter(({ task }) => task.status === 'running');
    expect(left.length).toBeGreaterThan(0); // or there was no second batch
    const third = stage.child();
    await Promise.all(submitted.map(({ id }) => third.ask('ended', id)));
    await third.close();
    const evidence = await evidenceOf(stage);
    expect(evidence.map(({ task }) => task.status)).toEqual(items.map(() => 'succeeded'));
    expect(evidence.flatMap(explain)).toEqual([]);
  });
});

describe('an insert whose task is claimed in the same transaction', () => {
  test('killed before: it left nothing', async () => {
    const child = trapped('insert', 'before');
    await child.ask('start', true);
    await dies(child, child.ask('submit', { handler: 'noop' }));
    expect(await evidenceOf(stage)).toEqual([]);
  });

  test('killed after: claimed and never started, it is given back free', async () => {
    const child = trapped('insert', 'after');
    await child.ask('start', true);
    await dies(child, child.ask('submit', { handler: 'noop' }));
    const [there] = await evidenceOf(stage);
    expect(there?.task).toMatchObject({ status: 'running', attempt: 1, startedAt: null });
    const { task, outcomes, ran } = await finished(there?.task.id ?? '');
    expect([task.status, outcomes, ran]).toEqual(['succeeded', ['interrupted', 'succeeded'], [2]]);
  });
});

describe('the end of a task that others depend on', () => {
  const flow: readonly Item[] = [
    { handler: 'hold', input: { stored: true }, ref: 'a', priority: 3 },
    { handler: 'noop', ref: 'b', dependsOn: ['a'], priority: 2 },
    { handler: 'noop', ref: 'c', dependsOn: [{ id: 'b', onFailure: 'run' }], priority: 1 },
  ];
  type Statuses = readonly (string | undefined)[];
  /** By priority, the most urgent first. */
  async function statuses(): Promise<Statuses> {
    const all = await evidenceOf(stage);
    return all.toSorted((one, other) => other.task.priority - one.task.priority).map(({ task }) => task.status);
  }
  /** Another process finishes what is left. */
  async function end(last: string): Promise<Statuses> {
    const next = stage.child();
    await next.ask('releaseAll');
    await next.ask('ended', last);
    await next.ask('idle');
    await next.close();
    const all = await evidenceOf(stage);
    expect(all.flatMap(explain)).toEqual([]);
    for (const { task, runs } of all) if (task.handler === 'noop') expect(runs.length).toBeLessThanOrEqual(1);
    return statuses();
  }

  test.each([
    ['before', ['running', 'waiting', 'waiting'], ['succeeded', 'succeeded', 'succeeded']],
    ['after', ['cancelled', 'failed', 'queued'], ['cancelled', 'failed', 'succeeded']],
  ] as const)('killed %s its cancel: all that follows is stored with it', async (when, there, ended) => {
    // A cancel from outside of what has not started ends it at once.
    const child = trapped('change', when);
    const [first, , last] = await child.ask('submitMany', [{ ...flow[0], hold: true } as Item, ...flow.slice(1)]);
    await dies(child, child.ask('cancel', first?.id ?? '', 'why'));
    expect(await statuses()).toEqual(when === 'before' ? ['scheduled', ...there.slice(1)] : there);
    if (when === 'before') {
      const other = stage.child({ start: false });
      await other.ask('runNow', first?.id ?? '');
      await other.close();
    }
    expect(await end(last?.id ?? '')).toEqual(ended);
  });

  test.each([
    ['before', ['running', 'waiting', 'waiting']],
    ['after', ['failed', 'failed', 'queued']],
  ] as const)('killed %s its process was found dead once too often: so is that', async (when, there) => {
    const first = stage.child({ maxLost: 0 });
    const [task, , last] = await first.ask('submitMany', flow);
    await first.began(task?.id ?? '');
    await first.kill();
    const second = trapped('takeBack', when);
    void second.ask('start', true);
    await dies(second);
    expect(await statuses()).toEqual(there);
    expect(await end(last?.id ?? '')).toEqual(['failed', 'failed', 'succeeded']);
  });
});

describe('the tick of a schedule', () => {
  test.each([
    ['before', 0],
    ['after', 1],
  ] as const)(
    'killed %s it was stored: %i task is there, and in the end one, with the schedule moved',
    async (when, count) => {
      const child = trapped('tick', when);
      await child.ask('start', true);
      const tick = Date.now() + 2_000;
      await child.ask('schedule', 'k', [tick]);
      await dies(child);
      expect(await evidenceOf(stage)).toHaveLength(count);
      const next = stage.child();
      for (let left = 100; left > 0 && (await evidenceOf(stage)).length === 0; left--) await next.ask('idle');
      const [there] = await evidenceOf(stage);
      await next.ask('ended', there?.task.id ?? '');
      await next.close();
      const { task, runs } = await onlyTask(stage);
      expect([task.status, task.tick, task.scheduleId, runs.length]).toEqual(['succeeded', tick, 'k', 1]);
    },
  );
});

describe('remove', () => {
  test.each([
    ['before', 2],
    ['after', 0],
  ] as const)('killed %s: of a task and its child, deleted for good, %i are there', async (when, count) => {
    const child = trapped('remove', when);
    const { id } = await child.ask('submit', { handler: 'noop', hold: true });
    await child.ask('submit', { handler: 'noop', hold: true, parentId: id });
    await dies(child, child.ask('delete', id, { related: true, cancel: true, purge: true }));
    expect(await evidenceOf(stage)).toHaveLength(count);
    if (count === 0) return;
    const next = stage.child({ start: false });
    await next.ask('delete', id, { related: true, cancel: true, purge: true });
    await next.close();
    expect(await evidenceOf(stage)).toEqual([]);
  });
});
