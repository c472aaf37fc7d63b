import { checkKeys } from '../bag.ts';
import { OptionError } from '../errors.ts';
import { canonicalJson, type JsonValue, toJson } from './json.ts';
import type { Tag, TaskRecord } from './record.ts';
import { STATUSES, type Status } from './status.ts';

/** Exclusive bounds, epoch ms. */
export type Range = { readonly after?: number | undefined; readonly before?: number | undefined };

/** That there is no value. */
type None = { readonly none: true };

/** All keys AND; a list is OR. */
export type TaskFilter = {
  readonly status?: Status | readonly Status[] | undefined;
  readonly handler?: string | readonly string[] | undefined;
  readonly ids?: readonly string[] | undefined;
  /** `none`, here and in the next four: has none. */
  readonly submittedBy?: string | None | undefined;
  readonly entityId?: string | None | undefined;
  readonly parentId?: string | None | undefined;
  readonly scheduleId?: string | None | undefined;
  readonly description?: string | None | undefined;
  /** `any`: has any value. Compared as text. */
  readonly tags?: Readonly<Record<string, Tag | readonly Tag[] | { readonly any: true }>> | undefined;
  readonly created?: Range | undefined;
  readonly updated?: Range | undefined;
  readonly finished?: Range | undefined;
  /** Case-insensitive substring of id, handler, description, submittedBy or entityId. */
  readonly text?: string | undefined;
  /** Equal to this JSON value, whatever the order of its keys. Like `text`, no index serves it. */
  readonly input?: unknown;
  readonly result?: unknown;
  /** It is an object that has these keys, each with this JSON value; likewise. */
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Whether it is held: scheduled for no time, until `runNow`. */
  readonly held?: boolean | undefined;
  /** Default false; `'both'`: archived ones too. */
  readonly archived?: boolean | 'both' | undefined;
};

