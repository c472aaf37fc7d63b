import type { TaskRecord } from '../../task/record.ts';
import type { DocumentPut, InsertAnswer, TaskDraft, UniqueRule } from '../storage.ts';
import { countUnfinished } from './counters.ts';
import { putDocument, readDocument } from './documents.ts';
import { InsertEdges } from './insert-edges.ts';
import { encodeMore, encodeTags, statusCode } from './rows.ts';
import { encodeJson, encodeNullableText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';
import { writeTags } from './write.ts';

const INSERT =
  'insert into tasklane_task(id, handler, status, priority, version, attempt, max_attempts, max_lost, started, ' +
  'created_at, queued_at, updated_at, run_at, start_by, submitted_by, entity_id, parent_id, schedule_id, description, ' +
  'unique_key, tags, more, input, edges) ' +
  'values(?, ?, ?, ?, ?, 0, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ' +
  'on conflict(id) do nothing';

const MADE: InsertAnswer = { made: true };
const QUEUE_FULL: InsertAnswer = { made: false, refused: 'queue_full' };
const CONFLICT: InsertAnswer = { made: false, refused: 'document_conflict' };
const NOT_ALONE: InsertAnswer = { made: false, refused: 'not_alone' };

/** What bounds an insert, and goes with it. */
export interface InsertOptions {
  readonly atomic?: boolean;
  readonly maxUnfinished?: number;
  readonly documents?: readonly DocumentPut[];
}

/** Stores tasks in the given order; see `TasksIn.insert`. */
export function insertDrafts(
  transaction: Transaction,
  drafts: readonly TaskDraft[],
  options: InsertOptions,
): readonly InsertAnswer[] {
  const { documents } = options;
  if (documents === undefined) return insertTasks(transaction, drafts, options);
  const { database, now } = transaction;
  if (drafts.some(({ record }) => isThere(transaction, record.id))) return drafts.map(() => MADE);
  const isCurrent = ({ kind, key, ifVersion }: DocumentPut): boolean =>
    (readDocument(database, kind, key, now)?.version ?? 0) === ifVersion;
  if (drafts.length === 0 || !documents.every(isCurrent)) return drafts.map(() => CONFLICT);
  const answers = insertTasks(transaction, drafts, { ...options, atomic: true });
  if (answers.some(isRefused)) return answers;
  for (const { kind, key, value, dueAt } of documents) putDocument(transaction, kind, key, value, { dueAt });
  return answers;
}

function insertTasks(
  transaction: Transaction,
  drafts: readonly TaskDraft[],
  { atomic = false, maxUnfinished = Number.POSITIVE_INFINITY }: InsertOptions,
): readonly InsertAnswer[] {
  const mayRefuse =
    maxUnfinished !== Number.POSITIVE_INFINITY ||
    drafts.some(
      (draft) => draft.idempotency !== undefined || draft.unique !== undefined || draft.dependsOn !== undefined,
    );
  if (!atomic || drafts.length < 2 || !mayRefuse) return insertEach(transaction, drafts, atomic, maxUnfinished);
  return transaction.part((part) => {
    const answers = insertEach(part, drafts, atomic, maxUnfinished);
    const keep = !answers.some(isRefused);
    return { keep, value: keep ? answers : answers.map((answer) => (isRefused(answer) ? answer : NOT_ALONE)) };
  });
}

function insertEach(
  transaction: Transaction,
  drafts: readonly TaskDraft[],
  atomic: boolean,
  maxUnfinished: number,
): readonly InsertAnswer[] {
  let room = Number.POSITIVE_INFINITY;
  if (maxUnfinished !== Number.POSITIVE_INFINITY) {
    room = maxUnfinished - countUnfinished(transaction.database) - transaction.counts.sum(false);
  }
  const edges = drafts.some(({ dependsOn }) => dependsOn !== undefined)
    ? new InsertEdges(transaction, drafts, atomic)
    : null;
  const answers = drafts.map((draft, index): InsertAnswer => {
    const answer = edges?.ofParent(draft) ?? inTheWay(transaction, draft);
    if (answer !== null) {
      if ('matched' in answer) edges?.matched(draft, answer.taskId);
      return answer;
    }
    const missing = room <= 0 ? QUEUE_FULL : (edges?.missing(draft) ?? null);
    if (missing !== null) return isThere(transaction, draft.record.id) ? MADE : missing;
    const seq = insertOne(transaction, draft, edges?.bitsOf(draft) ?? 0);
    if (seq === null) return MADE;
    room--;
    edges?.made(index, seq, draft);
    return MADE;
  });
  edges?.store(answers);
  return answers;
}

/** The answer of an earlier task, or null when there is none. */
function inTheWay(transaction: Transaction, { record, idempotency, unique }: TaskDraft): InsertAnswer | null {
  if (idempotency !== undefined && record.idempotencyKey !== null) {
    const row = transaction.database.get(
      'select task_id, fingerprint from tasklane_key where scope = ? and key = ? and expires_at > ?',
      scopeOf(record),
      encodeText(record.idempotencyKey),
      transaction.now,
    );
    if (row !== undefined) {
      const taskId = row[0] as string;
      if (taskId === record.id) return MADE;
      if (row[1] !== idempotency.fingerprint) return { made: false, refused: 'idempotency_conflict', taskId };
      return { made: false, matched: 'idempotency', taskId };
    }
  }
  if (unique !== undefined && record.uniqueKey !== null) {
    if (isThere(transaction, record.id)) return MADE;
    const taskId = holderOf(transaction, record.handler, record.uniqueKey, unique.scope, record.id);
    if (taskId === null) return null;
    if (unique.onConflict === 'error') return { made: false, refused: 'unique_conflict', taskId };
    return { made: false, matched: 'unique', taskId };
  }
  return null;
}

/**
 * The task that stands in the way of another of the same handler and key; null: none does.
 * @param exceptId a task is not in its own way
 */
export function holderOf(
  { database, now }: Transaction,
  handler: string,
  uniqueKey: string,
  scope: UniqueRule['scope'],
  exceptId: string,
): string | null {
  const key = encodeText(uniqueKey);
  let row: readonly unknown[] | undefined;
  if (typeof scope === 'object') {
    const sql =
      'select id from tasklane_task indexed by tasklane_task_unique where handler = ? and unique_key = ? ' +
      'and unique_key is not null and created_at > ? and id <> ? order by created_at limit 1';
    row = database.get(sql, encodeText(handler), key, now - scope.windowMs, exceptId);
  } else {
    const unstarted = scope === 'unstarted' ? 'and status < 3 and started = 0' : '';
    const sql =
      'select id from tasklane_task indexed by tasklane_task_holder where handler = ? and unique_key = ? ' +
      `and unique_key is not null and (status < 5 or leaked_by is not null) ${unstarted} and id <> ? limit 1`;
    row = database.get(sql, encodeText(handler), key, exceptId);
  }
  return row === undefined ? null : (row[0] as string);
}

/** @returns its place; null when a task of this id is there already */
function insertOne(
  transaction: Transaction,
  { record, maxLost, idempotency }: TaskDraft,
  edges: number,
): number | null {
  const { database, counts, happened } = transaction;
  const seq = database.insert(
    INSERT,
    record.id,
    encodeText(record.handler),
    statusCode(record.status),
    record.priority,
    record.version,
    record.maxAttempts,
    maxLost,
    record.createdAt,
    record.queuedAt,
    record.updatedAt,
    record.runAt,
    record.startBy,
    encodeNullableText(record.submittedBy),
    encodeNullableText(record.entityId),
    encodeNullableText(record.parentId),
    encodeNullableText(record.scheduleId),
    encodeNullableText(record.description),
    encodeNullableText(record.uniqueKey),
    encodeTags(record.tags),
    encodeMore(record),
    encodeJson(record.input),
    edges,
  );
  if (seq === null) return null;
  counts.add(record.handler, record.status, false, 1);
  writeTags(transaction, seq, record.tags);
  if (idempotency !== undefined && record.idempotencyKey !== null) {
    database.run(
      'insert or replace into tasklane_key(scope, key, task_id, fingerprint, expires_at) values(?, ?, ?, ?, ?)',
      scopeOf(record),
      encodeText(record.idempotencyKey),
      record.id,
      idempotency.fingerprint,
      idempotency.expiresAt,
    );
  }
  if (record.status === 'queued') happened.queued(record.priority);
  if (record.status === 'scheduled' && record.runAt !== null) happened.scheduled(record.runAt);
  happened.changed(record.id);
  return seq;
}

/** Whose idempotency keys: a submitter's, or those of nobody in particular. */
export function scopeOf({ submittedBy }: Pick<TaskRecord, 'submittedBy'>): string {
  return submittedBy === null ? '' : encodeText(`by ${submittedBy}`);
}

function isThere({ database }: Transaction, id: string): boolean {
  return database.get('select 1 from tasklane_task where id = ?', id) !== undefined;
}

function isRefused(answer: InsertAnswer): boolean {
  return !answer.made && 'refused' in answer;
}
