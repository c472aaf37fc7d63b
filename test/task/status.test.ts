import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FINAL_STATUSES,
  isFinal,
  mayBecome,
  STATUSES,
  TRANSITIONS,
  UNFINISHED_STATUSES,
} from '../../src/task/status.ts';
import * as transition from '../../src/task/transition.ts';
import { storedTask } from '../support/stored-task.ts';

const EXPECTED = {
  waiting: ['queued', 'scheduled', 'cancelled', 'failed'],
  scheduled: ['queued', 'cancelled', 'succeeded', 'failed'],
  queued: ['running', 'scheduled', 'cancelled', 'succeeded', 'failed'],
  running: ['succeeded', 'failed', 'scheduled', 'queued', 'cancelling'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: ['queued', 'scheduled', 'waiting'],
  failed: ['queued', 'scheduled', 'waiting'],
  cancelled: ['queued', 'scheduled', 'waiting'],
};

describe('the transition table', () => {
  test('is the one of the contract', () => {
    expect(TRANSITIONS).toEqual(EXPECTED);
  });

  test('answers for each pair of statuses', () => {
    for (const from of STATUSES) {
      for (const to of STATUSES) expect(mayBecome(from, to)).toBe((EXPECTED[from] as string[]).includes(to));
    }
  });

  test('final statuses are left by a restart only', () => {
    expect(STATUSES.filter(isFinal)).toEqual([...FINAL_STATUSES]);
    expect([...UNFINISHED_STATUSES, ...FINAL_STATUSES].sort()).toEqual([...STATUSES].sort());
    for (const status of FINAL_STATUSES) expect(TRANSITIONS[status]).toEqual(['queued', 'scheduled', 'waiting']);
  });
});

const error = { name: 'Error', message: 'no', code: 'handler_failed' };
/** Everything that can happen to a task, as data. */
const STEPS = {
  succeed: transition.succeed(1),
  fail: transition.fail(error),
  retry: transition.retry(error, 5),
  snooze: transition.snooze(5),
  giveBack: transition.giveBack(),
  cancelled: transition.cancelled(),
  cancel: transition.cancel('why', 5),
  restart: transition.restart(),
  runNow: transition.runNow(),
  complete: transition.complete(2),
  failFromOutside: transition.failFromOutside(error),
  hold: transition.update({ runAt: null }),
  reschedule: transition.update({ runAt: 99 }),
  reorder: transition.update({ priority: 3 }),
  describe: transition.update({ description: 'new' }),
  archive: transition.archive(5),
  due: { scheduled: transition.DUE },
  expired: { queued: transition.EXPIRED, scheduled: transition.EXPIRED, waiting: transition.EXPIRED },
} satisfies Record<string, transition.Steps>;

describe('steps', () => {
  test.each(Object.entries(STEPS))('%s keeps to the table', (_name, steps: transition.Steps) => {
    for (const status of STATUSES) {
      const to = steps[status]?.to;
      if (to !== undefined && to !== null && to !== status) expect(TRANSITIONS[status]).toContain(to);
    }
  });

  test('any sequence of them keeps to the table, moves the version and never takes an attempt back', () => {
    const names = Object.keys(STEPS) as (keyof typeof STEPS)[];
    const act = fc.oneof(fc.constantFrom(...names), fc.constant('claim' as const), fc.constant('lose' as const));
    fc.assert(
      fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
        let task = storedTask({ maxLost: 2 });
        let now = task.createdAt;
        for (const name of acts) {
          const before = task;
          now += 7;
          task = { ...task, ...patchOf(task, name, now) };
          if (task.status !== before.status) expect(TRANSITIONS[before.status]).toContain(task.status);
          const changed = task !== before && task.version !== before.version;
          expect(task.version).toBe(before.version + (changed ? 1 : 0));
          expect(task.attempt).toBeGreaterThanOrEqual(before.attempt);
          expect(isFinal(task.status)).toBe(task.finishedAt !== null);
          if (task.status === 'queued') expect(task).toMatchObject({ runAt: null, queuedAt: expect.any(Number) });
          if (task.status !== 'succeeded') expect(task.result).toBeNull();
          expect(task.lost - task.baseline.lost).toBeLessThanOrEqual(task.maxLost + 1);
          expect(transition.countedAttempts(task, task.baseline)).toBeGreaterThanOrEqual(0);
          if (task.status === 'running' || task.status === 'cancelling') expect(task.token).not.toBeNull();
        }
      }),
    );
  });

  function patchOf(task: transition.StoredTask, name: string, now: number): transition.StoredPatch {
    if (name === 'claim') {
      return task.status === 'queued' ? transition.applyClaim(task, `t${now}`, 'w', now) : {};
    }
    const running = task.status === 'running' || task.status === 'cancelling';
    if (name === 'lose') return running ? transition.applyStep(task, transition.lose(task), now) : {};
    const steps: transition.Steps = STEPS[name as keyof typeof STEPS];
    const step = steps[task.status];
    return step === undefined ? {} : transition.applyStep(task, step, now);
  }
});

describe('a lost task', () => {
  const lost = (changes: Partial<transition.StoredTask>) =>
    transition.lose(storedTask({ status: 'running', attempt: 1, startedAt: 1, token: 't', workerId: 'w', ...changes }));

  test('is free where its handler never started', () => {
    expect(lost({ startedAt: null })).toMatchObject({ to: 'queued', reason: 'interrupted', count: 'interrupted' });
  });

  test('is queued at once the first time, then after 1 s, doubling to 1 min', () => {
    expect(lost({ lost: 0, maxLost: 20 })).toMatchObject({ to: 'queued', reason: 'lost', count: 'lost', revoke: true });
    const delays = Array.from({ length: 9 }, (_, index) => lost({ lost: index + 1, maxLost: 20 }).delayMs);
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('fails with code lost when that happened too often', () => {
    expect(lost({ lost: 2, maxLost: 3 }).to).toBe('scheduled');
    expect(lost({ lost: 3, maxLost: 3 })).toMatchObject({
      to: 'failed',
      set: { error: { code: 'lost' } },
      count: 'lost',
    });
    expect(lost({ lost: 0, maxLost: 0 }).to).toBe('failed');
  });

  test('counts from the last restart', () => {
    const baseline = { attempt: 9, lost: 9, interrupted: 0, snoozed: 0 };
    expect(lost({ lost: 9, maxLost: 3, baseline }).to).toBe('queued');
  });

  test('is cancelled when it was told to stop', () => {
    expect(lost({ status: 'cancelling', lost: 99 })).toMatchObject({ to: 'cancelled', revoke: true });
  });
});
