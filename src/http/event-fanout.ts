import type { Batch, EventStream } from './event-stream.ts';

/** Readers that are written to in one turn of the event loop: the writes to a thousand sockets would hold up all else. */
const AT_ONCE = 100;

/** Sends batches to many readers, a part of them at a time, each in the order of the batches. */
export class EventFanout {
  readonly #queue: { readonly batch: Batch | null; readonly readers: readonly EventStream[] }[] = [];
  #at = 0;
  #waiting: (() => void)[] = [];

  /**
   * @param batch null: the end
   * @param readers those who are there now; whoever has gone when it is his turn is left out
   */
  send(batch: Batch | null, readers: Iterable<EventStream>): void {
    this.#queue.push({ batch, readers: [...readers] });
    if (this.#queue.length === 1) this.#go();
  }

  /** Resolves when all of it was sent. */
  drained(): Promise<void> {
    return this.#queue.length === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }

  #go(): void {
    for (let left = AT_ONCE; left > 0; left--) {
      const head = this.#queue[0];
      if (head === undefined) break;
      const reader = head.readers[this.#at++];
      if (head.batch === null) reader?.end();
      else reader?.send(head.batch);
      if (this.#at < head.readers.length) continue;
      this.#at = 0;
      this.#queue.shift();
    }
    if (this.#queue.length === 0) this.#done();
    else setImmediate(() => this.#go());
  }

  #done(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
