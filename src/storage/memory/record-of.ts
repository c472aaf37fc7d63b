import { cloneJson } from '../../task/json.ts';
import type { TaskRecord } from '../../task/record.ts';
import type { Row } from './row.ts';

/**
 * A record of the caller's own.
 * @param payloads false: without `input` and `result`
 */
export function recordOf(row: Row, payloads = true): TaskRecord {
  const { more } = row;
  return {
    id: row.id,
    handler: row.shelf.handler,
    description: more.description,
    status: row.status,
    input: payloads ? own(row.input) : null,
    result: payloads ? own(row.result) : null,
    error: own(more.error),
    progress: own(more.progress),
    checkpoint: own(more.checkpoint),
    priority: row.priority,
    attempt: row.attempt,
    maxAttempts: more.maxAttempts,
    lost: more.lost,
    interrupted: more.interrupted,
    snoozed: more.snoozed,
    submittedBy: more.submittedBy,
    entityId: more.entityId,
    parentId: more.parentId,
    scheduleId: more.scheduleId,
    tick: more.tick,
    tags: cloneJson(more.tags),
    metadata: own(more.metadata),
    idempotencyKey: more.idempotencyKey,
    uniqueKey: more.uniqueKey,
    runAt: row.runAt,
    startBy: more.startBy,
    createdAt: row.createdAt,
    queuedAt: row.queuedAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    updatedAt: row.updatedAt,
    archivedAt: more.archivedAt,
    workerId: row.workerId,
    cancelRequestedAt: more.cancelRequestedAt,
    cancelReason: more.cancelReason,
    version: row.version,
  };
}

function own<T>(value: T): T {
  return value === null || typeof value !== 'object' ? value : cloneJson(value);
}
