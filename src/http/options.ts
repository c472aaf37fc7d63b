import { checkKeys } from '../bag.ts';
import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import type { Principal } from '../handler/rights.ts';
import { integer } from '../options.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import type { Authenticate } from './access.ts';
import type { Redact } from './caller.ts';
import type { CorsSettings } from './cors.ts';
import { type Dialect, type DialectDefinition, definitionOf } from './dialects/dialect.ts';
import { allowAll, ownerOrAdmin, type Policy } from './policy.ts';
import type { SubmitRate } from './submit-limit.ts';

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
  /** Event streams that a principal may have open at once; default 1,000. Above: 429. */
  streams: number;
  /** Submits of a principal in this process, refused ones included; default: no limit. Above: 429. */
  submits: { readonly count: number; readonly per: Duration };
  /** Shortest time between two ticks of a schedule that a caller makes; default: that of the library. Below: 400. */
  scheduleInterval: Duration;
}>;

/** What `createHandler` is made with. */
export type HandlerOptions<P extends Principal = Principal> = Optional<{
  /** Path of our own routes, default `/`; false leaves them out. */
  api: string | false;
  /** Published task APIs to speak beside our own, of `tasklane/dialects`; default: none. */
  dialects: readonly Dialect[];
  /**
   * Tells who sent a request; null is answered 401. What it throws is answered 500, unless it is an error of this library.
   * Left out: everybody may do everything. Streams ask again, so it must not read the body.
   */
  authenticate: Authenticate<P>;
  /** Default: `ownerOrAdmin`. Only with `authenticate`. */
  policy: Policy<NoInfer<P>>;
  /** Answers 404 in place of 403 for a task with which something is not allowed. Default false. */
  hideForbidden: boolean;
  /** Hides or masks inputs, results and log lines on every way out. */
  redact: Redact<NoInfer<P>>;
  /** Origins whose pages may call, such as `https://app.example.com`, or `*`. Default: none but our own. */
  cors: { readonly origin: string | readonly string[] } & Optional<{ credentials: boolean }>;
  limits: HttpLimits;
}>;

/** The options with their defaults, checked; durations in ms. */
export interface HttpSettings {
  /** Without a slash at its end; null: no routes. */
  readonly api: string | null;
  readonly dialects: readonly DialectDefinition[];
  readonly authenticate: Authenticate | null;
  readonly policy: Policy;
  readonly hideForbidden: boolean;
  readonly redact: Redact | null;
  readonly cors: CorsSettings | null;
  readonly bodyBytes: number;
  readonly jsonDepth: number;
  readonly queryParameters: number;
  readonly pageSize: number;
  readonly waitMs: number;
  readonly streams: number;
  readonly submits: SubmitRate | null;
  readonly scheduleIntervalMs: number | null;
}

const OPTIONS: readonly string[] = [
  'api',
  'dialects',
  'authenticate',
  'policy',
  'hideForbidden',
  'redact',
  'cors',
  'limits',
];
const LIMITS: readonly string[] = [
  'bodyBytes',
  'jsonDepth',
  'queryParameters',
  'pageSize',
  'wait',
  'streams',
  'submits',
  'scheduleInterval',
];

/** What surrounds an input in the body of a submit. */
const ENVELOPE = 65_536;

/**
 * Checks the options of `createHandler`.
 * @param maxInputBytes the manager's
 * @throws {OptionError} also for a name it does not know: an `authenticate` that nobody asks must not go unnoticed
 */
