import { createHash } from 'node:crypto';
import { OptionError } from '../errors.ts';
import { progressOf, type Shares } from '../flow/shares.ts';
import type { Handler } from '../handler/registry.ts';
import type { DraftEdge, Lease, TaskDraft } from '../storage/storage.ts';
import { canonicalJson, type JsonValue } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import { type ParsedSubmit, PLAIN_SUBMIT } from './options.ts';

/** What a task has of its handler. */
export type DraftHandler = Pick<Handler, 'name' | 'priority' | 'maxAttempts' | 'maxLost'> &
  Partial<Pick<Handler, 'showsChildren'>>;

/** Where a task stands among those that are submitted with it, or before it. */
export interface PlaceInFlow {
  readonly parentId?: string | undefined;
  /** Of its parent: its own, unless it says otherwise. */
  readonly submittedBy?: string | null | undefined;
  /** Its children among it; undefined: what its options say. */
  readonly dependsOn?: readonly DraftEdge[] | undefined;
  /** What is below it: another flow is another input. */
  readonly below?: JsonValue[] | undefined;
  /** Of its children, as they are made with it. */
  readonly shares?: Shares | undefined;
  /** The attempt that submits it. */
  readonly by?: Lease | undefined;
}

const NO_FLOW: PlaceInFlow = {};

/** Whether the progress of a task is to be that of its children. */
export function isShowing(handler: DraftHandler, options: ParsedSubmit): boolean {
  return options.showsChildren || handler.showsChildren === true;
}

/** What may become another task waits for nothing of its own. @throws {OptionError} */
export function checkWaiting({ unique }: ParsedSubmit, waits: boolean): void {
  if (!waits || unique === null || !['replace', 'runAfter'].includes(unique.rule.onConflict)) return;
  const [option, value] =
    unique.by === 'unique' ? ['unique.onConflict', unique.rule.onConflict] : [unique.by, unique.key];
  throw new OptionError(option, 'left out where there is `dependsOn` or `children`', value);
}

/**
 * Makes the task that a submit asks for.
 * @param now epoch ms
 * @param idempotencyMs how long its idempotency key answers
 * @param flow what it is submitted with
 */
export function makeDraft(
  {
    handler,
    input,
    options,
    scheduleId = undefined,
  }: {
    readonly handler: DraftHandler;
    readonly input: JsonValue;
    readonly options: ParsedSubmit;
    readonly scheduleId?: string | undefined;
  },
  id: string,
  now: number,
  idempotencyMs: number,
  { parentId, submittedBy, dependsOn, below, shares, by }: PlaceInFlow = NO_FLOW,
): TaskDraft {
  const delayMs = options.unique?.waitMs ?? options.delayMs;
  const runAt = delayMs === null ? options.runAt : now + delayMs;
  const edges = dependsOn ?? options.dependsOn;
  const waits = edges.length > 0;
  const showsChildren = isShowing(handler, options);
  const scheduled = options.hold || (runAt !== null && runAt > now);
  const record: TaskRecord = {
    id,
    handler: handler.name,
    description: options.description,
    status: waits ? 'waiting' : scheduled ? 'scheduled' : 'queued',
    input,
    result: null,
    error: null,
    progress: shares === undefined || !showsChildren ? null : progressOf(shares, now),
    checkpoint: null,
    priority: options.priority ?? handler.priority,
    attempt: 0,
    maxAttempts: handler.maxAttempts,
    lost: 0,
    interrupted: 0,
    snoozed: 0,
    submittedBy: options.submittedBy ?? submittedBy ?? null,
    entityId: options.entityId,
    parentId: options.parentId ?? parentId ?? null,
    scheduleId: scheduleId ?? null,
    tick: null,
    tags: options.tags,
    metadata: options.metadata,
    idempotencyKey: options.idempotencyKey,
    uniqueKey: options.unique?.key ?? null,
    runAt: scheduled ? runAt : null,
    startBy: options.startByMs === null ? null : now + options.startByMs,
    createdAt: now,
    queuedAt: waits || scheduled ? null : now,
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
  if (options === PLAIN_SUBMIT && !waits && !showsChildren && by === undefined) return { record, maxLost };
  const { idempotencyKey, unique } = options;
  const idempotency =
    idempotencyKey === null
      ? undefined
      : { fingerprint: fingerprint(handler.name, input, below), expiresAt: now + idempotencyMs };
  return {
    record,
    maxLost,
    idempotency,
    unique: unique?.rule,
    dependsOn: waits ? edges : undefined,
    showsChildren,
    weight: options.weight ?? undefined,
    mustCount: options.weight !== null && options.failOnWarning,
    by,
  };
}

function fingerprint(handler: string, input: JsonValue, below: JsonValue[] = []): string {
  return createHash('sha256')
    .update(canonicalJson([handler, input, ...below]))
    .digest('base64');
}
