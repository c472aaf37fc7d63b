import type { Condition, Range } from '../../task/query.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import type { StoredQuery } from '../storage.ts';
import type { Database } from './database.ts';
import { ANYWHERE, type Places, type Stretch } from './order.ts';
import { aloneIn } from './plan.ts';
import { placesWithin } from './submit-order.ts';

/** Tasks whose times an index holds in order. */
export interface TimePart {
  readonly index: string;
  readonly where: string;
  readonly column: 'updated_at' | 'finished_at';
  /** The statuses that there are among them, where that is not all. */
  readonly statuses?: readonly Status[];
  /** `column` holds what `updated_at` does, too. */
  readonly isUpdatedAt?: true;
}

const FINISHED = 'tasklane_task_finished';
const FINAL: readonly Status[] = ['succeeded', 'failed', 'cancelled'];
const UNFINISHED = STATUSES.filter((status) => !FINAL.includes(status));

/**
 * Where tasks are by `updated_at`. An index on all of them would move with each change of a task: so what runs is in none,
 * for it is little, and what has ended is found by its end, unless it was changed afterwards.
 */
const UPDATED: readonly TimePart[] = [
  {
    index: 'tasklane_task_updated',
    where: 'status < 3',
    column: 'updated_at',
    statuses: ['waiting', 'scheduled', 'queued'],
  },
  {
    index: 'tasklane_task_status',
    where: 'status in (3, 4)',
    column: 'updated_at',
    statuses: ['running', 'cancelling'],
  },
  {
    index: FINISHED,
    where: 'finished_at is not null and status >= 5 and updated_at = finished_at',
    column: 'finished_at',
    statuses: FINAL,
    isUpdatedAt: true,
  },
  {
    index: 'tasklane_task_touched',
    where: 'status >= 5 and updated_at <> finished_at',
    column: 'updated_at',
    statuses: FINAL,
  },
];
/** Tasks by when they were made need no index: that is the submit order. */
const PARTS: Readonly<Record<'created' | 'updated' | 'finished', readonly TimePart[]>> = {
  created: [],
  updated: UPDATED,
  finished: [{ index: FINISHED, where: 'finished_at is not null', column: 'finished_at', statuses: FINAL }],
};
const KEYS = ['finished', 'updated', 'created'] as const;

/** So many tasks of a range are sorted; past those of a wider one a list is walked. */
const NARROW = 2_000;

/** The parts by `updated_at` that may hold tasks of a list. */
export function updatedParts(where: StoredQuery['where']): readonly TimePart[] {
  return UPDATED.filter(({ statuses = STATUSES }) => mayHold(where, statuses));
}

/**
 * The parts of a stretch that may hold tasks of a list, where it is sorted by a time that an index has; null: wherever they
 * are. SQLite would rather sort all of a status.
 */
export function sortedParts({ sort, where }: StoredQuery, { isNull = false }: Stretch): readonly (TimePart | null)[] {
  if (sort === 'updatedAt') return updatedParts(where);
  if (sort !== 'finishedAt') return [null];
  if (isNull) return mayHold(where, UNFINISHED) ? [null] : [];
  return mayHold(where, FINAL) ? PARTS.finished : [];
}

/** Whether tasks of some of these statuses may be in a list. */
function mayHold(where: StoredQuery['where'], statuses: readonly Status[]): boolean {
  const wanted = aloneIn(where).flatMap(({ status }) => (status === undefined ? [] : [status]));
  return statuses.some((status) => wanted.every((each) => each.includes(status)));
}

/** Whether tasks of a range of times are wanted. */
export function hasRange(where: StoredQuery['where']): boolean {
  return aloneIn(where).some((condition) => KEYS.some((key) => condition[key] !== undefined));
}

/** The parts of a range that is so narrow that all its tasks can be sorted; null: there is none. */
export function narrowParts(database: Database, where: StoredQuery['where']): readonly TimePart[] | null {
  for (const [key, range] of rangesIn(where)) {
    const parts = PARTS[key];
    let left = parts.length > 0 ? NARROW : 0;
    for (const part of parts) if (left > 0) left -= countWithin(database, part, range, left);
    if (left > 0) return parts;
  }
  return null;
}

/** Where in the submit order the tasks of all ranges are, as far as their times tell. */
export function placesOf(database: Database, where: StoredQuery['where']): Places {
  let { after, before } = ANYWHERE;
  for (const [key, range] of rangesIn(where)) {
    // A task may be updated, and end, long after it was made, but not before.
    if (key === 'created') after = Math.max(after, range.after ?? after);
    before = Math.min(before, range.before ?? before);
  }
  return placesWithin(database, after, before);
}

function rangesIn(where: StoredQuery['where']): readonly (readonly [(typeof KEYS)[number], Range])[] {
  const of = (condition: Condition) =>
    KEYS.flatMap((key) => (condition[key] === undefined ? [] : [[key, condition[key]] as const]));
  return aloneIn(where).flatMap(of);
}

function countWithin(database: Database, part: TimePart, { after, before }: Range, limit: number): number {
  const { index, where, column } = part;
  let text = `select count(*) from (select 1 from tasklane_task indexed by ${index} where ${where}`;
  const values: number[] = [];
  if (after !== undefined) text += ` and ${column} > ?`;
  if (before !== undefined) text += ` and ${column} < ?`;
  if (after !== undefined) values.push(after);
  if (before !== undefined) values.push(before);
  return Number(database.get(`${text} limit ? + 0)`, ...values, limit)?.[0] ?? 0);
}
