import type { WallTime, Zone } from './zone.ts';

/** The first instant after the given one, exclusive, at which a rule wants a run; null: there is none. Epoch ms. */
export type Next = (after: number) => number | null;

/** The same on the wall: the next date and time that a rule names. It knows no zone. */
export type NextWall = (after: WallTime) => WallTime | null;

const DAY_MS = 86_400_000;
/** More changes of the clocks than lie between an instant and the next date and time that they show. */
const MAX_STEPS = 10;

/**
 * A rule that names times of day. Where the clocks are put forward over one it runs at the first instant after; where they
 * are put back, and show it twice, it runs once, at the first.
 */
export function byTheClock(nextWall: NextWall, zone: Zone): Next {
  if (zone.isUtc) return nextWall;
  return (after) => {
    let wall = zone.toWall(after);
    for (let step = 0; step < MAX_STEPS; step++) {
      const next = nextWall(wall);
      if (next === null) return null;
      const instant = zone.toInstant(next);
      if (instant > after) return instant;
      // The clocks show it for the second time: so they do with all that they showed before they were put back.
      const put = zone.changeBetween(instant, after);
      wall = Math.max(next, put + zone.offsetAt(instant) - 1);
    }
    return null;
  };
}

/**
 * A rule that names no hours, such as "every 10 minutes": it goes on by the time that passes, through an hour that the
 * clocks repeat as well as past one that they leave out.
 */
export function throughTheHours(nextWall: NextWall, zone: Zone): Next {
  if (zone.isUtc) return nextWall;
  return (after) => {
    const offset = zone.offsetAt(after);
    const next = nextWall(after + offset);
    const instant = next === null ? Number.POSITIVE_INFINITY : next - offset;
    const soon = Math.min(instant, after + DAY_MS);
    if (zone.offsetAt(soon) !== offset) {
      const change = zone.changeBetween(after, soon);
      if (instant < change) return instant;
      const changed = zone.offsetAt(change);
      // What the clocks show from the change on, the very moment included.
      const wall = nextWall(change + changed - 1);
      return wall === null ? null : firstAt(wall, zone, change - 1);
    }
    if (next === null) return null;
    // Clocks that change later do not come back to what they show now.
    return instant === soon ? instant : firstAt(next, zone, after);
  };

  function firstAt(wall: WallTime, zone: Zone, after: number): number | null {
    let next: WallTime | null = wall;
    for (let step = 0; step < MAX_STEPS && next !== null; step++) {
      const instant = zone.instantsOf(next).find((each) => each > after);
      if (instant !== undefined) return instant;
      // The clocks leave it out, and all up to what they show first after that.
      next = nextWall(Math.max(next, zone.toWall(zone.toInstant(next)) - 1));
    }
    return null;
  }
}
