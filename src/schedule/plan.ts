import { dueAtOf, jitterOf, type StoredSchedule } from './stored-schedule.ts';
import type { Next } from './wall-rule.ts';

/** What to do with the ticks of a schedule that have come. */
export interface Plan {
  /** To make tasks for, oldest first. */
  readonly ticks: readonly number[];
  /** The newest that was dealt with. */
  readonly last: number;
  /** The next to come; null: there is none. */
  readonly next: number | null;
  /** Came while no process was up, or ran ahead of the clock, and make no task of their own. */
  readonly dropped: { readonly from: number; readonly to: number } | null;
}

/** How things stand when a schedule is looked at; epoch ms. */
export interface Moment {
  readonly now: number;
  /** Since when this process has been looking. */
  readonly since: number;
  /** Later than this, in ms, is missed although this process was looking: it slept, or the clock was put forward. */
  readonly lateMs: number;
}

/** Ticks that one pass makes tasks for. */
const AT_ONCE = 1_000;
const WINDOW_MS = 1_000;

/**
 * Decides which ticks get a task: those that are only late all do; of those that were missed the ones that the schedule's
 * `missed` says.
 * @param schedule one that is due
 */
export function planTicks(key: string, schedule: StoredSchedule, next: Next, moment: Moment): Plan {
  const { now } = moment;
  const due = (tick: number): number => tick + jitterOf(key, tick, schedule.jitter);
  const first = schedule.nextTick ?? now;
  const isMissed = (tick: number): boolean => due(tick) < moment.since || now - due(tick) > moment.lateMs;
  return isMissed(first) ? planMissed() : planLate();

  function planLate(): Plan {
    const ticks: number[] = [];
    let tick: number | null = first;
    for (; tick !== null && due(tick) <= now && ticks.length < AT_ONCE; tick = next(tick)) ticks.push(tick);
    return { ticks, last: ticks.at(-1) ?? first, next: tick, dropped: null };
  }

  function planMissed(): Plan {
    const { missed, missedMax, missedWithin } = schedule;
    const come = newest(missed === 'all' ? missedMax : 1);
    const last = come.at(-1) ?? first;
    // The newest may have come just now.
    const wanted = missed === 'skip' ? come.filter((tick) => now - due(tick) <= moment.lateMs) : come;
    const ticks = missedWithin === null ? wanted : wanted.filter((tick) => tick >= now - missedWithin);
    const dropped = ticks[0] === first ? null : { from: first, to: last };
    return { ticks, last, next: next(last), dropped };
  }

  /** The newest of those that have come, up to `count`: found backwards, for there may be a year of them. */
  function newest(count: number): readonly number[] {
    const until = firstToCome();
    for (let window = WINDOW_MS; ; window *= 4) {
      const from = Math.max(first - 1, until - 1 - window);
      const found: number[] = [];
      for (let tick = next(from); tick !== null && tick < until; tick = next(tick)) {
        found.push(tick);
        if (found.length > count) found.shift();
      }
      if (found.length === count || from < first) return found;
    }
  }

  /** The end of those that have come. Later ones may come earlier by their jitter, and wait for their turn. */
  function firstToCome(): number {
    let tick = next(Math.max(first - 1, now - schedule.jitter - 1));
    while (tick !== null && due(tick) <= now) tick = next(tick);
    return Math.min(tick ?? Number.POSITIVE_INFINITY, now + 1);
  }
}

/** Whether it is due. */
export function isDue(key: string, schedule: StoredSchedule, now: number): boolean {
  const at = dueAtOf(key, schedule);
  return at !== null && at <= now;
}
