import { unknownKey } from '../bag.ts';
import { OptionError } from '../errors.ts';
import { type Dependency, NO_DEPENDENCIES, parseDependencies } from '../flow/dependencies.ts';
import type { FlowItem } from '../flow/graph.ts';
import { parseProgressOf, parseWeight } from '../flow/shares.ts';
import { type Coalescing, type Debounce, parseCoalescing, type Throttle } from '../handler/coalescing.ts';
import type { Optional } from '../handler/define.ts';
import { parsePriority } from '../handler/registry.ts';
import type { DraftEdge, UniqueRule } from '../storage/storage.ts';
import { type JsonValue, toJson } from '../task/json.ts';
import { isTag } from '../task/query.ts';
import type { Tag } from '../task/record.ts';
import { MAX_TEXT, parseText } from '../task/text.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import { parseUnique, type Unique } from './unique.ts';

/** What `submit` may be told beside the input. `Children`: where their inputs are those of their handlers. */
export type SubmitOptions<Children = readonly FlowItem[]> = Optional<{
  /** Integer, -1,000,000 to 1,000,000, larger first; default: the handler's, 0. */
  priority: number;
  /** At most one of `delay`, `runAt` and `hold`. */
  delay: Duration;
  /** A date or epoch ms. */
  runAt: Date | number;
  /** Until `runNow`. */
  hold: boolean;
  /** Not started within this time: cancelled, error code `expired`. */
  startBy: Duration;
  /** Up to 50, keys and text up to 200 characters. */
  tags: Readonly<Record<string, Tag>>;
  /** Same key and same input: the earlier task answers. Scoped to `submittedBy`. */
  idempotencyKey: string;
  /** At most one of `unique`, `debounce` and `throttle`. */
  unique: Unique;
  /** Not beside `delay`, `runAt` or `hold`. False: without that of the definition. */
  debounce: Debounce | false;
  /** False: without that of the definition. */
  throttle: Throttle | false;
  submittedBy: string;
  entityId: string;
  parentId: string;
  /** Runs only once all of these have ended: ids, or `{ id, onFailure }`. Each must be there. */
  dependsOn: readonly Dependency[];
  /** Made with it, whole or not at all, as its children; it runs only once all of them have ended. */
  children: Children;
  /** `children`: its progress is that of its children, until its handler reports some. */
  progress: 'children';
  /** What it counts for in the progress of its parent, if that one shows it: larger than 0, up to 1e15; default 1. */
  weight: number;
  description: string;
  /** Any JSON. */
  metadata: unknown;
  /** What would be answered with warnings is refused with `InputInvalidError`, and nothing is made. Default false. */
  failOnWarning: boolean;
}>;

/** The arguments of `submit` after the handler: the input may be left out where the handler allows `undefined`. */
export type Rest<Input, Options> = undefined extends Input
  ? [input?: Input, options?: Options]
  : [input: Input, options?: Options];

/** The input of an item, which may be left out where its handler allows `undefined`. */
export type InputKey<Input> = undefined extends Input
  ? { readonly input?: Input | undefined }
  : { readonly input: Input };

/** Under which key a task is stored, and what that means for those that follow. */
export interface KeyRule {
  readonly key: string;
  readonly by: 'unique' | 'debounce' | 'throttle';
  readonly rule: UniqueRule;
  /** How long a debounced task is put off. */
  readonly waitMs?: number | undefined;
}

/** The options of a submit, checked. Null: not given. */
export interface ParsedSubmit {
  readonly priority: number | null;
  readonly delayMs: number | null;
  readonly runAt: number | null;
  readonly hold: boolean;
  readonly startByMs: number | null;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly idempotencyKey: string | null;
  readonly unique: KeyRule | null;
  /** False: not even that of the definition. */
  readonly coalescing: Coalescing | false | null;
  readonly submittedBy: string | null;
  readonly entityId: string | null;
  readonly parentId: string | null;
  readonly dependsOn: readonly DraftEdge[];
  readonly showsChildren: boolean;
  readonly weight: number | null;
  readonly description: string | null;
  readonly metadata: JsonValue;
  readonly failOnWarning: boolean;
}

/** Characters of a description. */
export const MAX_DESCRIPTION = 10_000;
const MAX_TAGS = 50;
const MAX_TAG_TEXT = 200;
/** The last day that RFC 3339 and `Date` both know. */
const MAX_TIME = Date.UTC(9999, 11, 31);

const NO_TAGS: Readonly<Record<string, Tag>> = Object.freeze({});

/** What a submit without options says. */
export const PLAIN_SUBMIT: ParsedSubmit = Object.freeze({
  priority: null,
  delayMs: null,
  runAt: null,
  hold: false,
  startByMs: null,
  tags: NO_TAGS,
  idempotencyKey: null,
  unique: null,
  coalescing: null,
  submittedBy: null,
  entityId: null,
  parentId: null,
  dependsOn: NO_DEPENDENCIES,
  showsChildren: false,
  weight: null,
  description: null,
  metadata: null,
  failOnWarning: false,
});

