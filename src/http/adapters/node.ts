/**
 * `tasklane/node`: the HTTP surface on `node:http`.
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { FastResponse } from 'srvx';
import { NodeRequest, sendNodeResponse } from 'srvx/node';
import type { Optional } from '../../handler/define.ts';

/** What answers: `createHandler`'s, or an app's own around it. */
export interface FetchHandler {
  (request: Request, options: { readonly basePath: string }): Promise<Response>;
  /** Largest body that it reads, in bytes. */
  readonly bodyBytes?: number;
}

/** What `toNodeListener` is made with. */
export type NodeListenerOptions = Optional<{
  /** Bytes of a request body; default: the handler's own limit, else 1 MiB. */
  maxBodyBytes: number;
  /** Whose `X-Forwarded-*` to believe: nobody's (default), everybody's, those of this machine, or of a list of addresses. */
  trustProxy: boolean | 'loopback' | string[];
}>;

/** A listener of `node:http`. `basePath`: what a framework took off the URL. */
export type NodeListener = (req: IncomingMessage, res: ServerResponse, basePath?: string) => Promise<void>;

/** What frameworks leave on a request. */
type Parsed = IncomingMessage & { body?: unknown; rawBody?: unknown };

const MIB = 1_048_576;

/**
 * Makes a listener for `http.createServer`. It never rejects.
 * @example http.createServer(toNodeListener(createHandler(manager)))
 */
export function toNodeListener(handler: FetchHandler, options: NodeListenerOptions = {}): NodeListener {
  const { maxBodyBytes = handler.bodyBytes ?? MIB, trustProxy = false } = options;
  return async (req, res, basePath = '') => {
    keepParsedBody(req);
    let response: Response;
    try {
      const request = new NodeRequest({ req, res, maxRequestBodySize: maxBodyBytes, trustProxy });
      response = await handler(request, { basePath });
    } catch {
      response = new FastResponse(null, { status: 500, statusText: 'Internal Server Error' });
    }
    if (res.destroyed) {
      response.body?.cancel().catch(() => {});
      return;
    }
    if (!req.complete) res.setHeader('connection', 'close'); // an unread upload poisons keep-alive
    await sendNodeResponse(res, response).catch(() => res.destroy());
    if (!req.complete) req.resume();
  };
}

/** A parser of the framework has read the body before us; srvx reads `rawBody` then. */
function keepParsedBody(req: Parsed): void {
  if (req.body === undefined || !req.readableDidRead || Buffer.isBuffer(req.rawBody)) return;
  if (Buffer.isBuffer(req.body)) req.rawBody = req.body;
  else req.rawBody = Buffer.from(typeof req.body === 'string' ? req.body : JSON.stringify(req.body));
}
