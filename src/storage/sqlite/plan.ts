import type { Condition } from '../../task/query.ts';
import type { Status } from '../../task/status.ts';
import type { StoredQuery } from '../storage.ts';
import { readCounts } from './counters.ts';
import type { Database } from './database.ts';
import { encodeText } from './text.ts';
import type { WantedTag } from './where.ts';

/** Columns with an index that a query should not walk, since another one is shorter; `tags`: that of a tag of any value. */
export type Avoided = 'status' | 'handler' | 'times' | 'tags';

/** Lists that are put together from more parts than this are sorted by SQLite instead. */
const MAX_PARTS = 20;
/** So many tasks are sorted in a few ms, which walking past others may not be. */
const FEW = 5_000;
/** Whether there are more than some of a key, and with a value. */
const BEYOND_FEW = 'select 1 from tasklane_tag where key = ? limit 1 offset ? + 0';
const BEYOND_FEW_WITH = 'select 1 from tasklane_tag where key = ? and value = ? limit 1 offset ? + 0';
/** Walking past so many tasks is as fast as reading one of a part. */
const DENSE = 10;

/**
 * Which of the two indexes that never get narrow to leave alone. SQLite takes all for equally good; the counters know how
 * many rows each would walk.
 */
export function avoided(database: Database, where: StoredQuery['where']): readonly Avoided[] {
  return [...wideTags(database, where), ...wider(database, where)];
}

/** A tag that is asked for with any value is one that more than a few tasks have. */
export function wideTags(database: Database, where: StoredQuery['where']): readonly Avoided[] {
  const tags = where.flatMap((group) => group.flatMap((condition) => condition.tags ?? []));
  const isWide = ([key, values]: (typeof tags)[number]): boolean =>
    values === null && database.get(BEYOND_FEW, encodeText(key), FEW) !== undefined;
  return tags.some(isWide) ? ['tags'] : [];
}

function wider(database: Database, where: StoredQuery['where']): readonly Avoided[] {
  const alone = aloneIn(where);
  const statuses = alone.find(({ status }) => status !== undefined)?.status;
  const handlers = alone.find(({ handler }) => handler !== undefined)?.handler;
  const narrow = isNarrow(alone);
  if (!narrow && (statuses === undefined || handlers === undefined)) return [];
  const rows = { status: 0, handler: 0 };
  for (const { handler, status, count } of readCounts(database)) {
    if (statuses?.includes(status)) rows.status += count;
    if (handlers?.includes(handler)) rows.handler += count;
  }
  // beside one that is mostly narrow only what is known to be narrow, too
  if (narrow) return (['status', 'handler'] as const).filter((key) => rows[key] > FEW);
  return [rows.status < rows.handler ? 'handler' : 'status'];
}

/**
 * The same list in parts, each of one status or one handler, which an index holds in submit order: merging them saves
 * sorting all that fit. Null where that would not help.
 */
export function partsOf(
  where: StoredQuery['where'],
  avoid: readonly Avoided[],
): readonly StoredQuery['where'][] | null {
  const alone = aloneIn(where);
  if (isNarrow(alone) || alone.some(({ tags }) => tags !== undefined)) return null;
  const apart = apartOf(where);
  if (apart !== null) return apart.flatMap((part) => partsOf(part, avoid) ?? [part]);
  for (const key of ['status', 'handler'] as const) {
    if (avoid.includes(key)) continue;
    const condition = alone.find((each) => each[key] !== undefined);
    const values = [...new Set<string>(condition?.[key] ?? [])];
    if (condition === undefined || values.length < 2 || values.length > MAX_PARTS) continue;
    const others = where.filter(([only]) => only !== condition);
    return values.map((value) => [...others, [{ ...condition, [key]: [value] }]]);
  }
  return null;
}

/**
 * The same list in parts that have no task in common, where one of its groups names several conditions of different statuses.
 * Null: there is no such group, or others beside it.
 */
export function apartOf(where: StoredQuery['where']): readonly StoredQuery['where'][] | null {
  const group = where.find(({ length }) => length > 1);
  if (group === undefined || group.length > MAX_PARTS || where.some((other) => other !== group && other.length !== 1)) {
    return null;
  }
  const statuses = group.map(({ status, held }) => status ?? (held === true ? HELD : null));
  const all = statuses.flatMap((one) => (one === null ? [] : [...new Set(one)]));
  if (statuses.includes(null) || new Set(all).size < all.length) return null;
  return group.map((condition) => [...where.filter((other) => other !== group), [condition]]);
}

/** What is held is scheduled, for no time. */
const HELD: readonly Status[] = ['scheduled'];

/**
 * Whether so many of all tasks are in a list that a page far in is met sooner on a walk through all than by merging parts, of
 * which each is read up to there. @param reach how far in it ends
 */
export function isDense(database: Database, where: StoredQuery['where'], reach: number): boolean {
  if (reach <= FEW) return false;
  const parts = (apartOf(where) ?? [where]).map(aloneIn);
  let [inList, all] = [0, 0];
  for (const { handler, status, count } of readCounts(database)) {
    all += count;
    const fits = (one: Condition): boolean =>
      one.status?.includes(status) !== false && one.handler?.includes(handler) !== false;
    if (parts.some((conditions) => conditions.every(fits))) inList += count;
  }
  return inList * DENSE >= all;
}

/** Whether so few tasks have a tag that they are better sorted than met on a walk in another order. */
export function isRare(database: Database, { key, value }: WantedTag): boolean {
  return database.get(BEYOND_FEW_WITH, encodeText(key), encodeText(value), FEW) === undefined;
}

/** Whether a list holds so few tasks, or may, that they are better sorted than met on a walk by time. */
export function isSorted(database: Database, where: StoredQuery['where']): boolean {
  const alone = aloneIn(where);
  if (isNarrow(alone)) return true;
  const counted = alone.filter(
    ({ status, handler, archived }) => (status ?? handler) !== undefined && archived === false,
  );
  if (counted.length === 0) return false;
  const fits = (count: { readonly handler: string; readonly status: Status }): boolean =>
    counted.every(
      ({ status, handler }) => status?.includes(count.status) !== false && handler?.includes(count.handler) !== false,
    );
  const most = readCounts(database).reduce((sum, count) => sum + (fits(count) ? count.count : 0), 0);
  return most <= FEW;
}

/** Whether an index that is mostly narrow serves. */
function isNarrow(alone: readonly Condition[]): boolean {
  return alone.some(
    ({ ids, submittedBy, entityId, parentId, scheduleId }) =>
      ids !== undefined || (submittedBy ?? entityId ?? parentId ?? scheduleId ?? undefined) !== undefined,
  );
}

/** The conditions that all tasks of a list fulfil. */
export function aloneIn(where: StoredQuery['where']): readonly Condition[] {
  return where.flatMap((group) => (group.length === 1 ? group : []));
}
