import type { JsonValue } from './json.ts';
import type { TaskAttempt, TaskErrorInfo, TaskRecord } from './record.ts';
import { isFinal, STATUSES, type Status } from './status.ts';

/** Runs that are counted apart, and do not count against `maxAttempts`. */
type Counter = 'lost' | 'interrupted' | 'snoozed';

/** What `maxAttempts`, `maxLost` and `maxSnoozes` count from: the submit (all zero) or the last restart. */
export type Baseline = Readonly<Record<'attempt' | Counter, number>>;

/** The baseline of a task that was never restarted. One object, shared by all. */
export const FROM_SUBMIT: Baseline = Object.freeze({ attempt: 0, lost: 0, interrupted: 0, snoozed: 0 });

/** What a storage keeps of a task beside its record. */
interface TaskInternals {
  /** Of the newest claim; stays when the attempt is settled, null once revoked. */
  readonly token: string | null;
  readonly baseline: Baseline;
  /** Lost runs that are run again, since the baseline. */
  readonly maxLost: number;
  /** Its handler runs on in this worker although the record was settled; it still holds the unique key. */
  readonly leakedBy: string | null;
}

/** A task as a storage keeps it. */
export type StoredTask = TaskRecord & TaskInternals;

/** The fields a step may set. */
export type Settable = Partial<
  Pick<
    TaskRecord,
    | 'result'
    | 'error'
    | 'priority'
    | 'runAt'
    | 'tags'
    | 'description'
    | 'entityId'
    | 'metadata'
    | 'cancelRequestedAt'
    | 'cancelReason'
    | 'archivedAt'
    | 'startBy'
  >
>;

/** Why a task changes; also names the event. */
export type Reason =
  | 'succeeded'
  | 'failed'
  | 'retrying'
  | 'snoozed'
  | 'interrupted'
  | 'lost'
  | 'cancelling'
  | 'cancelled'
  | 'expired'
  | 'due'
  | 'released'
  | 'restarted'
  | 'updated'
  | 'archived'
  | 'unchanged';

/** One transition as data. Made only by the functions below: no combination of fields exists that no test has seen. */
export interface Step {
  readonly reason: Reason;
  /** Null: the status stays. */
  readonly to: Status | null;
  readonly set?: Settable;
  readonly count?: Counter;
  /** `runAt` becomes the storage's now plus this, in ms. */
  readonly delayMs?: number;
  /** The lease ends here: the attempt that holds it is refused from now on. */
  readonly revoke?: true;
  /** The handler of this worker runs on. */
  readonly leakedBy?: string;
}

/** What happens to a task, by the status it is found in. A status that is left out refuses. */
export type Steps = Readonly<Partial<Record<Status, Step>>>;

/** What a step changes in a stored task. */
export type StoredPatch = { -readonly [K in keyof StoredTask]?: StoredTask[K] };

/**
 * Computes what a step changes. Every storage calls this, so that all agree.
 * @param now the storage's clock, epoch ms
 */
export function applyStep(task: StoredTask, step: Step, now: number): StoredPatch {
  if (step.reason === 'unchanged') return {};
  const patch: StoredPatch = { ...step.set, version: task.version + 1, updatedAt: now };
  if (step.to !== null && step.to !== task.status) {
    patch.status = step.to;
    if (step.to === 'queued') {
      patch.queuedAt = now;
      patch.runAt = null;
    } else if (step.to === 'waiting') {
      patch.queuedAt = null;
    } else if (isFinal(step.to)) {
      patch.finishedAt = now;
      if (task.runAt !== null) patch.runAt = null;
    }
  }
  if (step.delayMs !== undefined) patch.runAt = now + step.delayMs;
  if (step.count !== undefined) patch[step.count] = task[step.count] + 1;
  if (step.revoke) patch.token = null;
  if (step.leakedBy !== undefined) patch.leakedBy = step.leakedBy;
  if (step.reason === 'restarted') Object.assign(patch, restarted(task));
  return patch;
}

/** What a claim changes: a new attempt, which has not started. */
export function applyClaim(task: StoredTask, token: string, workerId: string, now: number): StoredPatch {
  return {
    status: 'running',
    attempt: task.attempt + 1,
    version: task.version + 1,
    updatedAt: now,
    startedAt: null,
    workerId,
    token,
  };
}

/** Of the attempts that {@link endedAttempt} tells of, a storage keeps so many of a task: the newest. */
export const ATTEMPTS_KEPT = 1_000;

