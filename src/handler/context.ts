import type { Children, ItemShape } from '../flow/children.ts';
import type { DependencyResult } from '../flow/relations.ts';
import type { SubmittedTask } from '../handle.ts';
import type { Rest, SubmitOptions } from '../submit/options.ts';
import type { LogLevel, TaskRecord } from '../task/record.ts';
import type { AnyTask, InputOf, Optional, Resolve, TasksOf } from './define.ts';

/** What a handler reports of its progress. `fraction`: 0 to 1, else `processed` of `total`. */
export type ProgressReport = Optional<{ processed: number; total: number; fraction: number; message: string }>;

/** What a handler is given beside its input: to be taken out by name, since a copy by `{ ...context }` is empty. */
export interface TaskContext {
  /** As claimed; `checkpoint` is what an earlier attempt stored. Its `input` is unparsed: use the first argument. */
  readonly task: TaskRecord;
  /** Aborted with a `TaskAbort` as reason. */
  readonly signal: AbortSignal;
  /** Aborted when a drain begins, before `signal`. */
  readonly closing: AbortSignal;
  /** Never throws; coalesced. */
  readonly progress: (report: ProgressReport) => void;
  /** Never throws; the newest lines are kept (`logLimit`). */
  readonly log: (message: string, options?: Optional<{ level: LogLevel }>) => void;
  /**
   * Stored when it resolves.
   * @throws {InputInvalidError} what JSON cannot hold
   * @throws {StaleLeaseError} the task is no longer ours
   */
  readonly checkpoint: (value: unknown) => Promise<void>;
  /**
   * Submits a child: its `parentId` and `submittedBy` are this task's, unless it says otherwise. A cancel of this task reaches
   * it. Another attempt submits it again, unless it has an `idempotencyKey`.
   * @throws {StaleLeaseError} the task is no longer ours, or to stop; else as `manager.submit`
   */
  readonly submit: <T extends AnyTask | string, const Shapes extends readonly ItemShape[] = readonly ItemShape[]>(
    handler: T,
    ...rest: Rest<InputOf<Resolve<AnyTask, T>>, SubmitOptions<Children<AnyTask, Shapes>>>
  ) => Promise<SubmittedTask<Resolve<AnyTask, T>>>;
  /**
   * What became of the tasks that this one depends on, its children among them, in submit order.
   * @param of only those of these definitions, whose results are typed then; none: all
   * @throws {StorageError}
   */
  readonly dependencies: <const T extends readonly AnyTask[]>(
    ...of: T
  ) => Promise<readonly DependencyResult<TasksOf<T>>[]>;
}
