import type { JsonValue } from '../../task/json.ts';
import type { Settlement } from '../storage.ts';
import type { Row } from './database.ts';
import { follow } from './follow.ts';
import { COUNTED } from './rows.ts';
import { decodeText, encodeJson } from './text.ts';
import type { Transaction } from './transaction.ts';

// To read first and write then is faster than `returning`, which fills a table of its own.
const COLUMNS = 'seq, id, handler, edges from tasklane_task';
const HELD = `select ${COLUMNS} where id = ? and token = ? and status = 3`;
const HELD_STRETCH = `select ${COLUMNS} where seq between ? and ? and token = ? and status = 3`;
const SUCCEED =
  'update tasklane_task set status = 5, result = ?, error = null, run_at = null, finished_at = ?, updated_at = ?, ' +
  'version = version + 1, started_at = ?, started = 1';
const SUCCEED_ONE = `${SUCCEED} where seq = ?`;
const SUCCEED_STRETCH = `${SUCCEED} where seq between ? and ?`;

/** So many are presumed to have been submitted one after the other, at first and at most. */
const FIRST = 16;
const MOST = 256;

/**
 * What nearly all ends of attempts are: the handler returned, and there is nothing more to say. Tasks that were submitted
 * one after the other mostly end so, and are written by one statement as far as their outcomes are the same.
 */
export class Successes {
  readonly #transaction: Transaction;
  readonly #settlements: readonly Settlement[];
  /** How many are looked for in one stretch: more after one that was whole, fewer after one that was not. */
  #size = FIRST;

  constructor(transaction: Transaction, settlements: readonly Settlement[]) {
    this.#transaction = transaction;
    this.#settlements = settlements;
  }

  /** Writes those from a place on that follow one another. @returns how many; 0: there is more to the first */
  write(from: number): number {
    const token = this.#settlements[from]?.lease.token;
    if (token === undefined) return 0;
    let wanted = 0;
    while (wanted < this.#size && this.#isAlike(from + wanted, token)) wanted++;
    if (wanted === 0) return 0;
    const rows = this.#stretch(from, wanted, token);
    for (let at = 0; at < rows.length; ) at += this.#writeAlike(from, rows, at);
    if (rows.length < wanted) this.#size = Math.max(1, rows.length);
    else if (wanted === this.#size) this.#size = Math.min(this.#size * 2, MOST);
    return rows.length;
  }

  #isAlike(at: number, token: string): boolean {
    const settlement = this.#settlements[at];
    return settlement !== undefined && settlement.lease.token === token && isPlainSuccess(settlement);
  }

  /** The rows of the first so many settlements from a place on, as far as they follow one another. */
  #stretch(from: number, most: number, token: string): readonly Row[] {
    const { database } = this.#transaction;
    const first = database.get(HELD, this.#settlements[from]?.lease.taskId ?? null, token);
    if (first === undefined) return [];
    if (most === 1 || hasEdges(first)) return [first];
    const seq = first[0] as number;
    const rows = database.all(HELD_STRETCH, seq, seq + most - 1, token);
    const count = rows.findIndex(
      (row, at) => row[0] !== seq + at || row[1] !== this.#settlements[from + at]?.lease.taskId || hasEdges(row),
    );
    return count < 0 ? rows : rows.slice(0, count);
  }

  /** @returns how many had the same outcome at the same time */
  #writeAlike(from: number, rows: readonly Row[], at: number): number {
    const { database, now } = this.#transaction;
    const { startedAt = null } = this.#settlements[from + at] ?? {};
    const result = this.#resultOf(from + at);
    let end = at + 1;
    while (
      end < rows.length &&
      this.#settlements[from + end]?.startedAt === startedAt &&
      this.#resultOf(from + end) === result
    ) {
      end++;
    }
    const [first, last] = [rows[at]?.[0] ?? null, rows[end - 1]?.[0] ?? null];
    if (first === last) database.run(SUCCEED_ONE, result, now, now, startedAt, first);
    else database.run(SUCCEED_STRETCH, result, now, now, startedAt, first, last);
    for (let one = at; one < end; one++) this.#written(rows[one]);
    return end - at;
  }

  #resultOf(at: number): string | null {
    return encodeJson(this.#settlements[at]?.steps.running?.set?.result as JsonValue);
  }

  #written(row: Row | undefined): void {
    if (row === undefined) return;
    const { counts, happened, moved, touched } = this.#transaction;
    const [seq, id, name, edges] = row as readonly [number, string, string, number];
    const handler = decodeText(name);
    counts.add(handler, 'running', false, -1);
    counts.add(handler, 'succeeded', false, 1);
    happened.changed(id);
    if (edges === 0) return;
    moved.push({ stored: { seq, edges, task: { id, status: 'succeeded', error: null } }, from: 'running' });
    if ((edges & COUNTED) !== 0) touched.add(seq);
    follow(this.#transaction, false);
  }
}

/** What follows from its end is to be done before the next is looked at. */
function hasEdges(row: Row): boolean {
  return row[3] !== 0;
}

function isPlainSuccess({ steps, startedAt, progress, checkpoint, log, leakEnded }: Settlement): boolean {
  const step = steps.running;
  if (step?.reason !== 'succeeded' || step.to !== 'succeeded' || step.set === undefined) return false;
  if (step.count !== undefined || step.delayMs !== undefined || step.revoke || step.leakedBy !== undefined)
    return false;
  if (startedAt === undefined || progress !== undefined || checkpoint !== undefined) return false;
  if ((log !== undefined && log.length > 0) || leakEnded) return false;
  for (const key in step.set) if (key !== 'result' && key !== 'error') return false;
  return step.set.error === null && step.set.result !== undefined;
}
