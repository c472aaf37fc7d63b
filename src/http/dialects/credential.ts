/**
 * Asks for a user name and a password (RFC 7617), or a bearer token. Clients that keep a password until they are asked for one,
 * such as those of Java, .NET and Python's urllib, send it to none but this challenge. Some, as `java.net.http`, read no further
 * than the first scheme of a field, so it is that one.
 */
export const BASIC_TOO = 'Basic realm="tasklane", charset="UTF-8", Bearer';

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
