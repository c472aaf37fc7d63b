import type { Clock } from 'tasklane';

/** A clock whose times can go apart, as those of a machine do. */
export interface TroubledClock extends Clock {
  /** Time goes by, and timers come one after the other; what each starts gets to run. */
  advance(ms: number): Promise<void>;
  /** Somebody sets the wall clock, either way; or the machine slept, and its monotonic clock stood still. */
  jump(ms: number): void;
  /** The machine slept, or the event loop stood still, and both clocks went on: timers are late. */
  oversleep(ms: number): void;
}

interface Waiting {
  readonly at: number;
  readonly callback: () => void;
}

const TURNS = 5;
const nextTurn = setImmediate;

/** Starts at 2030-01-01. */
export function troubledClock(): TroubledClock {
  let wall = Date.UTC(2030, 0, 1);
  let elapsed = 0;
  const timers = new Set<Waiting>();
  const pass = (until: number): void => {
    const ms = Math.max(0, until - elapsed);
    wall += ms;
    elapsed += ms;
  };
  return {
    now: () => Math.floor(wall),
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { at: elapsed + Math.max(1, ms), callback };
      timers.add(timer);
      return { clear: () => void timers.delete(timer) };
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settle();
      for (let next = first(timers, until); next !== undefined; next = first(timers, until)) {
        timers.delete(next);
        pass(next.at);
        next.callback();
        await settle();
      }
      pass(until);
      await settle();
    },
    jump(ms) {
      wall += ms;
    },
    oversleep(ms) {
      pass(elapsed + ms);
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
