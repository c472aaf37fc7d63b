/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Whether a page of another origin made the user's browser send this: an unsafe method, with a credential that browsers add by
 * themselves (a cookie, or basic authentication). What is no browser sends neither `Sec-Fetch-Site` nor `Origin`.
 * @param allowed origins that the app lets in by CORS; `*` does not count, as it never goes with credentials
 */
export function isCrossSite(request: Request, allowed: readonly string[]): boolean {
  if (SAFE.includes(request.method)) return false;
  const { headers } = request;
  const isAmbient = headers.has('cookie') || /^basic\b/i.test(headers.get('authorization') ?? '');
  if (!isAmbient) return false;
  const origin = headers.get('origin');
  if (origin !== null && allowed.includes(origin)) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  return origin !== null && hostOf(origin) !== hostOf(request.url);
}

/** Not the scheme: a proxy may have ended TLS. Null for `null`, which an origin of nobody is. */
function hostOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).host : null;
}
