import type { TaskRecord } from '../../task/record.ts';
import type { Database } from './database.ts';

const STORED = "select value from tasklane_meta where key = 'skew'";
const STORE = "insert or replace into tasklane_meta(key, value) values('skew', ?)";
const LAST = `select seq, id, (${STORED}) from tasklane_task order by seq desc limit 1`;
const STANDS = 'select 1 from tasklane_task where seq = ? and id = ?';
const CREATED_AT = 'select created_at from tasklane_task where seq = ?';
/** So many tasks are looked at to learn what others stored. */
const RECENT = 1_000;
const RECENT_SINCE =
  'select max(created_at), min(seq), count(*) from ' +
  `(select seq, created_at from tasklane_task where seq > ? order by seq desc limit ${RECENT})`;

/** A task that there was, by its place and its id: the place of a removed one may be taken again. */
interface Known {
  readonly seq: number;
  readonly id: string;
}

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
  /** The last task there was when a transaction began, and the last that was stored here since. */
  #last: Known | null = null;
  #madeId: string | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /** A write transaction begins. @param now epoch ms */
  begin(now: number): void {
    const [seq, id, stored] = this.#database.get(LAST) ?? [];
    this.#now = now;
    this.#stored = seq === undefined ? readSkew(this.#database) : Number(stored ?? 0);
    this.#skew = this.#stored;
    if (typeof seq === 'number' && typeof id === 'string') {
      if (id !== (this.#madeId ?? this.#last?.id)) this.#lookUp();
      this.#last = { seq, id };
    }
    this.#madeId = null;
    this.#note(now);
  }

  /** A task is stored. */
  made({ id, createdAt, updatedAt }: Pick<TaskRecord, 'id' | 'createdAt' | 'updatedAt'>): void {
    this.#madeId = id;
    this.#note(Math.min(createdAt, updatedAt));
    this.#knows(createdAt);
  }

  /** Writes it, where it has grown. */
  store(): void {
    this.#note(this.#now);
    if (this.#skew !== this.#stored) this.#database.run(STORE, String(this.#skew));
  }

  /** The transaction was rolled back. */
  undone(): void {
    this.#madeId = null;
  }

  /** Learns of what others stored since the last transaction. */
  #lookUp(): void {
    const known = this.#last;
    const stands = known !== null && this.#database.get(STANDS, known.seq, known.id) !== undefined;
    const [latest, first, count] = this.#database.get(RECENT_SINCE, stands ? known.seq : Number.MIN_SAFE_INTEGER) ?? [];
    this.#knows(latest);
    if (count !== RECENT || typeof first !== 'number') return;
    // What would take long to find out is taken for what it is at most.
    const before = this.#database.get(CREATED_AT, first)?.[0];
    if (typeof before === 'number') this.#knows(before + this.#stored);
  }

  #knows(createdAt: unknown): void {
    if (typeof createdAt === 'number' && createdAt > this.#latest) this.#latest = createdAt;
  }

  #note(time: number): void {
    if (this.#latest - time > this.#skew) this.#skew = this.#latest - time;
  }
}

/** In ms, as far as it is committed. */
export function readSkew(database: Database): number {
  return Number(database.get(STORED)?.[0] ?? 0);
}
