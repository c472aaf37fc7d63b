import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Overlap } from './stored-schedule.ts';

/** Which ticks get a task, when others have not ended. */
export interface Turn {
  readonly ticks: readonly number[];
  /** The first waits for the end of this task; null: for none. */
  readonly after: string | null;
  /** Each but the first waits for the end of the one before. */
  readonly inTurn: boolean;
  /** To be cancelled first. */
  readonly cancel: string | null;
}

/**
 * Applies a schedule's `overlap` to the ticks that shall have a task.
 * @param previous the newest task; null: there is none any more
 */
export function turnOf(overlap: Overlap, ticks: readonly number[], previous: TaskRecord | null): Turn {
  const busy = previous !== null && !isFinal(previous.status) ? previous : null;
  const after = busy?.id ?? null;
  const turn: Turn = { ticks, after: null, inTurn: false, cancel: null };
  switch (overlap) {
    case 'allow':
      return turn;
    case 'skip':
      return { ...turn, ticks: busy === null ? ticks.slice(0, 1) : [] };
    case 'queue':
      return { ...turn, after, inTurn: true };
    case 'queueOne':
      // What waits, or has not started, is the one.
      if (busy !== null) return { ...turn, ticks: busy.attempt === 0 ? [] : ticks.slice(0, 1), after };
      return { ...turn, ticks: ticks.slice(0, 2), inTurn: true };
    case 'cancelPrevious':
      return { ...turn, ticks: ticks.slice(-1), after, cancel: after };
  }
}
