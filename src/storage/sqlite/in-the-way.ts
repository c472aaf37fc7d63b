import type { TaskRecord } from '../../task/record.ts';
import { replacement, successor } from '../../task/replace.ts';
import { isFinal } from '../../task/status.ts';
import type { InsertAnswer, TaskDraft, UniqueRule } from '../storage.ts';
import { recordOf, statusCode } from './rows.ts';
import { encodeNullableText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';
import { readStored, writePatch } from './write.ts';

const MADE: InsertAnswer = { made: true };
const LAST_UNCLAIMED = statusCode('queued');

/** @returns the answer of an earlier task, which the draft may have replaced, or the draft as it is to be made */
export function inTheWay(transaction: Transaction, draft: TaskDraft): InsertAnswer | TaskDraft {
  const { record, idempotency, unique } = draft;
  if (idempotency !== undefined && record.idempotencyKey !== null) {
    const row = transaction.database.get(
      'select task_id, fingerprint from tasklane_key where scope = ? and key = ? and expires_at > ?',
      scopeOf(record),
      encodeText(record.idempotencyKey),
      transaction.now,
    );
    // A task may answer for more keys than its own, which stay when it goes.
    if (row !== undefined && isThere(transaction, row[0] as string)) {
      const taskId = row[0] as string;
      if (taskId === record.id) return MADE;
      if (row[1] !== idempotency.fingerprint) return { made: false, refused: 'idempotency_conflict', taskId };
      return { made: false, matched: 'idempotency', taskId };
    }
  }
  if (unique === undefined || record.uniqueKey === null) return draft;
  if (isThere(transaction, record.id)) return MADE;
  const { handler, uniqueKey, submittedBy } = record;
  const owner = unique.ownOnly ? { submittedBy } : null;
  const taskId = holderOf(transaction, handler, uniqueKey, unique.scope, record.id, owner);
  if (taskId === null) return draft;
  switch (unique.onConflict) {
    case 'skip':
      return { made: false, matched: 'unique', taskId };
    case 'error':
      return { made: false, refused: 'unique_conflict', taskId };
    case 'replace':
      return replace(transaction, taskId, draft, unique);
    case 'runAfter':
      return runAfter(transaction, taskId, draft, unique);
  }
}

function runAfter(
  transaction: Transaction,
  holderId: string,
  draft: TaskDraft,
  unique: UniqueRule,
): InsertAnswer | TaskDraft {
  const { id, handler, uniqueKey } = draft.record;
  const waiting = uniqueKey === null ? null : holderOf(transaction, handler, uniqueKey, 'unstarted', id);
  if (waiting !== null) return replace(transaction, waiting, draft, unique);
  const holder = readStored(transaction, holderId, false)?.task;
  return holder !== undefined && !isFinal(holder.status) && holder.submittedBy === draft.record.submittedBy
    ? successor(draft, holderId)
    : { made: false, refused: 'unique_conflict', taskId: holderId };
}

/**
 * The task that stands in the way of another of the same handler and key; null: none does.
 * @param exceptId a task is not in its own way
 * @param owner only tasks of this submitter count; null: anybody's
 */
export function holderOf(
  { database, now }: Transaction,
  handler: string,
  uniqueKey: string,
  scope: UniqueRule['scope'],
  exceptId: string,
  owner: Pick<TaskRecord, 'submittedBy'> | null = null,
): string | null {
  const values = [encodeText(handler), encodeText(uniqueKey)];
  const own = owner === null ? '' : 'and submitted_by is ?';
  const owners = owner === null ? [] : [encodeNullableText(owner.submittedBy)];
  let row: readonly unknown[] | undefined;
  if (typeof scope === 'object') {
    const sql =
      'select id from tasklane_task indexed by tasklane_task_unique where handler = ? and unique_key = ? ' +
      `and unique_key is not null and created_at > ? and id <> ? ${own} order by created_at desc, seq desc limit 1`;
    row = database.get(sql, ...values, now - scope.windowMs, exceptId, ...owners);
  } else {
    const unstarted = scope === 'unstarted' ? 'and status < 3 and started = 0' : '';
    const sql =
      'select id from tasklane_task indexed by tasklane_task_holder where handler = ? and unique_key = ? ' +
      `and unique_key is not null and (status < 5 or leaked_by is not null) ${unstarted} and id <> ? ${own} limit 1`;
    row = database.get(sql, ...values, exceptId, ...owners);
  }
  return row === undefined ? null : (row[0] as string);
}

function replace(
  transaction: Transaction,
  taskId: string,
  { record, idempotency }: TaskDraft,
  unique: UniqueRule,
): InsertAnswer {
  const stored = readStored(transaction, taskId, false);
  const isUnstarted = stored !== null && !stored.started && statusCode(stored.task.status) <= LAST_UNCLAIMED;
  if (!isUnstarted || stored.task.submittedBy !== record.submittedBy) {
    return { made: false, refused: 'unique_conflict', taskId };
  }
  if (idempotency !== undefined) writeKey(transaction, record, idempotency, taskId);
  const patch = replacement(stored.task, record, unique, transaction.now);
  return { made: false, matched: 'unique', taskId, replaced: recordOf(writePatch(transaction, stored, patch).task) };
}

/** A task answers for the idempotency key of a record from now on. */
export function writeKey(
  { database }: Transaction,
  record: TaskRecord,
  { fingerprint, expiresAt }: NonNullable<TaskDraft['idempotency']>,
  taskId: string,
): void {
  if (record.idempotencyKey === null) return;
  database.run(
    'insert or replace into tasklane_key(scope, key, task_id, fingerprint, expires_at) values(?, ?, ?, ?, ?)',
    scopeOf(record),
    encodeText(record.idempotencyKey),
    taskId,
    fingerprint,
    expiresAt,
  );
}

/** Whose idempotency keys: a submitter's, or those of nobody in particular. */
export function scopeOf({ submittedBy }: Pick<TaskRecord, 'submittedBy'>): string {
  return submittedBy === null ? '' : encodeText(`by ${submittedBy}`);
}

/** Whether there is a task of this id. */
export function isThere({ database }: Transaction, id: string): boolean {
  return database.get('select 1 from tasklane_task where id = ?', id) !== undefined;
}
