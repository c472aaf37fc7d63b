import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { integer } from '../options.ts';
import { type Duration, parseDuration } from '../time/duration.ts';

/** What bounds a request. */
export type HttpLimits = Optional<{
  /** Bytes of a request body; default: the `maxInputBytes` of the manager and 64 KiB. Above: 413. */
  bodyBytes: number;
  /** Levels of nesting in a body; default 100. Above: 400. */
  jsonDepth: number;
  /** Parameters in a query; default 100. Above: 400. */
  queryParameters: number;
  /** Largest `limit` of a list; 1 to 1,000, default 1,000. */
  pageSize: number;
  /** Longest that a request may be held by `wait`; longer wishes are cut to it. Default 60 s. */
  wait: Duration;
  /** Event streams open at once; default 1,000. Above: 429. */
  streams: number;
}>;

/** What `createHandler` is made with. */
export type HandlerOptions = Optional<{
  /** Path of our own routes, default `/`; false leaves them out. */
  api: string | false;
  limits: HttpLimits;
}>;

/** The options with their defaults, checked; durations in ms. */
export interface HttpSettings {
  /** Without a slash at its end; null: no routes. */
  readonly api: string | null;
  readonly bodyBytes: number;
  readonly jsonDepth: number;
  readonly queryParameters: number;
  readonly pageSize: number;
  readonly waitMs: number;
  readonly streams: number;
}

const OPTIONS: readonly string[] = ['api', 'limits'];
const LIMITS: readonly string[] = ['bodyBytes', 'jsonDepth', 'queryParameters', 'pageSize', 'wait', 'streams'];

/** What surrounds an input in the body of a submit. */
const ENVELOPE = 65_536;

/**
 * Checks the options of `createHandler`.
 * @param maxInputBytes the manager's
 * @throws {OptionError} also for a name it does not know: an `authenticate` that nobody asks must not go unnoticed
 */
export function parseHandlerOptions(options: HandlerOptions, maxInputBytes: number): HttpSettings {
  refuseUnknown('options', options, OPTIONS);
  const { api = '/', limits = {} } = options;
  refuseUnknown('limits', limits, LIMITS);
  if (api !== false && (typeof api !== 'string' || !/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(api) || api === '')) {
    throw new OptionError('api', 'a path such as / or /v1, or false', api);
  }
  return {
    api: api === false ? null : api.replace(/\/$/, ''),
    bodyBytes: integer('limits.bodyBytes', limits.bodyBytes ?? maxInputBytes + ENVELOPE, 1),
    jsonDepth: integer('limits.jsonDepth', limits.jsonDepth ?? 100, 1, 1_000),
    queryParameters: integer('limits.queryParameters', limits.queryParameters ?? 100, 1),
    pageSize: integer('limits.pageSize', limits.pageSize ?? 1_000, 1, 1_000),
    waitMs: parseDuration('limits.wait', limits.wait ?? '60s', 0, 3_600_000),
    streams: integer('limits.streams', limits.streams ?? 1_000, 0),
  };
}

function refuseUnknown(option: string, given: unknown, known: readonly string[]): void {
  if (given === null || typeof given !== 'object') throw new OptionError(option, 'an object', given);
  const unknown = Object.keys(given).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new OptionError(option, `made of ${known.join(', ')}`, unknown);
}
