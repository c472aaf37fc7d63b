import { InputInvalidError, OptionError } from './errors.ts';
import { nearest } from './nearest.ts';
import { show } from './show.ts';

/**
 * Refuses what is no bag of options, or has a key that nobody knows.
 * @param option names it in errors
 * @throws {OptionError}
 */
export function checkKeys(option: string, bag: unknown, known: readonly string[]): void {
  if (bag === null || typeof bag !== 'object') throw new OptionError(option, 'an object', bag);
  const unknown = Object.keys(bag).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownKey(option, known, unknown);
}

/** Of a key that nobody knows: names those that there are, and the one that was meant, as far as that can be told. */
export function unknownKey(option: string, known: readonly string[], key: string): OptionError {
  const meant = nearest(key, known);
  const wrong = `must be made of ${known.join(', ')}, but has ${show(key)}`;
  return new OptionError(option, '', key, meant === null ? wrong : `${wrong} (${meant}?)`);
}

/**
 * Refuses a bag of options that is none, or has a key that nobody knows.
 * @param option names the bag in errors
 * @param kinds what each key must be a `typeof`, undefined aside; null: checked elsewhere
 * @throws {OptionError}
 */
export function checkBag<Bag extends object>(
  option: string,
  bag: Bag | undefined,
  kinds: Readonly<Record<keyof Bag & string, 'boolean' | 'number' | 'string' | 'function' | null>>,
): Bag | undefined {
  if (bag === undefined) return undefined;
  if (bag === null || typeof bag !== 'object') throw new OptionError(option, 'an object', bag);
  for (const [key, value] of Object.entries(bag)) {
    if (!Object.hasOwn(kinds, key)) throw unknownKey(option, Object.keys(kinds), key);
    const kind = kinds[key as keyof Bag & string];
    if (value !== undefined && kind !== null && typeof value !== kind) throw new OptionError(key, `a ${kind}`, value);
  }
  return bag;
}

/** As {@link checkBag}, of `{ signal }`. @throws {OptionError} */
export function signalOf(options: { readonly signal?: AbortSignal | undefined } | undefined): AbortSignal | undefined {
  const signal = checkBag('options', options, { signal: null })?.signal;
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw new OptionError('signal', 'an AbortSignal', signal);
  }
  return signal;
}

/** The error of a part of something larger, which it names where it can. */
export function within(whole: string, error: unknown): unknown {
  return error instanceof OptionError || error instanceof InputInvalidError ? error.within(whole) : error;
}
