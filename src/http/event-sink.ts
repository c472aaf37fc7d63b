import type { Writable } from 'node:stream';

/** Who fills a sink. */
export interface SinkOwner {
  /** There is room again. */
  drain(): void;
  /** The reader has gone. */
  gone(): void;
}

/** A body that writes itself where the bridge to `node:http` says: a `ReadableStream` for each reader costs half as much again. */
export interface PipedBody {
  pipe<T extends Writable>(to: T): T;
  destroy(): void;
}

/** Where the bytes of one reader go. */
export interface EventSink {
  /** The body of the answer. */
  readonly body: ReadableStream<Uint8Array> | PipedBody;
  /** Whether the reader keeps up. */
  readonly hasRoom: boolean;
  write(chunk: Uint8Array): void;
  /** Ends it once the reader has read what was written. */
  end(): void;
}

/** Bytes that may wait in a web stream. */
const BUFFER_BYTES = 16_384;

/** A web stream, for any runtime. */
export class WebSink implements EventSink {
  readonly body: ReadableStream<Uint8Array>;
  #out!: ReadableStreamDefaultController<Uint8Array>;

  constructor(owner: SinkOwner) {
    this.body = new ReadableStream<Uint8Array>(
      {
        start: (out) => {
          this.#out = out;
        },
        pull: () => owner.drain(),
        cancel: () => owner.gone(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: BUFFER_BYTES }),
    );
  }

  get hasRoom(): boolean {
    return (this.#out.desiredSize ?? 0) > 0;
  }

  write(chunk: Uint8Array): void {
    this.#out.enqueue(chunk);
  }

  end(): void {
    this.#out.close();
  }
}

/** The answer of `node:http` itself. It has no room until the bridge has sent the headers. */
class NodeSink implements EventSink, PipedBody {
  readonly #owner: SinkOwner;
  #to: Writable | null = null;
  /** What is written before that. */
  #first: Uint8Array[] = [];
  #ended = false;

  constructor(owner: SinkOwner) {
    this.#owner = owner;
  }

  get body(): PipedBody {
    return this;
  }

  get hasRoom(): boolean {
    return this.#to !== null && !this.#to.writableNeedDrain;
  }

  write(chunk: Uint8Array): void {
    if (this.#to === null) this.#first.push(chunk);
    else this.#to.write(chunk);
  }

  end(): void {
    this.#ended = true;
    this.#to?.end();
  }

  /** Called by the bridge, once. */
  pipe<T extends Writable>(to: T): T {
    this.#to = to;
    to.on('drain', () => this.#owner.drain());
    to.once('close', () => this.#owner.gone());
    for (const chunk of this.#first.splice(0)) to.write(chunk);
    if (this.#ended) to.end();
    else this.#owner.drain();
    return to;
  }

  /** Called by the bridge in place of `pipe` when the reader has gone already. */
  destroy(): void {
    this.#owner.gone();
  }

  /** Called by the bridge, without `this`, when a web stream that it made of this was cancelled. */
  readonly abort = (): void => this.#owner.gone();
}

/** What the bridge leaves on a request of `node:http`. */
type Bridged = Request & { readonly runtime?: { readonly node?: { readonly res?: object } } };

/** Makes the sink for an answer to this request. */
export function sinkFor(request: Request): (owner: SinkOwner) => EventSink {
  const onNode = (request as Bridged).runtime?.node?.res !== undefined;
  return (owner) => (onNode ? new NodeSink(owner) : new WebSink(owner));
}
