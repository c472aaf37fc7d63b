import type { Handler } from '../handler/registry.ts';

/** Runs under this are fast, in ms: their tasks are claimed ahead of the free slots. */
const FAST_MS = 5;
/** How much the newest run counts in a handler's average. */
const NEWEST = 0.2;
const RUNS_TO_KNOW = 3;

/** How many tasks are claimed ahead while handlers are fast. */
export const AHEAD = 100;

interface Load {
  /** Claimed or running, leaks included. */
  used: number;
  runs: number;
  averageMs: number;
}

/** Counts what each handler has in hand, and knows which are fast. */
export class Slots {
  readonly #loads = new Map<string, Load>();
  #used = 0;

  /** Claimed or running, of all handlers. */
  get used(): number {
    return this.#used;
  }

  take(handler: Handler): void {
    this.#load(handler.name).used++;
    this.#used++;
  }

  /** @param ms how long the handler ran; null: it did not */
  free(handler: Handler, ms: number | null): void {
    const load = this.#load(handler.name);
    load.used--;
    this.#used--;
    if (ms === null) return;
    load.averageMs = load.runs === 0 ? ms : load.averageMs + NEWEST * (ms - load.averageMs);
    load.runs++;
  }

  /** Claimed or running, of one handler. */
  usedBy(handler: Handler): number {
    return this.#load(handler.name).used;
  }

  /** Of the handler's own limit. */
  left(handler: Handler): number {
    return handler.concurrency - this.#load(handler.name).used;
  }

  /** Fast, and free of a limit of its own: claimed tasks of it never wait long for a slot. */
  isFast(handler: Handler): boolean {
    const { runs, averageMs } = this.#load(handler.name);
    return runs >= RUNS_TO_KNOW && averageMs < FAST_MS && handler.concurrency === Infinity;
  }

  #load(name: string): Load {
    let load = this.#loads.get(name);
    if (load === undefined) {
      load = { used: 0, runs: 0, averageMs: 0 };
      this.#loads.set(name, load);
    }
    return load;
  }
}
