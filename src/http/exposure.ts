import type { Server } from 'node:http';

const LOOPBACK = /^(127\.|::1$|::ffff:127\.|localhost$)/;

/** What the bridge leaves on a request on Node. */
type Bridged = Request & {
  readonly runtime?: { readonly node?: { readonly req?: { readonly socket?: { readonly server?: Server } } } };
};

/**
 * Warns, once, when a handler that asks nobody who he is can be reached from other machines: everybody there may submit, read
 * and delete.
 */
export class Exposure {
  readonly #known = new WeakSet<object>();
  #warned = false;

  /** @param address that the server listens on, where whoever mounted the handler tells */
  look(request: Request, address: string | undefined): void {
    if (this.#warned) return;
    const listens = address ?? this.#addressOf(request);
    if (listens === null || LOOPBACK.test(listens)) return;
    this.#warned = true;
    globalThis.process?.emitWarning?.(
      `Tasks are served at ${listens} to everybody who can reach it, and everybody may submit, read and delete all of them. ` +
        'Give createHandler an `authenticate`, or listen on 127.0.0.1.',
      { type: 'TasklaneWarning', code: 'TASKLANE_EXPOSED' },
    );
  }

  /** Of a server that was not looked at yet. */
  #addressOf(request: Bridged): string | null {
    const server = request.runtime?.node?.req?.socket?.server;
    if (server === undefined || this.#known.has(server)) return null;
    this.#known.add(server);
    const address = typeof server.address === 'function' ? server.address() : null;
    return address === null || typeof address === 'string' ? null : address.address; // a pipe is of this machine
  }
}
