import { isHeld } from '../../../task/query.ts';
import type { Tag, TaskAttempt, TaskRecord } from '../../../task/record.ts';
import type { Status } from '../../../task/status.ts';
import type { Format } from './list-query.ts';
import type { JsonObject, ScenarioType } from './specification.ts';

/** Where a task stands, in Waylay's words. */
export type TaskStatus = 'running' | 'stopped' | 'failed' | 'pending';

/** How often it went wrong. */
export interface TaskHealth {
  readonly errorsCount: number;
  readonly errorsRate: number;
}

/** What Waylay says of a task: `TaskEntity` with its part of runtime. In this order. */
export interface TaskEntity {
  readonly ID: string;
  readonly name: string;
  readonly status: TaskStatus;
  readonly user: string;
  /** Epoch ms. */
  readonly createTime: number;
  readonly network: object;
  readonly template?: string;
  readonly resourceIds?: readonly string[];
  readonly type: ScenarioType;
  /** Ms. */
  readonly frequency?: number;
  readonly cron?: string;
  readonly rrule?: string;
  readonly timeZone?: string;
  readonly resetObservations: boolean;
  readonly gatesNeedFullObservation: boolean;
  readonly parallel: boolean;
  readonly tags: Readonly<Record<string, Tag>>;
  /** Epoch ms. */
  readonly finishedTime?: number;
  readonly lastExecutionTime?: number;
  readonly invocationCount: number;
  readonly health?: TaskHealth;
  readonly pendingNodes: object;
  readonly rawData: object;
}

/** What an entity needs beside the task. */
export interface EntitySettings {
  /** Of a task that waits to run. */
  readonly waiting: 'running' | 'pending';
  /** Of one that is between two runs. */
  readonly between: 'running' | 'pending';
  /** The `user` of a task without a submitter. */
  readonly noUser: string;
  readonly network: (task: TaskRecord, format: Format) => object;
}

/** What is shown of a task where it is asked for. */
export interface View {
  readonly format: Format;
  /** How often it went wrong: it takes another look at the storage. */
  readonly health: boolean;
}

/** How a task is shown where nothing else is asked for. */
export const PLAIN: View = { format: 'bn', health: false };

const STATUS: Readonly<Record<Exclude<Status, 'waiting' | 'scheduled' | 'queued'>, TaskStatus>> = {
  running: 'running',
  cancelling: 'running',
  succeeded: 'stopped',
  failed: 'failed',
  cancelled: 'stopped',
};

/** Where a task stands, in Waylay's words. What is held waits for a `start`. */
export function statusOf(task: TaskRecord, { waiting }: Pick<EntitySettings, 'waiting'>): TaskStatus {
  const { status } = task;
  if (status === 'waiting' || status === 'scheduled' || status === 'queued') return isHeld(task) ? 'stopped' : waiting;
  return STATUS[status];
}

/** What was submitted beside what our tasks have: the settings of the specification. Empty where it came another way. */
export function settingsOf({ metadata }: { readonly metadata: unknown }): JsonObject {
  if (metadata === null || typeof metadata !== 'object' || !Object.hasOwn(metadata, 'waylay')) return {};
  const { waylay } = metadata as { readonly waylay: unknown };
  return waylay !== null && typeof waylay === 'object' && !Array.isArray(waylay) ? (waylay as JsonObject) : {};
}

/** A one-off task as Waylay answers it. @param health null: it was not asked for */
export function entityOf(
  task: TaskRecord,
  settings: EntitySettings,
  format: Format,
  health: TaskHealth | null,
): TaskEntity {
  const own = settingsOf(task);
  return {
    ID: task.id,
    name: task.description ?? task.handler,
    status: statusOf(task, settings),
    user: task.submittedBy ?? settings.noUser,
    createTime: Math.floor(task.createdAt),
    network: settings.network(task, format),
    ...(own.rule === true ? undefined : { template: task.handler }),
    ...(task.entityId === null ? undefined : { resourceIds: [task.entityId] }),
    type: 'onetime',
    ...flagsOf(own),
    tags: task.tags,
    ...(task.finishedAt === null ? undefined : { finishedTime: Math.floor(task.finishedAt) }),
    ...(task.startedAt === null ? undefined : { lastExecutionTime: Math.floor(task.startedAt) }),
    invocationCount: task.attempt - task.interrupted,
    ...(health === null ? undefined : { health }),
    pendingNodes: {},
    rawData: {},
  };
}

/** What the engine of Waylay is told, and has defaults for. */
export function flagsOf(
  own: JsonObject,
): Pick<TaskEntity, 'resetObservations' | 'gatesNeedFullObservation' | 'parallel'> {
  const { resetObservations, gatesNeedFullObservation, parallel } = own;
  return {
    resetObservations: resetObservations !== false,
    gatesNeedFullObservation: gatesNeedFullObservation === true,
    parallel: parallel !== false,
  };
}

/** Health is about so many runs, the newest. */
export const HEALTH_RUNS = 64;

/** Runs that failed, timed out or were lost, of those that began. @param attempts oldest first */
export function healthOf(attempts: readonly TaskAttempt[]): TaskHealth {
  const begun = attempts.filter(({ outcome }) => outcome !== 'interrupted').slice(-HEALTH_RUNS);
  return rateOf(
    begun.length,
    begun.filter(({ outcome }) => outcome === 'failed' || outcome === 'retrying' || outcome === 'lost').length,
  );
}

/** The same of what a schedule made, whose tasks are its runs. @param tasks newest first, those that began */
export function scheduleHealthOf(tasks: readonly TaskRecord[]): TaskHealth {
  return rateOf(tasks.length, tasks.filter(({ status }) => status === 'failed').length);
}

function rateOf(runs: number, errorsCount: number): TaskHealth {
  return { errorsCount, errorsRate: runs === 0 ? 0 : errorsCount / runs };
}
