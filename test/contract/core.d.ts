// The public contract as types, kept apart from the library on purpose: what this says, the library must go on saying.
// `types.test.ts` compares the two.

import type { StandardSchemaV1 } from '@standard-schema/spec';

// ---- what a task is ------------------------------------------------------------------------------------------
/** Milliseconds, or a number with a unit such as `'30s'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`;
export type Tag = string | number | boolean;
export type FinalStatus = 'succeeded' | 'failed' | 'cancelled';
export type Status = 'waiting' | 'scheduled' | 'queued' | 'running' | 'cancelling' | FinalStatus;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Every key is always there; times are epoch ms. Discriminated by `handler` where the handlers are known. */
export interface TaskRecord<Name extends string = string, Input = unknown, Result = unknown> {
  readonly id: string;
  readonly handler: Name;
  readonly description: string | null;
  readonly status: Status;
  /** As it was submitted, before a schema transformed it. */
  readonly input: Input;
  /** Null until it succeeded. */
  readonly result: Result | null;
  readonly error: TaskErrorInfo | null;
  readonly progress: TaskProgress | null;
  readonly checkpoint: unknown;
  readonly priority: number;
  /** Every claim counts, and never goes back. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly lost: number;
  readonly interrupted: number;
  readonly snoozed: number;
  readonly submittedBy: string | null;
  readonly entityId: string | null;
  readonly parentId: string | null;
  readonly scheduleId: string | null;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly metadata: unknown;
  readonly idempotencyKey: string | null;
  readonly uniqueKey: string | null;
  /** Null: held, or not scheduled. */
  readonly runAt: number | null;
  readonly startBy: number | null;
  readonly createdAt: number;
  readonly queuedAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
  readonly workerId: string | null;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
  readonly version: number;
}
/** `code`: `lost`, `timeout`, `expired`, `snoozed_too_often`, or that of the thrown error. */
export type TaskErrorInfo = Readonly<{ name: string; message: string; code: string | null; stack?: string }>;
/** `fraction`: 0 to 1; `rate`: steps a second; `at`: epoch ms. */
export type TaskProgress = Readonly<{
  processed: number | null;
  total: number | null;
  fraction: number | null;
  message: string | null;
  rate: number | null;
  remainingMs: number | null;
  at: number;
}>;
export type LogLine = Readonly<{ seq: number; at: number; level: LogLevel; message: string }>;
export type TaskAttempt = Readonly<{
  attempt: number;
  workerId: string;
  startedAt: number | null;
  finishedAt: number | null;
  outcome: FinalStatus | 'retrying' | 'snoozed' | 'interrupted' | 'lost' | null;
  error: TaskErrorInfo | null;
}>;
export type TaskWarning = Readonly<{ code: string; message: string }>;

// ---- what a user writes --------------------------------------------------------------------------------------
/** Whatever a caller writes may be left out or undefined. */
type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };
/** `jitter`: 0 to 1, a fraction of the delay. */
export type Backoff =
  | ({ readonly type: 'fixed' | 'exponential' } & Optional<{
      delay: Duration;
      factor: number;
      max: Duration;
      jitter: number;
    }>)
  | ((failure: { readonly attempt: number; readonly error: unknown }) => Duration);
/** Of final tasks; false keeps all. */
export type Retention =
  | false
  | Optional<{ age: Duration | false; count: number } & Record<FinalStatus, Duration | false>>;

export interface TaskContext {
  /** As claimed; `checkpoint` is what an earlier attempt stored. Its `input` is unparsed: use the first argument. */
  readonly task: TaskRecord;
  /** Aborted with a `TaskAbort` as reason. */
  readonly signal: AbortSignal;
  /** Aborted when a drain begins, before `signal`. */
  readonly closing: AbortSignal;
  /** Never throws; coalesced. */
  readonly progress: (
    report: Optional<{ processed: number; total: number; fraction: number; message: string }>,
  ) => void;
  readonly log: (message: string, options?: Optional<{ level: LogLevel }>) => void;
  /** Stored when it resolves. @throws {InputInvalidError} what JSON cannot hold. @throws {StaleLeaseError} the task is no longer ours. */
  readonly checkpoint: (value: unknown) => Promise<void>;
}

