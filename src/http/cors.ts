import { type H3Event, handleCors, isPreflightRequest } from 'h3';

/** Whose pages may call, by the CORS protocol of Fetch. */
export interface CorsSettings {
  readonly origins: readonly string[] | '*';
  readonly credentials: boolean;
}

/** What pages may send and read beyond what Fetch always lets them. */
const SENT = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'prefer',
];
const READ = [
  'etag',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'x-count',
  'x-pagination-current-page',
  'x-pagination-page-count',
  'x-pagination-per-page',
  'x-pagination-total-count',
];
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
/** Browsers keep less than a day anyway; in seconds. */
const MAX_AGE = '7200';

/** Answers a preflight. @returns undefined: it is none */
export function answerPreflight(event: H3Event, { origins, credentials }: CorsSettings): unknown {
  if (!isPreflightRequest(event)) return undefined;
  return handleCors(event, {
    origin: origins === '*' ? '*' : [...origins],
    credentials,
    methods: METHODS,
    allowHeaders: SENT,
    exposeHeaders: READ,
    maxAge: MAX_AGE,
    preflight: { statusCode: 204 },
  });
}

/** Lets the page that asked read the answer. Done here, as h3 would make another answer, and put its `Vary` for ours. */
export function markCors({ method, headers: asked }: Request, answer: Response, settings: CorsSettings): Response {
  const origin = asked.get('origin');
  if (origin === null || (method === 'OPTIONS' && asked.has('access-control-request-method'))) return answer;
  const { origins, credentials } = settings;
  const { headers } = answer;
  if (origins !== '*') headers.append('vary', 'origin');
  if (origins !== '*' && !origins.includes(origin)) return answer;
  headers.set('access-control-allow-origin', origins === '*' ? '*' : origin);
  headers.set('access-control-expose-headers', READ.join(','));
  if (credentials) headers.set('access-control-allow-credentials', 'true');
  return answer;
}
