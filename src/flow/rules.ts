import type { TaskRecord } from '../task/record.ts';
import { isFinal, type Status } from '../task/status.ts';
import type { Step } from '../task/transition.ts';

/**
 * What becomes of a task when one that it depends on fails or is cancelled. `fail`, the default: it fails too, code
 * `dependency_failed`. `skip`: it is cancelled, without an error. `run`: it runs all the same.
 */
export type OnFailure = 'fail' | 'skip' | 'run';

/** Every {@link OnFailure}; SQLite stores the place in it. */
export const ON_FAILURE = ['fail', 'skip', 'run'] as const satisfies readonly OnFailure[];

/** A task that ended, as far as those care that depend on it. */
export type Ended = Pick<TaskRecord, 'id' | 'status' | 'error'>;

/** What the end of a dependency does to a task that waits for it; null: nothing more, it is satisfied. */
export function afterEnd(dependency: Ended, onFailure: OnFailure): Step | null {
  const { id, status, error } = dependency;
  if (status === 'succeeded' || onFailure === 'run') return null;
  if (onFailure === 'skip') {
    return {
      reason: 'cancelled',
      to: 'cancelled',
      set: { cancelReason: `Skipped: dependency ${id} ${wasOrHas(status)}.` },
    };
  }
  const why = error === null ? '' : `: ${error.message.slice(0, MAX_WHY)}`;
  const message = `Dependency ${id} ${wasOrHas(status)}${why}`;
  return {
    reason: 'failed',
    to: 'failed',
    set: { error: { name: 'DependencyFailedError', message, code: 'dependency_failed' } },
  };
}

/** Everything that a task waited for has ended: it goes where it would have gone at its submit. */
export function released({ runAt }: Pick<TaskRecord, 'runAt'>, now: number): Step {
  return { reason: 'released', to: runAt !== null && runAt > now ? 'scheduled' : 'queued' };
}

/** It was made for a task that will not run now, and nothing else waits for it. */
export function unneeded(dependentId: string): Step {
  const cancelReason = `No longer needed: task ${dependentId} will not run.`;
  return { reason: 'cancelled', to: 'cancelled', set: { cancelReason } };
}

/** A restart of a task some of whose dependencies have not ended: it waits for those. */
export function waitAgain(step: Step): Step {
  return { ...step, to: 'waiting' };
}

/** Whether a step from one status to another is of interest to the edges of a task. */
export function concernsEdges(from: Status, to: Status): boolean {
  return from !== to && (from === 'waiting' || isFinal(to));
}

/** Characters of an error's message that are told on. */
const MAX_WHY = 500;

function wasOrHas(status: Status): string {
  return status === 'cancelled' ? 'was cancelled' : 'failed';
}
