import type { TaskRecord } from '../../task/record.ts';
import type { TaskDraft } from '../storage.ts';
import type { EarlyClaim } from './early-claim.ts';
import { COMMON_COLUMNS, commonValues, encodeMore, encodeTags } from './rows.ts';
import { encodeJson } from './text.ts';
import type { Transaction } from './transaction.ts';

/** Rows of one statement: the most that fit are taken at a time. Each further size is one more statement to prepare. */
const SIZES = [64, 8, 1] as const;
const STATEMENTS: ReadonlyMap<number, string> = new Map(SIZES.map((size) => [size, insertOf(size)]));

/**
 * The drafts that most are: with nothing but an input. Those that follow one another differ in their ids and inputs only,
 * so they are stored many by one statement: binding a value costs more than storing it.
 */
export class PlainRows {
  readonly #transaction: Transaction;
  readonly #early: EarlyClaim | null;
  /** All alike but for id and input. */
  #waiting: TaskDraft[] = [];
  /** As they are to be stored; those of a claim differ from what was submitted. */
  #tasks: TaskRecord[] = [];

  constructor(transaction: Transaction, early: EarlyClaim | null) {
    this.#transaction = transaction;
    this.#early = early;
  }

  /** @returns false: it is no such draft, and is to be stored by itself, after {@link store} */
  add(draft: TaskDraft): boolean {
    if (draft.idempotency !== undefined || draft.unique !== undefined || draft.by !== undefined) return false;
    if (draft.showsChildren || draft.weight !== undefined || !isPlain(draft.record)) return false;
    const task = this.#early?.taken(draft, this.#transaction.now) ?? draft.record;
    const first = this.#tasks[0];
    if (first !== undefined && !isAlike(first, task, this.#waiting[0]?.maxLost === draft.maxLost)) this.store();
    this.#waiting.push(draft);
    this.#tasks.push(task);
    return true;
  }

  /** Stores what was added. */
  store(): void {
    for (let from = 0; from < this.#tasks.length; ) {
      const left = this.#tasks.length - from;
      const size = SIZES.find((rows) => rows <= left) ?? 1;
      this.#insert(from, size);
      from += size;
    }
    this.#waiting = [];
    this.#tasks = [];
  }

  #insert(from: number, size: number): void {
    const { database } = this.#transaction;
    const [task] = this.#tasks;
    const maxLost = this.#waiting[0]?.maxLost ?? 0;
    if (task === undefined) return;
    const token = task.status === 'running' ? (this.#early?.request.token ?? null) : null;
    const values = commonValues(task, maxLost, token);
    for (let at = from; at < from + size; at++) {
      const row = this.#tasks[at];
      values.push(row?.id ?? null, encodeJson(row?.input));
    }
    const { rows, last } = database.insert(STATEMENTS.get(size) ?? '', ...values);
    for (let at = from; at < from + size; at++) {
      // What was not stored is there already, from an earlier try: no row has a larger place than those just stored.
      if (rows === size || (rows > 0 && this.#placeOf(at) > last - rows)) this.#made(at);
    }
  }

  #made(at: number): void {
    const { counts, skew, happened } = this.#transaction;
    const draft = this.#waiting[at];
    const task = this.#tasks[at];
    if (draft === undefined || task === undefined) return;
    if (task !== draft.record) this.#early?.took(task, draft.maxLost);
    skew.made(task);
    counts.add(task.handler, task.status, false, 1);
    if (task.status === 'queued') happened.queued(task.priority);
    happened.changed(task.id);
  }

  #placeOf(at: number): number {
    const row = this.#transaction.database.get(
      'select seq from tasklane_task where id = ?',
      this.#tasks[at]?.id ?? null,
    );
    return row?.[0] as number;
  }
}

/** Not with `?1`, which Node 22 takes for a name. */
function insertOf(size: number): string {
  const into = `insert into tasklane_task(${COMMON_COLUMNS}, id, input, edges, started)`;
  const bound = COMMON_COLUMNS.replace(/\w+/g, '?');
  if (size === 1) return `${into} values (${bound}, ?, ?, 0, 0) on conflict(id) do nothing`;
  return (
    `${into} with common(${COMMON_COLUMNS}) as (values (${bound})), ` +
    `own(id, input) as (values ${Array.from({ length: size }, () => '(?, ?)').join(', ')}) ` +
    `select ${COMMON_COLUMNS}, own.id, own.input, 0, 0 from common cross join own where true on conflict(id) do nothing`
  );
}

/** Whether nothing is to be stored of it but what the statement takes. */
function isPlain(record: TaskRecord): boolean {
  return (
    record.runAt === null &&
    record.startBy === null &&
    record.submittedBy === null &&
    record.entityId === null &&
    record.parentId === null &&
    record.scheduleId === null &&
    record.description === null &&
    record.uniqueKey === null &&
    encodeTags(record.tags) === null &&
    encodeMore(record) === null
  );
}

function isAlike(one: TaskRecord, other: TaskRecord, sameMaxLost: boolean): boolean {
  return (
    sameMaxLost &&
    one.handler === other.handler &&
    one.status === other.status &&
    one.priority === other.priority &&
    one.version === other.version &&
    one.attempt === other.attempt &&
    one.maxAttempts === other.maxAttempts &&
    one.createdAt === other.createdAt &&
    one.queuedAt === other.queuedAt &&
    one.updatedAt === other.updatedAt &&
    one.workerId === other.workerId
  );
}
