import type { Clock, Timer } from '../time/clock.ts';

/** How long one that was lost is alone among the suspects at most, in ms: one that kills its process mostly does so soon. */
const APART_MS = 100;
/** How long one on its last chance is alone in its process at most, in ms. */
const ALONE_MS = 60_000;
/** How long it waits for what runs already, in ms: that has not killed the process in all this time. */
const PATIENCE_MS = 60_000;

/** A task that went down with its process before, or looks like it. */
export interface Suspect {
  readonly task: { readonly lost: number };
  /** Lost once more it fails. */
  readonly isLastChance: boolean;
  /** It will never start, or has ended. */
  readonly ended: boolean;
}

/** What suspects need to know of the process they run in. */
export interface SuspectsHost {
  readonly clock: Clock;
  /** Whether a handler runs beside this one. */
  runsBeside(suspect: Suspect): boolean;
  /** Others may start again. */
  wake(priority: null): void;
}

/** The one on its last chance that is alone. */
interface Alone {
  readonly suspect: Suspect;
  readonly begin: () => void;
  readonly end: () => void;
  readonly over: Promise<void>;
  timer: Timer | null;
}

/**
 * Lets suspects start one after the other: the next one when the one before has ended, or has run for a while. Were their
 * starts stored together, all of them would be blamed for the one that kills the process, and fail as lost with it. What
 * was only given back, by a shutdown most of the time, is alone until its handler was called. One on its last chance starts
 * when nothing else runs, and nothing else starts beside it for a minute; two of them never run at the same time.
 */
export class Suspects {
  readonly #host: SuspectsHost;
  readonly #starts = new Line();
  readonly #lastChances = new Line();
  readonly #timers = new WeakMap<Suspect, Timer>();
  #alone: Alone | null = null;

  constructor(host: SuspectsHost) {
    this.#host = host;
  }

  /** Resolves when others may start; null: they may now. */
  get alone(): Promise<void> | null {
    return this.#alone?.over ?? null;
  }

  /** Resolves when it is this one's turn. From then on it is alone. */
  async turnOf(suspect: Suspect): Promise<void> {
    if (suspect.isLastChance) await this.#lastChances.enter(suspect);
    if (suspect.ended) return;
    await this.#starts.enter(suspect);
    if (suspect.isLastChance && !suspect.ended) await this.#clearTheRoom(suspect);
  }

  /** Its handler is about to be called; the next one need not wait for its end. */
  started(suspect: Suspect): void {
    const { clock } = this.#host;
    if (this.#alone?.suspect === suspect) this.#alone.timer = clock.after(ALONE_MS, () => this.#leave(suspect));
    else if (suspect.task.lost === 0) this.#leave(suspect);
    else
      this.#timers.set(
        suspect,
        clock.after(APART_MS, () => this.#leave(suspect), true),
      );
  }

  /** It ended, will never start, or is held by another claim. */
  gone(suspect: Suspect): void {
    this.#timers.get(suspect)?.clear();
    this.#leave(suspect);
    this.#lastChances.leave(suspect);
  }

  /** A handler has ended: nothing may run any more beside the one that waits for that. */
  freed(): void {
    if (this.#alone !== null && !this.#host.runsBeside(this.#alone.suspect)) this.#alone.begin();
  }

  /** Nothing else starts from now on. @returns resolves when nothing else runs, or has run long enough */
  #clearTheRoom(suspect: Suspect): Promise<void> {
    const begun = Promise.withResolvers<void>();
    const over = Promise.withResolvers<void>();
    const alone: Alone = { suspect, begin: begun.resolve, end: over.resolve, over: over.promise, timer: null };
    this.#alone = alone;
    if (this.#host.runsBeside(suspect)) alone.timer = this.#host.clock.after(PATIENCE_MS, alone.begin, true);
    else alone.begin();
    return begun.promise.then(() => alone.timer?.clear());
  }

  #leave(suspect: Suspect): void {
    this.#starts.leave(suspect);
    if (this.#alone?.suspect !== suspect) return;
    const { timer, begin, end } = this.#alone;
    this.#alone = null;
    timer?.clear();
    begin();
    end();
    this.#host.wake(null);
  }
}

/** Lets in one after the other. */
class Line {
  readonly #leaves = new WeakMap<Suspect, () => void>();
  #last: Promise<void> = Promise.resolve();

  /** Resolves when all before it have left. */
  enter(suspect: Suspect): Promise<void> {
    const before = this.#last;
    const left = new Promise<void>((leave) => this.#leaves.set(suspect, leave));
    this.#last = before.then(() => left);
    return before;
  }

  leave(suspect: Suspect): void {
    this.#leaves.get(suspect)?.();
  }
}
