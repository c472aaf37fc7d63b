import { cloneJson } from '../../task/json.ts';
import type { Tag, TaskAttempt, TaskRecord } from '../../task/record.ts';
import { FROM_SUBMIT, type StoredTask } from '../../task/transition.ts';
import type { TaskDraft } from '../storage.ts';
import type { Log } from './log.ts';
import type { Shelf } from './shelf.ts';
import type { ClaimGroup } from './workers.ts';

/** A task in memory: record and internals in one flat object, which is the smallest there is. */
export interface Row extends Mutable<StoredTask> {
  /** Submit order. */
  readonly sequence: number;
  /** Of its handler. */
  readonly shelf: Shelf;
  /** The claim it runs under; null while it does not run. */
  group: ClaimGroup | null;
  /** A handler started it once; `startedAt` forgets that with the next claim. */
  started: boolean;
  /** It was removed; lists that still name it skip it. */
  gone: boolean;
  /** Attempts before the newest. */
  history: TaskAttempt[] | null;
  log: Log | null;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What records without tags share. */
const NO_TAGS: Readonly<Record<string, Tag>> = Object.freeze({});

/** One literal, so that all rows have one shape. */
export function rowOf({ record, maxLost }: TaskDraft, sequence: number, shelf: Shelf): Row {
  return {
    id: record.id,
    handler: record.handler,
    description: record.description,
    status: record.status,
    input: record.input,
    result: record.result,
    error: record.error,
    progress: record.progress,
    checkpoint: record.checkpoint,
    priority: record.priority,
    attempt: record.attempt,
    maxAttempts: record.maxAttempts,
    lost: record.lost,
    interrupted: record.interrupted,
    snoozed: record.snoozed,
    submittedBy: record.submittedBy,
    entityId: record.entityId,
    parentId: record.parentId,
    scheduleId: record.scheduleId,
    tags: record.tags,
    metadata: record.metadata,
    idempotencyKey: record.idempotencyKey,
    uniqueKey: record.uniqueKey,
    runAt: record.runAt,
    startBy: record.startBy,
    createdAt: record.createdAt,
    queuedAt: record.queuedAt,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    updatedAt: record.updatedAt,
    archivedAt: record.archivedAt,
    workerId: record.workerId,
    cancelRequestedAt: record.cancelRequestedAt,
    cancelReason: record.cancelReason,
    version: record.version,
    token: null,
    baseline: FROM_SUBMIT,
    maxLost,
    leakedBy: null,
    sequence,
    shelf,
    group: null,
    started: false,
    gone: false,
    history: null,
    log: null,
  };
}

/**
 * A record of the caller's own.
 * @param payloads false: without `input` and `result`
 */
export function recordOf(row: Row, payloads = true): TaskRecord {
  return {
    id: row.id,
    handler: row.handler,
    description: row.description,
    status: row.status,
    input: payloads ? own(row.input) : null,
    result: payloads ? own(row.result) : null,
    error: own(row.error),
    progress: own(row.progress),
    checkpoint: own(row.checkpoint),
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    lost: row.lost,
    interrupted: row.interrupted,
    snoozed: row.snoozed,
    submittedBy: row.submittedBy,
    entityId: row.entityId,
    parentId: row.parentId,
    scheduleId: row.scheduleId,
    tags: ownTags(row.tags),
    metadata: own(row.metadata),
    idempotencyKey: row.idempotencyKey,
    uniqueKey: row.uniqueKey,
    runAt: row.runAt,
    startBy: row.startBy,
    createdAt: row.createdAt,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    updatedAt: row.updatedAt,
    archivedAt: row.archivedAt,
    workerId: row.workerId,
    cancelRequestedAt: row.cancelRequestedAt,
    cancelReason: row.cancelReason,
    version: row.version,
  };
}

/** Whether an attempt holds the task. */
export function isRunning(row: StoredTask): boolean {
  return row.status === 'running' || row.status === 'cancelling';
}

/** Whether no handler ever started it. A claim alone is not a start. */
export function neverStarted(row: Row): boolean {
  if (row.started) return false;
  const { status } = row;
  return status === 'waiting' || status === 'scheduled' || status === 'queued' || status === 'running';
}

/** Whether its `startBy` has passed before any handler started it. */
export function isExpired(row: Row, now: number): boolean {
  return row.startBy !== null && row.startBy <= now && !row.started;
}

function own<T>(value: T): T {
  return value === null || typeof value !== 'object' ? value : cloneJson(value);
}

function ownTags(tags: Readonly<Record<string, Tag>>): Readonly<Record<string, Tag>> {
  for (const _ in tags) return cloneJson(tags);
  return NO_TAGS;
}
