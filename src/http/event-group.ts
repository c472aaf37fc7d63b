import type { TaskNews } from '../events.ts';
import type { TaskRecord } from '../task/record.ts';
import type { EventSource } from './event-hub.ts';
import { type Batch, type EventStream, encode } from './event-stream.ts';
import { NO_PAYLOADS, toWire, wireTime } from './wire.ts';

/** Events are sent in ticks, as the write to each socket is what costs: at once after a quiet tick, else this often. */
const TICK_MS = 50;
/** Log lines that a reader who joins later is told, the newest. */
const MAX_LOG = 200;

/** Tells the ids of one process from those of another. */
const BOOT = Date.now().toString(36);
let sequence = 0;

/** A log line as it is sent. */
interface LogData {
  readonly taskId: string;
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

/** The readers of one source of events. It reads the source while it has readers. */
export class EventGroup {
  readonly #readers = new Set<EventStream>();
  readonly #abort = new AbortController();
  readonly #onEnd: () => void;
  /** What the next tick sends, by key. */
  #pending = new Map<string, string>();
  #timer: NodeJS.Timeout | null = null;
  /** The state that a reader who joins is told; null when the events are of many tasks. */
  #latest: TaskRecord | null;
  /** The state that all were told last: progress may come with a record that is further on. */
  #told: TaskRecord | null;
  readonly #log: LogData[] = [];
  #begun = false;
  readonly #source: EventSource;

  /**
   * @param task as it is, when the events are those of one task
   * @param onEnd called when nobody may join any more
   */
  constructor(task: TaskRecord | null, source: EventSource, onEnd: () => void) {
    this.#latest = task;
    this.#told = task;
    this.#source = source;
    this.#onEnd = onEnd;
  }

  /** Adds a reader, which is told first how things stand. */
  join(stream: EventStream): void {
    this.#flush(); // what happened before belongs to the others; the snapshot has it
    this.#readers.add(stream);
    if (this.#latest !== null) {
      const snapshot = ['snapshot', statusText(this.#latest)] as const;
      stream.send(
        batchOf([snapshot, ...this.#log.map((line) => [`log ${sequence}`, eventText('log', line)] as const)]),
      );
    }
    if (!this.#begun) {
      this.#begun = true;
      this.#run();
    }
  }

  /** Removes a reader; the last one ends the reading. */
  leave(stream: EventStream): void {
    this.#readers.delete(stream);
    if (this.#readers.size > 0) return;
    this.#abort.abort();
    this.#stopTicking();
    this.#onEnd();
  }

  async #run(): Promise<void> {
    try {
      for await (const news of this.#source(this.#abort.signal)) this.#publish(news);
    } catch {
      // the storage failed, or the last reader left: readers that remain come back and begin anew
    }
    this.#flush();
    this.#stopTicking();
    this.#onEnd();
    for (const stream of this.#readers) stream.end();
  }

  #publish(news: TaskNews): void {
    if (this.#abort.signal.aborted) return;
    if (news.type === 'log') {
      const line = { taskId: news.taskId, at: wireTime(news.at), level: news.level, message: news.message };
      if (this.#latest !== null && this.#log.push(line) > MAX_LOG) this.#log.shift();
      this.#put(`log ${sequence}`, eventText('log', line));
    } else if (news.type === 'progress') {
      if (this.#latest !== null) this.#latest = news.task;
      this.#put(`progress ${news.taskId}`, eventText('progress', toWire(news.task, NO_PAYLOADS)));
    } else if (this.#told === null || !sameState(this.#told, news.task)) {
      if (this.#told !== null) this.#told = this.#latest = news.task;
      this.#put(`status ${sequence}`, statusText(news.task));
    }
  }

  #put(key: string, text: string): void {
    this.#pending.delete(key); // newest last: ids stay in order
    this.#pending.set(key, text);
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
    const batch = batchOf([...this.#pending]);
    this.#pending = new Map();
    for (const stream of this.#readers) stream.send(batch);
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

function statusText(task: TaskRecord): string {
  return eventText('status', toWire(task, NO_PAYLOADS));
}

/** One event (HTML, section 9.2). JSON text has no line breaks. */
function eventText(event: string, data: unknown): string {
  return `event: ${event}\nid: ${BOOT}-${++sequence}\ndata: ${JSON.stringify(data)}\n\n`;
}

/** Encoded when somebody needs it, and once. */
function batchOf(events: readonly (readonly [key: string, text: string])[]): Batch {
  let chunk: Uint8Array | undefined;
  let parts: Batch['parts'] | undefined;
  return {
    get chunk() {
      chunk ??= encode(events.map(([, text]) => text).join(''));
      return chunk;
    },
    get parts() {
      parts ??= events.map(([key, text]) => [key, encode(text)] as const);
      return parts;
    },
  };
}