/**
 * The attempt that a step ends and that the record itself will no longer show; null when there is none.
 * The newest attempt is not kept apart: {@link currentAttempt} reads it off the record.
 */
export function endedAttempt(task: StoredTask, step: Step, now: number): TaskAttempt | null {
  if (task.attempt === 0 || task.workerId === null) return null;
  if (step.reason === 'restarted') return currentAttempt(task);
  const running = task.status === 'running' || task.status === 'cancelling';
  if (!running || step.to === null || isFinal(step.to) || step.to === 'cancelling') return null;
  return {
    attempt: task.attempt,
    workerId: task.workerId,
    startedAt: task.startedAt,
    finishedAt: now,
    outcome: step.reason as 'retrying' | 'snoozed' | 'interrupted' | 'lost',
    error: step.reason === 'retrying' ? (step.set?.error ?? null) : null,
  };
}

/** The newest attempt as the record shows it; null when it was never claimed, or when that attempt is history. */
export function currentAttempt(task: TaskRecord): TaskAttempt | null {
  if (task.attempt === 0 || task.workerId === null) return null;
  if (!isFinal(task.status) && task.status !== 'running' && task.status !== 'cancelling') return null;
  return {
    attempt: task.attempt,
    workerId: task.workerId,
    startedAt: task.startedAt,
    finishedAt: task.finishedAt,
    outcome: isFinal(task.status) ? task.status : null,
    error: task.error,
  };
}

/** Runs that count against `maxAttempts`. */
export function countedAttempts(task: TaskRecord, baseline: Baseline): number {
  const all = task.attempt - task.lost - task.interrupted - task.snoozed;
  return all - (baseline.attempt - baseline.lost - baseline.interrupted - baseline.snoozed);
}

// ---- ends of an attempt -------------------------------------------------------------------------------------------

/** The handler returned, before or after a cancel. */
export function succeed(result: JsonValue): Steps {
  const step: Step = { reason: 'succeeded', to: 'succeeded', set: { result, error: null } };
  return { running: step, cancelling: step };
}

/** The attempt failed for good; after a cancel it is cancelled. */
export function fail(error: TaskErrorInfo): Steps {
  return { running: { reason: 'failed', to: 'failed', set: { error } }, cancelling: CANCELLED };
}

/** The attempt failed and another follows after `delayMs`; after a cancel it is cancelled. */
export function retry(error: TaskErrorInfo, delayMs: number): Steps {
  return { running: { reason: 'retrying', to: 'scheduled', set: { error }, delayMs }, cancelling: CANCELLED };
}

/** The handler asked to be run again later; after a cancel it is cancelled. */
export function snooze(delayMs: number): Steps {
  return { running: { reason: 'snoozed', to: 'scheduled', count: 'snoozed', delayMs }, cancelling: CANCELLED };
}

/** Given back, at no cost in attempts: a shutdown, or the handler never started. */
export function giveBack(): Steps {
  return GIVE_BACK;
}

/** The handler ended after a cancel, or was never started. */
export function cancelled(): Steps {
  return CANCELLED_ATTEMPT;
}

/** The same ends, for a handler that still runs in `workerId`. */
export function leaked(steps: Steps, workerId: string): Steps {
  const marked: Partial<Record<Status, Step>> = {};
  for (const [status, step] of Object.entries(steps)) marked[status as Status] = { ...step, leakedBy: workerId };
  return marked;
}

const CANCELLED: Step = { reason: 'cancelled', to: 'cancelled' };
const CANCELLED_ATTEMPT: Steps = { cancelling: CANCELLED };
const GIVE_BACK: Steps = {
  running: { reason: 'interrupted', to: 'queued', count: 'interrupted' },
  cancelling: CANCELLED,
};

// ---- what time and death do ---------------------------------------------------------------------------------------

const LOST_AGAIN_MS = 1_000;
const LOST_AGAIN_MAX_MS = 60_000;

/**
 * What becomes of a task whose worker died. It is free when the handler had not started, as far as is known; lost for the
 * first time it is queued at once, then after 1 s, doubling to 1 min; lost too often it fails.
 */
