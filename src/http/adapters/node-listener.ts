import type { IncomingMessage, ServerResponse } from 'node:http';
import { FastResponse } from 'srvx';
import { NodeRequest, type NodeResponse, sendNodeResponse } from 'srvx/node';
import type { Optional } from '../../handler/define.ts';
import type { FetchHandler } from './fetch-handler.ts';
import { moveCased } from './header-case.ts';

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
type Parsed = Pick<IncomingMessage, 'headers' | 'readableDidRead' | 'readableEnded'> & {
  body?: unknown;
  rawBody?: unknown;
};

const MIB = 1_048_576;

/**
 * Makes a listener for `http.createServer`. It never rejects.
 * @example http.createServer(toNodeListener(createHandler(manager)))
 */
export function toNodeListener(handler: FetchHandler, options: NodeListenerOptions = {}): NodeListener {
  const { maxBodyBytes = handler.bodyBytes ?? MIB, trustProxy = false } = options;
  return async (req, res, basePath = '') => {
    let response: Response;
    try {
      keepParsedBody(req);
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
    moveCased(response, res);
    await send(res, response).catch(() => res.destroy());
    if (!req.complete) req.resume();
  };
}

/** Text goes out in one write, headers and all, where the bridge makes two. */
async function send(res: ServerResponse, response: Response): Promise<void> {
  if (!('_toNodeResponse' in response) || res.headersSent || res.req.httpVersionMajor > 1) {
    return sendNodeResponse(res, response);
  }
  const prepared = (response as NodeResponse)._toNodeResponse();
  const { status, statusText, headers, body } = prepared;
  if (body && typeof body !== 'string')
    return sendNodeResponse(res, { _toNodeResponse: () => prepared } as NodeResponse);
  res.writeHead(status, statusText, headers).end(body);
}

/** Whether a request is for this handler, rather than for what else the app has. */
export function isFor(handler: FetchHandler, req: IncomingMessage): boolean {
  return handler.matches?.(new NodeRequest({ req })) ?? true;
}

/** A parser of the framework has read the body before us; srvx reads `rawBody` then. */
function keepParsedBody(req: Parsed): void {
  const read = req.readableDidRead || req.readableEnded; // of nothing at all, only the end is seen
  if (!read || Buffer.isBuffer(req.rawBody)) return;
  const { body } = req;
  delete req.headers['content-encoding']; // whoever read it has undone that
  // of no body at all, some parsers make an object
  if (body === undefined || req.headers['content-length'] === '0') req.rawBody = Buffer.alloc(0);
  else if (Buffer.isBuffer(body)) req.rawBody = body;
  else req.rawBody = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
