import type { Controls } from './controls.ts';
import type { Publisher } from './event/publisher.ts';
import type { TaskNews, TaskWarning } from './events.ts';
import type { Relations, Sees } from './flow/relations.ts';
import type { SubmittedHandle } from './handle.ts';
import type { AnyTask } from './handler/define.ts';
import type { Handler } from './handler/registry.ts';
import type { Kept } from './kept.ts';
import type { TaskManager } from './manager.ts';
import type { Queries } from './queries.ts';
import type { SchedulePage, ScheduleQuery } from './schedule/list.ts';
import type { DeclaredSchedule } from './schedule/spec.ts';
import type { ScheduleRecord } from './schedule/stored-schedule.ts';
import type { Keep } from './submit/batch.ts';
import type { SubmitOptions } from './submit/options.ts';
import type { TaskRecord } from './task/record.ts';
import type { Clock } from './time/clock.ts';

/**
 * What `tasklane/http` needs of a manager beyond its public methods: there, what a caller asks for and what he may see are
 * ANDed, which no single `TaskFilter` can say. It is no part of the contract.
 */
export interface Inside {
  readonly queries: Queries;
  readonly controls: Controls;
  readonly kept: Kept;
  /** As `manager.submit`; `keep` spares the reading of what was just stored. */
  readonly submit: (handler: string, input: unknown, options: SubmitOptions, keep: Keep) => Promise<SubmittedHandle>;
  /** As `manager.publish`; `look` is shown what the event starts, and may throw. */
  readonly publish: Publisher['publish'];
  readonly relations: Relations;
  readonly definitionOf: (handler: string) => AnyTask | undefined;
  /** For `tasklane/testing`. @throws {UnknownHandlerError} */
  readonly handlerOf: (handler: AnyTask | string) => Handler;
  /** For `tasklane/testing`: as the storage's. */
  readonly nextDue: () => Promise<number | null>;
  /** As `manager.schedules.list`; what is denied is as if it were not there. */
  readonly listSchedules: (query: ScheduleQuery, fits: (schedule: ScheduleRecord) => boolean) => Promise<SchedulePage>;
  /** As `manager.schedules.create`, of one that is `paused` from its first moment on. */
  readonly createSchedule: (spec: DeclaredSchedule, paused: boolean) => Promise<ScheduleRecord>;
  /**
   * A schedule takes the place, and the id, of a task, in one write: first the task is cancelled where it has not ended, then
   * it goes to the archive. `paused`: until `manager.schedules.resume`.
   */
  readonly replaceBySchedule: (spec: DeclaredSchedule, paused: boolean, sees: Sees) => Promise<void>;
  /** What a submit for a handler is warned of, whatever its input. @throws {UnknownHandlerError} */
  readonly warningsOf: (handler: string) => Promise<readonly TaskWarning[]>;
  /** All schedules, by key: only what changed since the last time is read. To be left as they are. */
  readonly allSchedules: () => Promise<readonly ScheduleRecord[]>;
  /** Draws an id of a task, for what is to be told apart from all tasks. */
  readonly drawId: () => string;
  /** What ids begin with. */
  readonly idPrefix: string;
  /** Epoch ms, by the manager's clock. */
  readonly now: () => number;
  /** Calls back once, by the manager's clock. */
  readonly after: Clock['after'];
  /** How long a key of idempotency answers. */
  readonly idempotencyMs: number;
  /** News of all tasks that fit, from now on, until the signal. `fits` may throw, which ends it. */
  readonly news: (fits: (task: TaskRecord) => boolean, signal: AbortSignal) => AsyncIterableIterator<TaskNews>;
}

const insides = new WeakMap<object, Inside>();

/** Called once by each manager. */
export function exposeInside(manager: object, inside: Inside): void {
  insides.set(manager, inside);
}

/** @throws {TypeError} for what is no manager of this copy of the library */
export function insideOf(manager: TaskManager): Inside {
  const inside = insides.get(manager);
  if (inside === undefined) throw new TypeError('This is no TaskManager of this copy of tasklane.');
  return inside;
}
