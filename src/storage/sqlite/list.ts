import { TaskNotFoundError } from '../../errors.ts';
import type { TaskRecord } from '../../task/record.ts';
import type { Position, StoredPage, StoredQuery } from '../storage.ts';
import type { Database, Row } from './database.ts';
import { ANYWHERE, bySubmit, type Places, placeOf, SORT_COLUMNS, type Stretch, stretchesOf } from './order.ts';
import { type Avoided, avoided, isDense, isRare, isSorted, partsOf, wideTags } from './plan.ts';
import { COLUMNS, LIGHT_COLUMNS, toRecord } from './rows.ts';
import { rowsSearched } from './search.ts';
import { readSkew } from './skew.ts';
import { ENDS, placeBeyond, placesWithin } from './submit-order.ts';
import { decodeText } from './text.ts';
import { hasRange, narrowParts, placesOf, sortedParts, type TimePart } from './times.ts';
import { type Sql, searches, TAGGED, tagValues, type WantedTag, wantedTag, whereOf } from './where.ts';

/** A search goes so many places at a time, and stops after it has looked at so many tasks. */
const WINDOW = 20_000;
const SEARCHED = 200_000;

/** Where a found task is. */
interface Found {
  readonly seq: number;
  readonly at: Position;
}

/** See `TasksOutside.list`. @throws {TaskNotFoundError} */
export function listTasks(database: Database, query: StoredQuery): StoredPage {
  // Walked up means: by ascending value and rowid.
  const up = query.descending === (query.backward ?? false);
  const from = query.from === undefined ? null : resolve(database, query, query.from, up);
  const offset = query.offset ?? 0;
  const wanted = query.limit + 1; // one more tells whether there is more
  const { found, truncated } = searches(query.where)
    ? search(database, query, up, from, offset + wanted)
    : { found: walk(database, query, up, from, offset, wanted), truncated: false };
  const skipped = searches(query.where) ? found.slice(offset) : found;
  const page = skipped.slice(0, query.limit);
  if (query.backward === true) page.reverse();
  const sql = `select ${query.payloads ? COLUMNS : LIGHT_COLUMNS} from tasklane_task where seq = ?`;
  const items: TaskRecord[] = [];
  const places: Position[] = [];
  for (const { seq, at } of page) {
    const row = database.get(sql, seq);
    if (row === undefined) continue;
    items.push(toRecord(row));
    places.push(at);
  }
  return {
    items,
    places,
    more: skipped.length > query.limit,
    truncated,
  };
}

/** What of the submit order a list is made of, by the column that holds its place and what a filter tells of places. */
type Among = (column: string, places?: Places) => Stretch;

/** In its order until there is enough. */
function walk(
  database: Database,
  query: StoredQuery,
  up: boolean,
  from: Position | null,
  offset: number,
  wanted: number,
): readonly Found[] {
  if (isInSubmitOrder(database, query)) {
    const among: Among = (column, places) => bySubmit(up, from, column, places);
    return inSubmitOrder(database, query, up, among, offset, wanted);
  }
  if (query.sort === 'createdAt') return nearSubmitOrder(database, query, up, from, offset + wanted).slice(offset);
  const condition = whereOf(query.where, avoided(database, query.where));
  return inOrder(database, query, up, from, condition, offset + wanted).slice(offset);
}

/** The order by `createdAt` is the one of submits, as long as no clock went back. */
function isInSubmitOrder(database: Database, { sort }: StoredQuery): boolean {
  return sort === 'id' || (sort === 'createdAt' && readSkew(database) === 0);
}

