import type { TaskErrorInfo, TaskProgress, TaskRecord } from '../../task/record.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import { type Baseline, FROM_SUBMIT, type StoredTask } from '../../task/transition.ts';
import type { Bindable, Row } from './database.ts';
import { decodeJson, decodeNullableText, decodeText, encodeText } from './text.ts';

/** The columns of a task, in the order {@link toStored} and {@link toRecord} read them. */
const NARROW =
  'seq, id, handler, status, priority, version, attempt, max_attempts, max_lost, started, created_at, queued_at, ' +
  'updated_at, started_at, finished_at, run_at, start_by, archived_at, worker_id, token, leaked_by, submitted_by, ' +
  'entity_id, parent_id, schedule_id, description, unique_key, tags, more, progress, checkpoint, error';

/** All columns of a task. */
export const COLUMNS = `${NARROW}, input, result, edges`;

/** The same, without reading the input and the result, which are null then. */
export const LIGHT_COLUMNS = `${NARROW}, null, null, edges`;

/** The columns that every new task has values for, but for its id and its input, in the order of {@link commonValues}. */
export const COMMON_COLUMNS =
  'handler, status, priority, version, attempt, max_attempts, max_lost, created_at, queued_at, updated_at, worker_id, token';

/** Fields that few tasks have and no list filters on: they share the column `more`, as JSON, NULL where all are as here. */
export interface More {
  lost?: number;
  interrupted?: number;
  snoozed?: number;
  baseline?: Baseline;
  tick?: number;
  metadata?: unknown;
  idempotencyKey?: string;
  cancelRequestedAt?: number;
  cancelReason?: string;
}

/** The fields of a stored task that lie in {@link More}. */
export const MORE_KEYS = [
  'lost',
  'interrupted',
  'snoozed',
  'baseline',
  'tick',
  'metadata',
  'idempotencyKey',
  'cancelRequestedAt',
  'cancelReason',
] as const;

const NOTHING_MORE: More = Object.freeze({});
const STATUS_CODES = Object.fromEntries(STATUSES.map((status, code) => [status, code])) as Record<Status, number>;

/** Others depend, or depended, on a task. */
export const AWAITED = 1;
/** It depends, or depended, on others. */
export const DEPENDS = 2;
/** Its parent shows the progress of its children. */
export const COUNTED = 4;
/** It shows the progress of its children. */
export const SHOWS = 8;

/** A task with its place in the submit order. */
export interface Stored {
  readonly seq: number;
  /** Its handler started in some attempt, whatever became of it. */
  readonly started: boolean;
  /** {@link AWAITED}, {@link DEPENDS}, {@link COUNTED}, {@link SHOWS}, added up: most tasks have no edges, and pay nothing for those of others. */
  readonly edges: number;
  readonly task: StoredTask;
}

/** The number a status is stored as. */
export function statusCode(status: Status): number {
  return STATUS_CODES[status];
}

/** The status that is stored as this number. */
export function statusOf(code: number): Status {
  return STATUSES[code] as Status;
}

/** The rowid that a row of {@link COLUMNS} holds. */
export function seqOf(row: Row): number {
  return row[0] as number;
}

/** The priority that a row of {@link COLUMNS} holds. */
export function priorityOf(row: Row): number {
  return row[4] as number;
}

/** The `maxLost` that a row of {@link COLUMNS} holds. */
export function maxLostOf(row: Row): number {
  return row[8] as number;
}

/** What a row shows. */
export function toRecord(row: Row): TaskRecord {
  return record(row, moreOf(row));
}

/** What a row holds. */
export function toStored(row: Row): Stored {
  const more = moreOf(row);
  const task: StoredTask = {
    ...record(row, more),
    token: row[19] as string | null,
    baseline: more.baseline ?? FROM_SUBMIT,
    maxLost: row[8] as number,
    leakedBy: row[20] as string | null,
  };
  return { seq: row[0] as number, started: row[9] === 1, edges: row[34] as number, task };
}

