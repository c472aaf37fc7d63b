import type { TaskAction } from '../../../handler/rights.ts';
import type { ScheduleOptions } from '../../../schedule/spec.ts';
import type { ScheduleRecord } from '../../../schedule/stored-schedule.ts';
import type { Tag, TaskRecord } from '../../../task/record.ts';
import { UNFINISHED_STATUSES } from '../../../task/status.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { requireInterval } from '../../schedule-interval.ts';
import { hearsOwnEvents } from '../../schedules.ts';
import { bodyProblem } from '../../submission.ts';
import { tasksOf } from '../../task-pages.ts';
import { type CommandSettings, checkCommand } from './commands.ts';
import { type EntitySettings, HEALTH_RUNS, scheduleHealthOf, type TaskHealth, type TaskStatus } from './entity.ts';
import { changedTask, type Properties } from './properties.ts';
import { runsOnce, scheduleStatusOf, taskOf, typeOf } from './schedule-entity.ts';
import type { JsonObject, Specification } from './specification.ts';

/** What decides how a specification becomes a schedule. */
export interface ScheduleSettings extends EntitySettings, CommandSettings {
  /** The event that starts a reactive task. */
  readonly event: (task: {
    readonly template: string;
    readonly name: string;
    readonly resource: string | null;
    readonly tags: Readonly<Record<string, Tag>>;
  }) => string;
}

/** What a task that began may be. */
const BEGUN = ['running', 'cancelling', 'succeeded', 'failed'] as const;

function throwBodyProblem(error: unknown): never {
  throw bodyProblem(error);
}

function callerId({ principal }: Caller): string | null {
  return principal?.id ?? null;
}

/** What can be done with what recurs, or answers to events. */
export class ScheduleActions {
  readonly #context: HttpContext;
  readonly #settings: ScheduleSettings;

