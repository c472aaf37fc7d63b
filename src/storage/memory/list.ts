import { TaskNotFoundError } from '../../errors.ts';
import { matches, PLACE_IDS, type SortKey, sortText } from '../../task/query.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import type { Position, StoredPage, StoredQuery } from '../storage.ts';
import { Heap } from './heap.ts';
import { recordOf } from './record-of.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** A row and its place in the order of a query. */
interface Placed {
  readonly row: Row;
  readonly at: Position;
}

/** See `TasksOutside.list` of the contract. */
export function list(tasks: Tasks, query: StoredQuery): StoredPage {
  const read = reader(query.sort, query.statusOrder);
  // Walked up means: by ascending value and sequence.
  const up = query.descending === (query.backward ?? false);
  const from = query.from === undefined ? undefined : placeOf(tasks, query, query.from, up, read);
  const offset = query.offset ?? 0;
  const wanted = offset + query.limit + 1; // one more tells whether there is more
  const found =
    query.sort === 'id' ? walk(tasks, query, from, up, wanted) : select(tasks, query, from, up, wanted, read);
  const more = found.length === wanted;
  const page = found.slice(offset, wanted - 1);
  if (query.backward === true) page.reverse();
  return {
    items: page.map(({ row }) => recordOf(row, query.payloads)),
    places: page.map(({ at }) => at),
    more,
    truncated: false,
  };
}

/** See `TasksOutside.count` of the contract. */
export function count(tasks: Tasks, where: StoredQuery['where']): number {
  let found = 0;
  for (const row of candidates(tasks, where)) if (!row.gone && fits(row, where)) found++;
  return found;
}

/** In submit order: from the place on until the page is full. */
function walk(
  tasks: Tasks,
  { where }: StoredQuery,
  from: Position | undefined,
  up: boolean,
  wanted: number,
): readonly Placed[] {
  const rows = candidates(tasks, where);
  const found: Placed[] = [];
  let at = up ? 0 : rows.length - 1;
  if (from !== undefined) at = up ? firstAfter(rows, from[1]) : firstAfter(rows, from[1] - 1) - 1;
  for (; at >= 0 && at < rows.length && found.length < wanted; at += up ? 1 : -1) {
    const row = rows[at] as Row;
    if (!row.gone && fits(row, where)) found.push({ row, at: [null, row.sequence] });
  }
  return found;
}

/** By a value: looks at all rows and keeps the first ones after the place. */
function select(
  tasks: Tasks,
  { where }: StoredQuery,
  from: Position | undefined,
  up: boolean,
  wanted: number,
  read: (row: Row) => Position[0],
): readonly Placed[] {
  const order = (a: Position, b: Position): number => (up ? comparePlaces(a, b) : comparePlaces(b, a));
  const kept = new Heap<Placed>((a, b) => order(a.at, b.at) > 0); // the last one on top
  for (const row of candidates(tasks, where)) {
    if (row.gone) continue;
    const at: Position = [read(row), row.sequence];
    if (from !== undefined && order(at, from) <= 0) continue;
    const last = kept.size < wanted ? undefined : kept.peek();
    if ((last !== undefined && order(at, last.at) > 0) || !fits(row, where)) continue;
    if (last === undefined) kept.push({ row, at });
    else kept.replace({ row, at });
  }
  return [...kept.items].sort((a, b) => order(a.at, b.at));
}

/** All rows in submit order, or only those that a filter names, by id or as somebody's children. */
function candidates(tasks: Tasks, where: StoredQuery['where']): readonly Row[] {
  for (const conditions of where) {
    if (!conditions.every((condition) => condition.ids !== undefined)) continue;
    const rows = new Set<Row>();
    for (const id of conditions.flatMap((condition) => condition.ids ?? [])) {
      const row = tasks.byId.get(id);
      if (row !== undefined) rows.add(row);
    }
    return [...rows].sort((a, b) => a.sequence - b.sequence);
  }
  for (const conditions of where) {
    const [condition, ...others] = conditions;
    const { parentId = null } = condition ?? {};
    if (parentId !== null && others.length === 0) return [...tasks.families.childrenOf(parentId)];
  }
  return tasks.rows;
}

function fits(row: Row, where: StoredQuery['where']): boolean {
  return where.every((conditions) => conditions.some((condition) => matches(row, condition)));
}

function placeOf(
  tasks: Tasks,
  { sort }: StoredQuery,
  from: NonNullable<StoredQuery['from']>,
  up: boolean,
  read: (row: Row) => Position[0],
): Position {
  if (!('id' in from)) return from;
  const row = tasks.byId.get(from.id);
  if (row !== undefined) return [read(row), row.sequence];
  if (from.orBeyond && sort === 'id') return placeBeyond(tasks.rows, from.id, up);
  throw new TaskNotFoundError(from.id);
}

/** Next to the first row on the way whose id lies beyond one that is gone. */
function placeBeyond(rows: readonly Row[], id: string, up: boolean): Position {
  const middle = firstWhere(rows, (row) => row.id > id);
  // the rows around are nearly in the order of their ids
  const near = rows.slice(Math.max(0, middle - PLACE_IDS), middle + PLACE_IDS);
  const place = up ? near.find((row) => row.id > id) : near.findLast((row) => row.id < id);
  if (place === undefined) return [null, up ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER];
  return [null, up ? place.sequence - 1 : place.sequence + 1];
}

function reader(sort: SortKey, words: readonly Status[] = []): (row: Row) => Position[0] {
  if (sort === 'id') return () => null;
  if (sort === 'inputText' || sort === 'resultText') return (row) => sortText(row, sort);
  if (sort !== 'status') return (row) => row[sort];
  const order = [...new Set([...words, ...STATUSES])];
  const ranks = new Map(order.map((status, rank) => [status, rank]));
  return (row) => ranks.get(row.status) ?? null;
}

function comparePlaces(a: Position, b: Position): number {
  return compareValues(a[0], b[0]) || a[1] - b[1];
}

/** Null is smaller than anything; text compares by its bytes in UTF-8. */
function compareValues(a: Position[0], b: Position[0]): number {
  if (a === b) return 0;
  if (a === null) return -1;
  if (b === null) return 1;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  return a < b ? -1 : 1;
}

/** UTF-16 puts the halves of a pair before U+E000 to U+FFFF, UTF-8 puts what they stand for behind. */
export function compareText(a: string, b: string): number {
  const { length } = a.length < b.length ? a : b;
  for (let at = 0; at < length; at++) {
    const left = a.charCodeAt(at);
    const right = b.charCodeAt(at);
    if (left !== right) return rankOf(left) - rankOf(right);
  }
  return a.length - b.length;
}

function rankOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** The first place in `rows` whose sequence is larger. */
function firstAfter(rows: readonly Row[], sequence: number): number {
  return firstWhere(rows, (row) => row.sequence > sequence);
}

/** The first place in `rows` from which on it holds. */
function firstWhere(rows: readonly Row[], holds: (row: Row) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(rows[middle] as Row)) high = middle;
    else low = middle + 1;
  }
  return low;
}
