import type { ScheduleRecord } from '../../../schedule/stored-schedule.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { taskOf as madeBy } from '../../schedules.ts';
import type { EntitySettings, TaskEntity, TaskHealth, TaskStatus } from './entity.ts';
import { flagsOf, settingsOf, statusOf } from './entity.ts';
import type { Format } from './list-query.ts';
import { type JsonObject, type ScenarioType, TYPES } from './specification.ts';

/** The task that a schedule would make: what rights are about, and what there is to hide of it. */
export function taskOf(schedule: ScheduleRecord): TaskRecord {
  return { ...madeBy(schedule), id: schedule.key };
}

/** When it runs, as Waylay has it. */
export function typeOf(schedule: ScheduleRecord): ScenarioType {
  const { type } = settingsOf(schedule);
  if (TYPES.includes(type as ScenarioType)) return type as ScenarioType;
  if (schedule.every !== null) return 'periodic';
  if (schedule.on !== null) return 'reactive';
  return schedule.times === null ? 'scheduled' : 'onetime';
}

/** Whether it has no ticks, as its one run is asked for: where its newest task stands, it stands. */
export function runsOnce(schedule: ScheduleRecord): boolean {
  return typeOf(schedule) === 'onetime' && schedule.times === null;
}

/** The part of a specification that says when it runs, of a schedule that came another way. */
export function ruleOf(schedule: ScheduleRecord): JsonObject {
  const { every, cron, rrule, timeZone } = schedule;
  return {
    type: typeOf(schedule),
    ...(every === null ? undefined : { frequency: every }),
    ...(cron === null ? undefined : { cron }),
    ...(rrule === null ? undefined : { rrule }),
    ...(cron === null && rrule === null ? undefined : { timeZone }),
  };
}

/**
 * Where it stands: between two runs it counts as running, as a rule.
 * @param last its newest task, where it decides
 */
export function scheduleStatusOf(
  schedule: ScheduleRecord,
  last: TaskRecord | null,
  settings: Pick<EntitySettings, 'waiting' | 'between'>,
): TaskStatus {
  if (runsOnce(schedule)) return last === null ? 'stopped' : statusOf(last, settings);
  const goesOn = schedule.pausedAt === null && (schedule.nextRunAt !== null || schedule.on !== null);
  if (!goesOn) return 'stopped';
  return last?.status === 'running' || last?.status === 'cancelling' ? 'running' : settings.between;
}

/** A schedule as Waylay answers it. @param seen the task that it would make, as the caller sees it */
export function scheduleEntityOf(
  schedule: ScheduleRecord,
  seen: TaskRecord,
  last: TaskRecord | null,
  settings: EntitySettings,
  format: Format,
  health: TaskHealth | null,
): TaskEntity {
  const own = settingsOf(schedule);
  const { type, ...rule } = ruleOf(schedule);
  const run = runsOnce(schedule) ? last : null;
  const ran = run?.startedAt ?? schedule.lastTick;
  return {
    ID: schedule.key,
    name: schedule.description ?? schedule.handler,
    status: scheduleStatusOf(schedule, last, settings),
    user: schedule.submittedBy ?? settings.noUser,
    createTime: Math.floor(schedule.createdAt),
    network: settings.network(seen, format),
    ...(own.rule === true ? undefined : { template: schedule.handler }),
    ...(schedule.entityId === null ? undefined : { resourceIds: [schedule.entityId] }),
    type: type as ScenarioType,
    ...rule,
    ...flagsOf(own),
    tags: schedule.tags,
    ...(run === null || run.finishedAt === null ? undefined : { finishedTime: Math.floor(run.finishedAt) }),
    ...(ran === null ? undefined : { lastExecutionTime: Math.floor(ran) }),
    invocationCount: schedule.runs + (run?.attempt ?? 0),
    ...(health === null ? undefined : { health }),
    pendingNodes: {},
    rawData: {},
  };
}
