import { OptionError } from './errors.ts';

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
    if (!Object.hasOwn(kinds, key)) throw new OptionError(option, `made of ${Object.keys(kinds).join(', ')}`, key);
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
