import type { TaskRecord } from '../../task/record.ts';

/** How far a task is, 0 to 1: 1 once it succeeded, 0 while nothing is known. */
export function fractionOf({ status, progress }: TaskRecord): number {
  if (status === 'succeeded') return 1;
  return Math.min(Math.max(progress?.fraction ?? 0, 0), 1);
}

/** The same in whole percent, rounded down. */
export function percentOf(task: TaskRecord): number {
  // of 29 steps out of 100 the fraction is a little less than 0.29
  return Math.floor(fractionOf(task) * 100 + 1e-9);
}

/** Why a final task did not succeed; null: it did, or is not final. */
export function reasonOf({ status, error, cancelReason }: TaskRecord): string | null {
  if (status === 'failed') return error?.message ?? 'The task failed.';
  if (status === 'cancelled') return cancelReason ?? error?.message ?? 'The task was cancelled.';
  return null;
}
