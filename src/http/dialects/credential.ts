/**
 * Asks for a bearer token, or a user name and a password (RFC 7617). Clients that keep a password until they are asked for one,
 * such as those of Java, .NET and Python's urllib, send it to none but this challenge.
 */
export const BASIC_TOO = 'Bearer, Basic realm="tasklane", charset="UTF-8"';

/** The request with this bearer token, where it has no credential of its own; for `authenticate` only: it has no body. */
export function withBearer(request: Request, token: string | null): Request {
  if (token === null || request.headers.has('authorization')) return request;
  const headers = new Headers(request.headers);
  try {
    headers.set('authorization', `Bearer ${token}`);
  } catch {
    return request; // no header can say it, so nobody has that token
  }
  const { url, method, signal } = request;
  return new Request(url, { method, headers, signal });
}