  constructor(context: HttpContext, settings: ScheduleSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** The newest task, where it decides where the schedule stands; null: it does not, or there is none. */
  async lastOf(schedule: ScheduleRecord): Promise<TaskRecord | null> {
    const decides = runsOnce(schedule) || this.#settings.between !== 'running';
    if (!decides || schedule.lastTaskId === null) return null;
    return this.#context.manager.get(schedule.lastTaskId, { archived: true });
  }

  /** How often its newest tasks went wrong, of those that exist for the caller: one with its key may have made others before. */
  async healthOf(caller: Caller, { key }: ScheduleRecord): Promise<TaskHealth> {
    const filter = { scheduleId: key, archived: 'both', status: BEGUN } as const;
    const { items } = await this.#context.inside.queries.list({ filter, limit: HEALTH_RUNS }, caller.scope);
    return scheduleHealthOf(items);
  }

  /** Where it stands. */
  async statusOf(schedule: ScheduleRecord): Promise<TaskStatus> {
    return scheduleStatusOf(schedule, await this.lastOf(schedule), this.#settings);
  }

  /** Makes one that recurs, or answers to events, of the caller. @throws what `manager.schedules.create` does */
  async create(caller: Caller, key: string, specification: Specification): Promise<void> {
    const spec = { key, ...this.#specOf(key, specification), ...this.#whose(caller, specification, callerId(caller)) };
    await requireInterval(this.#context, spec);
    await this.#context.inside.createSchedule(spec, !specification.start).catch(throwBodyProblem);
  }

  /** It takes a task's place, and its id: there is the one or the other, whenever a process dies. */
  async takePlace(
    caller: Caller,
    { id: key, submittedBy }: TaskRecord,
    specification: Specification,
  ): Promise<ScheduleRecord> {
    const whose = this.#whose(caller, specification, submittedBy ?? callerId(caller));
    const spec = { key, ...this.#specOf(key, specification), ...whose };
    // one that runs once waits for no event but its trigger
    const paused = specification.type !== 'onetime' && !specification.start;
    const { inside, submission } = this.#context;
    await submission.take(caller);
    await requireInterval(this.#context, spec);
    await inside.replaceBySchedule(spec, paused, (one) => caller.sees(one)).catch(throwBodyProblem);
    return this.#startOr(key, specification);
  }

  /** Gives it another specification; what it did before stays. */
  async replace(caller: Caller, before: ScheduleRecord, specification: Specification): Promise<ScheduleRecord> {
    const { schedules } = this.#context.manager;
    const { key, submittedBy } = before;
    await this.#context.submission.take(caller);
    const whose = this.#whose(caller, specification, submittedBy, before);
    const specified = { ...this.#specOf(key, specification), ...whose };
    await requireInterval(this.#context, specified);
    const replaced = await schedules.replace(key, specified).catch(throwBodyProblem);
    const isOn = replaced.pausedAt === null;
    if (specification.type === 'onetime' || isOn !== specification.start) return this.#startOr(key, specification);
    return replaced;
  }

  /** Runs it now where it runs once, else lets its ticks come. @throws {HttpProblem} 400 while it runs, as a rule */
  async start(caller: Caller, schedule: ScheduleRecord): Promise<ScheduleRecord> {
    const { schedules } = this.#context.manager;
    const status = await this.statusOf(schedule);
    checkCommand(this.#settings, 'start', status);
    if (goesOn(status)) return schedule;
    this.check(caller, 'runNow', schedule);
    if (typeOf(schedule) !== 'onetime') return schedules.resume(schedule.key);
    await this.#context.submission.take(caller);
    await schedules.trigger(schedule.key);
    return this.#now(schedule);
  }

  /** No tick makes a task any more, and what runs is cancelled. @throws {HttpProblem} 400 for what is stopped or failed, as a rule */
  async stop(caller: Caller, schedule: ScheduleRecord): Promise<ScheduleRecord> {
    const status = await this.statusOf(schedule);
    checkCommand(this.#settings, 'stop', status);
    if (!goesOn(status)) return schedule;
    this.check(caller, 'cancel', schedule);
    if (typeOf(schedule) !== 'onetime') await this.#context.manager.schedules.pause(schedule.key);
    await this.#cancelTasks(caller, schedule);
    return this.#now(schedule);
  }

  /** Its tasks stay. @param force stops it first @throws {HttpProblem} 400 while it runs, as a rule */
  async remove(caller: Caller, schedule: ScheduleRecord, force: boolean): Promise<void> {
    await this.checkRemove(caller, schedule, force);
    await this.#context.manager.schedules.delete(schedule.key);
    if (force) await this.#cancelTasks(caller, schedule);
  }

  /** @throws {HttpProblem} what `remove` would throw */
  async checkRemove(caller: Caller, schedule: ScheduleRecord, force: boolean): Promise<void> {
    this.check(caller, 'delete', schedule);
    if (!force) checkCommand(this.#settings, 'delete', await this.statusOf(schedule));
  }

  /** Stops it where it runs, and starts it. */
  async restart(caller: Caller, schedule: ScheduleRecord): Promise<ScheduleRecord> {
    const runs = goesOn(await this.statusOf(schedule));
    return this.start(caller, runs ? await this.stop(caller, schedule) : schedule);
  }

  /** Gives it other properties; when it runs, and all else that there is, stays. @throws {VersionConflictError} */
  async update(schedule: ScheduleRecord, properties: Properties): Promise<ScheduleRecord> {
    const { key, handler, input: _input, every, wallClock, cron, rrule, times, on, timeZone, start, end } = schedule;
    const { jitter, maxRuns, missed, missedMax, missedWithin, ownEvents, priority, startBy, submittedBy } = schedule;
    const { version: ifVersion } = schedule;
    const { parallel } = properties.flags;
    const overlap = parallel === undefined || on !== null ? schedule.overlap : overlapOf(parallel);
    const rule = { every, wallClock, cron, rrule, times, on, timeZone, start, end };
    const how = {
      jitter,
      maxRuns,
      overlap,
      missed,
      missedMax,
      missedWithin,
      ownEvents,
      priority,
      startBy,
      submittedBy,
    };
    const { description, entityId, tags, metadata, input } = changedTask(taskOf(schedule), properties);
    const options: ScheduleOptions = { ...rule, ...how, description, entityId, tags, metadata };
    const { schedules } = this.#context.manager;
    return schedules.replace(key, { handler, input, ...options }, { ifVersion }).catch(throwBodyProblem);
  }

  /** Holds what is done to a schedule to what may be done to the task that it would make. @throws {HttpProblem} 403, 404 */
  check(caller: Caller, action: TaskAction, schedule: ScheduleRecord): void {
    caller.check(action, taskOf(schedule), schedule.key);
  }

  #whose(caller: Caller, { type }: Specification, submittedBy: string | null, before?: ScheduleRecord) {
    const ownEvents = type === 'reactive' && submittedBy !== null && hearsOwnEvents(caller, before);
    return { submittedBy, ownEvents };
  }

  #specOf(
    key: string,
    specification: Specification,
  ): ScheduleOptions & { readonly handler: string; readonly input: unknown } {
    const { handler, input, name, resource, tags, metadata, type, frequency, cron, rrule, timeZone } = specification;
    const own = metadata.waylay as JsonObject;
    const rule: ScheduleOptions =
      type === 'periodic'
        ? { every: frequency }
        : type === 'scheduled'
          ? { ...(cron === null ? { rrule } : { cron }), timeZone }
          : { on: type === 'onetime' ? key : this.#settings.event({ template: handler, name, resource, tags }) };
    return {
      ...{ handler, input: input ?? null, description: name, entityId: resource, tags, metadata },
      ...rule,
      ...(rule.on === undefined ? { overlap: overlapOf(own.parallel !== false) } : undefined),
    };
  }

  /** What runs once waits for no event: a start triggers it. */
  async #startOr(key: string, { type, start }: Specification): Promise<ScheduleRecord> {
    const { schedules } = this.#context.manager;
    if (type === 'onetime' && start) await schedules.trigger(key);
    if (type !== 'onetime' && !start) return schedules.pause(key);
    return schedules.resume(key);
  }

  async #now(schedule: ScheduleRecord): Promise<ScheduleRecord> {
    return (await this.#context.manager.schedules.get(schedule.key)) ?? schedule;
  }

  /** Those that he may cancel: a schedule of somebody else that had its key may have left some. */
  async #cancelTasks(caller: Caller, { key }: ScheduleRecord): Promise<void> {
    const { manager, inside } = this.#context;
    const filter = { scheduleId: key, status: UNFINISHED_STATUSES };
    for await (const task of tasksOf(inside.queries, { filter }, caller.scope)) {
      // one that has ended in between needs no cancel
      if (caller.may('cancel', task)) await manager.cancel(task.id, 'stopped').catch(() => {});
    }
  }
}

function overlapOf(parallel: boolean): 'allow' | 'skip' {
  return parallel ? 'allow' : 'skip';
}

function goesOn(status: TaskStatus): boolean {
  return status === 'running' || status === 'pending';
}
