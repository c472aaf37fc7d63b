import type { TaskStorage } from '../storage/storage.ts';
import { allFound, type Found, SCHEDULE } from './stored-schedule.ts';

/** Documents of this kind and an event's name have the keys of the schedules that are bound to the event. */
const kindOf = (event: string): string => `schedule.on.${event}`;

/** Written before the schedule, and removed after it: one too many is looked through, one too few would be an event lost. */
export async function bind(storage: TaskStorage, event: string | null, key: string): Promise<void> {
  if (event !== null) await storage.putDocument(kindOf(event), key, null);
}

/** @throws {StorageError} */
export async function unbind(storage: TaskStorage, event: string | null, key: string): Promise<void> {
  if (event !== null) await storage.deleteDocument(kindOf(event), key);
}

/**
 * The schedules that an event starts: bound to it, not paused, and not over. It looks at no others, however many there are.
 * @param now epoch ms
 * @throws {StorageError}
 */
export async function boundTo(storage: TaskStorage, event: string, now: number): Promise<readonly Found[]> {
  const bindings = await storage.documents(kindOf(event));
  const documents = await Promise.all(bindings.map(({ key }) => storage.document(SCHEDULE, key)));
  return allFound(documents).filter(({ schedule: { rule, pausedAt, maxRuns, runs } }) => {
    const isOver = (maxRuns !== null && runs >= maxRuns) || (rule.end !== null && now > rule.end);
    return rule.on === event && pausedAt === null && !isOver && now >= (rule.start ?? 0);
  });
}
