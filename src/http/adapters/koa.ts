/**
 * `tasklane/koa`: the HTTP surface on Koa 3.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { below, type FetchHandler, type MountOptions, normalPrefix } from './fetch-handler.ts';
import { isFor, type NodeListenerOptions, toNodeListener } from './node-listener.ts';

/** What a Koa middleware is given, as far as it is needed here. `request.body`: what a body parser left. */
export interface KoaContext {
  readonly req: IncomingMessage & { body?: unknown };
  readonly res: ServerResponse;
  readonly request: object;
  respond?: boolean | undefined;
}

/** A middleware of Koa. */
export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<unknown>;

/**
 * Makes a middleware. What lies outside the prefix, or has no route, goes on to the next one. Body parsers may run in front
 * of it.
 * @example app.use(tasklane(createHandler(manager), { prefix: '/api' }))
 */
export function tasklane(handler: FetchHandler, options: MountOptions & NodeListenerOptions = {}): KoaMiddleware {
  const listen = toNodeListener(handler, options);
  const prefix = normalPrefix(options.prefix);
  return async (context, next) => {
    const { req, res } = context;
    const url = req.url ?? '/';
    const rest = below(url, prefix);
    if (rest === null) return next();
    req.url = rest;
    if (!isFor(handler, req)) {
      req.url = url;
      return next();
    }
    context.respond = false; // or Koa answers 404
    const { body, rawBody } = context.request as { readonly body?: unknown; readonly rawBody?: unknown };
    if (body !== undefined) req.body = rawBody ?? body;
    return listen(req, res, prefix);
  };
}
