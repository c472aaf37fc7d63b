import { show } from './show.ts';
import type { TaskRecord } from './task/record.ts';
import type { Status } from './task/status.ts';

/**
 * Stable error codes, and the HTTP status each becomes (null: never on the wire).
 * A new code is a minor release, a changed one a major.
 */
export const ERROR_STATUS = {
  option_invalid: 400,
  input_invalid: 422,
  handler_unknown: 422,
  payload_too_large: 413,
  task_not_found: 404,
  schedule_not_found: 404,
  schedule_exists: 409,
  transition_refused: 409,
  version_conflict: 412,
  unique_conflict: 409,
  idempotency_conflict: 422,
  related_tasks: 409,
  queue_full: 503,
  manager_closed: 503,
  cursor_invalid: 400,
  task_failed: null,
  task_cancelled: null,
  lease_stale: 409,
  storage_failed: 503,
  storage_newer: 503,
  storage_locked: 503,
  storage_corrupt: 503,
  storage_full: 503,
  storage_readonly: 503,
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  route_unknown: 404,
  method_not_allowed: 405,
  idempotency_in_flight: 409,
  unsupported_media_type: 415,
  rate_limited: 429,
  internal: 500,
} as const satisfies Record<string, number | null>;

/** Codes that only the HTTP surface and its client use. */
export type HttpErrorCode =
  | 'malformed'
  | 'unauthenticated'
  | 'forbidden'
  | 'route_unknown'
  | 'method_not_allowed'
  | 'idempotency_in_flight'
  | 'unsupported_media_type'
  | 'rate_limited'
  | 'internal';

