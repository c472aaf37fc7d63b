import type { AnyTask } from '../handler/define.ts';
import type { Lease } from '../storage/storage.ts';
import type { SubmitOptions } from '../submit/options.ts';
import type { TaskRecord } from '../task/record.ts';
import type { DependencyResult } from './relations.ts';

/** What a running task submits. */
export interface ChildSubmit {
  readonly handler: AnyTask | string;
  readonly input: unknown;
  readonly options: SubmitOptions | undefined;
  /** That it runs. */
  readonly lease: Lease;
  readonly task: TaskRecord;
}

/** What a handler may do with other tasks. */
export interface FlowPort {
  submit(child: ChildSubmit): Promise<unknown>;
  dependencies(taskId: string, of: readonly AnyTask[]): Promise<readonly DependencyResult[]>;
}
