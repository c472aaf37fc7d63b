import type { TaskNews } from '../events.ts';
import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Caller } from './caller.ts';
import { EventFanout } from './event-fanout.ts';
import { lastSequence, nextSequence, type Seen } from './event-id.ts';
import { EventRing, type SentEvent } from './event-ring.ts';
import type { EventStream } from './event-stream.ts';
import { batchOf, type LogData, logEvent, progressEvent, standingEvents, statusEvent } from './event-text.ts';
import { wireTime } from './wire.ts';

/** Events are sent in ticks, as the write to each socket is what costs: at once after a quiet tick, else this often. */
const TICK_MS = 50;
/** Log lines that a reader who joins later is told, the newest. */
const MAX_LOG = 200;

/**
 * Where the events of a group come from; ends by itself, or when the signal is aborted.
 * @param caller whose rights hold at present
 */
export type EventSource = (signal: AbortSignal, caller: () => Caller) => AsyncIterable<TaskNews>;

/** What a group is made of. */
export interface GroupOptions {
  /** As it is, when the events are those of one task. */
  readonly task: TaskRecord | null;
  readonly source: EventSource;
  readonly caller: Caller;
  /** How long it goes on without readers, so that those who come back lose nothing; in ms. */
  readonly lingerMs: number;
  /** Called when nobody may join any more. */
  readonly onEnd: () => void;
}

/** How things stand with many tasks. `complete`: with all that there are. */
export interface Snapshot {
  readonly tasks: readonly TaskRecord[];
  readonly complete: boolean;
}

/** The readers of one source of events, all with the same rights, and what those who come back have missed. */
export class EventGroup {
  /** Whose rights hold for all readers: those of whoever was asked about last. */
  caller: Caller;
  readonly #options: GroupOptions;
  readonly #readers = new Set<EventStream>();
  readonly #fanout = new EventFanout();
  readonly #abort = new AbortController();
  /** A number of its own: what was seen before belongs to others, even where nothing happened since. */
  readonly #ring = new EventRing(nextSequence());
  /** What the next tick sends, by key. */
  #pending = new Map<string, SentEvent>();
  #timer: NodeJS.Timeout | null = null;
  #linger: NodeJS.Timeout | null = null;
  /** The state that a reader who joins is told; null when the events are of many tasks. */
  #latest: TaskRecord | null;
  /** The state that all were told last: progress may come with a record that is further on. */
  #told: TaskRecord | null;
  readonly #log: LogData[] = [];
  #ended = false;

  constructor(options: GroupOptions) {
    this.#options = options;
    this.caller = options.caller;
    this.#latest = options.task;
    this.#told = options.task;
    void this.#run();
    this.#lingerOn();
  }

  /** Readers that are there. */
  get size(): number {
    return this.#readers.size;
  }

  /** Whether a task as it is now can be followed here: one that has ended and was run again needs a new group. */
  fits(task: TaskRecord | null): boolean {
    return task === null || !this.#ended || this.#latest?.version === task.version;
  }

  /** The number of the newest event, all of which are sent: what is read from now on is not older. */
  mark(): number {
    this.#flush();
    return lastSequence();
  }

  /** Whether all that came after it is still here. */
  remembers({ sequence }: Seen): boolean {
    return sequence !== null && this.#ring.after(sequence) !== null;
  }

  /** Adds a reader, which is told first what it missed, or how things stand. */
  join(stream: EventStream, seen: Seen | null): void {
    this.#flush(); // what happened before belongs to the others
    const since = seen?.sequence ?? null;
    const missed = since === null ? null : this.#ring.after(since);
    if (missed !== null) this.#add(stream, missed);
    else this.#add(stream, this.#standing(seen !== null));
  }

