import type { TaskErrorInfo, TaskProgress, TaskRecord } from '../task/record.ts';

/** The keys of a record that hold a time. */
type TimeKey =
  | 'tick'
  | 'runAt'
  | 'startBy'
  | 'createdAt'
  | 'queuedAt'
  | 'startedAt'
  | 'finishedAt'
  | 'updatedAt'
  | 'archivedAt'
  | 'cancelRequestedAt';

/** A time as the wire has it: RFC 3339, UTC, with milliseconds. */
type WireTime<T> = T extends number ? string : T;

/** Progress on the wire. */
export type WireProgress = Omit<TaskProgress, 'at'> & { readonly at: string };

/** An error on the wire: without its stack, which names files of this machine. */
export type WireError = Omit<TaskErrorInfo, 'stack'>;

/** A record on the wire: that of the library with its times as text. `input` and `result` may be left out. */
export type WireTask = Readonly<
  Omit<TaskRecord, TimeKey | 'input' | 'result' | 'error' | 'progress'> & {
    [K in TimeKey]: WireTime<TaskRecord[K]>;
  } & { error: WireError | null; progress: WireProgress | null; input?: unknown; result?: unknown }
>;

/** Which of the two large keys of a record to send. */
export interface Payloads {
  readonly input: boolean;
  readonly result: boolean;
}

/** Both. */
export const ALL_PAYLOADS: Payloads = { input: true, result: true };
/** Neither, as events have it. */
export const NO_PAYLOADS: Payloads = { input: false, result: false };

let second = Number.NaN;
let secondText = '';

/** Epoch ms as RFC 3339 with milliseconds. Most times of a record, and of those around it, lie in one second. */
export function wireTime(ms: number): string {
  const at = Math.floor(ms / 1_000);
  if (at !== second) {
    secondText = new Date(at * 1_000).toISOString().slice(0, -4);
    second = at;
  }
  return `${secondText}${String(Math.floor(ms - at * 1_000)).padStart(3, '0')}Z`;
}

/** A record as the wire has it. The only place that knows. What is left out is undefined, which JSON leaves out. */
export function toWire(task: TaskRecord, payloads: Payloads = ALL_PAYLOADS): WireTask {
  const { id, handler, description, status, error, progress } = task;
  return {
    id,
    handler,
    description,
    status,
    input: payloads.input ? (task.input ?? null) : undefined,
    result: payloads.result ? (task.result ?? null) : undefined,
    error: wireError(error),
    progress: progress === null ? null : { ...progress, at: wireTime(progress.at) },
    checkpoint: task.checkpoint ?? null,
    priority: task.priority,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    lost: task.lost,
    interrupted: task.interrupted,
    snoozed: task.snoozed,
    submittedBy: task.submittedBy,
    entityId: task.entityId,
    parentId: task.parentId,
    scheduleId: task.scheduleId,
    tick: maybe(task.tick),
    tags: task.tags,
    metadata: task.metadata ?? null,
    idempotencyKey: task.idempotencyKey,
    uniqueKey: task.uniqueKey,
    runAt: maybe(task.runAt),
    startBy: maybe(task.startBy),
    createdAt: wireTime(task.createdAt),
    queuedAt: maybe(task.queuedAt),
    startedAt: maybe(task.startedAt),
    finishedAt: maybe(task.finishedAt),
    updatedAt: wireTime(task.updatedAt),
    archivedAt: maybe(task.archivedAt),
    workerId: task.workerId,
    cancelRequestedAt: maybe(task.cancelRequestedAt),
    cancelReason: task.cancelReason,
    version: task.version,
  };
}

/** An error as the wire has it. */
export function wireError(error: TaskErrorInfo | null): WireError | null {
  return error === null ? null : { name: error.name, message: error.message, code: error.code };
}

function maybe(ms: number | null): string | null {
  return ms === null ? null : wireTime(ms);
}
