import type { z } from 'zod';
import { ScheduleNotFoundError } from '../errors.ts';
import type { TaskAction } from '../handler/rights.ts';
import type { ScheduleRecord } from '../schedule/stored-schedule.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import type { HttpContext } from './context.ts';
import { HttpProblem } from './problem.ts';
import type { Schedule } from './schedule-schemas.ts';
import { previewOf } from './submit-preview.ts';
import { wireTime } from './wire.ts';

/** A task that a schedule would make: what a caller may do with the schedule is what he may do with this. */
export function taskOf(schedule: ScheduleRecord): TaskRecord {
  const { handler, input, tags, metadata, submittedBy, createdAt, key } = schedule;
  const [description, entityId] = [schedule.description ?? undefined, schedule.entityId ?? undefined];
  const body = { handler, input, tags, metadata, description, entityId, priority: schedule.priority ?? 0 };
  return { ...previewOf(body, submittedBy, createdAt), status: 'scheduled', queuedAt: null, scheduleId: key };
}

/** The schedule that a path names. @throws {ScheduleNotFoundError} also where it does not exist for the caller @throws {HttpProblem} 403 */
export async function permittedSchedule(
  { manager, settings }: HttpContext,
  caller: Caller,
  action: TaskAction,
  key: string,
): Promise<ScheduleRecord> {
  const schedule = await manager.schedules.get(key);
  if (schedule === null || !caller.sees(taskOf(schedule))) throw new ScheduleNotFoundError(key);
  if (caller.may(action, taskOf(schedule))) return schedule;
  if (settings.hideForbidden) throw new ScheduleNotFoundError(key);
  throw new HttpProblem('forbidden', `You may not do this with schedule ${key}.`);
}

/** A schedule as the wire has it, and the caller may see it. */
export function showSchedule(caller: Caller, schedule: ScheduleRecord): z.input<typeof Schedule> {
  const { input } = caller.redacted(taskOf(schedule), { input: true, result: false });
  return {
    ...schedule,
    input: input ?? null,
    times: schedule.times?.map(wireTime) ?? null,
    start: maybe(schedule.start),
    end: maybe(schedule.end),
    createdAt: wireTime(schedule.createdAt),
    updatedAt: wireTime(schedule.updatedAt),
    pausedAt: maybe(schedule.pausedAt),
    nextRunAt: maybe(schedule.nextRunAt),
    lastTick: maybe(schedule.lastTick),
  };
}

function maybe(ms: number | null): string | null {
  return ms === null ? null : wireTime(ms);
}

/**
 * Whether a schedule that a caller makes is to hear only of events in its own name: those of the application are for whoever
 * may see all tasks. Such a one leaves the schedule of somebody else as it was.
 */
export function hearsOwnEvents(caller: Caller, before?: Pick<ScheduleRecord, 'ownEvents'>): boolean {
  return caller.scope !== null || before?.ownEvents === true;
}