  /** Adds a reader who missed too much, with the tasks as they were read after `mark`. */
  joinAnew(stream: EventStream, { tasks, complete }: Snapshot, mark: number): void {
    this.#flush();
    const known = new Map(tasks.map(({ id, version }) => [id, version]));
    const later = (this.#ring.after(mark) ?? []).filter(
      ({ state }) => state === null || state.version > (known.get(state.id) ?? 0),
    );
    this.#add(stream, [...standingEvents(true, tasks, [], mark, complete), ...later]);
  }

  /** Removes a reader. */
  leave(stream: EventStream): void {
    this.#readers.delete(stream);
    if (this.#readers.size === 0) this.#lingerOn();
  }

  /** Ends the reading. */
  close(): void {
    this.#abort.abort();
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    this.#stopTicking();
    this.#options.onEnd();
  }

  #add(stream: EventStream, first: readonly SentEvent[]): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = null;
    this.#readers.add(stream);
    if (first.length > 0) stream.send(batchOf(first));
    if (this.#ended) stream.end();
  }

  /** How things stand with the task that this is about. */
  #standing(reset: boolean): readonly SentEvent[] {
    const task = this.#latest;
    if (task === null) return standingEvents(reset, [], [], lastSequence());
    // The stream of a task ends with its final status, so no log line follows that.
    return standingEvents(reset, [task], isFinal(task.status) ? [] : this.#log, lastSequence());
  }

  #lingerOn(): void {
    if (this.#linger !== null) clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.close(), this.#options.lingerMs).unref();
  }

  async #run(): Promise<void> {
    try {
      for await (const news of this.#options.source(this.#abort.signal, () => this.caller)) this.#publish(news);
    } catch {
      // the storage failed, rights changed, or nobody reads: readers that remain come back and begin anew
    }
    this.#flush();
    this.#stopTicking();
    await this.#fanout.drained(); // the end comes last
    this.#ended = true;
    this.#fanout.send(null, this.#readers);
    await this.#fanout.drained();
    // Those who missed the end of a task may still come back for it.
    if (this.#latest === null || !isFinal(this.#latest.status)) this.close();
  }

  #publish(news: TaskNews): void {
    if (this.#abort.signal.aborted) return;
    if (news.type === 'log') {
      const message = this.caller.showLog(news, news.task);
      const line = { taskId: news.taskId, at: wireTime(news.at), level: news.level, message };
      if (this.#latest !== null && this.#log.push(line) > MAX_LOG) this.#log.shift();
      this.#put(logEvent(line));
    } else if (news.type === 'progress') {
      if (this.#latest !== null) this.#latest = news.task;
      this.#put(progressEvent(news.task));
    } else if (this.#told === null || !sameState(this.#told, news.task)) {
      if (this.#told !== null) this.#told = this.#latest = news.task;
      this.#put(statusEvent(news.task));
    }
  }

  #put(event: SentEvent): void {
    this.#pending.delete(event.key); // newest last: ids stay in order
    this.#pending.set(event.key, event);
    if (this.#timer !== null) return;
    // after a quiet tick: with what else comes in this turn, then no more until the next tick
    queueMicrotask(() => this.#flush());
    this.#timer = setTimeout(() => this.#tick(), TICK_MS).unref();
  }

  #tick(): void {
    this.#timer = null;
    if (this.#pending.size === 0) return;
    this.#flush();
    this.#timer = setTimeout(() => this.#tick(), TICK_MS).unref();
  }

  #flush(): void {
    if (this.#pending.size === 0) return;
    const events = [...this.#pending.values()];
    this.#pending = new Map();
    for (const event of events) this.#ring.push(event);
    if (this.#readers.size === 0) return;
    this.#fanout.send(batchOf(events), this.#readers);
  }

  #stopTicking(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The news begin with the state that the snapshot told. A start is told at the version of its claim. */
function sameState(told: TaskRecord, task: TaskRecord): boolean {
  const started = (told.startedAt === null) === (task.startedAt === null);
  return started && told.status === task.status && told.attempt === task.attempt && told.version >= task.version;
}
