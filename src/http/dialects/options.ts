import { OptionError } from '../../errors.ts';
import type { Optional } from '../../handler/define.ts';
import { type Duration, parseDuration } from '../../time/duration.ts';

/** What every dialect takes. */
export type DialectOptions = Optional<{
  /** Path in front of the published ones, such as `/jira`; default: none. */
  basePath: string;
  /** Where absolute URLs start, such as `https://tasks.example.com`; default: where the request went. */
  origin: string;
}>;

/** Checks what every dialect takes. @param known the options of the dialect beside those @throws {OptionError} */
export function parseDialectOptions(
  name: string,
  options: DialectOptions,
  known: readonly string[],
): { readonly basePath: string; readonly origin: string | null } {
  if (options === null || typeof options !== 'object') throw new OptionError(name, 'an object', options);
  const all = ['basePath', 'origin', ...known];
  const unknown = Object.keys(options).find((key) => !all.includes(key));
  if (unknown !== undefined) throw new OptionError(name, `made of ${all.join(', ')}`, unknown);
  const { basePath = '', origin } = options;
  if (typeof basePath !== 'string' || !/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(basePath)) {
    throw new OptionError(`${name}.basePath`, 'a path such as /jira', basePath);
  }
  if (
    origin !== undefined &&
    (typeof origin !== 'string' || !URL.canParse(origin) || new URL(origin).origin !== origin)
  ) {
    throw new OptionError(`${name}.origin`, 'an origin such as https://tasks.example.com', origin);
  }
  return { basePath: basePath.replace(/\/$/, ''), origin: origin ?? null };
}

/** A duration, or false for one without an end. @returns ms; Infinity for false @throws {OptionError} */
export function parseAge(option: string, value: Duration | false): number {
  return value === false ? Number.POSITIVE_INFINITY : parseDuration(option, value);
}

/** One of a few words. @throws {OptionError} */
export function oneOf<T>(option: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value;
  throw new OptionError(option, allowed.map((one) => JSON.stringify(one)).join(' or '), value);
}
