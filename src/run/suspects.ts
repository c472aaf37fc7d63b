import type { Clock, Timer } from '../time/clock.ts';

/** How long one that was lost is alone at most, in ms: one that kills its process mostly does so soon. */
const ALONE_MS = 100;

interface Suspect {
  readonly task: { readonly lost: number };
}

interface Turn {
  readonly leave: () => void;
  timer: Timer | null;
}

/**
 * Lets suspects start one after the other: the next one when the one before has ended, or has run for a while. Were their
 * starts stored together, all of them would be blamed for the one that kills the process, and fail as lost with it. What
 * was only given back, by a shutdown most of the time, is alone until its handler was called.
 */
export class Suspects {
  readonly #clock: Clock;
  readonly #turns = new WeakMap<Suspect, Turn>();
  #last: Promise<void> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves when it is this one's turn. From then on it is alone. */
  turnOf(attempt: Suspect): Promise<void> {
    const before = this.#last;
    const left = new Promise<void>((leave) => this.#turns.set(attempt, { leave, timer: null }));
    this.#last = before.then(() => left);
    return before;
  }

  /** Its handler is about to be called; the next one need not wait for its end. */
  started(attempt: Suspect): void {
    const turn = this.#turns.get(attempt);
    if (turn === undefined) return;
    if (attempt.task.lost === 0) turn.leave();
    else turn.timer = this.#clock.after(ALONE_MS, turn.leave, true);
  }

  /** It ended, or will never start. */
  ended(attempt: Suspect): void {
    const turn = this.#turns.get(attempt);
    turn?.timer?.clear();
    turn?.leave();
  }
}
