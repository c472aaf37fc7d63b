export type { DeleteOptions, TaskPatch } from './controls.ts';
export * from './errors.ts';
export type { PublishOptions } from './event/publisher.ts';
export type { PayloadOf, StartedBy } from './event/types.ts';
export type { TaskEventName, TaskEvents, TaskNews, TaskWarning } from './events.ts';
export type { Explanation, IdleReason, TaskWorker } from './explain.ts';
export type { ChildOptions, Children, ItemOptions, ItemShape, Items, TaskOf } from './flow/children.ts';
export type { Dependency } from './flow/dependencies.ts';
export type { FlowItem } from './flow/graph.ts';
export type { DependencyResult, RelatedQuery, RelatedTask, RelatedTasks } from './flow/relations.ts';
export type { OnFailure } from './flow/rules.ts';
export type { SubmittedTask, TaskHandle } from './handle.ts';
export { type AbortCode, Snooze, TaskAbort } from './handler/abort.ts';
export type { Debounce, DebounceByInput, Throttle, ThrottleByInput } from './handler/coalescing.ts';
export type { ProgressReport, TaskContext } from './handler/context.ts';
export {
  type AnyTask,
  type Backoff,
  defineTask,
  type InputOf,
  type Optional,
  type RecordOf,
  type Resolve,
  type ResultOf,
  type Retention,
  type TaskDefinition,
  type TasksOf,
} from './handler/define.ts';
export type { Principal, TaskAction } from './handler/rights.ts';
export type { Health } from './lifecycle.ts';
export { TaskManager } from './manager.ts';
export type { TaskManagerOptions } from './options.ts';
export type { ListQuery, Page, TaskStats } from './queries.ts';
export type { ScheduleFilter, SchedulePage, ScheduleQuery } from './schedule/list.ts';
export type { OnOrphan } from './schedule/reconcile.ts';
export type { Schedules } from './schedule/schedules.ts';
export type { DeclaredSchedule, ScheduleOptions, ScheduleRule, ScheduleSpec } from './schedule/spec.ts';
export type { Missed, Overlap, ScheduleRecord } from './schedule/stored-schedule.ts';
export { MemoryStorage } from './storage/memory/memory-storage.ts';
export type * from './storage/storage.ts';
export type { Rest, SubmitOptions } from './submit/options.ts';
export type { Unique } from './submit/unique.ts';
export type { JsonValue } from './task/json.ts';
export type { Condition, Range, SortKey, TaskFilter } from './task/query.ts';
export type {
  LogLevel,
  LogLine,
  Tag,
  TaskAttempt,
  TaskErrorInfo,
  TaskProgress,
  TaskRecord,
} from './task/record.ts';
export type { FinalStatus, Status } from './task/status.ts';
export type { Clock, Timer } from './time/clock.ts';
export type { Duration } from './time/duration.ts';
