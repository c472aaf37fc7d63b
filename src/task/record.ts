import type { FinalStatus, Status } from './status.ts';

/** A value of a tag. Filters compare its text. */
export type Tag = string | number | boolean;

/** What a handler threw, or why a task ended without one. */
export type TaskErrorInfo = Readonly<{
  name: string;
  message: string;
  /** `lost`, `timeout`, `expired`, `snoozed_too_often`, ..., or the thrown error's own. */
  code: string | null;
  stack?: string;
}>;

/** How far a running task is. `fraction`: 0 to 1; `rate`: steps a second; `remainingMs`: an estimate; `at`: epoch ms. */
export type TaskProgress = Readonly<{
  processed: number | null;
  total: number | null;
  fraction: number | null;
  message: string | null;
  rate: number | null;
  remainingMs: number | null;
  at: number;
}>;

/** How loud a log line is. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A log line of a task. `seq` counts up within the task; `at`: epoch ms. */
export type LogLine = Readonly<{ seq: number; at: number; level: LogLevel; message: string }>;

/** One attempt of a task. `outcome`: null while it runs. */
export type TaskAttempt = Readonly<{
  attempt: number;
  workerId: string;
  startedAt: number | null;
  finishedAt: number | null;
  outcome: FinalStatus | 'retrying' | 'snoozed' | 'interrupted' | 'lost' | null;
  error: TaskErrorInfo | null;
}>;

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
  /** What the handler stored last by `checkpoint`. */
  readonly checkpoint: unknown;
  /** Larger runs first. */
  readonly priority: number;
  /** Every claim counts, and never goes back. */
  readonly attempt: number;
  /** Includes the first. */
  readonly maxAttempts: number;
  /** Runs whose process died. */
  readonly lost: number;
  /** Runs given back: a shutdown, or never started. */
  readonly interrupted: number;
  /** Runs that threw `Snooze`. */
  readonly snoozed: number;
  readonly submittedBy: string | null;
  readonly entityId: string | null;
  readonly parentId: string | null;
  /** The key of the schedule that made it. */
  readonly scheduleId: string | null;
  /** Which run of its schedule: the moment the rule names, epoch ms, whenever the task was made. Null: none, or triggered. */
  readonly tick: number | null;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly metadata: unknown;
  readonly idempotencyKey: string | null;
  readonly uniqueKey: string | null;
  /** Null: held, or not scheduled. */
  readonly runAt: number | null;
  /** Not started by then: cancelled, error code `expired`. */
  readonly startBy: number | null;
  readonly createdAt: number;
  readonly queuedAt: number | null;
  /** When the handler of the newest attempt started; null while it has not. */
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly updatedAt: number;
  readonly archivedAt: number | null;
  /** The process that runs it, or ran it last. */
  readonly workerId: string | null;
  readonly cancelRequestedAt: number | null;
  readonly cancelReason: string | null;
  /** Moves with every stored change, progress included. */
  readonly version: number;
}
