import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import { EventGroup, type EventSource, type Snapshot } from './event-group.ts';
import type { Seen } from './event-id.ts';
import type { EventSink, SinkOwner } from './event-sink.ts';
import { EventStream, encode } from './event-stream.ts';
import { HttpProblem } from './problem.ts';

const KEEP_ALIVE = encode(': keep-alive\n\n');
/** Shorter than the idle timeout of common proxies, which is a minute or half of one. Rights are asked for again as often. */
const KEEP_ALIVE_MS = 15_000;
/** `EventSource` comes back after a few seconds. */
const LINGER_MS = 15_000;
/** Groups that wait for readers to come back; of more, those that have waited longest end. */
const MAX_IDLE = 1_000;

/** A reader who comes. */
export interface Opening {
  /** Of the events: readers of equal keys, with equal rights, get the same. */
  readonly key: string;
  readonly caller: Caller;
  /** As it is, when the events are those of one task: the stream starts with it. */
  readonly task: TaskRecord | null;
  readonly source: EventSource;
  /** Where the events go; left out: into a web stream. */
  readonly sink?: (owner: SinkOwner) => EventSink;
  /** What the reader saw last; null: nothing. */
  readonly seen: Seen | null;
  /** Reads how things stand with many tasks, for a reader who missed too much. */
  readonly snapshot?: (() => Promise<Snapshot>) | undefined;
  /** Asks for the reader's rights again; null: he has none any more. Left out: they cannot change. */
  readonly renew?: (() => Promise<Caller | null>) | undefined;
}

/** An open stream. */
interface Reader {
  readonly stream: EventStream;
  readonly group: EventGroup;
  readonly opening: Opening;
}

/**
 * All open event streams of a handler. Readers of the same events share a group, which reads the manager's news once and
 * encodes them once.
 */
export class EventHub {
  /** Those that may be joined. */
  readonly #groups = new Map<string, EventGroup>();
  /** Those that nobody may join any more, as the rights of their one reader have changed. */
  readonly #apart = new Set<EventGroup>();
  /** Those without readers, the longest first. */
  readonly #idle = new Set<EventGroup>();
  readonly #readers = new Set<Reader>();
  /** Open streams by the id of their principal. */
  readonly #counts = new Map<string, number>();
  readonly #maxStreams: number;
  readonly #lingerMs: number;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param options `maxStreams`: open at once, of one principal. `lingerMs`: how long readers who went may come back. */
  constructor({ maxStreams, lingerMs = LINGER_MS }: { readonly maxStreams: number; readonly lingerMs?: number }) {
    this.#maxStreams = maxStreams;
    this.#lingerMs = lingerMs;
  }

  /**
   * Opens a stream.
   * @throws {HttpProblem} 429 when the principal has too many, 503 once closed
   */
  async open(opening: Opening): Promise<EventSink['body']> {
    const { id } = opening.caller;
    this.#refuse(id);
    const count = this.#counts.get(id) ?? 0;
    this.#counts.set(id, count + 1); // before anything is waited for, or many would come at once
    const release = this.#releaseOnce(id);
    try {
      return await this.#join(opening, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Ends all streams; none is opened any more. */
  close(): void {
    this.#closed = true;
    for (const { stream } of this.#readers) stream.close();
    for (const group of [...this.#groups.values(), ...this.#apart]) group.close();
  }

  #refuse(id: string): void {
    if (this.#closed) throw new HttpProblem('manager_closed', 'No more events come from here.');
    const count = this.#counts.get(id) ?? 0;
    if (count < this.#maxStreams) return;
    const detail = `You have ${count} open event streams, as many as are allowed.`;
    throw new HttpProblem('rate_limited', detail, {}, { 'retry-after': '5' });
  }

  #releaseOnce(id: string): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const count = this.#counts.get(id) ?? 1;
      if (count > 1) this.#counts.set(id, count - 1);
      else this.#counts.delete(id);
    };
  }

  async #join(opening: Opening, release: () => void): Promise<EventSink['body']> {
    const { seen, snapshot } = opening;
    const group = this.#groupOf(opening);
    let standing: Snapshot | null = null;
    let mark = 0;
    if (seen !== null && snapshot !== undefined && !group.remembers(seen)) {
      // First the group listens, then the tasks are read: what happens between is told after them.
      await new Promise((resolve) => setImmediate(resolve));
      mark = group.mark();
      standing = await snapshot();
      if (this.#closed) throw new HttpProblem('manager_closed', 'No more events come from here.');
      if (this.#apart.has(group)) return this.#join(opening, release); // its rights are no longer these
    }
    const reader: Reader = {
      group,
      opening,
      stream: new EventStream(() => {
        release();
        this.#readers.delete(reader);
        group.leave(reader.stream);
        if (group.size === 0) this.#keepIdle(group);
        if (this.#readers.size === 0) this.#stopKeepingAlive();
      }, opening.sink),
    };
    this.#readers.add(reader);
    this.#idle.delete(group);
    this.#timer ??= setInterval(() => this.#keepAlive(), KEEP_ALIVE_MS).unref();
    if (standing === null) group.join(reader.stream, seen);
    else group.joinAnew(reader.stream, standing, mark);
    return reader.stream.body;
  }

  #groupOf(opening: Opening): EventGroup {
    const { caller, task, source } = opening;
    const shared = sharedKeyOf(opening);
    const open = this.#groups.get(shared);
    if (open?.fits(task)) return open;
    const group: EventGroup = new EventGroup({
      task,
      source,
      caller,
      lingerMs: this.#lingerMs,
      onEnd: () => {
        this.#unlist(shared, group);
        this.#apart.delete(group);
        this.#idle.delete(group);
      },
    });
    this.#groups.set(shared, group);
    this.#keepIdle(group);
    return group;
  }

  #unlist(shared: string, group: EventGroup): void {
    if (this.#groups.get(shared) === group) this.#groups.delete(shared);
  }

  /** Whoever opens and leaves streams by the thousand, each of other events, must not leave as many groups behind. */
  #keepIdle(group: EventGroup): void {
    this.#idle.add(group);
    if (this.#idle.size <= MAX_IDLE) return;
    const [oldest] = this.#idle;
    oldest?.close();
  }

  #keepAlive(): void {
    for (const reader of this.#readers) {
      reader.stream.nudge(KEEP_ALIVE);
      void this.#renew(reader);
    }
  }

  /** A token that was revoked, or a right that was taken away, ends the stream: whoever comes back is told why. */
  async #renew({ stream, group, opening }: Reader): Promise<void> {
    if (opening.renew === undefined) return;
    const caller = await opening.renew();
    if (caller === null) return stream.close();
    if (caller.rightsKey !== group.caller.rightsKey) {
      // What the others are told is for the rights of before: he comes back, to a group of his own.
      if (group.size > 1) return stream.close();
      this.#unlist(sharedKeyOf(opening), group);
      this.#apart.add(group);
    }
    group.caller = caller;
  }

  #stopKeepingAlive(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}

/** Of the group that a reader joins. */
function sharedKeyOf({ key, caller }: Opening): string {
  return JSON.stringify([key, caller.rightsKey]);
}
