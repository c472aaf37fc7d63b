import { TasklaneError } from '../errors.ts';
import type { AnyTask } from '../handler/define.ts';
import { isFinal } from '../task/status.ts';
import { backoffMs, pause } from './backoff.ts';
import { eventsOf } from './event-feed.ts';
import type { ClientNews, NewsMaker } from './news.ts';
import type { Transport } from './transport.ts';

/** A connection that held for this long was a good one: what comes next is not the same trouble again. */
const GOOD_MS = 5_000;

/** What to follow. */
export interface Followed {
  /** Of the stream, below the base URL. */
  readonly path: string;
  /** Ends after the final status, as the events are those of one task. */
  readonly single: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Follows a stream of events over as many connections as it takes, each from where the one before broke off. The first must
 * come about as any other request; later ones are tried until they do.
 */
export async function* follow<T extends AnyTask>(
  transport: Transport,
  { path, single, signal }: Followed,
  maker: NewsMaker<T>,
): AsyncGenerator<ClientNews<T>> {
  let lastEventId = '';
  let connected = false;
  for (let failures = 0; ; ) {
    const leave = new AbortController();
    const begun = Date.now();
    try {
      const body = await transport.send(
        {
          method: 'GET',
          path,
          headers: { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
          signal: signal === undefined ? leave.signal : AbortSignal.any([signal, leave.signal]),
          patient: connected,
        },
        async (response) => response.body,
      );
      connected = true;
      if (body === null) throw new TasklaneError('internal', 'The answer has no events.');
      for await (const event of eventsOf(body)) {
        lastEventId = event.id || lastEventId;
        const news = await maker.make(event);
        if (news === null) continue;
        yield news;
        if (single && news.type === 'status' && isFinal(news.task.status)) return;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (!connected || error instanceof TasklaneError || transport.maxAttempts === 1) throw error;
    } finally {
      leave.abort();
    }
    if (transport.maxAttempts === 1) return;
    failures = Date.now() - begun > GOOD_MS ? 1 : failures + 1;
    await pause(backoffMs(failures), signal);
  }
}
