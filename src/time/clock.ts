/** A timer that was set; `clear` is idempotent. */
export interface Timer {
  clear(): void;
}

/**
 * The one seam for time: whatever this library waits for or stamps goes through it, the storage's clock included.
 * `tasklane/testing` has one that a test moves by hand.
 */
export interface Clock {
  /** Wall clock, epoch ms. May jump. */
  now(): number;
  /** Never goes back and knows no wall clock; ms from any origin. */
  monotonic(): number;
  /**
   * Calls back once after `ms`.
   * @param hold keeps the process alive until then; default false
   */
  after(ms: number, callback: () => void, hold?: boolean): Timer;
}

/** The longest that `setTimeout` waits; it fires at once above that. */
const LONGEST = 2_147_483_647;

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback, hold = false) {
    let left = ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const step = Math.min(left, LONGEST);
      left -= step;
      timer = setTimeout(left > 0 ? arm : callback, step);
      if (!hold) timer.unref();
    };
    arm();
    return { clear: () => clearTimeout(timer) };
  },
};
