import type { Environment } from './environment.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { JsonValue } from './task/json.ts';

/** Small things that an API over the manager keeps for a while, in the storage, by kind and key. */
export class Kept {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;

  constructor(environment: Environment, lifecycle: Lifecycle) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
  }

  /** Null: there is none. @throws {StorageError} */
  async get(kind: string, key: string): Promise<{ readonly value: JsonValue; readonly version: number } | null> {
    await this.#lifecycle.readable();
    return this.#environment.storage.document(kind, key);
  }

  /**
   * @param keepMs from now on
   * @param ifVersion only where it is at this version; 0: there is none yet
   * @returns the new version, null where it was another @throws {StorageError} @throws {ManagerClosedError}
   */
  async put(kind: string, key: string, value: JsonValue, keepMs: number, ifVersion?: number): Promise<number | null> {
    await this.#lifecycle.open();
    const { storage, clock } = this.#environment;
    const expiresAt = clock.now() + keepMs;
    return storage.putDocument(kind, key, value, { expiresAt, ...(ifVersion === undefined ? {} : { ifVersion }) });
  }

  /** @throws {StorageError} @throws {ManagerClosedError} */
  async delete(kind: string, key: string): Promise<void> {
    await this.#lifecycle.open();
    await this.#environment.storage.deleteDocument(kind, key);
  }
}
