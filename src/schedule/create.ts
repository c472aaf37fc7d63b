import type { Controls } from '../controls.ts';
import { ScheduleExistsError } from '../errors.ts';
import type { Sees } from '../flow/relations.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Scheduling } from './scheduling.ts';
import { type DeclaredSchedule, parseKey } from './spec.ts';
import { type ScheduleRecord, toScheduleRecord } from './stored-schedule.ts';

/** Makes a schedule. @param paused until it is resumed, from its first moment on @throws as `manager.schedules.create` */
export async function createSchedule(
  { settings, editor }: Scheduling,
  lifecycle: Lifecycle,
  spec: DeclaredSchedule,
  paused: boolean,
): Promise<ScheduleRecord> {
  const key = parseKey(spec?.key);
  const read = await settings.read(spec);
  await lifecycle.open();
  const made = await editor.create(key, read, false, paused);
  if (made === null) throw new ScheduleExistsError(key);
  return toScheduleRecord(made);
}

/**
 * A schedule takes the place of the task that its key names: first that is cancelled where it has not ended, then one write
 * takes it to the archive and stores the schedule. So whenever the process dies, there is one of them.
 * @param paused until it is resumed
 * @param sees children that it denies are as if they were not there
 * @throws {ScheduleExistsError} @throws {RelatedTasksError} for a task with children @throws as `manager.schedules.create`
 */
export async function replaceTask(
  { settings, editor }: Scheduling,
  lifecycle: Lifecycle,
  controls: Controls,
  spec: DeclaredSchedule,
  paused: boolean,
  sees: Sees,
): Promise<void> {
  const key = parseKey(spec.key);
  const read = await settings.read(spec);
  await lifecycle.open();
  const made = await editor.prepare(key, read, false, paused);
  if (made === null) throw new ScheduleExistsError(key);
  await controls.delete(key, { cancel: true }, sees, made.put);
}