export function parseHandlerOptions(options: HandlerOptions, maxInputBytes: number): HttpSettings {
  checkKeys('options', options, OPTIONS);
  const { api = '/', dialects = [], authenticate, policy, redact, cors, limits = {} } = options;
  checkKeys('limits', limits, LIMITS);
  if (api !== false && (typeof api !== 'string' || !/^(\/[A-Za-z0-9._~-]+)*\/?$/.test(api) || api === '')) {
    throw new OptionError('api', 'a path such as / or /v1, or false', api);
  }
  for (const [name, value] of Object.entries({ authenticate, redact })) {
    if (value !== undefined && typeof value !== 'function') throw new OptionError(name, 'a function', value);
  }
  const { hideForbidden = false } = options;
  if (typeof hideForbidden !== 'boolean') throw new OptionError('hideForbidden', 'true or false', hideForbidden);
  return {
    api: api === false ? null : api.replace(/\/$/, ''),
    dialects: parseDialects(dialects),
    authenticate: authenticate ?? null,
    policy: parsePolicy(policy, authenticate !== undefined),
    hideForbidden,
    redact: redact ?? null,
    cors: cors === undefined ? null : parseCors(cors),
    bodyBytes: integer('limits.bodyBytes', limits.bodyBytes ?? maxInputBytes + ENVELOPE, 1),
    jsonDepth: integer('limits.jsonDepth', limits.jsonDepth ?? 100, 1, 1_000),
    queryParameters: integer('limits.queryParameters', limits.queryParameters ?? 100, 1),
    pageSize: integer('limits.pageSize', limits.pageSize ?? 1_000, 1, 1_000),
    waitMs: parseDuration('limits.wait', limits.wait ?? '60s', 0, 3_600_000),
    streams: integer('limits.streams', limits.streams ?? 1_000, 0),
    submits: limits.submits === undefined ? null : parseSubmits(limits.submits),
    scheduleIntervalMs:
      limits.scheduleInterval === undefined
        ? null
        : parseDuration('limits.scheduleInterval', limits.scheduleInterval, 1),
  };
}

function parseDialects(dialects: readonly Dialect[]): readonly DialectDefinition[] {
  const allowed = 'a list of dialects, as the functions of tasklane/dialects make them';
  if (!Array.isArray(dialects)) throw new OptionError('dialects', allowed, dialects);
  return dialects.map((dialect: unknown) => {
    const definition = definitionOf(dialect);
    if (definition === null) throw new OptionError('dialects', allowed, dialect);
    return definition;
  });
}

function parsePolicy(policy: Policy | undefined, authenticated: boolean): Policy {
  if (policy === undefined) return authenticated ? ownerOrAdmin : allowAll;
  if (!authenticated)
    throw new OptionError('policy', 'there only with `authenticate`, whose principals it is about', policy);
  const { scope, can, submitAs } = policy ?? {};
  const fits = typeof scope === 'function' && typeof can === 'function';
  if (fits && (submitAs === undefined || typeof submitAs === 'function')) return policy;
  throw new OptionError('policy', 'an object with the functions scope, can and perhaps submitAs', policy);
}

function parseCors(cors: NonNullable<HandlerOptions['cors']>): CorsSettings {
  checkKeys('cors', cors, ['origin', 'credentials']);
  const { origin, credentials = false } = cors;
  if (typeof credentials !== 'boolean') throw new OptionError('cors.credentials', 'true or false', credentials);
  if (origin === '*') {
    if (credentials) throw new OptionError('cors.origin', 'a list of origins where `credentials` is true', origin);
    return { origins: '*', credentials };
  }
  const origins: readonly unknown[] = Array.isArray(origin) ? origin : [origin];
  const wrong = origins.find((one) => typeof one !== 'string' || !URL.canParse(one) || new URL(one).origin !== one);
  if (wrong !== undefined || origins.includes(undefined)) {
    throw new OptionError('cors.origin', "an origin such as 'https://app.example.com', a list of them, or '*'", wrong);
  }
  return { origins: origins as readonly string[], credentials };
}

function parseSubmits(submits: NonNullable<HttpLimits['submits']>): SubmitRate {
  checkKeys('limits.submits', submits, ['count', 'per']);
  return {
    count: integer('limits.submits.count', submits.count, 1),
    perMs: parseDuration('limits.submits.per', submits.per, 1, 86_400_000),
  };
}
