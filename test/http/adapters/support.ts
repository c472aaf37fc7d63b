import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { createHandler, type TaskHandler } from 'tasklane/http';
import type { FetchHandler } from 'tasklane/node';
import { z } from 'zod';
import { keepHeaderCase } from '../../../src/http/adapters/header-case.ts';
import { Gate } from '../support.ts';
import type { Framework, Mounted, MountOptions } from './mounts.ts';

/** A request as the handler got it. */
export interface Arrived {
  readonly url: string;
  readonly basePath: string;
  readonly signal: AbortSignal;
}

/** A manager whose handler an app of a framework has mounted. */
export class World {
  readonly manager: TaskManager;
  readonly gate = new Gate();
  /** What the handler got, newest last. */
  readonly arrived: Arrived[] = [];
  readonly url: string;
  readonly origin: string;
  readonly #mounted: Mounted;

  private constructor(manager: TaskManager, gate: Gate, arrived: Arrived[], mounted: Mounted, prefix: string) {
    this.manager = manager;
    this.gate = gate;
    this.arrived = arrived;
    this.#mounted = mounted;
    this.origin = addressOf(mounted.server);
    this.url = this.origin + prefix;
  }

  static async open(framework: Framework, options: MountOptions): Promise<World> {
    const gate = new Gate();
    const manager = new TaskManager({ handlers: handlersFor(gate) });
    await manager.start();
    const arrived: Arrived[] = [];
    const handler = watched(createHandler(manager, { limits: { streams: 2 } }), arrived);
    return new World(manager, gate, arrived, await framework.open(handler, options), options.prefix);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  post(path: string, body: unknown): Promise<Response> {
    return this.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  async submit(handler: 'echo' | 'held', input: unknown = { text: 'a' }): Promise<string> {
    const response = await this.post('/tasks', { handler, input });
    return ((await response.json()) as { readonly id: string }).id;
  }

  /** As the framework closes: it hangs when something stays open. */
  async close(): Promise<void> {
    this.gate.open();
    // connections that are kept alive for later are no business of ours: a process that ends drops them
    const idle = setInterval(() => this.#mounted.server.closeIdleConnections(), 20);
    await this.#mounted.close();
    clearInterval(idle);
    await this.manager.close({ timeout: 0 });
  }
}

/** Of a server that listens on this machine. */
export function addressOf(server: Pick<Server, 'address'>): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function handlersFor(gate: Gate): readonly AnyTask[] {
  const echo = defineTask({ name: 'echo', input: z.object({ text: z.string() }), run: ({ text }) => ({ text }) });
  const held = defineTask({
    name: 'held',
    async run(_input: unknown, { progress, signal }) {
      progress({ processed: 1, total: 2 });
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      await Promise.race([gate.opened, aborted]);
      return 'done';
    },
  });
  return [echo, held] as unknown as readonly AnyTask[];
}

/** The handler with what an app may put around it: it notes requests, and has ways to fail. */
function watched(handler: TaskHandler, arrived: Arrived[]): FetchHandler {
  const around = async (request: Request, options: { readonly basePath: string }): Promise<Response> => {
    const { url, signal } = request;
    arrived.push({ url, signal, basePath: options.basePath });
    const why = new URL(url).searchParams.get('why');
    if (why === 'throw') throw new Error('thrown on purpose');
    if (why === 'case') {
      const headers = new Headers([
        ['x-pagination-page-count', '3'],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]);
      return keepHeaderCase(new Response('{}', { headers }), ['X-Pagination-Page-Count', 'X-Not-There']);
    }
    return handler(request, options);
  };
  return Object.assign(around, {
    matches: (request: Request) => handler.matches(request),
    close: () => handler.close(),
    bodyBytes: handler.bodyBytes,
  });
}