function inSubmitOrder(
  database: Database,
  query: StoredQuery,
  up: boolean,
  among: Among,
  offset: number,
  wanted: number,
): readonly Found[] {
  const { where } = query;
  const ranged = hasRange(where);
  const narrow = ranged ? narrowParts(database, where) : null;
  if (narrow !== null) {
    const stretch = among('seq');
    const condition = whereOf(where, wideTags(database, where));
    const found = narrow.map((part) => select(database, query, stretch, condition, offset + wanted, 0, part));
    return merged(found, up).slice(offset, offset + wanted);
  }
  const avoid: readonly Avoided[] = [...avoided(database, where), ...(ranged ? (['times'] as const) : [])];
  const places = ranged ? placesOf(database, where) : ANYWHERE;
  const parts = partsOf(where, avoid);
  const dense = parts !== null && isDense(database, where, offset + wanted);
  if (parts !== null && !dense) {
    const stretch = among('seq', places);
    const found = parts.map((part) => select(database, query, stretch, whereOf(part, avoid), offset + wanted));
    return merged(found, up).slice(offset, offset + wanted);
  }
  const condition = whereOf(where, dense ? [...avoid, 'status', 'handler'] : avoid);
  const tag = wantedTag(where);
  if (tag !== null) return walkTag(database, query, tag, among('tag.task', places), condition, wanted, offset);
  return select(database, query, among('seq', places), condition, wanted, offset);
}

/**
 * By `createdAt`, where clocks went back: nearly the submit order. Those that are next in that tell how far in time the page
 * may reach, and so among which tasks it is.
 */
function nearSubmitOrder(
  database: Database,
  query: StoredQuery,
  up: boolean,
  from: Position | null,
  wanted: number,
): readonly Found[] {
  const [ordered] = stretchesOf(query, up, from);
  if (ordered === undefined) return [];
  const { where, orderBy } = ordered;
  const among =
    (edge: number, order?: string): Among =>
    (column, places = ANYWHERE) => {
      const start = from === null ? (up ? ANYWHERE.after : ANYWHERE.before) : timeAt(from);
      const near = up ? placesWithin(database, start - 1, edge) : placesWithin(database, edge - 1, start);
      const within = {
        after: Math.max(places.after, near.after),
        before: Math.min(places.before, near.before),
      };
      const bySeq = bySubmit(up, null, column, within);
      const both = { text: `${bySeq.where.text} and ${where.text}`, values: [...bySeq.where.values, ...where.values] };
      return { where: both, orderBy: order ?? bySeq.orderBy };
    };
  const next = inSubmitOrder(database, query, up, among(up ? ANYWHERE.before : ANYWHERE.after), 0, wanted);
  if (next.length === 0) return next;
  const times = next.map(({ at }) => timeAt(at));
  const edge = up ? Math.max(...times) : Math.min(...times);
  return inSubmitOrder(database, query, up, among(edge, orderBy), 0, wanted);
}

/** What a list is in order by, where that is a time. */
function timeAt([value]: Position): number {
  return typeof value === 'number' ? value : 0;
}

/** In any other order: stretch by stretch until there is enough. */
function inOrder(
  database: Database,
  query: StoredQuery,
  up: boolean,
  from: Position | null,
  condition: Sql,
  wanted: number,
): Found[] {
  const tag = wantedTag(query.where);
  const rare = tag !== null && isRare(database, tag) ? tag : null;
  const isTimed = query.sort === 'updatedAt' || query.sort === 'finishedAt';
  const isWalked = isTimed && rare === null && !isSorted(database, query.where);
  const found: Found[] = [];
  for (const stretch of stretchesOf(query, up, from)) {
    const left = wanted - found.length;
    if (left <= 0) break;
    if (rare !== null) {
      found.push(...walkTag(database, query, rare, stretch, condition, left, 0));
      continue;
    }
    const parts = isWalked ? sortedParts(query, stretch) : [null];
    const lists = parts.map((part) => select(database, query, stretch, condition, left, 0, part));
    found.push(...(lists.length > 1 ? merged(lists, up).slice(0, left) : lists.flat()));
  }
  return found;
}

/** Lists that are in order by a time, or by nothing but the rowid, as one. */
function merged(lists: readonly (readonly Found[])[], up: boolean): Found[] {
  const way = up ? 1 : -1;
  return lists.flat().sort((one, other) => way * (timeAt(one.at) - timeAt(other.at) || one.seq - other.seq));
}

