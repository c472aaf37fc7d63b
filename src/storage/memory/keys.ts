import { isFinal } from '../../task/status.ts';
import type { InsertAnswer, TaskDraft, UniqueRule } from '../storage.ts';
import { Heap } from './heap.ts';
import { neverStarted, type Row } from './row.ts';

interface IdempotencyEntry {
  readonly key: string;
  readonly row: Row;
  readonly fingerprint: string;
  readonly expiresAt: number;
}

/** The tasks of one unique key. */
interface Holders {
  /** Unfinished, or with a handler that runs on. */
  readonly open: Set<Row>;
  /** All that are still there, in submit order; removed ones are skipped. */
  made: Row[];
  gone: number;
}

/** Keys that let an earlier task answer. Nothing is kept for tasks without one. */
export class Keys {
  readonly #idempotency = new Map<string, IdempotencyEntry>();
  readonly #expiring = new Heap<IdempotencyEntry>((a, b) => a.expiresAt < b.expiresAt);
  readonly #unique = new Map<string, Holders>();

  /** What the task that an idempotency key names has to say about a draft; null: there is none. */
  byIdempotency({ record, idempotency }: TaskDraft, now: number): InsertAnswer | null {
    if (idempotency === undefined || record.idempotencyKey === null) return null;
    const entry = this.#idempotency.get(keyOf(record.submittedBy, record.idempotencyKey));
    if (entry === undefined || entry.expiresAt <= now || entry.row.gone) return null;
    const taskId = entry.row.id;
    return entry.fingerprint === idempotency.fingerprint
      ? { made: false, matched: 'idempotency', taskId }
      : { made: false, refused: 'idempotency_conflict', taskId };
  }

  /** The task that a unique key lets stand in the way of a draft. */
  inTheWay({ record }: TaskDraft, { scope, ownOnly }: UniqueRule, now: number): Row | undefined {
    if (record.uniqueKey === null) return undefined;
    const holders = this.#unique.get(keyOf(record.handler, record.uniqueKey));
    if (holders === undefined) return undefined;
    const counts = (row: Row): boolean => !ownOnly || row.submittedBy === record.submittedBy;
    if (typeof scope === 'object') {
      return holders.made.findLast((row) => !row.gone && row.createdAt > now - scope.windowMs && counts(row));
    }
    let first: Row | undefined;
    for (const row of holders.open) {
      const isFirst = first === undefined || row.sequence < first.sequence;
      if (isFirst && (scope === 'unfinished' || neverStarted(row)) && counts(row)) first = row;
    }
    return first;
  }

  /** Another unfinished task with the same unique key, which a restart of this one has to leave alone. */
  holder(row: Row): Row | undefined {
    if (row.uniqueKey === null) return undefined;
    const open = this.#unique.get(keyOf(row.handler, row.uniqueKey))?.open ?? [];
    for (const other of open) if (other !== row) return other;
    return undefined;
  }

  /** A task was made. */
  add(row: Row, idempotency: TaskDraft['idempotency']): void {
    this.answer(row, row.idempotencyKey, idempotency);
    if (row.uniqueKey === null) return;
    const key = keyOf(row.handler, row.uniqueKey);
    const holders = this.#unique.get(key);
    if (holders === undefined) this.#unique.set(key, { open: new Set([row]), made: [row], gone: 0 });
    else {
      holders.open.add(row);
      holders.made.push(row);
    }
  }

  /** A task answers for an idempotency key of its submitter from now on. */
  answer(row: Row, idempotencyKey: string | null, idempotency: TaskDraft['idempotency']): void {
    if (idempotencyKey === null || idempotency === undefined) return;
    const key = keyOf(row.submittedBy, idempotencyKey);
    const entry = { key, row, fingerprint: idempotency.fingerprint, expiresAt: idempotency.expiresAt };
    this.#idempotency.set(key, entry);
    this.#expiring.push(entry);
  }

  /** Takes that back. */
  answerNoMore(row: Row, idempotencyKey: string | null): void {
    if (idempotencyKey === null) return;
    const key = keyOf(row.submittedBy, idempotencyKey);
    if (this.#idempotency.get(key)?.row === row) this.#idempotency.delete(key);
  }

  /** The status or the leak of a task changed. */
  moved(row: Row): void {
    if (row.uniqueKey === null || row.gone) return;
    const open = this.#unique.get(keyOf(row.handler, row.uniqueKey))?.open;
    if (isFinal(row.status) && row.leakedBy === null) open?.delete(row);
    else open?.add(row);
  }

  /** A task was removed. */
  remove(row: Row): void {
    this.answerNoMore(row, row.idempotencyKey);
    if (row.uniqueKey === null) return;
    const key = keyOf(row.handler, row.uniqueKey);
    const holders = this.#unique.get(key);
    if (holders === undefined) return;
    holders.open.delete(row);
    holders.gone++;
    if (holders.gone === holders.made.length) this.#unique.delete(key);
    else if (holders.gone * 2 > holders.made.length) {
      holders.made = holders.made.filter((made) => !made.gone);
      holders.gone = 0;
    }
  }

  /** Forgets idempotency keys whose time is over. */
  expire(now: number): void {
    for (let top = this.#expiring.peek(); top !== undefined && top.expiresAt <= now; top = this.#expiring.peek()) {
      this.#expiring.pop();
      if (this.#idempotency.get(top.key) === top) this.#idempotency.delete(top.key);
    }
    if (this.#expiring.size > this.#idempotency.size * 2 + 1_000) {
      this.#expiring.keep((entry) => this.#idempotency.get(entry.key) === entry);
    }
  }
}

/** Both parts may hold any character. */
function keyOf(scope: string | null, key: string): string {
  return JSON.stringify([scope, key]);
}