/** The stable `code` of every {@link TasklaneError}. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** What every error of this library is: catch it, then branch on `code`. */
export class TasklaneError extends Error {
  override readonly name: string = 'TasklaneError';
  readonly code: ErrorCode;
  /**
   * @param code stable, see {@link ERROR_STATUS}
   * @param message says what came and what is allowed
   */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An option is out of its bounds; the message names the option, what came and what is allowed. */
export class OptionError extends TasklaneError {
  override readonly name = 'OptionError';
  /** Dotted path of the option, such as `retry.maxAttempts`. */
  readonly option: string;
  readonly #wrong: string;
  /** @param wrong says what came in words of its own */
  constructor(option: string, allowed: string, came: unknown, wrong = `must be ${allowed}, but is ${show(came)}`) {
    super('option_invalid', `\`${option}\` ${wrong}.`);
    this.option = option;
    this.#wrong = wrong;
  }
  /** The same of a part of something larger: `delay` of `children.0` is `children.0.delay`. */
  within(whole: string): OptionError {
    const isWhole = WHOLE.includes(this.option);
    return new OptionError(isWhole ? whole : `${whole}.${this.option}`, '', undefined, this.#wrong);
  }
}

/** What a bag itself is called where it is not part of anything. */
const WHOLE: readonly string[] = ['options', 'spec'];

/** One thing that is wrong with an input. `path` is dotted, empty for the input itself. */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
}

/** The input does not fit the handler's schema, or JSON cannot hold it. */
export class InputInvalidError extends TasklaneError {
  override readonly name = 'InputInvalidError';
  readonly issues: readonly InputIssue[];
  readonly #what: string;
  constructor(what: string, issues: readonly InputIssue[]) {
    super(
      'input_invalid',
      `${what}: ${issues.map(({ path, message }) => (path ? `${path}: ${message}` : message)).join('; ')}`,
    );
    this.issues = issues;
    this.#what = what;
  }
  /** The same of a part of something larger, such as `children.0`. */
  within(whole: string): InputInvalidError {
    return new InputInvalidError(`${whole}: ${this.#what}`, this.issues);
  }
}

/** No handler of that name is registered. */
export class UnknownHandlerError extends TasklaneError {
  override readonly name = 'UnknownHandlerError';
  constructor(handler: string, known: readonly string[]) {
    super(
      'handler_unknown',
      `No handler is named ${show(handler)}; ${known.length > 0 ? `registered are ${known.join(', ')}` : 'none is registered'}.`,
    );
  }
}

/** An input or a result is larger than its limit. Both sizes are bytes of JSON text. */
export class PayloadTooLargeError extends TasklaneError {
  override readonly name = 'PayloadTooLargeError';
  readonly bytes: number;
  readonly maxBytes: number;
  constructor(what: string, bytes: number, maxBytes: number) {
    super('payload_too_large', `${what} is ${bytes} bytes of JSON, more than the ${maxBytes} allowed.`);
    this.bytes = bytes;
    this.maxBytes = maxBytes;
  }
}

/** No such task, or no longer. */
export class TaskNotFoundError extends TasklaneError {
  override readonly name = 'TaskNotFoundError';
  constructor(taskId: string) {
    super('task_not_found', `No task has the id ${show(taskId)}.`);
  }
}

/** No such schedule, or no longer. */
export class ScheduleNotFoundError extends TasklaneError {
  override readonly name = 'ScheduleNotFoundError';
  constructor(key: string) {
    super('schedule_not_found', `No schedule has the key ${show(key)}.`);
  }
}

/** There is a schedule of this key; `replace` changes it. */
export class ScheduleExistsError extends TasklaneError {
  override readonly name = 'ScheduleExistsError';
  constructor(key: string) {
    super('schedule_exists', `A schedule has the key ${show(key)} already.`);
  }
}

/** The task's status does not allow this. `allowed`: the statuses it may become from where it is. */
export class TransitionError extends TasklaneError {
  override readonly name = 'TransitionError';
  readonly allowed: readonly Status[];
  constructor(taskId: string, action: string, from: Status, allowed: readonly Status[]) {
    const may = allowed.length > 0 ? `it may become ${allowed.join(', ')}` : 'nothing can follow';
    super('transition_refused', `Task ${taskId} is ${from}: ${action} is refused; ${may}.`);
    this.allowed = allowed;
  }
}

/** The task, or schedule, changed since the version that was named. */
export class VersionConflictError extends TasklaneError {
  override readonly name = 'VersionConflictError';
  constructor(id: string, expected: number, actual: number, what: 'Task' | 'Schedule' = 'Task') {
    super('version_conflict', `${what} ${id} is at version ${actual}, not at ${expected}.`);
  }
}

/** Another task holds the unique key; `taskId` is that task's. */
export class UniqueConflictError extends TasklaneError {
  override readonly name = 'UniqueConflictError';
  readonly taskId: string;
  constructor(key: string, taskId: string) {
    super('unique_conflict', `Task ${taskId} holds the unique key ${show(key)}.`);
    this.taskId = taskId;
  }
}

/** The idempotency key was used with another input; `taskId` is the earlier task's. */
export class IdempotencyConflictError extends TasklaneError {
  override readonly name = 'IdempotencyConflictError';
  readonly taskId: string;
  constructor(key: string, taskId: string) {
    super(
      'idempotency_conflict',
      `The idempotency key ${show(key)} was used by task ${taskId} with another handler or input.`,
    );
    this.taskId = taskId;
  }
}

/** Other tasks are related to the one to be deleted; `related` has their ids. */
export class RelatedTasksError extends TasklaneError {
  override readonly name = 'RelatedTasksError';
  readonly related: readonly string[];
  constructor(taskId: string, why: string, related: readonly string[]) {
    super('related_tasks', `Task ${taskId} ${why}: ${related.join(', ')}.`);
    this.related = related;
  }
}

/** `maxQueued` unfinished tasks are there already. */
export class QueueFullError extends TasklaneError {
  override readonly name = 'QueueFullError';
  constructor(maxQueued: number) {
    super('queue_full', `There are ${maxQueued} unfinished tasks, as many as \`maxQueued\` allows.`);
  }
}

/** The manager was closed. */
export class ManagerClosedError extends TasklaneError {
  override readonly name = 'ManagerClosedError';
  constructor() {
    super('manager_closed', 'The task manager is closed.');
  }
}

/** A cursor was tampered with, or belongs to another filter or sort. */
export class CursorError extends TasklaneError {
  override readonly name = 'CursorError';
  constructor(why: string) {
    super('cursor_invalid', `The cursor is not valid: ${why}.`);
  }
}

/** From `result()`: the task failed; `cause` is what its handler threw, as it was stored. */
export class TaskFailedError extends TasklaneError {
  override readonly name = 'TaskFailedError';
  readonly task: TaskRecord;
  constructor(task: TaskRecord) {
    super('task_failed', `Task ${task.id} failed: ${task.error?.message ?? 'no reason is known'}`, {
      cause: task.error,
    });
    this.task = task;
  }
}

/** From `result()`: the task was cancelled; `reason` is what the canceller gave. */
export class TaskCancelledError extends TasklaneError {
  override readonly name = 'TaskCancelledError';
  readonly task: TaskRecord;
  readonly reason: string | null;
  constructor(task: TaskRecord) {
    const why = task.cancelReason ?? task.error?.message ?? null;
    super('task_cancelled', `Task ${task.id} was cancelled${why === null ? '' : `: ${why.replace(/\.$/, '')}`}.`);
    this.task = task;
    this.reason = task.cancelReason;
  }
}

/** The lease is no longer this attempt's: what it writes is refused. For authors of storages, and of handlers that checkpoint. */
export class StaleLeaseError extends TasklaneError {
  override readonly name = 'StaleLeaseError';
  constructor(taskId: string) {
    super('lease_stale', `This attempt no longer holds task ${taskId}; what it wrote was refused.`);
  }
}

/** What a storage throws. */
export interface StorageErrorOptions extends ErrorOptions {
  readonly code?: Extract<ErrorCode, `storage_${string}`>;
  readonly ambiguous?: boolean;
  readonly retryable?: boolean;
}

/** The storage failed; nothing was written unless `ambiguous`. */
export class StorageError extends TasklaneError {
  override readonly name: string = 'StorageError';
  /** The write may have happened. */
  readonly ambiguous: boolean;
  /** It may be tried again. */
  readonly retryable: boolean;
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(options.code ?? 'storage_failed', message, 'cause' in options ? { cause: options.cause } : undefined);
    this.ambiguous = options.ambiguous ?? false;
    this.retryable = options.retryable ?? false;
  }
}

/** The storage was written by a newer version of this library. */
export class StorageNewerError extends StorageError {
  override readonly name = 'StorageNewerError';
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { ...options, code: 'storage_newer' });
  }
}

/** Another connection held the lock for too long; nothing was written. */
export class StorageLockedError extends StorageError {
  override readonly name = 'StorageLockedError';
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { retryable: true, ...options, code: 'storage_locked' });
  }
}

/** The storage's file is damaged, or is not one. */
export class StorageCorruptError extends StorageError {
  override readonly name = 'StorageCorruptError';
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { ...options, code: 'storage_corrupt' });
  }
}

/** The disk is full; nothing was written. */
export class StorageFullError extends StorageError {
  override readonly name = 'StorageFullError';
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { retryable: true, ...options, code: 'storage_full' });
  }
}

/** The storage may only be read. */
export class StorageReadonlyError extends StorageError {
  override readonly name = 'StorageReadonlyError';
  constructor(message: string, options: StorageErrorOptions = {}) {
    super(message, { ...options, code: 'storage_readonly' });
  }
}
