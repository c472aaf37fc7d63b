import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Bound } from '../event/types.ts';
import type { TaskRecord } from '../task/record.ts';
import type { FinalStatus } from '../task/status.ts';
import type { Duration } from '../time/duration.ts';
import type { DebounceByInput, ThrottleByInput } from './coalescing.ts';
import type { TaskContext } from './context.ts';
import { checkDefinition } from './registry.ts';
import type { Principal, TaskAction } from './rights.ts';

/** Whatever a caller writes may be left out or undefined. */
export type Optional<T> = { readonly [K in keyof T]?: T[K] | undefined };

/**
 * How long to wait before the next attempt: `delay` (default 1 s), times `factor` (default 2) for each further attempt when
 * exponential, never above `max` (default 1 h), plus or minus `jitter` (0 to 1, a fraction of the delay; default 0.2). Or a
 * function of the attempts that have counted so far, from 1.
 */
export type Backoff =
  | ({ readonly type: 'fixed' | 'exponential' } & Optional<{
      delay: Duration;
      factor: number;
      max: Duration;
      jitter: number;
    }>)
  | ((failure: { readonly attempt: number; readonly error: unknown }) => Duration);

/** How long final tasks are kept, and how many of them; false keeps all. A status of its own wins over `age`. */
export type Retention =
  | false
  | Optional<{ age: Duration | false; count: number } & Record<FinalStatus, Duration | false>>;

/** `Parsed` is what `run` is given, `Submitted` what `submit` takes: they differ where a schema transforms. */
export interface TaskDefinition<Name extends string, Parsed, Result, Submitted = Parsed> {
  /** `^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$` */
  readonly name: Name;
  /** Any Standard Schema. It refuses at submit, and transforms at each attempt. */
  readonly input?: StandardSchemaV1<Submitted, Parsed> | undefined;
  readonly description?: string | undefined;
  /** Of this handler in this process; default: as many as the manager allows. */
  readonly concurrency?: number | undefined;
  /** Of tasks that are submitted without one; default 0. */
  readonly priority?: number | undefined;
  /** Of one attempt; default: none. */
  readonly timeout?: Duration | undefined;
  /** `maxAttempts` includes the first; default 1. Timeouts are retried. */
  readonly retry?: Optional<{ maxAttempts: number; backoff: Backoff }> | undefined;
  /** Default: the manager's. */
  readonly maxLost?: number | undefined;
  /** Default: the manager's. */
  readonly cancelGrace?: Duration | undefined;
  /** Default: the manager's. */
  readonly retention?: Retention | undefined;
  /** Of submits that say nothing of `debounce`, `throttle`, `unique`, `delay`, `runAt` and `hold`. */
  readonly debounce?: DebounceByInput<Submitted> | undefined;
  /** Of submits that say nothing of `debounce`, `throttle` and `unique`. */
  readonly throttle?: ThrottleByInput<Submitted> | undefined;
  /** `children`: the progress of its tasks is that of their children, as with the option of `submit`. */
  readonly progress?: 'children' | undefined;
  /** `manager.publish` of one of these events starts a task. As names of handlers, of up to 200 characters. */
  readonly on?: string | readonly string[] | undefined;
  /** Submits are answered with a warning; text says what to use instead. */
  readonly deprecated?: boolean | string | undefined;
  /** Makes the input of what was published; default: the payload is the input. */
  fromEvent?(payload: never, event: string): Submitted;
  /** False ends the retries of an error; default: every error is worth another attempt. */
  retryable?(error: unknown): boolean;
  /** Can only narrow what the HTTP policy allows. */
  authorize?(principal: Principal, action: TaskAction, task: TaskRecord): boolean;
  /** Left out: this process only submits. @throws {Snooze} to be run again later. */
  run?(input: Parsed, context: TaskContext): Result | PromiseLike<Result>;
}

/** Any definition. */
export type AnyTask = TaskDefinition<string, unknown, unknown>;

/**
 * Makes a definition, whose types flow to `submit` and `result()`. Without schema and `run`, name them:
 * `defineTask<'mail', MailInput, MailResult>({ name: 'mail' })`.
 * @throws {OptionError} that names what is out of its bounds
 */
export function defineTask<
  Name extends string,
  Parsed = unknown,
  Result = unknown,
  Submitted = Parsed,
  const On extends string | readonly string[] = string | readonly string[],
  Payload = Submitted,
>(
  definition: TaskDefinition<Name, Parsed, Result, Submitted> & {
    readonly on?: On | undefined;
    fromEvent?(payload: Payload, event: string): Submitted;
  },
): TaskDefinition<Name, Parsed, Result, Submitted> & Bound<On, Payload, Submitted> {
  checkDefinition(definition as unknown as AnyTask);
  return definition as TaskDefinition<Name, Parsed, Result, Submitted> & Bound<On, Payload, Submitted>;
}

/** What `submit` takes for a definition. */
export type InputOf<T extends AnyTask> =
  T extends TaskDefinition<string, infer _Parsed, infer _Result, infer Submitted> ? Submitted : never;

/** What a definition's handler returns. */
export type ResultOf<T extends AnyTask> =
  T extends TaskDefinition<string, infer _Parsed, infer Result, infer _Submitted> ? Result : never;

/** The record of a definition's tasks. */
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
