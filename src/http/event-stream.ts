import { type EventSink, type SinkOwner, WebSink } from './event-sink.ts';

/** Many events as bytes: whole for fast readers, one by one for slow ones. Made once, and shared by all readers. */
export interface Batch {
  readonly chunk: Uint8Array;
  /** By key; a later event of a key takes the place of an earlier one that was not sent yet. */
  readonly parts: readonly (readonly [key: string, chunk: Uint8Array])[];
}

/** Sent at once, as some bridges hold the headers back until the first byte. */
const HELLO = encode(': tasklane\n\n');
const LAGGED = encode('event: lagged\ndata: {}\n\n');

/** Events that may wait for a slow reader, and how many bytes of them, where there are several. */
const MAX_LATE = 256;
const MAX_LATE_BYTES = 1_048_576;

/** Bytes of text. */
export function encode(text: string): Uint8Array {
  return Buffer.from(text);
}

/**
 * One reader of server-sent events. What it has not read yet is bounded: a slow one skips progress that was overtaken, and one
 * that falls behind further is told `lagged` and let go.
 */
export class EventStream implements SinkOwner {
  /** The body of the answer. */
  readonly body: EventSink['body'];
  readonly #late = new Map<string, Uint8Array>();
  readonly #onClose: () => void;
  #out: EventSink | null;
  #lateBytes = 0;
  #ending = false;

  /** @param onClose called once, when the reader has gone or was let go */
  constructor(onClose: () => void, makeSink: (owner: SinkOwner) => EventSink = (owner) => new WebSink(owner)) {
    this.#onClose = onClose;
    const out = makeSink(this);
    this.#out = out;
    this.body = out.body;
    out.write(HELLO);
  }

  /** Sends events, or keeps them for a reader that is behind. */
  send(batch: Batch): void {
    if (this.#out === null || this.#ending) return;
    if (this.#late.size === 0 && this.#out.hasRoom) {
      this.#out.write(batch.chunk);
      return;
    }
    for (const [key, chunk] of batch.parts) {
      this.#forget(key); // newest last: ids stay in order
      this.#late.set(key, chunk);
      this.#lateBytes += chunk.byteLength;
    }
    const { size } = this.#late;
    if (size > MAX_LATE || (size > 1 && this.#lateBytes > MAX_LATE_BYTES)) this.close(LAGGED);
  }

  #forget(key: string): void {
    this.#lateBytes -= this.#late.get(key)?.byteLength ?? 0;
    this.#late.delete(key);
  }

  /** Sends what is no event and may be left out, such as a comment that keeps the connection alive. */
  nudge(chunk: Uint8Array): void {
    if (this.#late.size === 0 && this.#out?.hasRoom) this.#out.write(chunk);
  }

  /** Ends the stream once the reader has read what was sent. */
  end(): void {
    this.#ending = true;
    if (this.#late.size === 0) this.close();
  }

  /** Ends the stream now. */
  close(last?: Uint8Array): void {
    const out = this.#out;
    if (out === null) return;
    this.#out = null;
    this.#late.clear();
    try {
      if (last !== undefined) out.write(last);
      out.end();
    } catch {
      // the reader has gone
    }
    this.#onClose();
  }

  /** Called by the sink. */
  drain(): void {
    for (const [key, chunk] of this.#late) {
      if (!this.#out?.hasRoom) return;
      this.#forget(key);
      this.#out.write(chunk);
    }
    if (this.#ending) this.close();
  }

  /** Called by the sink. */
  gone(): void {
    this.close();
  }
}
