import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyTask, TaskManager } from 'tasklane';
import { TaskClient, type TaskClientOptions } from 'tasklane/client';
import { createHandler, type HandlerOptions, type TaskHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';

/** A server with a manager behind it, and a client of it that knows the handlers. */
export class World<const Handlers extends readonly AnyTask[]> {
  readonly manager: TaskManager<Handlers>;
  readonly handler: TaskHandler;
  readonly server: Server;
  readonly url: string;
  readonly client: TaskClient<Handlers>;

  private constructor(manager: TaskManager<Handlers>, handler: TaskHandler, server: Server) {
    this.manager = manager;
    this.handler = handler;
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.client = this.clientWith({});
  }

  static async open<const Handlers extends readonly AnyTask[]>(
    handlers: Handlers,
    options: HandlerOptions = {},
  ): Promise<World<Handlers>> {
    const manager = new TaskManager({ handlers });
    await manager.start();
    const handler = createHandler(manager as unknown as TaskManager, options);
    const server = createServer(toNodeListener(handler));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new World(manager, handler, server);
  }

  clientWith(options: Partial<TaskClientOptions>): TaskClient<Handlers> {
    return new TaskClient<Handlers>({ baseUrl: this.url, ...options });
  }

  async close(): Promise<void> {
    await this.handler.close();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    await this.manager.close({ timeout: 0 });
  }
}

/** A request as `fetch` was asked for it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
  readonly body: unknown;
}

/** What a scripted server does with one request: answers it, loses it, or has it carried out and loses the answer. */
export type Step = (url: string, init: RequestInit) => Response | Promise<Response>;

/** A `fetch` that does what a script says, one step a request and the last one over and over, and notes what it was asked for. */
export function scripted(...steps: readonly Step[]): { fetch: typeof fetch; asked: Asked[] } {
  const asked: Asked[] = [];
  let next = 0;
  const scriptedFetch = async (url: string, init: RequestInit = {}): Promise<Response> => {
    const { pathname, search } = new URL(url);
    asked.push({
      method: init.method ?? 'GET',
      path: pathname + search,
      headers: new Headers(init.headers),
      body: typeof init.body === 'string' ? JSON.parse(init.body) : undefined,
    });
    const step = steps[Math.min(next++, steps.length - 1)];
    if (step === undefined) throw new Error('The script is empty.');
    init.signal?.throwIfAborted();
    return step(url, init);
  };
  return { fetch: scriptedFetch as typeof fetch, asked };
}

/** The connection breaks before anything was carried out. */
export const lost: Step = () => {
  throw new TypeError('fetch failed');
};

/** Goes to the real server. */
export const real: Step = (url, init) => fetch(url, init);

/** The real server carries it out, and the answer is lost. */
export const answerLost: Step = async (url, init) => {
  await (await fetch(url, init)).text();
  throw new TypeError('fetch failed');
};

/** A problem document. */
export function problem(status: number, code: string, members: object = {}, headers: object = {}): Step {
  const document = { type: 'about:blank', title: '', status, detail: `It is ${code}.`, code, ...members };
  return () =>
    new Response(JSON.stringify(document), {
      status,
      headers: { 'content-type': 'application/problem+json', ...headers },
    });
}