/** What a new task has in {@link COMMON_COLUMNS}. @param token of its lease, where it is stored as claimed */
export function commonValues(task: TaskRecord, maxLost: number, token: string | null): Bindable[] {
  return [
    encodeText(task.handler),
    statusCode(task.status),
    task.priority,
    task.version,
    task.attempt,
    task.maxAttempts,
    maxLost,
    task.createdAt,
    task.queuedAt,
    task.updatedAt,
    task.workerId,
    token,
  ];
}

/** What a stored task shows. */
export function recordOf(task: StoredTask): TaskRecord {
  const { token: _token, baseline: _baseline, maxLost: _maxLost, leakedBy: _leakedBy, ...record } = task;
  return record;
}

/** What of a task the column `more` holds. */
export function encodeMore(task: TaskRecord & { readonly baseline?: Baseline }): string | null {
  const more: More = {};
  if (task.lost !== 0) more.lost = task.lost;
  if (task.interrupted !== 0) more.interrupted = task.interrupted;
  if (task.snoozed !== 0) more.snoozed = task.snoozed;
  if (task.baseline !== undefined && task.baseline !== FROM_SUBMIT) more.baseline = task.baseline;
  if (task.tick !== null) more.tick = task.tick;
  if (task.metadata !== null && task.metadata !== undefined) more.metadata = task.metadata;
  if (task.idempotencyKey !== null) more.idempotencyKey = task.idempotencyKey;
  if (task.cancelRequestedAt !== null) more.cancelRequestedAt = task.cancelRequestedAt;
  if (task.cancelReason !== null) more.cancelReason = task.cancelReason;
  for (const _key in more) return JSON.stringify(more);
  return null;
}

/** Tags as the row holds them: JSON, which keeps their types; NULL for none. */
export function encodeTags(tags: TaskRecord['tags']): string | null {
  for (const _key in tags) return JSON.stringify(tags);
  return null;
}

/** The baseline that a row of {@link COLUMNS} holds. */
export function baselineOf(row: Row): Baseline {
  return moreOf(row).baseline ?? FROM_SUBMIT;
}

function moreOf(row: Row): More {
  const text = row[28] as string | null;
  return text === null ? NOTHING_MORE : (JSON.parse(text) as More);
}

function record(row: Row, more: More): TaskRecord {
  return {
    id: row[1] as string,
    handler: decodeText(row[2] as string),
    description: decodeNullableText(row[25] as string | null),
    status: statusOf(row[3] as number),
    input: decodeJson(row[32] as string | null),
    result: decodeJson(row[33] as string | null),
    error: decodeJson(row[31] as string | null) as TaskErrorInfo | null,
    progress: decodeJson(row[29] as string | null) as TaskProgress | null,
    checkpoint: decodeJson(row[30] as string | null),
    priority: row[4] as number,
    attempt: row[6] as number,
    maxAttempts: row[7] as number,
    lost: more.lost ?? 0,
    interrupted: more.interrupted ?? 0,
    snoozed: more.snoozed ?? 0,
    submittedBy: decodeNullableText(row[21] as string | null),
    entityId: decodeNullableText(row[22] as string | null),
    parentId: decodeNullableText(row[23] as string | null),
    scheduleId: decodeNullableText(row[24] as string | null),
    tick: more.tick ?? null,
    tags: row[27] === null ? {} : (JSON.parse(row[27] as string) as TaskRecord['tags']),
    metadata: more.metadata ?? null,
    idempotencyKey: more.idempotencyKey ?? null,
    uniqueKey: decodeNullableText(row[26] as string | null),
    runAt: row[15] as number | null,
    startBy: row[16] as number | null,
    createdAt: row[10] as number,
    queuedAt: row[11] as number | null,
    startedAt: row[13] as number | null,
    finishedAt: row[14] as number | null,
    updatedAt: row[12] as number,
    archivedAt: row[17] as number | null,
    workerId: row[18] as string | null,
    cancelRequestedAt: more.cancelRequestedAt ?? null,
    cancelReason: more.cancelReason ?? null,
    version: row[5] as number,
  };
}
