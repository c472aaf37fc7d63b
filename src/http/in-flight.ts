import { HttpProblem } from './problem.ts';

/**
 * Keys whose first request is not answered yet. A second one is told to come back (draft-ietf-httpapi-idempotency-key-header,
 * section 2.6), so that a client that gives up too early does not pile up requests. The storage sees to it that there is one
 * task, in all processes.
 */
export class InFlight {
  readonly #keys = new Set<string>();

  /**
   * @param key null: nothing to keep apart
   * @throws {HttpProblem} 409 while the key is in flight
   */
  run<T>(key: string | null, work: () => Promise<T>): Promise<T> {
    return key === null ? work() : this.#runAlone(key, work);
  }

  async #runAlone<T>(key: string, work: () => Promise<T>): Promise<T> {
    if (this.#keys.has(key)) {
      const detail = 'A request with this Idempotency-Key is being worked on.';
      throw new HttpProblem('idempotency_in_flight', detail, {}, { 'retry-after': '1' });
    }
    this.#keys.add(key);
    try {
      return await work();
    } finally {
      this.#keys.delete(key);
    }
  }
}
