import { OptionError, ScheduleNotFoundError } from '../errors.ts';
import type { ScheduleEditor } from './editor.ts';
import { listSchedules, parseFilter, type ScheduleFilter } from './list.ts';
import type { Scheduling } from './scheduling.ts';
import { type StoredSchedule, toScheduleRecord } from './stored-schedule.ts';

/** Schedules of a page. */
const AT_ONCE = 1_000;

/** Pauses all that match. @returns how many it paused. @throws {OptionError} @throws {StorageError} */
export async function pauseAll({ environment, editor }: Scheduling, filter: ScheduleFilter): Promise<number> {
  requireValues(filter);
  let paused = 0;
  let cursor: string | undefined;
  do {
    const page = await listSchedules(environment.storage, { filter, limit: AT_ONCE, cursor });
    for (const { key } of page.items) if (await pauseOne(editor, key, filter)) paused++;
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return paused;
}

/** What changed since it was listed may match no more, or be gone. */
async function pauseOne(editor: ScheduleEditor, key: string, filter: ScheduleFilter): Promise<boolean> {
  const matches = parseFilter(filter);
  let paused = false;
  const fits = (schedule: StoredSchedule): boolean => {
    paused = schedule.pausedAt === null && matches(toScheduleRecord({ key, version: 0, schedule }));
    return paused;
  };
  try {
    await editor.pause(key, {}, { fits });
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    return false;
  }
  return paused;
}

/** A key that is undefined is a mistake: it would match everything. */
function requireValues(filter: ScheduleFilter): void {
  if (filter === null || typeof filter !== 'object') throw new OptionError('filter', 'an object', filter);
  const missing = Object.entries(filter).find(([, value]) => value === undefined);
  if (missing !== undefined) throw new OptionError(`filter.${missing[0]}`, 'given', undefined);
}
