import type { Condition } from '../../task/query.ts';
import type { StoredQuery } from '../storage.ts';
import { type HandlerCount, readCounts, readScheduledCounts } from './counters.ts';
import type { Database } from './database.ts';
import { bySubmit } from './order.ts';
import { apartOf, avoided } from './plan.ts';
import { placesOf } from './times.ts';
import { TAGGED, tagValues, wantedTag, whereOf } from './where.ts';

type Where = StoredQuery['where'];

/** See `TasksOutside.count`. From the counters, where they know: rows take half a second a million. */
export function countTasks(database: Database, where: Where): number {
  const parts = apartOf(where) ?? [where];
  return parts.reduce((total, part) => total + countPart(database, part), 0);
}

function countPart(database: Database, where: Where): number {
  const counted = countedTasks(database, where);
  if (counted !== null) return counted;
  if (where.every((group) => group.length === 1 && group[0]?.held !== true)) {
    // those that are held are few, and among the scheduled ones: the others are the rest
    const withHeld = countedTasks(database, withoutHeld(where));
    if (withHeld !== null)
      return withHeld - countRows(database, [...withoutHeld(where), [{ archived: 'both', held: true }]]);
  }
  return countRows(database, where);
}

function countRows(database: Database, where: Where): number {
  const { text, values } = whereOf(where, avoided(database, where));
  const made = placesOf(
    database,
    where.filter(([condition]) => condition?.created !== undefined),
  );
  const tag = wantedTag(where);
  const places = bySubmit(true, null, tag === null ? 'seq' : 'tag.task', made).where;
  const from = tag === null ? 'from tasklane_task where true' : TAGGED;
  const sql = `select count(*) ${from} and ${places.text} and ${text}`;
  const bound = [...(tag === null ? [] : tagValues(tag)), ...places.values, ...values];
  return Number(database.get(sql, ...bound)?.[0] ?? 0);
}

/** Null: the counters do not know. */
function countedTasks(database: Database, where: Where): number | null {
  const conditions = where.flatMap((group) => (group.length === 1 ? group : []));
  const known = ({ archived, ...rest }: Condition): boolean =>
    archived !== true && Object.keys(rest).every((key) => COUNTED.has(key)) && (rest.scheduleId ?? null) === null;
  const isCurrent = conditions.some(({ archived }) => archived === false);
  if (!isCurrent || conditions.length !== where.length || !conditions.every(known)) return null;
  const fits = ({ handler, status }: Pick<HandlerCount, 'handler' | 'status'>): boolean =>
    conditions.every((one) => (one.handler?.includes(handler) ?? true) && (one.status?.includes(status) ?? true));
  const sum = (counts: readonly HandlerCount[]): number =>
    counts.filter(fits).reduce((total, { count }) => total + count, 0);
  const all = sum(readCounts(database));
  // what schedules made is few, as a rule, and has an index of its own
  return conditions.some(({ scheduleId }) => scheduleId === null) ? all - sum(readScheduledCounts(database)) : all;
}

/** The keys of a condition that the counters know about. */
const COUNTED: ReadonlySet<string> = new Set(['status', 'handler', 'scheduleId']);

function withoutHeld(where: Where): Where {
  return where.map((group) => group.map(({ held: _held, ...rest }) => rest));
}