/** `Parsed` is what `run` is given, `Submitted` what `submit` takes: they differ where a schema transforms. */
export interface TaskDefinition<Name extends string, Parsed, Result, Submitted = Parsed> {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$` */
  readonly name: Name;
  readonly input?: StandardSchemaV1<Submitted, Parsed> | undefined;
  readonly description?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly priority?: number | undefined;
  /** `timeout`: of one attempt. `maxAttempts` includes the first; default 1. */
  readonly timeout?: Duration | undefined;
  readonly retry?: Optional<{ maxAttempts: number; backoff: Backoff }> | undefined;
  readonly maxLost?: number | undefined;
  readonly cancelGrace?: Duration | undefined;
  readonly retention?: Retention | undefined;
  readonly deprecated?: boolean | string | undefined;
  retryable?(error: unknown): boolean;
  /** Can only narrow what the HTTP policy allows. */
  authorize?(principal: Principal, action: TaskAction, task: TaskRecord): boolean;
  /** Left out: this process only submits. @throws {Snooze} to be run again later. */
  run?(input: Parsed, context: TaskContext): Result | PromiseLike<Result>;
}
export type AnyTask = TaskDefinition<string, unknown, unknown>;
/** Without schema and `run`: `defineTask<'mail', MailInput, MailResult>({ name: 'mail' })`. @throws {OptionError} */
export declare function defineTask<Name extends string, Parsed = unknown, Result = unknown, Submitted = Parsed>(
  definition: TaskDefinition<Name, Parsed, Result, Submitted>,
): TaskDefinition<Name, Parsed, Result, Submitted>;

export type InputOf<T extends AnyTask> =
  T extends TaskDefinition<string, infer _Parsed, infer _Result, infer Submitted> ? Submitted : never;
export type ResultOf<T extends AnyTask> =
  T extends TaskDefinition<string, infer _Parsed, infer Result, infer _Submitted> ? Result : never;
export type RecordOf<T extends AnyTask> = T extends AnyTask ? TaskRecord<T['name'], InputOf<T>, ResultOf<T>> : never;
/** The definitions of a list as a union; of an empty or unknown list, any. */
export type TasksOf<Handlers extends readonly AnyTask[]> = [Handlers[number]] extends [never]
  ? AnyTask
  : Handlers[number];
/** A definition is itself; a name is the definition of that name. */
export type Resolve<Tasks extends AnyTask, T> = T extends AnyTask
  ? T
  : Tasks extends AnyTask
    ? T extends Tasks['name']
      ? Tasks
      : never
    : never;
type Rest<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options];
type InputKey<Input> = undefined extends Input ? { readonly input?: Input | undefined } : { readonly input: Input };

// ---- submit and watch ----------------------------------------------------------------------------------------
export type SubmitOptions = Optional<{
  /** Integer, -1,000,000 to 1,000,000, larger first. */
  priority: number;
  /** At most one of `delay`, `runAt` and `hold`. `runAt`: a date or epoch ms. */
  delay: Duration;
  runAt: Date | number;
  hold: boolean;
  /** Not started within this time: cancelled, error code `expired`. */
  startBy: Duration;
  tags: Readonly<Record<string, Tag>>;
  idempotencyKey: string;
  unique: Unique;
  submittedBy: string;
  entityId: string;
  parentId: string;
  description: string;
  metadata: unknown;
}>;
export type Unique = { readonly key: string } & Optional<{
  scope: 'unstarted' | 'unfinished' | { readonly window: Duration };
  onConflict: 'skip' | 'error';
}>;
export interface TaskHandle<T extends AnyTask = AnyTask> {
  readonly id: string;
  /** @throws {TaskFailedError} @throws {TaskCancelledError} @throws {TaskNotFoundError} and the signal's reason. */
  result(options?: Optional<{ signal: AbortSignal }>): Promise<ResultOf<T>>;
  cancel(reason?: string): Promise<RecordOf<T>>;
  /** Ends after the final status. */
  events(options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<TaskNews<T>>;
}
/** What `submit` gives: a handle that also says whether an earlier task answers. */
export type SubmittedTask<T extends AnyTask = AnyTask> = TaskHandle<T> & {
  readonly warnings: readonly TaskWarning[];
} & (
    | { readonly created: true; readonly matched: null }
    | { readonly created: false; readonly matched: 'idempotency' | 'unique' }
  );

type Each<T extends AnyTask, Extra> = T extends AnyTask
  ? {
      readonly type: string;
      readonly handler: T['name'];
      readonly taskId: string;
      readonly at: number;
      readonly task: RecordOf<T>;
    } & Extra
  : never;
/** Of `manager.watch` and `task.events()`: what any process on the storage did. Discriminated by `type` and `handler`. */
export type TaskNews<T extends AnyTask = AnyTask> =
  | Each<T, { readonly type: 'status' | 'progress' }>
  | Each<T, { readonly type: 'log'; readonly level: LogLevel; readonly message: string }>;
/** Of `manager.on`: what this process did. */
export interface TaskEvents<T extends AnyTask = AnyTask> {
  'task:created': Each<T, unknown>;
  'task:scheduled': Each<T, unknown>;
  'task:cancelling': Each<T, unknown>;
  'task:updated': Each<T, unknown>;
  'task:queued': Each<T, unknown>;
  'task:started': Each<T, unknown>;
  'task:archived': Each<T, unknown>;
  'task:progress': Each<T, { readonly progress: TaskProgress }>;
  'task:log': Each<T, { readonly level: LogLevel; readonly message: string }>;
  'task:retrying': Each<T, { readonly error: TaskErrorInfo; readonly runAt: number }>;
  'task:snoozed': Each<T, { readonly runAt: number }>;
  'task:interrupted': Each<T, unknown>;
  'task:lost': Each<T, unknown>;
  'task:succeeded': Each<T, unknown>;
  'task:failed': Each<T, { readonly error: TaskErrorInfo }>;
  'task:cancelled': Each<T, { readonly reason: string | null }>;
  warning: TaskWarning & { readonly taskId: string | null; readonly handler: string | null };
  error: { readonly error: unknown; readonly taskId: string | null; readonly handler: string | null };
}

/** Exclusive, epoch ms. */
export type Range = Optional<{ after: number; before: number }>;
/** All keys AND; a list is OR. */
export type TaskFilter = Optional<{
  status: Status | readonly Status[];
  handler: string | readonly string[];
  ids: readonly string[];
  submittedBy: string;
  entityId: string;
  parentId: string;
  scheduleId: string;
  description: string;
  /** `any`: has any value. Compared as text. */
  tags: Readonly<Record<string, Tag | readonly Tag[] | { readonly any: true }>>;
  created: Range;
  updated: Range;
  finished: Range;
  text: string;
  archived: boolean | 'both';
}>;
export type SortKey =
  | 'id'
  | 'createdAt'
  | 'updatedAt'
  | 'finishedAt'
  | 'priority'
  | 'handler'
  | 'status'
  | 'submittedBy'
  | 'entityId';
/** `limit`: 1 to 1,000, default 50. At most one of `cursor`, `after`, `before` and `offset`. */
export type ListQuery = Optional<{
  filter: TaskFilter;
  sort: SortKey | `-${SortKey}`;
  statusOrder: readonly Status[];
  limit: number;
  cursor: string;
  after: string;
  before: string;
  offset: number;
}>;
export type Page<Item> = Readonly<{
  items: readonly Item[];
  next: string | null;
  previous: string | null;
  truncated?: boolean;
}>;

export type TaskStats = Readonly<{
  byStatus: Readonly<Record<Status, number>>;
  byHandler: Readonly<Record<string, Readonly<Record<Status, number>>>>;
}>;
/** `ready`: claiming and beats work. */
export type Health = Readonly<{ ready: boolean; problems: readonly string[] }>;

// ---- the manager ---------------------------------------------------------------------------------------------
/** Defaults and bounds: API.md. */
export type TaskManagerOptions<Handlers extends readonly AnyTask[] = readonly AnyTask[]> = Optional<{
  storage: TaskStorage;
  handlers: Handlers;
  concurrency: number;
  maxLost: number;
  maxSnoozes: number;
  maxLeaks: number;
  maxQueued: number;
  lease: Duration;
  sweep: Duration;
  cancelGrace: Duration;
  progressInterval: Duration;
  /** Bytes of JSON text. */
  maxInputBytes: number;
  maxResultBytes: number;
  logLimit: Optional<{ lines: number; bytes: number }>;
  retention: Retention;
  idempotencyTtl: Duration;
  idPrefix: string;
}>;
export type TaskPatch = Optional<{
  priority: number;
  runAt: Date | number | null;
  tags: Readonly<Record<string, Tag | null>>;
  description: string | null;
  entityId: string | null;
  metadata: unknown;
}>;
export type DeleteOptions = Optional<{ related: boolean; cancel: boolean; purge: boolean }>;
/** Generic over `handlers`. The union is closed for the compiler only: what `register` adds, or other processes left, appears in it too. */
export declare class TaskManager<
  const Handlers extends readonly AnyTask[] = readonly AnyTask[],
  Tasks extends AnyTask = TasksOf<Handlers>,
> {
  /** @throws {OptionError} */
  constructor(options?: TaskManagerOptions<Handlers>);
  register(...tasks: readonly AnyTask[]): void;
  /** @throws {StorageError} */
  start(options?: Optional<{ run: boolean }>): Promise<void>;
  /** @throws {InputInvalidError} and the other errors of API.md. */
  submit<T extends AnyTask | Tasks['name']>(
    handler: T,
    ...rest: Rest<InputOf<Resolve<Tasks, T>>, SubmitOptions>
  ): Promise<SubmittedTask<Resolve<Tasks, T>>>;
  /** All or nothing, in order. */
  submitMany<const T extends readonly (AnyTask | Tasks['name'])[]>(
    items: {
      readonly [I in keyof T]: { readonly handler: T[I] } & InputKey<InputOf<Resolve<Tasks, T[I]>>> & SubmitOptions;
    },
  ): Promise<{ readonly [I in keyof T]: SubmittedTask<Resolve<Tasks, T[I]>> }>;
  task(id: string): TaskHandle<Tasks>;
  get(id: string, options?: Optional<{ archived: boolean }>): Promise<RecordOf<Tasks> | null>;
  /** @throws {CursorError} */
  list(query?: ListQuery): Promise<Page<RecordOf<Tasks>>>;
  count(filter?: TaskFilter): Promise<number>;
  stats(): Promise<TaskStats>;
  health(): Promise<Health>;
  /** @throws {TaskNotFoundError} @throws {TransitionError} this one and each below that takes an id. */
  cancel(id: string, reason?: string): Promise<RecordOf<Tasks>>;
  restart(id: string): Promise<RecordOf<Tasks>>;
  runNow(id: string): Promise<RecordOf<Tasks>>;
  /** @throws {VersionConflictError} */
  update(id: string, patch: TaskPatch, options?: Optional<{ ifVersion: number }>): Promise<RecordOf<Tasks>>;
  complete(id: string, result?: unknown): Promise<RecordOf<Tasks>>;
  fail(id: string, error: unknown): Promise<RecordOf<Tasks>>;
  /** @throws {RelatedTasksError} */
  delete(id: string, options?: DeleteOptions): Promise<void>;
  attempts(id: string): Promise<readonly TaskAttempt[]>;
  /** `after`: the `seq` of a line. */
  log(id: string, page?: Optional<{ after: number; limit: number }>): Promise<readonly LogLine[]>;
  /** Of one handler, or of all; stored. */
  pause(handler?: string): Promise<void>;
  resume(handler?: string): Promise<void>;
  /** This process only. */
  setConcurrency(limit: number): void;
  setConcurrency(handler: string, limit: number): void;
  /** @returns a function that ends the listening. */
  on<E extends keyof TaskEvents>(name: E, listener: (event: TaskEvents<Tasks>[E]) => unknown): () => void;
  watch(filter?: TaskFilter, options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<TaskNews<Tasks>>;
  /** Nothing queued or running that this process could run. */
  onIdle(): Promise<void>;
  /** Twice: no error. */
  close(options?: Optional<{ timeout: Duration }>): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The contract of ARCHITECTURE.md; only its life is shown here. */
export interface TaskStorage {
  readonly capabilities: { readonly durable: boolean; readonly shared: boolean; readonly transactions: boolean };
  open(): Promise<void>;
  close(): Promise<void>;
}
export declare class MemoryStorage implements TaskStorage {
  readonly capabilities: TaskStorage['capabilities'];
  open(): Promise<void>;
  close(): Promise<void>;
}

// ---- errors --------------------------------------------------------------------------------------------------
export type ErrorCode =
  | 'option_invalid'
  | 'input_invalid'
  | 'handler_unknown'
  | 'payload_too_large'
  | 'task_not_found'
  | 'transition_refused'
  | 'version_conflict'
  | 'unique_conflict'
  | 'idempotency_conflict'
  | 'related_tasks'
  | 'queue_full'
  | 'manager_closed'
  | 'cursor_invalid'
  | 'task_failed'
  | 'task_cancelled'
  | 'lease_stale'
  | 'storage_failed'
  | 'storage_newer'
  | 'storage_locked'
  | 'storage_corrupt'
  | 'storage_full'
  | 'storage_readonly'
  | HttpErrorCode;
/** Only from `TaskClient`. */
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
export declare class TasklaneError extends Error {
  readonly code: ErrorCode;
}
export declare class InputInvalidError extends TasklaneError {
  readonly issues: readonly { readonly path: string; readonly message: string }[];
}
export declare class OptionError extends TasklaneError {}
export declare class UnknownHandlerError extends TasklaneError {}
/** Bytes of JSON text. */
export declare class PayloadTooLargeError extends TasklaneError {
  readonly bytes: number;
  readonly maxBytes: number;
}
export declare class TransitionError extends TasklaneError {
  readonly allowed: readonly Status[];
}
export declare class TaskNotFoundError extends TasklaneError {}
export declare class VersionConflictError extends TasklaneError {}
export declare class UniqueConflictError extends TasklaneError {
  readonly taskId: string;
}
export declare class IdempotencyConflictError extends TasklaneError {
  readonly taskId: string;
}
export declare class RelatedTasksError extends TasklaneError {
  readonly related: readonly string[];
}
export declare class QueueFullError extends TasklaneError {}
export declare class ManagerClosedError extends TasklaneError {}
export declare class CursorError extends TasklaneError {}
export declare class StaleLeaseError extends TasklaneError {}
export declare class TaskFailedError extends TasklaneError {
  readonly task: TaskRecord;
}
export declare class TaskCancelledError extends TasklaneError {
  readonly task: TaskRecord;
  readonly reason: string | null;
}
/** `ambiguous`: the write may have happened. `retryable`: it may be tried again. */
export declare class StorageError extends TasklaneError {
  readonly ambiguous: boolean;
  readonly retryable: boolean;
}
export declare class StorageNewerError extends StorageError {}
export declare class StorageLockedError extends StorageError {}
export declare class StorageCorruptError extends StorageError {}
export declare class StorageFullError extends StorageError {}
export declare class StorageReadonlyError extends StorageError {}
/** Thrown by a handler: run me again after this delay, at no cost in attempts. */
export declare class Snooze extends Error {
  constructor(delay: Duration);
  readonly delayMs: number;
}
/** The reason of a handler's signal. */
export declare class TaskAbort extends Error {
  readonly code: 'cancelled' | 'timeout' | 'shutdown' | 'lease_lost' | 'superseded';
}

// ---- rights --------------------------------------------------------------------------------------------------
export interface Principal {
  readonly id: string;
  readonly admin?: boolean | undefined;
}
export type TaskAction = 'submit' | 'read' | 'cancel' | 'restart' | 'runNow' | 'update' | 'delete';
