import type { NextWall } from './wall-rule.ts';
import type { WallTime } from './zone.ts';

const DAY_MS = 86_400_000;
const MOST_BEFORE = 30;
/** Days of the wrong number that a search looks at: those of more than five years. */
const MAX_STEPS = 1_000;

/** A day that is counted from the end of its month, as Quartz does: `L-3`, `L-3W`, `LW`. */
interface MonthEnd {
  /** Days before the last one. */
  readonly before: number;
  /** The weekday nearest to it within the month. */
  readonly onWeekday: boolean;
}

/**
 * Parts what croner cannot read in a day of the month, or not in a list, from the rest.
 * @param field such as `1,L-3W`
 */
export function splitMonthEnds(field: string): {
  readonly ends: readonly MonthEnd[];
  readonly rest: readonly string[];
} {
  const ends: MonthEnd[] = [];
  const rest: string[] = [];
  for (const item of field.split(',')) {
    const [all, before = '0', weekday] = /^L(?:-(\d{1,2}))?(W)?$/i.exec(item) ?? [];
    if (all === undefined || all.length === 1 || Number(before) > MOST_BEFORE) rest.push(item);
    else ends.push({ before: Number(before), onWeekday: weekday !== undefined });
  }
  return { ends, rest };
}

/** The days on which it may fall, as a range of cron: whatever the month's length, and wherever its weekends are. */
export function daysOf({ before, onWeekday }: MonthEnd): string {
  const aside = onWeekday ? 2 : 0;
  return `${Math.max(1, 28 - before - aside)}-${Math.min(31, Math.max(1, 31 - before + aside))}`;
}

/** Of what a rule names, that which falls on the day. @param next names the days of `daysOf` */
export function onlyOn(end: MonthEnd, next: NextWall): NextWall {
  return (after) => {
    let wall = next(after);
    for (let step = 0; wall !== null && step < MAX_STEPS; step++) {
      if (new Date(wall).getUTCDate() === dayIn(wall, end)) return wall;
      wall = next((Math.floor(wall / DAY_MS) + 1) * DAY_MS - 1);
    }
    return null;
  };
}

/** Which day of that month it is; below 1: the month is too short. */
function dayIn(wall: WallTime, { before, onWeekday }: MonthEnd): number {
  const date = new Date(wall);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0));
  const day = last.getUTCDate() - before;
  if (!onWeekday || day < 1) return day;
  const weekday = (last.getUTCDay() - before + 35) % 7;
  if (weekday === 6) return day === 1 ? 3 : day - 1;
  if (weekday === 0) return before === 0 ? day - 2 : day + 1;
  return day;
}

/** What the first of several rules names. */
export function earliest(all: readonly NextWall[]): NextWall {
  const [one] = all;
  if (one !== undefined && all.length === 1) return one;
  return (after) => {
    const walls = all.map((next) => next(after)).filter((wall) => wall !== null);
    return walls.length === 0 ? null : Math.min(...walls);
  };
}
