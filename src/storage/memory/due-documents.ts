import type { StoredDocument } from '../storage.ts';
import { Heap } from './heap.ts';
import { compareText } from './list.ts';

/** So many entries before the void ones among them are looked for. */
const SPENT = 1_024;

/** The documents of one kind in the order they are due, so that what is due next shows without looking at all. */
export class DueDocuments<T extends StoredDocument> {
  readonly #heap = new Heap<T>(isDueBefore);
  readonly #isCurrent: (entry: T) => boolean;

  /** @param isCurrent whether an entry still is its document */
  constructor(isCurrent: (entry: T) => boolean) {
    this.#isCurrent = isCurrent;
  }

  /** @param documents how many of the kind there are */
  add(entry: T, documents: number): void {
    if (entry.dueAt === null) return;
    this.#heap.push(entry);
    if (this.#heap.size > SPENT && this.#heap.size > documents * 2) this.#heap.keep(this.#isCurrent);
  }

  /** What is due at `at`, the longest due first. */
  take(at: number, limit: number): readonly T[] {
    const found: T[] = [];
    for (let top = this.#heap.peek(); top !== undefined && found.length < limit; top = this.#heap.peek()) {
      if (top.dueAt !== null && top.dueAt > at) break;
      this.#heap.pop();
      if (this.#isCurrent(top)) found.push(top);
    }
    for (const entry of found) this.#heap.push(entry);
    return found;
  }
}

function isDueBefore(a: StoredDocument, b: StoredDocument): boolean {
  const [one, other] = [a.dueAt ?? 0, b.dueAt ?? 0];
  return one < other || (one === other && compareText(a.key, b.key) < 0);
}
