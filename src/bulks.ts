import type { Environment } from './environment.ts';
import type { Lifecycle } from './lifecycle.ts';
import { drawWorkerId } from './task/id.ts';
import type { JsonValue } from './task/json.ts';

/** The kind of the documents that tell how operations on many tasks went. */
const KIND = 'bulk';
const KEPT_MS = 7 * 86_400_000;

/** Operations on many tasks, for whoever asks later how one went; kept for a week, in the storage. */
export class Bulks {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;

  constructor(environment: Environment, lifecycle: Lifecycle) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
  }

  /** Stores what there is to tell of one. @returns its id @throws {StorageError} */
  async put(value: JsonValue, id = drawWorkerId()): Promise<string> {
    await this.#lifecycle.open();
    const { storage, clock } = this.#environment;
    await storage.putDocument(KIND, id, value, { expiresAt: clock.now() + KEPT_MS });
    return id;
  }

  /** Null: there is none. @throws {StorageError} */
  async get(id: string): Promise<JsonValue> {
    await this.#lifecycle.readable();
    return (await this.#environment.storage.document(KIND, id))?.value ?? null;
  }
}
