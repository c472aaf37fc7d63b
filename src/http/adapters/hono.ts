/**
 * `tasklane/hono`: the HTTP surface on Hono 4, on any runtime that runs the task manager.
 * @module
 */
import type { Context, Next } from 'hono';
import { endRefusedUpload, type FetchHandler, normalPrefix } from './fetch-handler.ts';

/** Both of what Hono mounts: a handler of requests for `app.mount`, and a middleware for `app.use`. */
export interface HonoTasklane {
  (request: Request): Promise<Response>;
  (context: Context, next: Next): Promise<Response | undefined>;
}

/**
 * Makes what Hono mounts. `app.mount` takes a prefix off the URL, so name it as `basePath` for the links in answers. As a
 * middleware, at the root of an app with other routes, it lets through what it has no route for.
 * @example app.mount('/api', tasklane(createHandler(manager), { basePath: '/api' }))
 * @example app.use(tasklane(createHandler(manager)))
 */
export function tasklane(
  handler: FetchHandler,
  options: { readonly basePath?: string | undefined } = {},
): HonoTasklane {
  const basePath = normalPrefix(options.basePath);
  const serve = async (of: Request | Context, next?: unknown): Promise<Response | undefined> => {
    if (!isContext(of)) return endRefusedUpload(await handler(of, { basePath }));
    const { raw } = of.req;
    if (handler.matches?.(raw) ?? true) return endRefusedUpload(await handler(raw, { basePath }));
    await (next as Next)();
    return undefined;
  };
  return serve as HonoTasklane;
}

/** A request has none of this, and classes differ from bridge to bridge. */
function isContext(of: Request | Context): of is Context {
  return 'req' in of;
}
