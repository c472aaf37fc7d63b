/**
 * `tasklane/next`: the HTTP surface as a route of the App Router of Next.js 16.
 * @module
 */
import { below, endRefusedUpload, type FetchHandler, normalPrefix } from './fetch-handler.ts';

/** A function of a route file. */
export type NextRoute = (request: Request) => Promise<Response>;

/** What a route file exports. */
export type NextRoutes = Readonly<Record<'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS', NextRoute>>;

/**
 * Makes the functions of `app/api/[[...path]]/route.ts`. Next.js leaves the whole path on the URL: `basePath` says where the
 * file lies.
 * @example export const { GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS } = tasklane(handler, { basePath: '/api' })
 */
export function tasklane(handler: FetchHandler, options: { readonly basePath?: string | undefined } = {}): NextRoutes {
  const basePath = normalPrefix(options.basePath);
  const serve: NextRoute = async (request) => {
    const url = new URL(request.url);
    url.pathname = below(url.pathname, basePath) ?? url.pathname;
    return endRefusedUpload(await handler(new Request(url, request), { basePath }));
  };
  return { GET: serve, HEAD: serve, POST: serve, PUT: serve, PATCH: serve, DELETE: serve, OPTIONS: serve };
}
