import type { Database } from './database.ts';

const STORED = "select value from tasklane_meta where key = 'skew'";
const STORE = "insert or replace into tasklane_meta(key, value) values('skew', ?)";
const LAST = `select seq, created_at, (${STORED}) from tasklane_task order by seq desc limit 1`;
const LATEST_SINCE = 'select max(created_at) from tasklane_task where seq >= ?';

/**
 * How far any time on record is behind a `created_at` that was on record before it, in ms: clocks go back, and processes do
 * not store tasks in the order in which they made them. With that, lists know where in the submit order a range of times
 * begins and ends: mostly to the very task. One for each connection: it knows the latest `created_at` of all.
 */
export class Skew {
  readonly #database: Database;
  #now = 0;
  /** As far as it is committed. */
  #stored = 0;
  #skew = 0;
  #latest = Number.NEGATIVE_INFINITY;
  /** The place of the last task there was, and how many were stored here since. */
  #last: number | null = null;
  #made = 0;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A write transaction begins. @param now epoch ms */
  begin(now: number): void {
    const [last, createdAt, stored] = this.#database.get(LAST) ?? [];
    this.#now = now;
    this.#stored = last === undefined ? readSkew(this.#database) : Number(stored ?? 0);
    this.#skew = this.#stored;
    if (typeof last === 'number' && typeof createdAt === 'number') this.#lookUp(last, createdAt);
    this.#made = 0;
    this.#note(now);
  }

  /** A task is stored. */
  made({ createdAt, updatedAt }: { readonly createdAt: number; readonly updatedAt: number }): void {
    this.#made++;
    this.#note(Math.min(createdAt, updatedAt));
    if (createdAt > this.#latest) this.#latest = createdAt;
  }

  /** Writes it, where it has grown. */
  store(): void {
    this.#note(this.#now);
    if (this.#skew !== this.#stored) this.#database.run(STORE, String(this.#skew));
  }

  /** The transaction was rolled back. */
  undone(): void {
    this.#made = 0;
  }

  /** Learns of what others stored since the last transaction. */
  #lookUp(last: number, createdAt: number): void {
    const before = this.#last;
    this.#last = last;
    if (before !== null && last === before + this.#made) return;
    // What would take long to find out is taken for what it is at most.
    const isKnown = before !== null && before < last;
    const latest = isKnown ? this.#database.get(LATEST_SINCE, before)?.[0] : createdAt + this.#stored;
    if (typeof latest === 'number' && latest > this.#latest) this.#latest = latest;
  }

  #note(time: number): void {
    if (this.#latest - time > this.#skew) this.#skew = this.#latest - time;
  }
}

/** In ms, as far as it is committed. */
export function readSkew(database: Database): number {
  return Number(database.get(STORED)?.[0] ?? 0);
}
