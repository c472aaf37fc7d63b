import type { ListQuery, Queries, Walk } from '../queries.ts';
import type { TaskFilter } from '../task/query.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';

/** Tasks that are read at once, for each may be of several MiB: a hundred, and one that tells whether there is more. */
const AT_ONCE = 101;
/** Tasks that a page leaves out: there may be any number in a row that the caller may not read. */
const MAX_LEFT_OUT = 1_000;
/** Characters of JSON after which an answer with many tasks is cut. */
export const MAX_CHARACTERS = 16_777_216;

/**
 * The tasks of a list from a place on, a hundred read at a time, whatever the caller may read of them.
 * @param query `limit`: of all; left out: to the end @param groups of each, one filter is to fit
 */
export async function* tasksOf(
  queries: Queries,
  { limit = Number.POSITIVE_INFINITY, ...query }: Omit<ListQuery, 'cursor' | 'after' | 'before'>,
  scope: Caller['scope'],
  groups?: readonly (readonly TaskFilter[])[],
): AsyncGenerator<TaskRecord> {
  const { offset, ...rest } = query;
  let place: Pick<ListQuery, 'offset' | 'cursor'> = { offset };
  for (let left = limit; left > 0; ) {
    const { items, next } = await queries.list({ ...rest, ...place, limit: Math.min(left, AT_ONCE) }, scope, groups);
    yield* items;
    if (next === null) return;
    place = { cursor: next };
    left -= items.length;
  }
}

/** Part of a list, written down. */
export interface WrittenPage<T> {
  readonly items: readonly T[];
  /** Null: beyond it is nothing that the caller may read. */
  readonly next: string | null;
  readonly previous: string | null;
  /** Ids of the tasks that `previous` and `next` lead on from; null: there is none. */
  readonly first: string | null;
  readonly last: string | null;
  readonly truncated: boolean;
}

/** A task that was met on the way. */
interface Place {
  readonly walk: Walk;
  readonly at: number;
}

/** From the first place to the last. */
interface Way {
  readonly near: Place;
  readonly far: Place;
}

/**
 * A page of what a caller may read of a list. It is read in steps until it is full, or has cost enough: then it is shorter, and
 * leads on from the last task that was looked at.
 * @param query `after` and `before` may be ids of tasks that are gone, in the order of ids
 * @param write what stands for a task, and how many characters it will be
 */
export async function writePage<T>(
  queries: Queries,
  query: ListQuery & { readonly limit: number },
  caller: Caller,
  write: (task: TaskRecord) => { readonly item: T; readonly size: number },
): Promise<WrittenPage<T>> {
  const { limit } = query;
  const items: T[] = [];
  let shown: Way | null = null;
  let seen: Way | null = null;
  let [size, leftOut] = [0, 0];
  let walk = await queries.walk({ ...query, limit: Math.min(limit + 1, AT_ONCE) }, caller.scope);
  for (;;) {
    const { items: tasks, backward, more, truncated } = walk;
    for (let met = 0; met < tasks.length; met++) {
      const place = { walk, at: backward ? tasks.length - 1 - met : met };
      const task = tasks[place.at] as TaskRecord;
      if (caller.may('read', task)) {
        // one more than there is room for tells that there is more
        if (items.length === limit || size >= MAX_CHARACTERS) return pageOf(query, walk, items, shown, true);
        const written = write(task);
        items.push(written.item);
        size += written.size;
        shown = onTo(shown, place);
      } else {
        leftOut++;
      }
      seen = onTo(seen, place);
    }
    if (!more || seen === null) return pageOf(query, walk, items, shown ?? seen, false);
    if (truncated || leftOut >= MAX_LEFT_OUT)
      return pageOf(query, walk, items, { ...seen, ...shown, far: seen.far }, true);
    const cursor = cursorOf(seen.far, backward);
    const wanted = leftOut > 0 ? AT_ONCE : Math.min(limit + 1 - items.length, AT_ONCE);
    const step = { ...query, after: undefined, before: undefined, cursor, limit: wanted };
    walk = await queries.walk(step, caller.scope);
  }
}

function onTo(way: Way | null, place: Place): Way {
  return { near: way?.near ?? place, far: place };
}

function cursorOf({ walk, at }: Place, backward: boolean): string {
  return walk.cursorAt(at, backward);
}

/** What was written down, in the order of the list. @param more there is, or may be, beyond the way */
function pageOf<T>(
  { cursor, after, before }: ListQuery,
  { backward, truncated }: Walk,
  items: T[],
  way: Way | null,
  more: boolean,
): WrittenPage<T> {
  const begins = (cursor ?? after ?? before) === undefined;
  const back = way === null || begins ? null : cursorOf(way.near, !backward);
  const onward = way === null || !more ? null : cursorOf(way.far, backward);
  const [near, far] = way === null ? [null, null] : [idOf(way.near), idOf(way.far)];
  return backward
    ? { items: items.reverse(), next: back, previous: onward, first: far, last: near, truncated }
    : { items, next: onward, previous: back, first: near, last: far, truncated };
}

function idOf({ walk, at }: Place): string {
  return (walk.items[at] as TaskRecord).id;
}
