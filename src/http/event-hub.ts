import type { TaskNews } from '../events.ts';
import type { TaskRecord } from '../task/record.ts';
import { EventGroup } from './event-group.ts';
import { EventStream, encode } from './event-stream.ts';
import { HttpProblem } from './problem.ts';

const KEEP_ALIVE = encode(': keep-alive\n\n');
/** Shorter than the idle timeout of common proxies, which is a minute or half of one. */
const KEEP_ALIVE_MS = 15_000;

/** Where the events of a group come from; ends by itself, or when the signal is aborted. */
export type EventSource = (signal: AbortSignal) => AsyncIterable<TaskNews>;

/**
 * All open event streams of a handler. Readers of the same events share a group, which reads the manager's news once and
 * encodes them once.
 */
export class EventHub {
  readonly #groups = new Map<string, EventGroup>();
  readonly #streams = new Set<EventStream>();
  readonly #maxStreams: number;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param maxStreams open at once */
  constructor(maxStreams: number) {
    this.#maxStreams = maxStreams;
  }

  /**
   * Opens a stream.
   * @param key readers of equal keys get the same events
   * @param task as it is, when the events are those of one task: the stream starts with it
   * @param source of the first reader of a key
   * @throws {HttpProblem} 429 when there are too many, 503 once closed
   */
  open(key: string, task: TaskRecord | null, source: EventSource): ReadableStream<Uint8Array> {
    if (this.#closed) throw new HttpProblem('manager_closed', 'No more events come from here.');
    if (this.#streams.size >= this.#maxStreams) {
      throw new HttpProblem(
        'rate_limited',
        `There are ${this.#streams.size} open event streams, as many as are allowed.`,
        {},
        { 'retry-after': '5' },
      );
    }
    const group = this.#groupOf(key, task, source);
    const stream = new EventStream(() => {
      this.#streams.delete(stream);
      group.leave(stream);
      if (this.#streams.size === 0) this.#stopKeepingAlive();
    });
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => this.#keepAlive(), KEEP_ALIVE_MS).unref();
    group.join(stream);
    return stream.readable;
  }

  /** Ends all streams; none is opened any more. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#streams) stream.close();
  }

  #groupOf(key: string, task: TaskRecord | null, source: EventSource): EventGroup {
    const open = this.#groups.get(key);
    if (open !== undefined) return open;
    const group = new EventGroup(task, source, () => {
      if (this.#groups.get(key) === group) this.#groups.delete(key);
    });
    this.#groups.set(key, group);
    return group;
  }

  #keepAlive(): void {
    for (const stream of this.#streams) stream.nudge(KEEP_ALIVE);
  }

  #stopKeepingAlive(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
