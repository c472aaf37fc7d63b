import { checkBag, checkKeys } from './bag.ts';
import type { Environment } from './environment.ts';
import { OptionError, TaskNotFoundError } from './errors.ts';
import type { Optional } from './handler/define.ts';
import type { Lifecycle } from './lifecycle.ts';
import { integer } from './options.ts';
import type { Position, StoredQuery } from './storage/storage.ts';
import { decodeCursor, encodeCursor, fingerprintOf } from './task/cursor.ts';
import { type Condition, parseFilter, SORT_KEYS, type SortKey, type TaskFilter } from './task/query.ts';
import type { LogLine, TaskAttempt, TaskRecord } from './task/record.ts';
import { STATUSES, type Status } from './task/status.ts';

/** `limit`: 1 to 1,000, default 50. At most one of `cursor`, `after`, `before` and `offset`. */
export type ListQuery = Optional<{
  filter: TaskFilter;
  /** Default `-id`, newest first; ties by id. */
  sort: SortKey | `-${SortKey}`;
  /** The words' order when sorting by status. */
  statusOrder: readonly Status[];
  limit: number;
  /** From `next` or `previous` of a page with the same filter and sort. */
  cursor: string;
  /** An id: what comes behind it in the order. */
  after: string;
  /** An id: what comes in front of it in the order. */
  before: string;
  offset: number;
}>;

/** Part of a list. `next` and `previous` are cursors, null where there is nothing more. */
export type Page<Item> = Readonly<{
  items: readonly Item[];
  next: string | null;
  previous: string | null;
  /** A search by text stopped before it had seen all. */
  truncated?: boolean;
}>;

/** Some of a list, for whoever leaves out what he may not show: he goes on from any of them. */
export interface Walk {
  readonly items: readonly TaskRecord[];
  /** In front of where it starts; items come in the list's order all the same. */
  readonly backward: boolean;
  /** There is more in the direction that was walked. */
  readonly more: boolean;
  /** As that of a {@link Page}. */
  readonly truncated: boolean;
  /** What `next`, or `previous` where `backward`, of a page is that ends, or begins, with one of the items. */
  readonly cursorAt: (item: number, backward: boolean) => string;
}

/** How many tasks there are, archived ones left out. */
export type TaskStats = Readonly<{
  byStatus: Readonly<Record<Status, number>>;
  byHandler: Readonly<Record<string, Readonly<Record<Status, number>>>>;
}>;

/** Lists of filters: of each list one holds, and all lists do. */
type Groups = readonly (readonly TaskFilter[])[];

const QUERY_KEYS = ['filter', 'sort', 'statusOrder', 'limit', 'cursor', 'after', 'before', 'offset'];
const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 50;

/** Answers what is asked about tasks. */
export class Queries {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;

