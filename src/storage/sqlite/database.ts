import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

/** A row as SQLite answers it: the columns in the order of the statement. */
export type Row = readonly SQLOutputValue[];

/** What can be bound to a statement. */
export type Bindable = SQLInputValue;

/** Statements of lists differ by their filter; more than this are prepared anew. */
const MAX_STATEMENTS = 500;

/**
 * A database file with its prepared statements. All calls are synchronous and throw what `node:sqlite` throws.
 *
 * SQLite plans by the value of a limit: a bare parameter there makes it prepare the statement anew at every call, which
 * costs more than most calls. Hence `limit ? + 0` everywhere.
 */
export class Database {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string) {
    // No waiting inside SQLite: it would hold up the event loop, and is unfair between processes.
    this.#database = new DatabaseSync(path, { timeout: 0 });
  }

  /** Whether a transaction is open. Some errors end it by themselves. */
  get inTransaction(): boolean {
    return this.#database.isTransaction;
  }

  /** Runs statements that answer nothing. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Makes a function of ours known to SQL. It must not depend on anything but its arguments. */
  define(name: string, compute: (...values: SQLOutputValue[]) => SQLInputValue): void {
    this.#database.function(name, { deterministic: true, varargs: true }, compute);
  }

  /** Runs a write. @returns how many rows it changed */
  run(sql: string, ...values: Bindable[]): number {
    return this.#prepared(sql).run(...values).changes as number;
  }

  /** Inserts rows. @returns how many there was no conflict for, and the rowid of the last of those */
  insert(sql: string, ...values: Bindable[]): { readonly rows: number; readonly last: number } {
    const { changes, lastInsertRowid } = this.#prepared(sql).run(...values);
    return { rows: changes as number, last: lastInsertRowid as number };
  }

  /** All rows. With `returning` they come in no order. */
  all(sql: string, ...values: Bindable[]): readonly Row[] {
    return this.#prepared(sql).all(...values) as unknown as readonly Row[];
  }

  /** The first row. Not for writes: those must be stepped to their end. */
  get(sql: string, ...values: Bindable[]): Row | undefined {
    return this.#prepared(sql).get(...values) as unknown as Row | undefined;
  }

  /** Lets go of the file. */
  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    statement.setReturnArrays(true);
    if (this.#statements.size >= MAX_STATEMENTS) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    this.#statements.set(sql, statement);
    return statement;
  }
}
