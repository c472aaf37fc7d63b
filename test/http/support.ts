import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { createHandler, type HandlerOptions, type TaskHandler } from 'tasklane/http';
import { type NodeListenerOptions, toNodeListener } from 'tasklane/node';
import { z } from 'zod';

/** A gate that a test opens: handlers wait for it, and nothing sleeps. */
export class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Handlers that tests need. `held` runs until its gate is opened, or its signal aborts. */
function handlersFor(gate: Gate): readonly AnyTask[] {
  const echo = defineTask({
    name: 'echo',
    description: 'Gives back its input',
    input: z.object({ text: z.string() }),
    run: ({ text }) => ({ text }),
  });
  const held = defineTask({
    name: 'held',
    async run(_input: unknown, { signal, progress, log }) {
      log('begun');
      progress({ processed: 1, total: 2 });
      const aborted = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      });
      await Promise.race([gate.opened, aborted]);
      progress({ processed: 2, total: 2 });
      return 'done';
    },
  });
  const broken = defineTask({
    name: 'broken',
    run: () => {
      throw new Error('it broke');
    },
  });
  return [echo, held, broken] as unknown as readonly AnyTask[];
}

/** A manager behind a real socket. */
export class World {
  readonly manager: TaskManager;
  readonly handler: TaskHandler;
  readonly gate: Gate;
  readonly server: Server;
  readonly url: string;

  private constructor(manager: TaskManager, handler: TaskHandler, gate: Gate, server: Server) {
    this.manager = manager;
    this.handler = handler;
    this.gate = gate;
    this.server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async open(
    options: { http?: HandlerOptions; node?: NodeListenerOptions; basePath?: string; run?: boolean } = {},
  ): Promise<World> {
    const gate = new Gate();
    const manager = new TaskManager({ handlers: handlersFor(gate) });
    await manager.start({ run: options.run ?? true });
    const handler = createHandler(manager, options.http);
    const listener = toNodeListener(handler, options.node);
    const { basePath = '' } = options;
    const server = createServer((req, res) => {
      req.url = (req.url ?? '/').slice(basePath.length); // what a framework does with a prefix
      void listener(req, res, basePath);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new World(manager, handler, gate, server);
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  async json(path: string): Promise<Body> {
    return bodyOf(await this.fetch(path));
  }

  async close(): Promise<void> {
    this.gate.open();
    await this.handler.close();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
    await this.manager.close({ timeout: 0 });
  }
}

/** What a test reads from an answer. */
export interface Body extends Record<string, unknown> {
  readonly id: string;
  readonly items: readonly Body[];
}

/** The JSON of an answer. */
export async function bodyOf(response: Response): Promise<Body> {
  return (await response.json()) as Body;
}

/** A server-sent event. */
export interface SentEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Body;
}

/** Reads an event stream as it comes. */
export async function* eventsOf(response: Response): AsyncGenerator<SentEvent> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => [line.split(': ')[0] ?? '', line.replace(/^\w*: /, '')]));
      const [event, id = '', data] = [fields.get('event'), fields.get('id'), fields.get('data')];
      if (event !== undefined && data !== undefined) yield { event, id, data: JSON.parse(data) as Body };
    }
  }
}
