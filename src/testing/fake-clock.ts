import type { Clock } from '../time/clock.ts';
import { type Duration, parseDuration } from '../time/duration.ts';

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /**
   * Moves on, and calls back the timers on the way in their order; before and after each, whatever was started gets to run.
   * @throws {OptionError} when it is not a duration
   */
  advance(duration: Duration): Promise<void>;
}

/** Where a fake clock starts: 2030-01-01T00:00:00Z, epoch ms. */
const START = Date.UTC(2030, 0, 1);

/** Turns of the event loop that what was started gets: a promise needs one, a batching storage a few. */
const TURNS = 5;

/** Taken before any test can replace it. */
const nextTurn = setImmediate;

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

/**
 * A clock for tests. It goes into `new TaskManager({ clock })`, or into a storage's `open({ clock })`.
 * @param start epoch ms; default 2030-01-01
 */
export function fakeClock(start: number = START): FakeClock {
  let elapsed = 0;
  const timers = new Set<Waiting>(); // in the order they were set, which decides between two of the same time
  return {
    now: () => start + Math.floor(elapsed),
    monotonic: () => elapsed,
    after(ms, callback) {
      // As setTimeout does: with 0, a timer that sets itself again would never let the time go on.
      const timer = { at: elapsed + Math.max(1, ms), callback };
      timers.add(timer);
      return { clear: () => void timers.delete(timer) };
    },
    async advance(duration) {
      const until = elapsed + parseDuration('advance', duration);
      await settle();
      for (let next = first(timers, until); next !== undefined; next = first(timers, until)) {
        timers.delete(next);
        elapsed = Math.max(elapsed, next.at);
        next.callback();
        await settle();
      }
      elapsed = until;
      await settle();
    },
  };
}

function first(timers: Iterable<Waiting>, until: number): Waiting | undefined {
  let found: Waiting | undefined;
  for (const timer of timers) if (timer.at <= until && (found === undefined || timer.at < found.at)) found = timer;
  return found;
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>((resolve) => nextTurn(resolve));
}
