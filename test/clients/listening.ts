import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Dialect, HandlerOptions } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { DialectWorld } from '../http/dialects/world.ts';

/** A request as it came. */
export interface Came {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** Dialects on a real socket, for clients that know nothing of us. */
export class Listening {
  readonly world: DialectWorld;
  readonly url: string;
  /** All requests so far. */
  readonly came: Came[] = [];
  /** Answers in place of the next requests: what a broken server or a proxy would send. */
  readonly instead: { readonly status: number; readonly body: string; readonly headers?: Record<string, string> }[] =
    [];
  readonly #close: () => Promise<void>;

  private constructor(world: DialectWorld, url: string, close: () => Promise<void>) {
    this.world = world;
    this.url = url;
    this.#close = close;
  }

  static async open(dialects: readonly Dialect[], options: HandlerOptions = {}): Promise<Listening> {
    const world = await DialectWorld.open(dialects, options);
    const listener = toNodeListener(world.handler);
    const server = createServer((req, res) => {
      const { method = '', url = '', headers } = req;
      listening.came.push({ method, url, headers });
      const instead = listening.instead.shift();
      if (instead === undefined) return void listener(req, res);
      res.writeHead(instead.status, { 'content-type': 'application/json', ...instead.headers }).end(instead.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = async (): Promise<void> => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await world.close();
    };
    const listening: Listening = new Listening(
      world,
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close,
    );
    return listening;
  }

  close(): Promise<void> {
    return this.#close();
  }
}
