import type { Environment } from './environment.ts';

/** Who serves what changes with deploys, not with submits: an answer holds for so long, in ms. */
const REMEMBER_MS = 5_000;

/** Knows whether any live process runs the tasks of a handler. */
export class Serving {
  readonly #environment: Environment;
  #served: Promise<ReadonlySet<string>> | null = null;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @throws {StorageError} */
  async has(handler: string): Promise<boolean> {
    const now = this.#environment.clock.monotonic();
    if (this.#served === null || now - this.#readAt > REMEMBER_MS) {
      this.#readAt = now;
      this.#served = this.#read();
    }
    return (await this.#served).has(handler);
  }

  async #read(): Promise<ReadonlySet<string>> {
    try {
      const workers = await this.#environment.storage.workers();
      return new Set(workers.flatMap(({ info }) => info?.handlers ?? []));
    } catch (error) {
      this.#served = null;
      throw error;
    }
  }
}
