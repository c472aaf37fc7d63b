import type { z } from 'zod';
import type { TaskRecord } from '../task/record.ts';
import type { TaskToSubmit } from './schemas.ts';

/**
 * What a submit would make, for a policy to look at: it has no id and no defaults of its handler yet.
 * @param now epoch ms
 */
export function previewOf(
  body: Partial<z.output<typeof TaskToSubmit>> & { readonly dependsOn?: unknown; readonly children?: unknown },
  submittedBy: string | null,
  now: number,
): TaskRecord {
  const isScheduled = body.hold === true || body.runAt !== undefined || body.delay !== undefined;
  const waits = [body.dependsOn, body.children].some((list) => Array.isArray(list) && list.length > 0);
  return {
    id: '',
    handler: body.handler ?? '',
    description: body.description ?? null,
    status: waits ? 'waiting' : isScheduled ? 'scheduled' : 'queued',
    input: body.input ?? null,
    result: null,
    error: null,
    progress: null,
    checkpoint: null,
    priority: body.priority ?? 0,
    attempt: 0,
    maxAttempts: 1,
    lost: 0,
    interrupted: 0,
    snoozed: 0,
    submittedBy,
    entityId: body.entityId ?? null,
    parentId: body.parentId ?? null,
    scheduleId: null,
    tick: null,
    tags: body.tags ?? {},
    metadata: body.metadata ?? null,
    idempotencyKey: null,
    uniqueKey: body.unique?.key ?? null,
    runAt: body.runAt ?? null,
    startBy: null,
    createdAt: now,
    queuedAt: waits || isScheduled ? null : now,
    startedAt: null,
    finishedAt: null,
    updatedAt: now,
    archivedAt: null,
    workerId: null,
    cancelRequestedAt: null,
    cancelReason: null,
    version: 1,
  };
}
