import type { Attempt } from './attempt.ts';

/** Places of attempts that left are given back from so many on, once they are half of all. */
const SPENT = 64;

/**
 * The attempts in hand, in the order they were claimed. A list in place of a map: a map that is filled and emptied all the
 * time leaves its former tables to the full garbage collection, and with them every attempt they ever held.
 */
export class Held {
  readonly #list: (Attempt | null)[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(attempt: Attempt): void {
    attempt.place = this.#list.length;
    this.#list.push(attempt);
    this.#size++;
  }

  /** Once more: nothing happens. */
  remove(attempt: Attempt): void {
    const list = this.#list;
    if (list[attempt.place] !== attempt) return;
    list[attempt.place] = null;
    this.#size--;
    const spent = list.length - this.#size;
    if (spent >= SPENT && spent >= this.#size) this.#tidy();
  }

  /** The newest attempt of a task; looks through all. */
  of(taskId: string): Attempt | undefined {
    return this.#list.findLast((attempt) => attempt?.task.id === taskId) ?? undefined;
  }

  /** A list of the caller's own. */
  all(): Attempt[] {
    return this.#list.filter((attempt) => attempt !== null);
  }

  #tidy(): void {
    const list = this.#list;
    let place = 0;
    for (const attempt of list) {
      if (attempt === null) continue;
      attempt.place = place;
      list[place++] = attempt;
    }
    list.length = place;
  }
}