function select(
  database: Database,
  query: StoredQuery,
  { where, orderBy }: Stretch,
  condition: Sql,
  limit: number,
  offset = 0,
  part: TimePart | null = null,
): Found[] {
  const rows = `where ${where.text} and ${condition.text} order by ${orderBy} limit ? + 0 offset ? + 0`;
  let sql = `select seq, ${SORT_COLUMNS[query.sort]} from tasklane_task ${rows}`;
  if (part !== null) {
    const as = (text: string): string => (part.isUpdatedAt ? text.replaceAll('updated_at', part.column) : text);
    const wanted = as(rows.replace('where ', ''));
    sql = `select seq, ${as(SORT_COLUMNS[query.sort])} from tasklane_task indexed by ${part.index} where ${part.where} and ${wanted}`;
  }
  return database.all(sql, ...where.values, ...condition.values, limit, offset).map((row) => foundAt(query, row));
}

/** Along the index of a tag, which is in submit order: any other one sorts all that have it. */
function walkTag(
  database: Database,
  query: StoredQuery,
  tag: WantedTag,
  { where, orderBy }: Stretch,
  condition: Sql,
  limit: number,
  offset: number,
): Found[] {
  const sql =
    `select tag.task, ${SORT_COLUMNS[query.sort]} ${TAGGED} and ${where.text} and ${condition.text} ` +
    `order by ${orderBy} limit ? + 0 offset ? + 0`;
  const rows = database.all(sql, ...tagValues(tag), ...where.values, ...condition.values, limit, offset);
  return rows.map((row) => foundAt(query, row));
}

/**
 * A search, which no index serves. In submit order it goes window by window, as far as {@link SEARCHED} tasks;
 * in any other order it looks at the newest that many.
 */
function search(
  database: Database,
  query: StoredQuery,
  up: boolean,
  from: Position | null,
  wanted: number,
): { readonly found: readonly Found[]; readonly truncated: boolean } {
  const [lowest, highest] = database.get(ENDS) ?? [];
  if (typeof lowest !== 'number' || typeof highest !== 'number') return { found: [], truncated: false };
  const condition = whereOf(query.where, wideTags(database, query.where));
  if (!isInSubmitOrder(database, query)) {
    const oldest = highest - SEARCHED;
    const among = { text: `seq > ? and ${condition.text}`, values: [oldest, ...condition.values] };
    return { found: inOrder(database, query, up, from, among, wanted), truncated: lowest <= oldest };
  }
  const before = rowsSearched();
  const found: Found[] = [];
  const stretch = bySubmit(up, null);
  let next = up ? Math.max(lowest, (from?.[1] ?? lowest - 1) + 1) : Math.min(highest, (from?.[1] ?? highest + 1) - 1);
  while (next >= lowest && next <= highest && found.length < wanted) {
    if (rowsSearched() - before >= SEARCHED) return { found, truncated: true };
    const [low, high] = up ? [next, next + WINDOW - 1] : [next - WINDOW + 1, next];
    const among = { text: `seq between ? and ? and ${condition.text}`, values: [low, high, ...condition.values] };
    found.push(...select(database, query, stretch, among, wanted - found.length));
    next = up ? high + 1 : low - 1;
  }
  return { found, truncated: false };
}

function resolve(
  database: Database,
  query: StoredQuery,
  from: NonNullable<StoredQuery['from']>,
  up: boolean,
): Position {
  if (!('id' in from)) return from;
  const sql = `select seq, ${SORT_COLUMNS[query.sort]} from tasklane_task where id = ?`;
  const row = database.get(sql, from.id);
  if (row !== undefined) return foundAt(query, row).at;
  if (from.orBeyond && query.sort === 'id') return placeBeyond(database, from.id, up);
  throw new TaskNotFoundError(from.id);
}

function foundAt(query: StoredQuery, [seq, value]: Row): Found {
  const shown = typeof value === 'string' ? decodeText(value) : value;
  return { seq: seq as number, at: placeOf(query, shown, seq as number) };
}
