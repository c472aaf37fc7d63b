import { waylay } from 'tasklane/dialects';
import type { HandlerOptions } from 'tasklane/http';
import { DialectWorld } from './world.ts';

/** What is answered to a call of Waylay's API. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a test reads
  readonly value: any;
}

/** Calls of Waylay's API, in process. */
export class WaylayWorld {
  readonly world: DialectWorld;

  private constructor(world: DialectWorld) {
    this.world = world;
  }

  static async open(options: Parameters<typeof waylay>[0] = {}, http: HandlerOptions = {}): Promise<WaylayWorld> {
    return new WaylayWorld(await DialectWorld.open([waylay(options)], http));
  }

  async ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answered> {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.world.ask(`/rules/v1/${path}`, { method, headers: { ...type, ...headers }, ...sent });
    const text = await response.text();
    return { status: response.status, headers: response.headers, value: text === '' ? null : JSON.parse(text) };
  }

  async create(specification: object): Promise<string> {
    const { value } = await this.ask('POST', 'tasks', { template: 'reindex', ...specification });
    return value.ID;
  }

  /** What becomes of the tasks of a batch. */
  async batch(action: string, query: object, actionParameters?: object) {
    const { value } = await this.ask('POST', 'batch', { entity: 'task', action, query, actionParameters });
    for (;;) {
      const { value: state } = await this.ask('GET', `batch/${value.entity.id}`);
      if (state.finishedTime !== undefined) return state.results;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async names(query: string): Promise<readonly string[]> {
    const { value } = await this.ask('GET', `tasks?${query}`);
    return value.map(({ name }: { name: string }) => name).sort();
  }

  close(): Promise<void> {
    return this.world.close();
  }
}

export const PERIODIC = { template: 'reindex', name: 'Often', type: 'periodic', frequency: 60_000 };
export const REACTIVE = { template: 'reindex', name: 'On data', type: 'reactive', resource: 'cellar' };
export const ONCE = { template: 'reindex', name: 'Once', type: 'onetime', start: false };
