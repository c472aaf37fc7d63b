import { createHash } from 'node:crypto';
import type { Handler } from '../handler/registry.ts';
import type { TaskDraft } from '../storage/storage.ts';
import { canonicalJson, type JsonValue } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import { type ParsedSubmit, PLAIN_SUBMIT } from './options.ts';

/**
 * Makes the task that a submit asks for.
 * @param now epoch ms
 * @param idempotencyMs how long its idempotency key answers
 */
export function makeDraft(
  {
    handler,
    input,
    options,
  }: {
    readonly handler: Pick<Handler, 'name' | 'priority' | 'maxAttempts' | 'maxLost'>;
    readonly input: JsonValue;
    readonly options: ParsedSubmit;
  },
  id: string,
  now: number,
  idempotencyMs: number,
): TaskDraft {
  const delayMs = options.unique?.waitMs ?? options.delayMs;
  const runAt = delayMs === null ? options.runAt : now + delayMs;
  const scheduled = options.hold || (runAt !== null && runAt > now);
  const record: TaskRecord = {
    id,
    handler: handler.name,
    description: options.description,
    status: scheduled ? 'scheduled' : 'queued',
    input,
    result: null,
    error: null,
    progress: null,
    checkpoint: null,
    priority: options.priority ?? handler.priority,
    attempt: 0,
    maxAttempts: handler.maxAttempts,
    lost: 0,
    interrupted: 0,
    snoozed: 0,
    submittedBy: options.submittedBy,
    entityId: options.entityId,
    parentId: options.parentId,
    scheduleId: null,
    tick: null,
    tags: options.tags,
    metadata: options.metadata,
    idempotencyKey: options.idempotencyKey,
    uniqueKey: options.unique?.key ?? null,
    runAt: scheduled ? runAt : null,
    startBy: options.startByMs === null ? null : now + options.startByMs,
    createdAt: now,
    queuedAt: scheduled ? null : now,
    startedAt: null,
    finishedAt: null,
    updatedAt: now,
    archivedAt: null,
    workerId: null,
    cancelRequestedAt: null,
    cancelReason: null,
    version: 1,
  };
  const { maxLost } = handler;
  if (options === PLAIN_SUBMIT) return { record, maxLost };
  const { idempotencyKey, unique } = options;
  const idempotency =
    idempotencyKey === null
      ? undefined
      : { fingerprint: fingerprint(handler.name, input), expiresAt: now + idempotencyMs };
  return { record, maxLost, idempotency, unique: unique?.rule };
}

function fingerprint(handler: string, input: JsonValue): string {
  return createHash('sha256')
    .update(canonicalJson([handler, input]))
    .digest('base64');
}
