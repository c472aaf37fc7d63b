import { createParser, type EventSourceMessage } from 'eventsource-parser';

/** A server sends a comment every 15 s: a connection that is silent for this long is dead, and nobody has told us. */
const SILENCE_MS = 60_000;

/** A connection's events (HTML, section 9.2), as they come. It ends with the connection, and throws when that breaks. */
export async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let come: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => come.push(event) });
  try {
    for (;;) {
      const { done, value } = await unlessSilent(reader);
      if (done) return;
      parser.feed(decoder.decode(value, { stream: true }));
      const events = come;
      come = [];
      yield* events;
    }
  } finally {
    reader.cancel().catch(() => {}); // nobody reads on
  }
}

async function unlessSilent(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReturnType<ReadableStreamDefaultReader<Uint8Array>['read']> {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), SILENCE_MS);
  try {
    return await reader.read();
  } finally {
    clearTimeout(timer);
  }
}
