import type { Condition } from '../../task/query.ts';
import type { StoredQuery } from '../storage.ts';
import { readCounts } from './counters.ts';
import type { Database } from './database.ts';

/** A column with an index that a query should not walk, since another one is shorter. */
export type Avoided = 'status' | 'handler' | null;

/** Lists that are put together from more parts than this are sorted by SQLite instead. */
const MAX_PARTS = 20;

/**
 * Which of the two indexes that never get narrow to leave alone. SQLite takes all for equally good; the counters know how
 * many rows each would walk.
 */
export function avoided(database: Database, where: StoredQuery['where']): Avoided {
  const alone = aloneIn(where);
  const statuses = alone.find(({ status }) => status !== undefined)?.status;
  const handlers = alone.find(({ handler }) => handler !== undefined)?.handler;
  if (statuses === undefined || handlers === undefined) return null;
  let inStatus = 0;
  let ofHandler = 0;
  for (const { handler, status, count } of readCounts(database)) {
    if (statuses.includes(status)) inStatus += count;
    if (handlers.includes(handler)) ofHandler += count;
  }
  return inStatus < ofHandler ? 'handler' : 'status';
}

/**
 * The same list in parts, each of one status or one handler, which an index holds in submit order: merging them saves
 * sorting all that fit. Null where that would not help.
 */
export function partsOf(where: StoredQuery['where'], avoid: Avoided): readonly StoredQuery['where'][] | null {
  const alone = aloneIn(where);
  const narrow = alone.some(
    ({ ids, submittedBy, entityId, parentId, scheduleId, tags }) =>
      ids !== undefined || (submittedBy ?? entityId ?? parentId ?? scheduleId) !== undefined || tags !== undefined,
  );
  if (narrow) return null;
  for (const key of ['status', 'handler'] as const) {
    if (key === avoid) continue;
    const condition = alone.find((each) => each[key] !== undefined);
    const values = [...new Set<string>(condition?.[key] ?? [])];
    if (condition === undefined || values.length < 2 || values.length > MAX_PARTS) continue;
    const others = where.filter(([only]) => only !== condition);
    return values.map((value) => [...others, [{ ...condition, [key]: [value] }]]);
  }
  return null;
}

/** The conditions that all tasks of a list fulfil. */
function aloneIn(where: StoredQuery['where']): readonly Condition[] {
  return where.flatMap((group) => (group.length === 1 ? group : []));
}
