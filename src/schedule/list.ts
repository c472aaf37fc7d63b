import { checkKeys } from '../bag.ts';
import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { integer } from '../options.ts';
import type { TaskStorage } from '../storage/storage.ts';
import { isTag } from '../task/query.ts';
import type { Tag } from '../task/record.ts';
import { allFound, SCHEDULE, type ScheduleRecord, toScheduleRecord } from './stored-schedule.ts';

/** All keys AND. `text`: a part of the key, handler or description, in any case. */
export type ScheduleFilter = Optional<{
  handler: string;
  submittedBy: string;
  entityId: string;
  /** Compared as text. */
  tags: Readonly<Record<string, Tag>>;
  paused: boolean;
  /** Bound to this event. */
  on: string;
  text: string;
}>;

/** `limit`: 1 to 1,000, default 50. `cursor`: `next` of the page before. */
export type ScheduleQuery = Optional<{ filter: ScheduleFilter; limit: number; cursor: string }>;

/** Schedules by key. `next`: the cursor of the next page; null: there is none. */
export type SchedulePage = Readonly<{ items: readonly ScheduleRecord[]; next: string | null }>;

const QUERY_KEYS = ['filter', 'limit', 'cursor'];
const TEXT_KEYS = ['handler', 'submittedBy', 'entityId', 'on'] as const;
const FILTER_KEYS = [...TEXT_KEYS, 'tags', 'paused', 'text'];
/** Documents that are read at once. */
const AT_ONCE = 500;

/**
 * @param also must hold, too
 * @throws {OptionError} @throws {StorageError}
 */
export async function listSchedules(
  storage: TaskStorage,
  query: ScheduleQuery,
  also: (schedule: ScheduleRecord) => boolean = () => true,
): Promise<SchedulePage> {
  checkKeys('query', query, QUERY_KEYS);
  const limit = integer('limit', query.limit ?? 50, 1, 1_000);
  const fits = parseFilter(query.filter ?? {});
  const items: ScheduleRecord[] = [];
  let after = query.cursor === undefined ? undefined : decode(query.cursor);
  for (;;) {
    const documents = await storage.documents(SCHEDULE, { after, limit: AT_ONCE });
    for (const found of allFound(documents)) {
      const schedule = toScheduleRecord(found);
      if (!fits(schedule) || !also(schedule)) continue;
      // One more than is wanted: only then is there a next page.
      if (items.length === limit) return { items, next: encode(items.at(-1)?.key ?? '') };
      items.push(schedule);
    }
    after = documents.at(-1)?.key;
    if (documents.length < AT_ONCE) return { items, next: null };
  }
}

/** Whether a schedule matches. @throws {OptionError} */
export function parseFilter(filter: ScheduleFilter): (schedule: ScheduleRecord) => boolean {
  checkKeys('filter', filter, FILTER_KEYS);
  for (const key of [...TEXT_KEYS, 'text'] as const) {
    const value: unknown = filter[key];
    if (value !== undefined && typeof value !== 'string') throw new OptionError(`filter.${key}`, 'text', value);
  }
  const { paused, tags = {} } = filter;
  if (paused !== undefined && typeof paused !== 'boolean') {
    throw new OptionError('filter.paused', 'true or false', paused);
  }
  if (tags === null || typeof tags !== 'object') throw new OptionError('filter.tags', 'an object', tags);
  for (const [key, value] of Object.entries(tags)) {
    if (!isTag(value)) throw new OptionError(`filter.tags.${key}`, 'text, a finite number or a boolean', value);
  }
  const text = filter.text?.toLowerCase();
  return (schedule) =>
    TEXT_KEYS.every((key) => filter[key] === undefined || filter[key] === schedule[key]) &&
    (paused === undefined || paused === (schedule.pausedAt !== null)) &&
    Object.entries(tags).every(([key, value]) => hasTag(schedule, key, value)) &&
    (text === undefined || searched(schedule).some((each) => each?.toLowerCase().includes(text)));
}

function hasTag({ tags }: ScheduleRecord, key: string, value: Tag): boolean {
  return Object.hasOwn(tags, key) && String(tags[key]) === String(value);
}

function searched({ key, handler, description }: ScheduleRecord): readonly (string | null)[] {
  return [key, handler, description];
}

function encode(key: string): string {
  return Buffer.from(key).toString('base64url');
}

/** Any text is some place in the order, so none is refused but what is no text. */
function decode(cursor: unknown): string {
  if (typeof cursor !== 'string') throw new OptionError('cursor', '`next` of a page', cursor);
  return Buffer.from(cursor, 'base64url').toString();
}
