import type { Clock, Timer } from '../time/clock.ts';

/** Looks a lease has, so that a block of half a lease is seen as one. */
const LOOKS = 20;

/**
 * Notices that the event loop stood still for half a lease: a whole one, and the process loses its tasks. It can say so only
 * once the loop turns again.
 */
export class LoopMonitor {
  readonly #clock: Clock;
  readonly #leaseMs: number;
  readonly #onBlocked: (ms: number) => void;
  #timer: Timer | null = null;

  /** @param onBlocked is told for how long, in ms */
  constructor(clock: Clock, leaseMs: number, onBlocked: (ms: number) => void) {
    this.#clock = clock;
    this.#leaseMs = leaseMs;
    this.#onBlocked = onBlocked;
  }

  start(): void {
    const period = this.#leaseMs / LOOKS;
    const expected = this.#clock.monotonic() + period;
    this.#timer = this.#clock.after(period, () => {
      const late = this.#clock.monotonic() - expected;
      this.start();
      if (late >= this.#leaseMs / 2) this.#onBlocked(Math.round(late));
    });
  }

  stop(): void {
    this.#timer?.clear();
  }
}
