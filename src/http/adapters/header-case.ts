import type { ServerResponse } from 'node:http';

const names = new WeakMap<Response, readonly string[]>();

/**
 * Has header fields leave under names written like this. `Headers` has them all in lower case, which is no difference to HTTP
 * (RFC 9110, section 5.1), but to some clients of HTTP/1.1. Adapters over `node:http` honour it; Hono and Next.js cannot.
 * @returns the response itself: a copy of it would have lower case again
 */
export function keepHeaderCase(response: Response, fields: readonly string[]): Response {
  names.set(response, fields);
  return response;
}

/** Moves such fields to the answer of `node:http`. */
export function moveCased(response: Response, res: ServerResponse): void {
  for (const name of names.get(response) ?? []) {
    const value = response.headers.get(name);
    if (value === null) continue;
    res.setHeader(name, value);
    response.headers.delete(name); // or the bridge would set it over
  }
}
