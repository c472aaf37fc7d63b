import type { HttpErrorCode } from '../../src/errors.ts';

/** The codes that only the problem documents of HTTP have. */
export const HTTP_CODES: readonly HttpErrorCode[] = [
  'malformed',
  'unauthenticated',
  'forbidden',
  'route_unknown',
  'method_not_allowed',
  'idempotency_in_flight',
  'unsupported_media_type',
  'rate_limited',
  'internal',
];
