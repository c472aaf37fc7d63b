import { TaskNotFoundError } from '../../../errors.ts';
import type { Inside } from '../../../internal.ts';
import { drawnAt } from '../../../task/id.ts';
import type { TaskFilter } from '../../../task/query.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Scope } from '../../scope.ts';
import type { ListParameters } from './parameters.ts';

/** Tasks that are read at once: each may be of several MiB. */
const AT_ONCE = 100;
/** Tasks that are looked at for a page: there may be any number in a row that the caller may not read. */
const MAX_LOOKED_AT = 1_000;
/** Characters of JSON after which a page is cut. */
const MAX_CHARACTERS = 16_777_216;

/** Part of a list. */
export interface Page {
  /** Each as JSON. */
  readonly items: readonly string[];
  /** Nothing that the caller may read lies beyond it in the direction that was walked. */
  readonly done: boolean;
  /** Our ids of the tasks that the pages in front and behind are next to; null: there is nothing on it, and it is done. */
  readonly first: string | null;
  readonly last: string | null;
}

/** What is asked of the storage. */
export interface PageQuery extends Pick<ListParameters, 'limit' | 'descending' | 'place' | 'backward'> {
  readonly filter: TaskFilter;
  readonly scope: Scope;
  /** A task as JSON; null: the caller may not read it, so it is left out. */
  readonly write: (task: TaskRecord) => string | null;
}

/**
 * A page next to a task. It is read in steps until it is full, or has cost enough: then it is shorter, and goes on behind the
 * last task that was looked at.
 */
export async function pageOf(inside: Inside, query: PageQuery): Promise<Page> {
  const { limit, backward, write } = query;
  const items: string[] = [];
  const written: Ends = { near: null, far: null };
  const looked: Ends = { near: null, far: query.place };
  const page = (done: boolean, far: string | null): Page => {
    const near = items.length > 0 || !done ? (written.near ?? looked.near) : null;
    return backward
      ? { items: items.reverse(), done, first: far, last: near }
      : { items, done, first: near, last: far };
  };
  for (let size = 0, count = 0, wanted = limit + 1; ; wanted = AT_ONCE) {
    const step = await stepFrom(inside, query, looked.far, Math.min(wanted, AT_ONCE));
    for (const task of step.items) {
      const item = write(task);
      if (item !== null) {
        // one more than there is room for tells that there is more
        if (items.length === limit || size >= MAX_CHARACTERS) return page(false, written.far);
        items.push(item);
        size += item.length;
        goTo(written, task);
      }
      goTo(looked, task);
    }
    count += step.items.length;
    if (!step.more) return page(true, written.far);
    if (count >= MAX_LOOKED_AT) return page(false, looked.far);
  }
}

/** Ids of the first and the last task on the way. */
interface Ends {
  near: string | null;
  far: string | null;
}

function goTo(ends: Ends, { id }: TaskRecord): void {
  ends.near ??= id;
  ends.far = id;
}

/** Some tasks, as they are met on the way. */
interface Step {
  readonly items: readonly TaskRecord[];
  readonly more: boolean;
}

/** The tasks behind one, or from the start, by the storage's own paging. */
async function stepFrom(inside: Inside, query: PageQuery, place: string | null, limit: number): Promise<Step> {
  const { filter, scope, descending, backward } = query;
  const sort = descending === backward ? 'id' : '-id';
  try {
    const after = place === null ? {} : { after: place };
    const { items, next } = await inside.queries.list({ filter, sort, limit, ...after }, scope);
    return { items, more: next !== null };
  } catch (error) {
    if (place === null || !(error instanceof TaskNotFoundError)) throw error;
    return stepFromWhere(inside, query, place, limit);
  }
}

/** The task has been removed since, such as the oldest ones are: its id says when it was made, and so what lies beyond. */
async function stepFromWhere(inside: Inside, query: PageQuery, place: string, limit: number): Promise<Step> {
  const { filter, scope, descending, backward } = query;
  const up = descending === backward;
  const created = drawnAt(place);
  const beyond = up ? { after: Math.max(created - 1, filter.created?.after ?? 0) } : { before: created + 1 };
  const bounded = { ...filter, created: { ...filter.created, ...beyond } };
  const items: TaskRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await inside.queries.list({ filter: bounded, sort: up ? 'id' : '-id', limit, cursor }, scope);
    items.push(...page.items.filter(({ id }) => (up ? id > place : id < place)));
    cursor = page.next ?? undefined;
  } while (items.length < limit && cursor !== undefined);
  return { items: items.slice(0, limit), more: items.length > limit || cursor !== undefined };
}