const KEYS: readonly string[] = [
  'priority',
  'delay',
  'runAt',
  'hold',
  'startBy',
  'tags',
  'idempotencyKey',
  'unique',
  'debounce',
  'throttle',
  'submittedBy',
  'entityId',
  'parentId',
  'dependsOn',
  'children',
  'progress',
  'weight',
  'description',
  'metadata',
  'failOnWarning',
];

/**
 * Checks the options of a submit.
 * @param more keys that are allowed beside them
 * @throws {OptionError} @throws {InputInvalidError} for metadata that JSON cannot hold
 */
export function parseSubmit(options: SubmitOptions, maxBytes: number, more: readonly string[] = []): ParsedSubmit {
  if (options === null || typeof options !== 'object') throw new OptionError('options', 'an object', options);
  let plain = true;
  for (const key of Object.keys(options)) {
    if (more.includes(key)) continue;
    plain = false;
    if (!KEYS.includes(key)) throw unknownKey('options', [...more, ...KEYS], key);
  }
  if (plain) return PLAIN_SUBMIT;
  const { priority, delay, runAt, hold, startBy, tags, unique, debounce, throttle, metadata } = options;
  if (hold !== undefined && typeof hold !== 'boolean') throw new OptionError('hold', 'true or false', hold);
  if (Number(delay !== undefined) + Number(runAt !== undefined) + Number(hold === true) > 1) {
    throw notAlone('delay', { delay, runAt, hold });
  }
  const isTimed = delay !== undefined || runAt !== undefined || hold === true;
  if (debounce && isTimed)
    throw new OptionError('debounce', 'without `delay`, `runAt` and `hold`', 'beside one of them');
  if (unique !== undefined && (debounce || throttle)) {
    throw notAlone('unique', { unique, debounce, throttle });
  }
  if (hold === true && unique?.onConflict === 'runAfter') {
    throw new OptionError('hold', "left out with a `unique` whose onConflict is 'runAfter'", hold);
  }
  if (hold && (options.dependsOn !== undefined || options.children !== undefined)) {
    throw new OptionError('hold', 'left out where there is `dependsOn` or `children`', hold);
  }
  return {
    priority: priority === undefined ? null : parsePriority('priority', priority),
    delayMs: delay === undefined ? null : parseDuration('delay', delay),
    runAt: runAt === undefined ? null : parseTime('runAt', runAt),
    hold: hold ?? false,
    startByMs: startBy === undefined ? null : parseDuration('startBy', startBy),
    tags: tags === undefined ? NO_TAGS : parseTags(tags),
    idempotencyKey: parseText('idempotencyKey', options.idempotencyKey, MAX_TEXT),
    unique: unique === undefined ? null : parseUnique(unique),
    coalescing: debounce === undefined && throttle === undefined ? null : parseCoalescing(debounce, throttle),
    submittedBy: parseText('submittedBy', options.submittedBy, MAX_TEXT),
    entityId: parseText('entityId', options.entityId, MAX_TEXT),
    parentId: parseText('parentId', options.parentId, MAX_TEXT),
    dependsOn: options.dependsOn === undefined ? NO_DEPENDENCIES : parseDependencies(options.dependsOn),
    showsChildren: parseProgressOf(options.progress),
    weight: parseWeight(options.weight),
    description: parseText('description', options.description, MAX_DESCRIPTION, 0),
    metadata: metadata === undefined ? null : toJson(metadata, 'metadata', maxBytes),
    failOnWarning: parseFailOnWarning(options.failOnWarning),
  };
}

/** Of options of which only one may be given. */
function notAlone(option: string, options: Readonly<Record<string, unknown>>): OptionError {
  const given = Object.keys(options).filter((key) => options[key] !== undefined && options[key] !== false);
  return new OptionError(option, `the only one of ${Object.keys(options).join(', ')}`, given.join(', '));
}

function parseFailOnWarning(value: unknown): boolean {
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw new OptionError('failOnWarning', 'true or false', value);
}

/** A date or epoch ms, to whole ms. @throws {OptionError} */
export function parseTime(option: string, time: unknown): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms === 'number' && ms >= 0 && ms <= MAX_TIME) return Math.round(ms);
  throw new OptionError(option, 'a valid Date or epoch ms, up to the year 9999', time);
}

/** @param removable null values are allowed, as a patch has them */
export function parseTags<T extends Tag | null = Tag>(tags: unknown, removable = false): Readonly<Record<string, T>> {
  if (tags === null || typeof tags !== 'object' || Array.isArray(tags))
    throw new OptionError('tags', 'an object', tags);
  const entries = Object.entries(tags).filter(([, value]) => value !== undefined);
  if (entries.length > MAX_TAGS) throw new OptionError('tags', `at most ${MAX_TAGS} tags`, entries.length);
  for (const [key, value] of entries) {
    parseText('tags', key, MAX_TAG_TEXT);
    if (removable && value === null) continue;
    if (!isTag(value)) throw new OptionError(`tags.${key}`, 'text, a finite number or a boolean', value);
    if (typeof value === 'string') parseText(`tags.${key}`, value, MAX_TAG_TEXT, 0);
  }
  return Object.fromEntries(entries);
}
