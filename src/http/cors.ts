import { type H3Event, handleCors } from 'h3';

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

/** Answers a preflight, or marks the answer to come. @returns undefined: go on */
export function answerCors(event: H3Event, { origins, credentials }: CorsSettings): unknown {
  // It sets headers of the event, which rebuilds the answer: not for those who do not need it.
  if (!event.req.headers.has('origin')) return undefined;
  const handled = handleCors(event, {
    origin: origins === '*' ? '*' : [...origins],
    credentials,
    methods: METHODS,
    allowHeaders: SENT,
    exposeHeaders: READ,
    maxAge: MAX_AGE,
    preflight: { statusCode: 204 },
  });
  return handled === false ? undefined : handled;
}
