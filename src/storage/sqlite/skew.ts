import type { Database } from './database.ts';

const READ = "select (select max(created_at) from tasklane_task), (select value from tasklane_meta where key = 'skew')";
const STORE = "insert or replace into tasklane_meta(key, value) values('skew', ?)";

/**
 * How far any time on record is behind a `created_at` that was on record before it, in ms: clocks go back, and processes do
 * not store tasks in the order in which they made them. With that, lists know where in the submit order a range of times
 * begins and ends: mostly to the very task.
 */
export class Skew {
  readonly #now: number;
  #latest: number;
  #skew: number;
  #stored: number;

  /** Of a write transaction at `now`, epoch ms. */
  constructor(database: Database, now: number) {
    const [latest, skew] = database.get(READ) ?? [];
    this.#now = now;
    this.#latest = typeof latest === 'number' ? latest : Number.NEGATIVE_INFINITY;
    this.#skew = Number(skew ?? 0);
    this.#stored = this.#skew;
    this.#note(now);
  }

  /** A task is stored. */
  made({ createdAt, updatedAt }: { readonly createdAt: number; readonly updatedAt: number }): void {
    this.#note(Math.min(createdAt, updatedAt));
    if (createdAt > this.#latest) this.#latest = createdAt;
  }

  /** Writes it, where it has grown. */
  store(database: Database): void {
    this.#note(this.#now);
    if (this.#skew === this.#stored) return;
    database.run(STORE, String(this.#skew));
  }

  #note(time: number): void {
    if (this.#latest - time > this.#skew) this.#skew = this.#latest - time;
  }
}

/** In ms, as far as it is committed. */
export function readSkew(database: Database): number {
  return Number(database.get(READ)?.[1] ?? 0);
}
