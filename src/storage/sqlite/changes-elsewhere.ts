import type { Hint } from '../storage.ts';
import type { Database, Row } from './database.ts';
import { updatedParts } from './times.ts';

/** More than this at once are told as "many did". */
const MANY = 1_000;
/** A transaction stamps what it writes when it begins, and may be seen only after a later one's. */
const OVERLAP_MS = 1_000;

const CHANGED = updatedParts([]).map(
  ({ index, where, column }) =>
    `select id, version, updated_at from tasklane_task indexed by ${index} where ${where} and ${column} >= ? ` +
    `order by ${column} limit ${MANY + 1}`,
);

/** Finds the tasks that changed since it looked last. */
export class ChangesElsewhere {
  readonly #database: Database;
  /** Everything up to then was seen, as far as it is not in `#seen`; epoch ms. */
  #from: number;
  /** Versions of the tasks that changed since. */
  #seen = new Map<string, number>();

  /** @param now epoch ms */
  constructor(database: Database, now: number) {
    this.#database = database;
    this.#from = now - OVERLAP_MS;
    for (const [id, version] of this.#changedSince(this.#from)) this.#seen.set(id as string, version as number);
  }

  /** What changed, each told once. @param now epoch ms */
  take(now: number): readonly Hint[] {
    // The clock may have gone back: what was written since then bears earlier times.
    const from = Math.min(this.#from, now - OVERLAP_MS);
    const rows = this.#changedSince(from);
    this.#from = now - OVERLAP_MS;
    if (rows.length > MANY) {
      this.#seen.clear();
      return [{ kind: 'changed', id: null }];
    }
    const seen = new Map<string, number>();
    const hints: Hint[] = [];
    for (const [id, version, updatedAt] of rows as readonly (readonly [string, number, number])[]) {
      if (this.#seen.get(id) !== version) hints.push({ kind: 'changed', id });
      if (updatedAt >= this.#from) seen.set(id, version);
    }
    this.#seen = seen;
    return hints;
  }

  #changedSince(from: number): readonly Row[] {
    return CHANGED.flatMap((sql) => this.#database.all(sql, from));
  }
}
