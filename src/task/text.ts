import { OptionError } from '../errors.ts';

/** Characters of a text such as `entityId`. */
export const MAX_TEXT = 1_000;

/** Null where it is not given. @throws {OptionError} */
export function parseText(option: string, value: unknown, max: number, min = 1): string | null {
  if (value === undefined) return null;
  const fits = typeof value === 'string' && value.length >= min && value.length <= max && value.isWellFormed();
  if (!fits) throw new OptionError(option, `well-formed text of ${min} to ${max} characters`, value);
  return value;
}
