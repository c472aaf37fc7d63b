import { OptionError } from '../errors.ts';
import type { ListQuery } from '../queries.ts';
import type { Range, TaskFilter } from '../task/query.ts';

/** The ranges of a filter, and the parameters that bound them. */
const RANGES = ['created', 'updated', 'finished'] as const;
/** Parameters that are text as it is. */
const TEXTS = ['submittedBy', 'entityId', 'parentId', 'scheduleId', 'description'] as const;

/** A filter as parameters of a query; null when nothing can match it, such as an empty list, which a query cannot say. */
export function filterParameters(filter: TaskFilter = {}): URLSearchParams | null {
  const query = new URLSearchParams();
  for (const key of ['status', 'handler', 'ids'] as const) {
    const wanted = filter[key];
    if (wanted === undefined) continue;
    const list = typeof wanted === 'string' ? [wanted] : wanted;
    if (list.length === 0) return null;
    query.set(key, list.join(','));
  }
  for (const key of TEXTS) {
    const wanted = filter[key];
    if (typeof wanted === 'object') throw new OptionError(`filter.${key}`, 'text, over HTTP', wanted);
    if (wanted !== undefined) query.set(key, wanted);
  }
  for (const key of ['input', 'result', 'metadata', 'held'] as const) {
    if (filter[key] !== undefined) throw new OptionError(`filter.${key}`, 'left out, over HTTP', filter[key]);
  }
  for (const [key, wanted] of Object.entries(filter.tags ?? {})) {
    const values = tagValues(key, wanted);
    if (values?.length === 0) return null;
    for (const value of values ?? []) query.append(`tag.${key}`, value);
  }
  for (const key of RANGES) setRange(query, key, filter[key]);
  if (filter.text !== undefined) query.set('q', filter.text);
  if (filter.archived !== undefined) query.set('archived', String(filter.archived));
  return query;
}

/** All of a list's query but its cursor; null as above. */
export function listParameters(
  query: ListQuery & { readonly include?: readonly string[] | undefined },
): URLSearchParams | null {
  const { filter, include, statusOrder, ...rest } = query;
  const parameters = filterParameters(filter);
  if (parameters === null) return null;
  for (const key of ['sort', 'limit', 'cursor', 'after', 'before', 'offset'] as const) {
    if (rest[key] !== undefined) parameters.set(key, String(rest[key]));
  }
  if (statusOrder !== undefined) parameters.set('statusOrder', statusOrder.join(','));
  if (include !== undefined && include.length > 0) parameters.set('include', include.join(','));
  return parameters;
}

/** Empty text stands for any value. */
function tagValues(key: string, wanted: NonNullable<TaskFilter['tags']>[string] | undefined): readonly string[] | null {
  if (wanted === undefined) return null;
  if (typeof wanted === 'object' && 'any' in wanted) return [''];
  const values = (Array.isArray(wanted) ? wanted : [wanted]).map(String);
  if (values.includes('')) throw new OptionError(`filter.tags.${key}`, 'no empty text over HTTP', '');
  return values;
}

function setRange(query: URLSearchParams, key: string, range: Range | undefined): void {
  if (range?.after !== undefined) query.set(`${key}After`, timeText(`filter.${key}.after`, range.after));
  if (range?.before !== undefined) query.set(`${key}Before`, timeText(`filter.${key}.before`, range.before));
}

/** RFC 3339. @throws {OptionError} */
export function timeText(option: string, time: Date | number): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new OptionError(option, 'a valid Date or epoch ms', time);
  return date.toISOString();
}
