/**
 * `tasklane/express`: the HTTP surface on Express 5.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FetchHandler } from './fetch-handler.ts';
import { isFor, type NodeListenerOptions, toNodeListener } from './node-listener.ts';

/** A middleware of Express, in the types of `node:http` that Express extends. */
export type ExpressMiddleware = (
  req: IncomingMessage & { readonly baseUrl: string },
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * Makes a middleware. Express takes the prefix off the URL; what the handler has no route for goes on to the next one, so it
 * can stand at the root of an app with other routes. Body parsers may run in front of it.
 * @example app.use('/api', tasklane(createHandler(manager)))
 */
export function tasklane(handler: FetchHandler, options: NodeListenerOptions = {}): ExpressMiddleware {
  const listen = toNodeListener(handler, options);
  return (req, res, next) => {
    if (isFor(handler, req)) void listen(req, res, req.baseUrl);
    else next();
  };
}
