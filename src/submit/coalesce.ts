import { checkBag } from '../bag.ts';
import { InputInvalidError, OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import type { Handler } from '../handler/registry.ts';
import { toErrorInfo } from '../run/failure.ts';
import { cloneJson, type JsonValue } from '../task/json.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import type { KeyRule } from './options.ts';
import { MAX_TEXT, parseText } from './text.ts';

/**
 * The last of several submits wins, once there was quiet: until a handler has started it, there is one task for the handler,
 * the key and `submittedBy`. Each further submit gives it its own input and puts it off to `wait` from then, though not beyond
 * `maxWait` after the first. The key's default is that of the definition, else `''`.
 */
export type Debounce = { readonly wait: Duration } & Optional<{ key: string; maxWait: Duration }>;

/**
 * The first of several submits wins: for `window` after it, it answers those of the same handler, key and `submittedBy`. The
 * key's default is that of the definition, else `''`.
 */
export type Throttle = { readonly window: Duration } & Optional<{ key: string }>;

/** A definition's own {@link Debounce}: its key is made of the input, as it was submitted. */
export type DebounceByInput<Input> = { readonly wait: Duration } & Optional<{ maxWait: Duration }> & KeyOf<Input>;

/** A definition's own {@link Throttle}: its key is made of the input, as it was submitted. */
export type ThrottleByInput<Input> = { readonly window: Duration } & KeyOf<Input>;

interface KeyOf<Input> {
  key?(input: Input): string;
}

/** What collapses submits, checked. Its key is still to be found where it is null. */
export type Coalescing =
  | { readonly by: 'debounce'; readonly key: string | null; readonly waitMs: number; readonly maxWaitMs: number }
  | { readonly by: 'throttle'; readonly key: string | null; readonly windowMs: number };

/** That of a definition. */
export type HandlerCoalescing = Coalescing & { readonly keyOf: ((input: unknown) => unknown) | null };

/** How the keys of each begin: `unique` keys must not. */
export const KEY_PREFIXES = ['debounce:', 'throttle:'] as const;

/**
 * Of a submit.
 * @returns false: not even what the definition says; null: nothing is said
 * @throws {OptionError}
 */
export function parseCoalescing(
  debounce: Debounce | false | undefined,
  throttle: Throttle | false | undefined,
): Coalescing | false | null {
  if (debounce && throttle) throw new OptionError('debounce', 'the only one of `debounce` and `throttle`', 'both');
  if (debounce !== undefined && debounce !== false) {
    return { ...parseDebounce(debounce), key: parseText('debounce.key', debounce.key, MAX_TEXT, 0) };
  }
  if (throttle !== undefined && throttle !== false) {
    return { ...parseThrottle(throttle), key: parseText('throttle.key', throttle.key, MAX_TEXT, 0) };
  }
  return debounce === false || throttle === false ? false : null;
}

/** Of a definition. @throws {OptionError} */
export function parseHandlerCoalescing(
  debounce: DebounceByInput<never> | undefined,
  throttle: ThrottleByInput<never> | undefined,
): HandlerCoalescing | null {
  if (debounce === undefined && throttle === undefined) return null;
  if (debounce !== undefined && throttle !== undefined) {
    throw new OptionError('debounce', 'the only one of `debounce` and `throttle`', 'both');
  }
  const parsed = debounce === undefined ? parseThrottle(throttle as object) : parseDebounce(debounce);
  const key: unknown = (debounce ?? throttle)?.key;
  if (key !== undefined && typeof key !== 'function') throw new OptionError(`${parsed.by}.key`, 'a function', key);
  return { ...parsed, key: null, keyOf: key === undefined ? null : (key as (input: unknown) => unknown) };
}

function parseDebounce(debounce: object): Omit<Extract<Coalescing, { by: 'debounce' }>, 'key'> {
  const { wait, maxWait }: { readonly wait?: unknown; readonly maxWait?: unknown } =
    checkBag('debounce', debounce, { key: null, wait: null, maxWait: null }) ?? {};
  const waitMs = parseDuration('debounce.wait', wait, 1);
  const maxWaitMs = maxWait === undefined ? Infinity : parseDuration('debounce.maxWait', maxWait, waitMs);
  return { by: 'debounce', waitMs, maxWaitMs };
}

function parseThrottle(throttle: object): Omit<Extract<Coalescing, { by: 'throttle' }>, 'key'> {
  const { window }: { readonly window?: unknown } = checkBag('throttle', throttle, { key: null, window: null }) ?? {};
  return { by: 'throttle', windowMs: parseDuration('throttle.window', window, 1) };
}

/**
 * The key and the rule under which a submit is stored.
 * @param said by the submit; where it says nothing, or no key, its definition's is taken
 * @param input as it will be stored
 * @throws {InputInvalidError} where the definition makes no key of it
 */
export function coalesce(handler: Handler, said: Coalescing | null, input: JsonValue): KeyRule | null {
  const coalescing = said ?? handler.coalescing;
  if (coalescing === null) return null;
  const { by } = coalescing;
  const key = `${by}:${coalescing.key ?? keyOf(handler, by, input)}`;
  if (coalescing.by === 'throttle') {
    return { key, by, rule: { scope: { windowMs: coalescing.windowMs }, onConflict: 'skip', ownOnly: true } };
  }
  const { waitMs, maxWaitMs } = coalescing;
  return { key, by, waitMs, rule: { scope: 'unstarted', onConflict: 'replace', ownOnly: true, maxWaitMs } };
}

function keyOf({ name, coalescing }: Handler, by: Coalescing['by'], input: JsonValue): string {
  if (coalescing === null || coalescing.by !== by || coalescing.keyOf === null) return '';
  try {
    // The copy: it will be stored, whatever the function does to it.
    return parseText(`${by}.key`, coalescing.keyOf(input === null ? undefined : cloneJson(input)), MAX_TEXT, 0) ?? '';
  } catch (error) {
    const { message } = toErrorInfo(error);
    throw new InputInvalidError(`Handler ${name} makes no ${by} key of it`, [{ path: '', message }]);
  }
}