  constructor(environment: Environment, lifecycle: Lifecycle) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
  }

  async get(id: string, options?: Optional<{ archived: boolean }>): Promise<TaskRecord | null> {
    checkId(id);
    const { archived = false } = checkBag('options', options, { archived: 'boolean' }) ?? {};
    await this.#lifecycle.readable();
    const [task] = await this.#environment.storage.get([id], { archived });
    return task ?? null;
  }

  /** @param also must hold too: of these, one @param groups of each, one */
  async list(
    query: ListQuery,
    also: readonly Condition[] | null = null,
    groups: Groups = [],
  ): Promise<Page<TaskRecord>> {
    const parsed = parseList(query, also, groups);
    await this.#lifecycle.readable();
    const page = await this.#environment.storage.list(parsed.stored);
    const { items, places, more, truncated } = page;
    const { backward = false, from, offset = 0 } = parsed.stored;
    const began = from === undefined && offset === 0;
    const hasNext = backward ? from !== undefined : more;
    const hasPrevious = backward ? more : !began;
    const [first, last] = [places[0], places.at(-1)];
    return {
      items,
      next: hasNext && last !== undefined ? encodeCursor(parsed.fingerprint, false, last) : null,
      previous: hasPrevious && first !== undefined ? encodeCursor(parsed.fingerprint, true, first) : null,
      ...(truncated ? { truncated } : {}),
    };
  }

  /** As `list`; `after` and `before` may be ids of tasks that are gone, in the order of ids. @param also must hold too: of these, one */
  async walk(query: ListQuery, also: readonly Condition[] | null): Promise<Walk> {
    const { stored, fingerprint } = parseList(query, also, []);
    await this.#lifecycle.readable();
    const { from } = stored;
    const start = from === undefined || !('id' in from) ? from : { ...from, orBeyond: true };
    const { items, places, more, truncated } = await this.#environment.storage.list({ ...stored, from: start });
    return {
      items,
      backward: stored.backward === true,
      more,
      truncated,
      cursorAt: (item, backward) => encodeCursor(fingerprint, backward, places[item] as Position),
    };
  }

  /** @param also must hold too: of these, one @param groups of each, one */
  async count(
    filter: TaskFilter | undefined,
    also: readonly Condition[] | null = null,
    groups: Groups = [],
  ): Promise<number> {
    const where = [[parseFilter(filter)], ...groups.map(parseGroup), ...(also === null ? [] : [also])];
    await this.#lifecycle.readable();
    return this.#environment.storage.count(where);
  }

  async stats(): Promise<TaskStats> {
    await this.#lifecycle.readable();
    const byStatus = zeros();
    const byHandler: Record<string, Record<Status, number>> = {};
    for (const { name } of this.#environment.registry.all()) byHandler[name] = zeros();
    for (const { handler, status, count } of await this.#environment.storage.counts()) {
      byStatus[status] += count;
      const own = byHandler[handler] ?? zeros();
      own[status] += count;
      byHandler[handler] = own;
    }
    return { byStatus, byHandler };
  }

  async attempts(id: string): Promise<readonly TaskAttempt[]> {
    checkId(id);
    await this.#lifecycle.readable();
    const attempts = await this.#environment.storage.attempts(id);
    if (attempts === null) throw new TaskNotFoundError(id);
    return attempts;
  }

  async log(id: string, page: Optional<{ after: number; limit: number }>): Promise<readonly LogLine[]> {
    checkId(id);
    checkBag('page', page, { after: null, limit: null });
    const after = integer('after', page.after ?? 0, 0);
    const limit = integer('limit', page.limit ?? MAX_LIMIT, 1, MAX_LIMIT);
    await this.#lifecycle.readable();
    const lines = await this.#environment.storage.log(id, { after, limit });
    if (lines === null) throw new TaskNotFoundError(id);
    return lines;
  }
}

function parseList(
  query: ListQuery,
  also: readonly Condition[] | null,
  groups: Groups,
): { readonly stored: StoredQuery; readonly fingerprint: string } {
  checkKeys('query', query, QUERY_KEYS);
  const { filter, statusOrder, cursor, after, before, offset } = query;
  if (query.sort !== undefined && typeof query.sort !== 'string') throw new OptionError('sort', 'text', query.sort);
  const sort = query.sort ?? '-id';
  const descending = sort.startsWith('-');
  const key = (descending ? sort.slice(1) : sort) as SortKey;
  if (!SORT_KEYS.includes(key))
    throw new OptionError('sort', `${SORT_KEYS.join(', ')}, or one with a - before it`, sort);
  const places = { cursor, after, before, offset };
  if (Object.values(places).filter((place) => place !== undefined).length > 1) {
    throw new OptionError('cursor', 'the only one of `cursor`, `after`, `before` and `offset`', 'several of them');
  }
  for (const [name, id] of Object.entries({ after, before, cursor })) {
    if (id !== undefined && typeof id !== 'string') throw new OptionError(name, 'text', id);
  }
  const condition = parseFilter(filter);
  const order = statusOrder === undefined ? undefined : parseStatusOrder(statusOrder);
  const where = [[condition], ...groups.map(parseGroup), ...(also === null ? [] : [also])];
  const fingerprint = fingerprintOf([where, sort, order ?? null]);
  const position = cursor === undefined ? undefined : decodeCursor(cursor, fingerprint);
  const id = after ?? before;
  return {
    fingerprint,
    stored: {
      where,
      sort: key,
      descending,
      statusOrder: order,
      limit: integer('limit', query.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT),
      from: position?.from ?? (id === undefined ? undefined : { id }),
      backward: position?.backward ?? before !== undefined,
      offset: offset === undefined ? undefined : integer('offset', offset, 0),
      payloads: true,
    },
  };
}

function parseGroup(group: readonly TaskFilter[]): readonly Condition[] {
  return group.map((filter) => parseFilter({ archived: 'both', ...filter }));
}

function parseStatusOrder(order: readonly Status[]): readonly Status[] {
  const fits = Array.isArray(order) && order.every((status) => STATUSES.includes(status));
  if (!fits || new Set(order).size !== order.length) {
    throw new OptionError('statusOrder', `a list of different statuses of ${STATUSES.join(', ')}`, order);
  }
  return order;
}

function checkId(id: string): void {
  if (typeof id !== 'string') throw new OptionError('id', 'text', id);
}

function zeros(): Record<Status, number> {
  return Object.fromEntries(STATUSES.map((status) => [status, 0])) as Record<Status, number>;
}
