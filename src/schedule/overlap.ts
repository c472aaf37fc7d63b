import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Overlap, StoredSchedule } from './stored-schedule.ts';

/** Which ticks get a task, when others have not ended. */
export interface Turn {
  readonly ticks: readonly number[];
  /** The tasks that have not ended, oldest first. */
  readonly busy: readonly string[];
  /** Each waits for the end of these. */
  readonly after: readonly string[];
  /** Each waits for those before it, too. */
  readonly inTurn: boolean;
  /** To be cancelled first. */
  readonly cancel: readonly string[];
}

/** So many tasks of a schedule are known to be under way: the oldest and the newest. */
const KNOWN = 100;
/** So many are waited for, the oldest and the newest: it keeps its turn where some of those before it are cancelled. */
const AWAITED = 20;

/** The tasks of a schedule that may not have ended, as far as it cares. */
export function maybeUnderWay({ overlap, lastTaskId, underWay }: StoredSchedule): readonly string[] {
  if (overlap === 'allow') return [];
  return lastTaskId === null || underWay.includes(lastTaskId) ? underWay : [...underWay, lastTaskId];
}

/** What a schedule shall know to be under way, oldest first. */
export function nowUnderWay(overlap: Overlap, ids: readonly string[]): readonly string[] {
  return overlap === 'allow' ? [] : ends(ids, KNOWN);
}

/**
 * What a task waits for. The first in turn wait for all; of thousands each would have as many edges.
 * @param made those before it that are made together with it
 */
export function waitsFor({ after, inTurn }: Turn, made: readonly string[]): readonly string[] {
  if (!inTurn) return after;
  if (made.length < AWAITED) return [...after, ...made];
  return [...ends(after, AWAITED), ...ends(made, AWAITED)];
}

function ends<T>(list: readonly T[], most: number): readonly T[] {
  return list.length <= most ? list : [...list.slice(0, most / 2), ...list.slice(-most / 2)];
}

/**
 * Applies a schedule's `overlap` to the ticks that shall have a task.
 * @param earlier its tasks, ended or not
 * @param most so many more runs it has, at least one
 */
export function turnOf(overlap: Overlap, ticks: readonly number[], earlier: readonly TaskRecord[], most: number): Turn {
  const turn = overlapped(overlap, ticks, earlier);
  return turn.ticks.length <= most ? turn : { ...turn, ticks: turn.ticks.slice(0, most) };
}

function overlapped(overlap: Overlap, ticks: readonly number[], earlier: readonly TaskRecord[]): Turn {
  const busy = earlier.filter(({ status }) => !isFinal(status));
  const after = busy.map(({ id }) => id);
  const turn: Turn = { ticks, busy: after, after: [], inTurn: false, cancel: [] };
  switch (overlap) {
    case 'allow':
      return turn;
    case 'skip':
      return { ...turn, ticks: busy.length === 0 ? ticks.slice(0, 1) : [] };
    case 'queue':
      return { ...turn, after, inTurn: true };
    case 'queueOne': {
      // What waits, or has not started, is the one.
      const room = busy.length === 0 ? 2 : busy.some(({ attempt }) => attempt === 0) ? 0 : 1;
      return { ...turn, ticks: ticks.slice(0, room), after, inTurn: true };
    }
    case 'cancelPrevious':
      // Nothing takes their place where `missed` left all ticks out.
      return ticks.length === 0 ? turn : { ...turn, ticks: ticks.slice(-1), after, cancel: after };
    default:
      throw new Error(`This version knows no \`overlap\` ${overlap}.`);
  }
}