export function lose(task: StoredTask): Step {
  if (task.status === 'cancelling') return { reason: 'cancelled', to: 'cancelled', revoke: true };
  if (task.startedAt === null) return { reason: 'interrupted', to: 'queued', count: 'interrupted', revoke: true };
  const before = task.lost - task.baseline.lost;
  if (before >= task.maxLost) {
    const message = `The process that ran it died ${before + 1} times.`;
    const error: TaskErrorInfo = { name: 'TaskLostError', message, code: 'lost' };
    return { reason: 'failed', to: 'failed', set: { error }, count: 'lost', revoke: true };
  }
  if (before === 0) return { reason: 'lost', to: 'queued', count: 'lost', revoke: true };
  const delayMs = Math.min(LOST_AGAIN_MS * 2 ** (before - 1), LOST_AGAIN_MAX_MS);
  return { reason: 'lost', to: 'scheduled', count: 'lost', delayMs, revoke: true };
}

/** Its `runAt` has come. */
export const DUE: Step = { reason: 'due', to: 'queued' };

/** Not started by its `startBy`. */
export const EXPIRED: Step = {
  reason: 'expired',
  to: 'cancelled',
  set: { error: { name: 'TaskExpiredError', message: 'It was not started in time.', code: 'expired' } },
};

// ---- what a caller asks for ---------------------------------------------------------------------------------------

/** Cancels: at once where it does not run, else by telling the attempt. Again while cancelling changes nothing. */
export function cancel(reason: string | null, now: number): Steps {
  const set: Settable = { cancelRequestedAt: now, cancelReason: reason };
  const idle: Step = { reason: 'cancelled', to: 'cancelled', set };
  return {
    waiting: idle,
    scheduled: idle,
    queued: idle,
    running: { reason: 'cancelling', to: 'cancelling', set },
    cancelling: { reason: 'unchanged', to: null },
  };
}

/** A final task again, from a fresh baseline. */
export function restart(): Steps {
  const step: Step = { reason: 'restarted', to: 'queued' };
  return { succeeded: step, failed: step, cancelled: step };
}

/** A scheduled, held or waiting task at once. */
export function runNow(): Steps {
  return { scheduled: DUE, waiting: DUE };
}

/** Settled from outside; the lease of a running attempt is revoked. */
export function complete(result: JsonValue): Steps {
  const step: Step = { reason: 'succeeded', to: 'succeeded', set: { result, error: null }, revoke: true };
  return { scheduled: step, queued: step, running: step, cancelling: step };
}

/** Failed from outside; the lease of a running attempt is revoked. */
export function failFromOutside(error: TaskErrorInfo): Steps {
  const step: Step = { reason: 'failed', to: 'failed', set: { error }, revoke: true };
  return { waiting: step, scheduled: step, queued: step, running: step, cancelling: step };
}

/**
 * Changes fields of a task. A new `runAt` moves between scheduled and queued: null holds, one that is not ahead queues.
 * Priority and `runAt` of a task that runs, or has ended, are refused.
 * @param now epoch ms; left out: every `runAt` lies ahead
 */
export function update(set: Settable, now = Number.NEGATIVE_INFINITY): Steps {
  const { runAt, ...rest } = set;
  if (typeof runAt === 'number' && runAt <= now) {
    const stay: Step = { reason: 'updated', to: null, set: rest };
    return { scheduled: { ...stay, to: 'queued' }, queued: stay };
  }
  const stay: Step = { reason: 'updated', to: null, set };
  if (runAt !== undefined) {
    const move: Step = { reason: 'updated', to: 'scheduled', set };
    return { scheduled: move, queued: move };
  }
  const unstarted: Steps = { waiting: stay, scheduled: stay, queued: stay };
  if (set.priority !== undefined) return unstarted;
  return { ...unstarted, running: stay, cancelling: stay, succeeded: stay, failed: stay, cancelled: stay };
}

/** For an update that says nothing: only finds out whether the task is there, at the version that was asked for. */
export function changeNothing(): Steps {
  return Object.fromEntries(STATUSES.map((status) => [status, { reason: 'unchanged', to: null } as const]));
}

/** Out of the lists, kept until retention removes it. */
export function archive(now: number): Steps {
  const step: Step = { reason: 'archived', to: null, set: { archivedAt: now } };
  return { succeeded: step, failed: step, cancelled: step };
}

function restarted(task: StoredTask): StoredPatch {
  return {
    baseline: { attempt: task.attempt, lost: task.lost, interrupted: task.interrupted, snoozed: task.snoozed },
    result: null,
    error: null,
    progress: null,
    checkpoint: task.status === 'succeeded' ? null : task.checkpoint,
    startedAt: null,
    finishedAt: null,
    cancelRequestedAt: null,
    cancelReason: null,
    startBy: null,
    token: null,
  };
}
