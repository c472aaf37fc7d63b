import type { TaskStorage } from '../storage/storage.ts';

const KIND = 'pause';
/** No handler can have this name. */
const ALL = '*';

/** Which handlers are paused: stored, so it holds for every process and survives restarts; read again on every hint. */
export class Pauses {
  readonly #storage: TaskStorage;
  #paused = new Set<string>();
  /** Moves with what this process changes. */
  #changes = 0;

  constructor(storage: TaskStorage) {
    this.#storage = storage;
  }

  /** Whether no task of any handler must start. */
  get holdsAll(): boolean {
    return this.#paused.has(ALL);
  }

  /** Whether tasks of this handler must not start. */
  holds(handler: string): boolean {
    return this.#paused.has(ALL) || this.#paused.has(handler);
  }

  /** @returns whether anything changed. @throws {StorageError} */
  async read(): Promise<boolean> {
    const changes = this.#changes;
    const paused = new Set((await this.#storage.documents(KIND)).map(({ key }) => key));
    if (changes !== this.#changes) return false; // it may be older than our own change, whose hint asks again
    const changed = paused.size !== this.#paused.size || [...paused].some((key) => !this.#paused.has(key));
    this.#paused = paused;
    return changed;
  }

  /** @param handler undefined: all. @throws {StorageError} */
  async pause(handler: string | undefined): Promise<void> {
    await this.#storage.putDocument(KIND, handler ?? ALL, {});
    this.#changes++;
    this.#paused.add(handler ?? ALL);
  }

  /** @param handler undefined: all, those that were paused by name included. @throws {StorageError} */
  async resume(handler: string | undefined): Promise<void> {
    const keys = handler === undefined ? (await this.#storage.documents(KIND)).map(({ key }) => key) : [handler];
    for (const key of keys) {
      await this.#storage.deleteDocument(KIND, key);
      this.#changes++;
      this.#paused.delete(key);
    }
  }
}
