import { type AnyTask, defineTask, type Principal, TaskManager, type TaskRecord } from 'tasklane';
import { createHandler, type HandlerOptions, openApiDocument, readOnly, type TaskHandler } from 'tasklane/http';
import { waitFor } from 'tasklane/testing';
import { vi } from 'vitest';
import type { CallerName } from './rights.table.ts';
import { type Body, bodyOf, Gate } from './support.ts';

/** Whoever sends `Bearer <name>`. */
const PRINCIPALS: Readonly<Record<string, Principal>> = {
  stranger: { id: 'stranger' },
  owner: { id: 'owner' },
  admin: { id: 'admin', admin: true },
  reader: { id: 'reader' },
};

/** A request in process. */
export interface Asked {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A manager whose callers have rights, called without sockets. */
export class RightsWorld {
  readonly gate = new Gate();
  readonly manager: TaskManager;
  readonly handler: TaskHandler;
  readonly #reader: TaskHandler;

  private constructor(options: HandlerOptions) {
    const { gate } = this;
    const quick = defineTask({ name: 'quick', on: 'quick.wanted', run: () => ({ secret: 42 }) });
    const held = defineTask({
      name: 'held',
      async run(_input: unknown, { log, signal }) {
        log('begun');
        await Promise.race([gate.opened, new Promise((resolve) => signal.addEventListener('abort', resolve))]);
      },
    });
    this.manager = new TaskManager({ handlers: [quick, held] as unknown as readonly AnyTask[] });
    const authenticate = (request: Request): Principal | null => {
      const [, name = ''] = /^Bearer (\w+)$/.exec(request.headers.get('authorization') ?? '') ?? [];
      return Object.hasOwn(PRINCIPALS, name) ? (PRINCIPALS[name] ?? null) : null;
    };
    this.handler = createHandler(this.manager, { authenticate, ...options });
    this.#reader = createHandler(this.manager, { authenticate, ...options, policy: readOnly });
  }

  static async open(options: HandlerOptions = {}): Promise<RightsWorld> {
    const world = new RightsWorld(options);
    await world.manager.start();
    return world;
  }

  ask(caller: CallerName, path: string, { method = 'GET', body, headers = {} }: Asked = {}): Promise<Response> {
    const request = new Request(`http://x${path}`, {
      method,
      headers: {
        ...(caller === 'nobody' ? {} : { authorization: `Bearer ${caller}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return (caller === 'reader' ? this.#reader : this.handler)(request);
  }

  async json(caller: CallerName, path: string): Promise<Body> {
    return bodyOf(await this.ask(caller, path));
  }

  /** A task of the owner. */
  async submit(handler: 'quick' | 'held', options: object = {}): Promise<TaskRecord> {
    const task = await this.manager.submit(handler, { mine: true }, { submittedBy: 'owner', ...options });
    const until = 'hold' in options ? 'scheduled' : handler === 'quick' ? 'succeeded' : 'running';
    const record = await waitFor(this.manager, task.id, until);
    if (until !== 'running') return record;
    // The start is stored a little later than the claim, and what is compared is to stand still.
    return vi.waitFor(async () => {
      const stored = await this.manager.get(task.id);
      if (stored === null || stored.startedAt === null) throw new Error('its start is not stored yet');
      return stored;
    });
  }

  async close(): Promise<void> {
    this.gate.open();
    await this.handler.close();
    await this.#reader.close();
    await this.manager.close({ timeout: 0 });
  }
}

/** An operation of the OpenAPI document. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

/** Every operation that the document of a manager has. */
export function operationsOf(manager: TaskManager): readonly Operation[] {
  const paths = openApiDocument(manager).paths as Record<string, Record<string, { readonly operationId: string }>>;
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
    })),
  );
}
