import { checkBag } from '../bag.ts';
import { OptionError } from '../errors.ts';
import { MAX_TEXT, parseText } from '../task/text.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import type { Optional } from './define.ts';

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
