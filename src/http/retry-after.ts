import type { TaskRecord } from '../task/record.ts';

/** Bounds in seconds: sooner there is little news, and one that cares follows the events. */
const MIN = 1;
const MAX = 30;

/**
 * `Retry-After` (RFC 9110, section 10.2.3) of a task: seconds until it may have ended, by what its handler estimates or by when
 * it is due.
 * @param now epoch ms
 */
export function retryAfter({ progress, runAt, status }: TaskRecord, now: number): string {
  if (status === 'cancelling') return String(MIN); // it does not go on until it is done
  const due = status === 'scheduled' && runAt !== null ? runAt - now : null;
  const left =
    progress?.remainingMs === undefined || progress.remainingMs === null
      ? null
      : progress.at + progress.remainingMs - now;
  const seconds = Math.ceil((due ?? left ?? 0) / 1_000);
  return String(Math.min(Math.max(seconds, MIN), MAX));
}
