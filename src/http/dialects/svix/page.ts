import { TaskNotFoundError } from '../../../errors.ts';
import type { Inside } from '../../../internal.ts';
import { drawnAt } from '../../../task/id.ts';
import type { TaskFilter } from '../../../task/query.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Scope } from '../../scope.ts';
import type { ListParameters } from './parameters.ts';

/** Part of a list. */
interface Page {
  readonly items: readonly TaskRecord[];
  /** Nothing lies beyond it in the direction that was walked. */
  readonly done: boolean;
}

/** What is asked of the storage. */
export interface PageQuery extends Pick<ListParameters, 'limit' | 'descending' | 'place' | 'backward'> {
  readonly filter: TaskFilter;
  readonly scope: Scope;
}

/** A page next to a task, by the storage's own paging. */
export async function pageOf(inside: Inside, query: PageQuery): Promise<Page> {
  const { filter, scope, limit, descending, place, backward } = query;
  const sort = descending ? '-id' : 'id';
  const at = place === null ? {} : backward ? { before: place } : { after: place };
  try {
    const { items, next, previous } = await inside.queries.list({ filter, sort, limit, ...at }, scope);
    return { items, done: (backward ? previous : next) === null };
  } catch (error) {
    if (place === null || !(error instanceof TaskNotFoundError)) throw error;
    return pageWhereWas(inside, query, place);
  }
}

/** The task has been removed since, such as the oldest ones are: its id says when it was made, and so what lies beyond. */
async function pageWhereWas(inside: Inside, query: PageQuery, place: string): Promise<Page> {
  const { filter, scope, limit, descending, backward } = query;
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
  } while (items.length <= limit && cursor !== undefined);
  const found = items.slice(0, limit);
  return { items: backward ? found.reverse() : found, done: items.length <= limit && cursor === undefined };
}
