import { isFinal } from '../../task/status.ts';
import type { InsertAnswer, TaskDraft, UniqueRule } from '../storage.ts';
import { Heap } from './heap.ts';
import { neverStarted, type Row } from './row.ts';

interface IdempotencyEntry {
  readonly key: string;
  readonly taskId: string;
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

  /** What an earlier task has to say about a draft; null: nothing stands in the way. */
  check({ record, idempotency, unique }: TaskDraft, now: number): InsertAnswer | null {
    if (idempotency !== undefined && record.idempotencyKey !== null) {
      const entry = this.#idempotency.get(keyOf(record.submittedBy, record.idempotencyKey));
      if (entry !== undefined && entry.expiresAt > now) {
        const { taskId } = entry;
        return entry.fingerprint === idempotency.fingerprint
          ? { made: false, matched: 'idempotency', taskId }
          : { made: false, refused: 'idempotency_conflict', taskId };
      }
    }
    if (unique !== undefined && record.uniqueKey !== null) {
      const holder = this.#inTheWay(keyOf(record.handler, record.uniqueKey), unique.scope, now);
      if (holder !== undefined) {
        return unique.onConflict === 'skip'
          ? { made: false, matched: 'unique', taskId: holder.id }
          : { made: false, refused: 'unique_conflict', taskId: holder.id };
      }
    }
    return null;
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
    if (row.idempotencyKey !== null && idempotency !== undefined) {
      const key = keyOf(row.submittedBy, row.idempotencyKey);
      const entry = { key, taskId: row.id, fingerprint: idempotency.fingerprint, expiresAt: idempotency.expiresAt };
      this.#idempotency.set(key, entry);
      this.#expiring.push(entry);
    }
    if (row.uniqueKey === null) return;
    const key = keyOf(row.handler, row.uniqueKey);
    const holders = this.#unique.get(key);
    if (holders === undefined) this.#unique.set(key, { open: new Set([row]), made: [row], gone: 0 });
    else {
      holders.open.add(row);
      holders.made.push(row);
    }
  }

  /** The status or the leak of a task changed. */
  moved(row: Row): void {
    if (row.uniqueKey === null) return;
    const open = this.#unique.get(keyOf(row.handler, row.uniqueKey))?.open;
    if (isFinal(row.status) && row.leakedBy === null) open?.delete(row);
    else open?.add(row);
  }

  /** A task was removed. */
  remove(row: Row): void {
    if (row.idempotencyKey !== null) {
      const key = keyOf(row.submittedBy, row.idempotencyKey);
      if (this.#idempotency.get(key)?.taskId === row.id) this.#idempotency.delete(key);
    }
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

  #inTheWay(key: string, scope: UniqueRule['scope'], now: number): Row | undefined {
    const holders = this.#unique.get(key);
    if (holders === undefined) return undefined;
    if (typeof scope === 'object') {
      return holders.made.findLast((row) => !row.gone && row.createdAt > now - scope.windowMs);
    }
    for (const row of holders.open) if (scope === 'unfinished' || neverStarted(row)) return row;
    return undefined;
  }
}

/** Both parts may hold any character. */
function keyOf(scope: string | null, key: string): string {
  return JSON.stringify([scope, key]);
}
