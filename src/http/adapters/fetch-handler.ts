import type { Optional } from '../../handler/define.ts';

/** What adapters mount: `createHandler`'s, or an app's own around it. */
export interface FetchHandler {
  /** @param options `basePath`: what the framework took off the URL, such as `/api` */
  (request: Request, options: { readonly basePath: string }): Promise<Response>;
  /** Whether the path is one of its own; left out: every path is. Adapters that can, pass on what is not. */
  matches?(request: Request): boolean;
  /** Ends event streams and answers what is held, so that a server can close. */
  close?(): Promise<void>;
  /** Largest body that it reads, in bytes. */
  readonly bodyBytes?: number;
}

/** Where a handler is mounted on a framework that does not take the prefix off the URL itself. */
export type MountOptions = Optional<{
  /** Such as `/api`; default: the root. */
  prefix: string;
}>;

/** A prefix without a slash at its end and with one in front; empty for the root. */
export function normalPrefix(prefix = ''): string {
  const path = prefix.replace(/\/+$/, '');
  return path === '' || path.startsWith('/') ? path : `/${path}`;
}

/** What is left of a path, or of a URL without its origin, under a prefix; null when it lies outside. */
export function below(url: string, prefix: string): string | null {
  if (!url.startsWith(prefix)) return null;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : null;
}

/** Tells the client that a connection ends, whose upload nobody reads to its end: servers drop it without a word. */
export function endRefusedUpload(response: Response): Response {
  if (response.status === 413) response.headers.set('connection', 'close');
  return response;
}
