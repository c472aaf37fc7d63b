import { parseCron } from './cron.ts';
import { parseRrule } from './rrule.ts';
import type { StoredRule } from './stored-schedule.ts';
import { byTheClock, type Next } from './wall-rule.ts';
import { Zone } from './zone.ts';

/** Rules that are kept as they were read: many schedules share one, and each tick asks it. */
const KEPT = 2_000;
const kept = new Map<string, Promise<Next>>();

/**
 * When a rule runs, its `start` and `end` included.
 * @returns what gives the first tick after an instant. It may throw where a search takes too long
 * @throws {OptionError} where it cannot be read
 */
export async function timelineOf(rule: StoredRule): Promise<Next> {
  const next = await unbounded(rule);
  const { start, end } = rule;
  if (start === null && end === null) return next;
  return (after) => {
    const tick = next(start === null ? after : Math.max(after, start - 1));
    return tick === null || (end !== null && tick > end) ? null : tick;
  };
}

async function unbounded(rule: StoredRule): Promise<Next> {
  const { cron, rrule, every, times, anchor } = rule;
  if (every !== null) return everyNext(every, anchor, rule.wallClock ? Zone.of(rule.timeZone) : null);
  if (times !== null) return (after) => times.find((time) => time > after) ?? null;
  if (cron === null && rrule === null) return () => null;
  const key = JSON.stringify([cron, rrule, rule.timeZone, rrule === null ? null : anchor, rule.start !== null]);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const zone = Zone.of(rule.timeZone);
  const read = (
    cron === null ? parseRrule(rrule ?? '', zone, { at: anchor, isStart: rule.start !== null }) : parseCron(cron, zone)
  ).then(remembering);
  if (kept.size >= KEPT) kept.clear();
  kept.set(key, read);
  read.catch(() => kept.delete(key));
  return read;
}

/** Schedules that share a rule are mostly due together, and ask the same. */
function remembering(next: Next): Next {
  let asked: number | null = null;
  let tick: number | null = null;
  return (after) => {
    if (after !== asked) {
      tick = next(after);
      asked = after;
    }
    return tick;
  };
}

/** @param wall the zone whose clocks count the time; null: as it passes */
function everyNext(every: number, anchor: number, wall: Zone | null): Next {
  const first = wall === null ? anchor : wall.toWall(anchor);
  const next = (after: number): number => first + Math.max(0, Math.floor((after - first) / every) + 1) * every;
  return wall === null ? next : byTheClock(next, wall);
}
