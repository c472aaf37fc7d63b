import type { ListQuery } from '../../../queries.ts';
import type { SortKey, TaskFilter } from '../../../task/query.ts';
import { badField, type Fields, fieldOf, fieldsOf, jsonField, textField } from './fields.ts';
import { byWord, dayOf, statusesOf, type TaskSettings } from './task.ts';

/** What `index` was asked for. */
export interface IndexQuery {
  readonly filter: TaskFilter;
  /** Of each, one holds. */
  readonly groups: readonly (readonly TaskFilter[])[];
  readonly sort: NonNullable<ListQuery['sort']>;
  readonly statusOrder: ListQuery['statusOrder'];
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

/** What bounds an index. */
export interface IndexSettings extends TaskSettings {
  /** The largest page, in tasks; a larger one is made this large. */
  readonly pageSize: number;
  /** Whether inputs and results are hidden from some callers: then none may ask about what they hold. */
  readonly hides: boolean;
  /** What a field of `filter` asks for, where the app says so. */
  readonly ask: ((field: string, value: unknown) => TaskFilter | undefined) | null;
  /** Whether all fields of `filter` are to fit, or one of them. */
  readonly match: 'all' | 'any';
  /** What a larger page than allowed is. */
  readonly perPageOver: 'cap' | 'refuse';
  /** The words of statuses in their order; others follow. */
  readonly statusOrder: readonly string[];
}

const PER_PAGE = 100;

/** The fields of a task, and what sorts by them. */
const SORTS: Readonly<Record<string, SortKey>> = {
  task_id: 'id',
  handler: 'handler',
  user_id: 'submittedBy',
  entity_id: 'entityId',
  status: 'status',
  request: 'inputText',
  response: 'resultText',
  created_at: 'createdAt',
  updated_at: 'updatedAt',
};

/** No status is one of these, so nothing matches. */
const NOTHING: TaskFilter = { status: [] };

/**
 * Reads the body of `index`.
 * @param search where the links of a page have `page`, `per-page` and `sort`; the body comes first
 * @throws {HttpProblem} 422
 */
export function indexQueryOf(body: unknown, search: URLSearchParams, settings: IndexSettings): IndexQuery {
  const fields = fieldsOf(body, 'body');
  const asked = (name: string): unknown => fieldOf(fields, name) ?? search.get(name) ?? undefined;
  const archived = flagField('history', fieldOf(fields, 'history')) ? 'both' : false;
  const perPage = countField('per-page', asked('per-page'), Math.min(PER_PAGE, settings.pageSize));
  if (perPage > settings.pageSize && settings.perPageOver === 'refuse') {
    throw badField('per-page', `must be no greater than ${settings.pageSize}`);
  }
  return {
    ...filterOf(fieldsOf(fieldOf(fields, 'filter'), 'filter'), archived, settings),
    sort: sortOf(asked('sort'), settings),
    statusOrder: byWord(settings.statuses, settings.statusOrder),
    page: countField('page', asked('page'), 1),
    perPage: Math.min(perPage, settings.pageSize),
  };
}

/** All fields, or one of them. */
function filterOf(
  fields: Fields,
  archived: TaskFilter['archived'],
  settings: IndexSettings,
): Pick<IndexQuery, 'filter' | 'groups'> {
  const conditions = Object.entries(fields).map(([name, value]) => conditionOf(name, value, settings));
  if (settings.match === 'any' && conditions.length > 0) return { filter: { archived }, groups: [conditions] };
  // those of an app may be about a key that another is about: then they stand beside each other
  const names = conditions.flatMap((condition) => Object.keys(condition));
  if (new Set(names).size < names.length) return { filter: { archived }, groups: conditions.map((one) => [one]) };
  return { filter: Object.assign({ archived }, ...conditions), groups: [] };
}

/** What can never be null, and is asked for with null, no task has. */
const ALWAYS: readonly string[] = ['task_id', 'handler', 'status', 'created_at', 'updated_at'];

function conditionOf(name: string, value: unknown, settings: IndexSettings): TaskFilter {
  const field = `filter.${name}`;
  const own = settings.ask?.(name, value);
  if (own !== undefined) return own;
  if (value === null && ALWAYS.includes(name)) return NOTHING;
  switch (name) {
    case 'task_id':
      return { ids: [textField(field, value)] };
    case 'handler':
      return { handler: textField(field, value) };
    case 'user_id':
      return { submittedBy: value === null || value === settings.noUser ? { none: true } : textField(field, value) };
    case 'entity_id':
      return { entityId: value === null ? { none: true } : textField(field, value) };
    case 'status':
      return { status: statusesOf(textField(field, value), settings.statuses) };
    case 'request':
      return jsonCondition('input', field, value, settings);
    case 'response':
      return jsonCondition('result', field, value, settings);
    case 'created_at':
      return { created: dayRange(field, value) };
    case 'updated_at':
      return { updated: dayRange(field, value) };
    default:
      throw badField(field, `must be one of ${Object.keys(SORTS).join(', ')}`);
  }
}

function jsonCondition(key: 'input' | 'result', field: string, value: unknown, settings: IndexSettings): TaskFilter {
  if (settings.hides) throw badField(field, 'cannot be asked for here, as it is not shown to everybody');
  try {
    return { [key]: jsonField(field, value, settings) };
  } catch {
    return NOTHING; // what is no JSON is no task's
  }
}

function sortOf(value: unknown, { hides }: IndexSettings): IndexQuery['sort'] {
  if (value === undefined || value === '') return '-id';
  const text = textField('sort', value);
  const [, minus = '', name = ''] = /^(-?)(.*)$/s.exec(text) ?? [];
  const key = Object.hasOwn(SORTS, name) ? SORTS[name] : undefined;
  if (key === undefined)
    throw badField('sort', `must be one of ${Object.keys(SORTS).join(', ')}, or one with a - before`);
  if (hides && (key === 'inputText' || key === 'resultText')) {
    throw badField('sort', `cannot be by ${name} here, as it is not shown to everybody`);
  }
  return minus === '' ? key : `-${key}`;
}

/** A whole number from 1, also as text, as forms and links have it. */
function countField(field: string, value: unknown, otherwise: number): number {
  if (value === undefined) return otherwise;
  const count = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 1) return count;
  throw badField(field, 'must be an integer of at least 1');
}

/** A boolean, also as PHP writes one; nothing is false. @throws {HttpProblem} 422 */
export function flagField(field: string, value: unknown): boolean {
  if (value === undefined || value === null || ['', '0', 0, false, 'false'].includes(value as string)) return false;
  if (['1', 1, true, 'true'].includes(value as string)) return true;
  throw badField(field, 'must be a boolean');
}

const DAY_MS = 86_400_000;
/** The bounds of a range are exclusive, and stored times may have fractions of a millisecond. */
const JUST_BEFORE = 2 ** -10;

/** That day, in UTC. */
function dayRange(field: string, value: unknown): TaskFilter['created'] {
  const start = typeof value === 'string' ? Date.parse(`${value}T00:00Z`) : Number.NaN;
  // what no month has is made a day of the next one
  if (Number.isNaN(start) || dayOf(start) !== value) throw badField(field, 'must be a day such as 2024-01-31');
  return { after: start - JUST_BEFORE, before: start + DAY_MS };
}
