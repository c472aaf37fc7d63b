import { withProgress } from '../../flow/shares.ts';
import type { TaskRecord } from '../../task/record.ts';
import type { DocumentPut, InsertAnswer, TaskDraft } from '../storage.ts';
import { beginEarly } from './claim.ts';
import { countUnfinished } from './counters.ts';
import type { Bindable } from './database.ts';
import { storeDocument, versionOf } from './documents.ts';
import type { EarlyClaim } from './early-claim.ts';
import { inTheWay, isThere, writeKey } from './in-the-way.ts';
import { InsertEdges } from './insert-edges.ts';
import { PlainRows } from './plain-rows.ts';
import { COMMON_COLUMNS, commonValues, encodeMore, encodeTags } from './rows.ts';
import { InsertShares, showProgress } from './shares.ts';
import { encodeJson, encodeNullableText } from './text.ts';
import type { Transaction } from './transaction.ts';
import { writeTags } from './write.ts';

const COLUMNS =
  `${COMMON_COLUMNS}, id, input, run_at, start_by, submitted_by, entity_id, parent_id, schedule_id, description, ` +
  'unique_key, tags, more, edges';
const INSERT =
  `insert into tasklane_task(${COLUMNS}, started) ` +
  `values(${COLUMNS.replace(/\w+/g, '?')}, 0) on conflict(id) do nothing`;

type Made = Extract<InsertAnswer, { readonly made: true }>;

const MADE: Made = { made: true };
const QUEUE_FULL: InsertAnswer = { made: false, refused: 'queue_full' };
const CONFLICT: InsertAnswer = { made: false, refused: 'document_conflict' };
const STALE: InsertAnswer = { made: false, refused: 'lease_stale' };
const UNCOUNTED: InsertAnswer = { made: false, refused: 'uncounted' };
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
  const isCurrent = ({ kind, key, ifVersion }: DocumentPut): boolean => versionOf(transaction, kind, key) === ifVersion;
  if (drafts.length === 0) return [];
  if (!documents.every(isCurrent)) {
    // Moved by an earlier try of this very call, perhaps.
    const answer = drafts.some(({ record }) => isThere(transaction, record.id)) ? MADE : CONFLICT;
    return drafts.map(() => answer);
  }
  const answers = insertTasks(transaction, drafts, { ...options, atomic: true });
  if (answers.some(isRefused)) return answers;
  for (const put of documents) storeDocument(transaction, put);
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
      (draft) =>
        draft.idempotency !== undefined ||
        draft.unique !== undefined ||
        draft.dependsOn !== undefined ||
        draft.by !== undefined ||
        draft.mustCount === true,
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
  const early = beginEarly(transaction, drafts);
  const edges = drafts.some(mayWait) ? new InsertEdges(transaction, drafts, atomic) : null;
  const plain = edges === null ? new PlainRows(transaction, early) : null;
  let shares: InsertShares | null = null;
  const answers = drafts.map((asked, index): InsertAnswer => {
    if (room > 0 && plain?.add(asked)) {
      room--;
      return MADE;
    }
    plain?.store();
    if (isStale(transaction, asked)) return isThere(transaction, asked.record.id) ? MADE : STALE;
    const found = edges?.ofParent(asked) ?? inTheWay(transaction, asked);
    if (!('record' in found)) {
      if ('matched' in found) edges?.matched(asked, found.taskId);
      return found;
    }
    if (mayShare(found)) shares ??= new InsertShares(transaction);
    const isCounted = found.weight === undefined || shares?.isShown(found.record.parentId) === true;
    const uncounted = !isCounted && found.mustCount ? UNCOUNTED : null;
    const missing = room <= 0 ? QUEUE_FULL : (edges?.missing(found) ?? uncounted);
    if (missing !== null) return isThere(transaction, asked.record.id) ? MADE : missing;
    const bits = (edges?.bitsOf(found) ?? 0) | (shares?.bitsOf(found) ?? 0);
    const seq = insertOne(transaction, found, bits, early);
    if (seq === null) return MADE;
    shares?.made(seq, found);
    room--;
    edges?.made(index, seq, found);
    const done: Made = found === asked ? MADE : { made: true, after: found.dependsOn?.[0]?.id };
    return isCounted ? done : { ...done, uncounted: true };
  });
  plain?.store();
  (shares as InsertShares | null)?.store();
  edges?.store(answers);
  return withProgress(answers, showProgress(transaction), ({ made }) => made);
}

/** @returns its place; null when a task of this id is there already */
function insertOne(transaction: Transaction, draft: TaskDraft, edges: number, early: EarlyClaim | null): number | null {
  const { database, counts, skew, happened, now } = transaction;
  const { record, maxLost, idempotency } = draft;
  const task = early?.taken(draft, now) ?? record;
  const { rows, last: seq } = database.insert(INSERT, ...rowOf(task, maxLost, early?.request.token ?? null, edges));
  if (rows === 0) return null;
  if (task !== record) early?.took(task, maxLost);
  skew.made(task);
  counts.add(record.handler, task.status, false, 1);
  writeTags(transaction, seq, record.tags);
  if (idempotency !== undefined) writeKey(transaction, record, idempotency, record.id);
  if (task.status === 'queued') happened.queued(record.priority);
  if (record.status === 'scheduled' && record.runAt !== null) happened.scheduled(record.runAt);
  happened.changed(record.id);
  return seq;
}

/** What is bound to store a task. @param token of its lease, where it is claimed already */
function rowOf(task: TaskRecord, maxLost: number, token: string | null, edges: number): readonly Bindable[] {
  return [
    ...commonValues(task, maxLost, task.status === 'running' ? token : null),
    task.id,
    encodeJson(task.input),
    task.runAt,
    task.startBy,
    encodeNullableText(task.submittedBy),
    encodeNullableText(task.entityId),
    encodeNullableText(task.parentId),
    encodeNullableText(task.scheduleId),
    encodeNullableText(task.description),
    encodeNullableText(task.uniqueKey),
    encodeTags(task.tags),
    encodeMore(task),
    edges,
  ];
}

/** Whether a draft has edges, or may be given one. */
function mayWait({ dependsOn, unique }: TaskDraft): boolean {
  return dependsOn !== undefined || unique?.onConflict === 'runAfter';
}

/** Whether a draft may show the progress of its children, or be one whose parent does. */
function mayShare({ record, showsChildren }: TaskDraft): boolean {
  return showsChildren === true || record.parentId !== null;
}

/** Whether the attempt that makes a draft may do so no more. */
function isStale({ database }: Transaction, { by }: TaskDraft): boolean {
  if (by === undefined) return false;
  const running = 'select 1 from tasklane_task where id = ? and token = ? and status = 3';
  return database.get(running, by.taskId, by.token) === undefined;
}

function isRefused(answer: InsertAnswer): boolean {
  return !answer.made && 'refused' in answer;
}
