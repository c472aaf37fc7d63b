import { FastResponse } from 'srvx';
import type { PipedBody } from './event-sink.ts';

/** Reason phrases (RFC 9110, section 15) of the statuses that this surface answers; srvx sends none of its own. */
const PHRASES: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Header fields by name, in lower case. */
export type HeaderFields = Readonly<Record<string, string>>;

/** The reason phrase of a status; empty for one that this surface never answers. */
export function phrase(status: number): string {
  return PHRASES[status] ?? '';
}

/**
 * Makes every answer of this surface. `FastResponse` is the light class on Node and the native one elsewhere, so nothing
 * else may build or rebuild a response.
 */
export function answer(
  status: number,
  body: string | ReadableStream | PipedBody | null,
  headers: HeaderFields = {},
): Response {
  // its type is that of the native class, which takes less
  return new FastResponse(body as string | ReadableStream | null, { status, statusText: phrase(status), headers });
}

/** An answer of JSON. Tasks change all the time and are nobody else's business: no cache keeps it. */
export function json(status: number, value: unknown, headers: HeaderFields = {}): Response {
  return jsonText(status, JSON.stringify(value), headers);
}

/** As {@link json}, of what is text already. */
export function jsonText(status: number, text: string, headers: HeaderFields = {}): Response {
  return answer(status, text, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...headers,
  });
}