/** What a list can be sorted by. `id` is submit order; `inputText` and `resultText` are as JSON, and no index serves them. */
export const SORT_KEYS = [
  'id',
  'createdAt',
  'updatedAt',
  'finishedAt',
  'priority',
  'handler',
  'status',
  'submittedBy',
  'entityId',
  'inputText',
  'resultText',
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** The columns that a filter compares with one text. */
export const TEXT_KEYS = ['submittedBy', 'entityId', 'parentId', 'scheduleId', 'description'] as const;
/** What is compared as JSON. */
export const JSON_KEYS = ['input', 'result'] as const;
/** How much of the text of an input or a result counts in an order, in characters. */
export const SORTED_CHARACTERS = 200;
/**
 * Where a task was that is gone is told by its id: next to the first task on the way whose id lies beyond it, by bytes. Several
 * processes store theirs as they come, so of so many ids next to it the one counts that is met first: none of them is left out.
 */
export const PLACE_IDS = 10_000;
/** The ranges of a filter, and the time each bounds. */
export const RANGE_KEYS = { created: 'createdAt', updated: 'updatedAt', finished: 'finishedAt' } as const;
/** Where `text` looks. */
const SEARCHED_KEYS = ['id', 'handler', 'description', 'submittedBy', 'entityId'] as const;

/** A filter that was checked: lists are lists, tag values are text, none is null, nothing is undefined. */
export interface Condition {
  readonly status?: readonly Status[];
  readonly handler?: readonly string[];
  readonly ids?: readonly string[];
  readonly submittedBy?: string | null;
  readonly entityId?: string | null;
  readonly parentId?: string | null;
  readonly scheduleId?: string | null;
  readonly description?: string | null;
  /** By tag: the texts one of which it has, or null for any value. */
  readonly tags?: readonly (readonly [key: string, values: readonly string[] | null])[];
  readonly created?: Range;
  readonly updated?: Range;
  readonly finished?: Range;
  /** In lower case. */
  readonly text?: string;
  /** As canonical JSON. */
  readonly input?: string;
  readonly result?: string;
  readonly metadata?: readonly (readonly [key: string, value: string])[];
  readonly held?: boolean;
  readonly archived: boolean | 'both';
}

const FILTER_KEYS: readonly string[] = [
  'status',
  'handler',
  'ids',
  ...TEXT_KEYS,
  'tags',
  ...Object.keys(RANGE_KEYS),
  'text',
  ...JSON_KEYS,
  'metadata',
  'held',
  'archived',
];

/**
 * Checks a filter as a caller wrote it.
 * @param option names it in errors
 * @throws {OptionError}
 */
export function parseFilter(filter: TaskFilter = {}, option = 'filter'): Condition {
  checkKeys(option, filter, FILTER_KEYS);
  const condition: { -readonly [K in keyof Condition]: Condition[K] } = { archived: filter.archived ?? false };
  if (![true, false, 'both'].includes(condition.archived)) {
    throw new OptionError(`${option}.archived`, "true, false or 'both'", filter.archived);
  }
  if (filter.status !== undefined)
    condition.status = list(filter.status, `${option}.status`, isStatus, STATUSES.join(', '));
  if (filter.handler !== undefined) condition.handler = list(filter.handler, `${option}.handler`, isText, 'text');
  if (filter.ids !== undefined) {
    if (!Array.isArray(filter.ids)) throw new OptionError(`${option}.ids`, 'a list of text', filter.ids);
    condition.ids = list(filter.ids, `${option}.ids`, isText, 'text');
  }
  for (const key of [...TEXT_KEYS, 'text'] as const) {
    const value = filter[key];
    if (value === undefined) continue;
    if (key !== 'text' && isNone(value)) condition[key] = null;
    else if (typeof value !== 'string') throw new OptionError(`${option}.${key}`, 'text', value);
    else condition[key] = key === 'text' ? value.toLowerCase() : value;
  }
  for (const key of JSON_KEYS) {
    if (filter[key] !== undefined) condition[key] = canonicalJson(toJson(filter[key], `${option}.${key}`));
  }
  const { metadata, held } = filter;
  if (metadata !== undefined) {
    if (metadata === null || typeof metadata !== 'object') {
      throw new OptionError(`${option}.metadata`, 'an object', metadata);
    }
    condition.metadata = Object.entries(metadata).map(
      ([key, value]) => [key, canonicalJson(toJson(value ?? null, `${option}.metadata.${key}`))] as const,
    );
  }
  if (held !== undefined) {
    if (typeof held !== 'boolean') throw new OptionError(`${option}.held`, 'true or false', held);
    condition.held = held;
  }
  for (const key of Object.keys(RANGE_KEYS) as (keyof typeof RANGE_KEYS)[]) {
    const range = filter[key];
    if (range !== undefined) condition[key] = parseRange(range, `${option}.${key}`);
  }
  if (filter.tags !== undefined) {
    if (filter.tags === null || typeof filter.tags !== 'object')
      throw new OptionError(`${option}.tags`, 'an object', filter.tags);
    condition.tags = Object.entries(filter.tags)
      .filter(([, wanted]) => wanted !== undefined)
      .map(([key, wanted]) => [key, parseTag(wanted, `${option}.tags.${key}`)] as const);
  }
  return condition;
}

/** Whether a task fits a checked filter. */
export function matches(task: TaskRecord, condition: Condition): boolean {
  if (condition.archived !== 'both' && condition.archived !== (task.archivedAt !== null)) return false;
  if (condition.status !== undefined && !condition.status.includes(task.status)) return false;
  if (condition.handler !== undefined && !condition.handler.includes(task.handler)) return false;
  if (condition.ids !== undefined && !condition.ids.includes(task.id)) return false;
  for (const key of TEXT_KEYS) if (condition[key] !== undefined && condition[key] !== task[key]) return false;
  for (const key of JSON_KEYS) {
    if (condition[key] !== undefined && condition[key] !== canonicalJson((task[key] ?? null) as JsonValue))
      return false;
  }
  for (const [key, column] of Object.entries(RANGE_KEYS) as [keyof typeof RANGE_KEYS, 'createdAt'][]) {
    const range = condition[key];
    if (range !== undefined && !within(task[column], range)) return false;
  }
  if (condition.held !== undefined && condition.held !== isHeld(task)) return false;
  if (condition.metadata?.some(([key, value]) => !hasMetadata(task.metadata, key, value))) return false;
  if (condition.tags?.some(([key, values]) => !hasTag(task, key, values))) return false;
  const { text } = condition;
  return text === undefined || SEARCHED_KEYS.some((key) => task[key]?.toLowerCase().includes(text) === true);
}

/** Whether a task is scheduled for no time. */
export function isHeld({ status, runAt }: Pick<TaskRecord, 'status' | 'runAt'>): boolean {
  return status === 'scheduled' && runAt === null;
}

/** Whether metadata is an object that has this key with this value. @param value as canonical JSON */
export function hasMetadata(metadata: unknown, key: string, value: string): boolean {
  if (metadata === null || typeof metadata !== 'object' || !Object.hasOwn(metadata, key)) return false;
  return canonicalJson((metadata as Record<string, JsonValue>)[key] ?? null) === value;
}

function hasTag(task: TaskRecord, key: string, values: readonly string[] | null): boolean {
  const tag = Object.hasOwn(task.tags, key) ? task.tags[key] : undefined;
  return tag !== undefined && (values === null || values.includes(String(tag)));
}

function within(time: number | null, { after, before }: Range): boolean {
  return time !== null && (after === undefined || time > after) && (before === undefined || time < before);
}

function parseRange(range: Range, option: string): Range {
  if (range === null || typeof range !== 'object') throw new OptionError(option, '{ after, before }, epoch ms', range);
  for (const [key, value] of Object.entries(range)) {
    if (key !== 'after' && key !== 'before') throw new OptionError(option, '{ after, before }, epoch ms', key);
    if (value !== undefined && !Number.isFinite(value)) throw new OptionError(`${option}.${key}`, 'epoch ms', value);
  }
  return range;
}

function parseTag(wanted: Tag | readonly Tag[] | { readonly any: true }, option: string): readonly string[] | null {
  if (Array.isArray(wanted)) return wanted.map((tag: unknown) => tagText(tag, option));
  if (wanted !== null && typeof wanted === 'object' && (wanted as { any?: unknown }).any === true) return null;
  return [tagText(wanted, option)];
}

function tagText(tag: unknown, option: string): string {
  if (isTag(tag)) return String(tag);
  throw new OptionError(option, 'text, a number, a boolean, a list of these, or { any: true }', tag);
}

/** Whether a value can be a tag's. */
export function isTag(value: unknown): value is Tag {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

function isNone(value: unknown): value is None {
  return value !== null && typeof value === 'object' && (value as { none?: unknown }).none === true;
}

function isStatus(value: unknown): value is Status {
  return STATUSES.includes(value as Status);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function list<T>(
  value: T | readonly T[],
  option: string,
  fits: (item: unknown) => item is T,
  allowed: string,
): readonly T[] {
  const items = (Array.isArray(value) ? value : [value]) as readonly T[];
  const wrong = items.find((item) => !fits(item));
  if (wrong !== undefined || items.includes(undefined as T))
    throw new OptionError(option, `${allowed}, or a list`, wrong);
  return items;
}

/** What `inputText` and `resultText` sort by; null: there is none. */
export function sortText({ input, result }: TaskRecord, key: 'inputText' | 'resultText'): string | null {
  const value = key === 'inputText' ? input : result;
  if (value === null || value === undefined) return null;
  const text = JSON.stringify(value).slice(0, 2 * SORTED_CHARACTERS);
  return text.length <= SORTED_CHARACTERS ? text : Array.from(text).slice(0, SORTED_CHARACTERS).join('');
}
