import { TaskNotFoundError } from '../errors.ts';
import type { TaskNews } from '../events.ts';
import type { TaskStorage } from '../storage/storage.ts';
import type { LogLine, TaskProgress, TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Watchers } from './watchers.ts';

/** A reader that does not read holds no more than this; progress and log lines go first, the oldest first. */
const MAX_WAITING = 10_000;
/** Finished tasks whose late news are still known to be old. */
const MAX_KNOWN = 10_000;
const LOG_PAGE = 1_000;

/** What a stream told last of a task. */
interface Told {
  version: number;
  life: string;
  progress: TaskProgress | null;
  logSeq: number;
}

/** What to stream. */
export interface StreamOptions {
  readonly signal?: AbortSignal | undefined;
  /** Resolves when the storage can be read. */
  readonly opened: Promise<void>;
}

/**
 * News of one task, from its status as it is to the end after its final status.
 * @throws {TaskNotFoundError} and the signal's reason, from the iterator
 */
export function streamTask(
  storage: TaskStorage,
  watchers: Watchers,
  taskId: string,
  options: StreamOptions,
): AsyncIterableIterator<TaskNews> {
  return new TaskStream(storage, watchers, taskId, () => true, options);
}

/** News of all tasks that fit, from now on. `fits` may throw, which ends the stream with what it threw. */
export function streamAll(
  storage: TaskStorage,
  watchers: Watchers,
  fits: (task: TaskRecord) => boolean,
  options: StreamOptions,
): AsyncIterableIterator<TaskNews> {
  return new TaskStream(storage, watchers, null, fits, options);
}

/**
 * Tells what changed between the states of a task that it is shown, so a state may come late, twice or not at all, and the
 * last one is always told.
 */
class TaskStream implements AsyncIterableIterator<TaskNews> {
  readonly taskId: string | null;
  readonly #fits: (task: TaskRecord) => boolean;
  readonly #storage: TaskStorage;
  #told = new Map<string, Told>();
  /** The generation before: a map from whose start is deleted all the time gets slow. */
  #toldBefore = new Map<string, Told>();
  readonly since: number;
  #waiting: TaskNews[] = [];
  #asked: { resolve: (result: IteratorResult<TaskNews>) => void; reject: (error: unknown) => void }[] = [];
  #failure: { readonly error: unknown } | null = null;
  #ended = false;
  #seen: (TaskRecord | null)[] = [];
  #digesting = false;
  #stop: () => void;

  constructor(
    storage: TaskStorage,
    watchers: Watchers,
    taskId: string | null,
    fits: (task: TaskRecord) => boolean,
    { signal, opened }: StreamOptions,
  ) {
    this.#storage = storage;
    this.taskId = taskId;
    this.#fits = fits;
    this.since = taskId === null ? watchers.now() : 0;
    let unwatch = (): void => {};
    const aborted = (): void => this.fail(signal?.reason);
    this.#stop = () => {
      unwatch();
      signal?.removeEventListener('abort', aborted);
    };
    if (signal?.aborted) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
    const begin = async (): Promise<void> => {
      await opened;
      if (this.#ended) return;
      unwatch = watchers.add(this);
      if (taskId === null) return;
      const [task] = await storage.get([taskId], { archived: true });
      this.see(task ?? null);
    };
    begin().catch((error: unknown) => this.fail(error));
  }

  see(task: TaskRecord | null): void {
    if (this.#ended) return;
    this.#seen.push(task);
    if (!this.#digesting) void this.#digest();
  }

  next(): Promise<IteratorResult<TaskNews>> {
    const news = this.#waiting.shift();
    if (news !== undefined) return Promise.resolve({ done: false, value: news });
    if (this.#failure !== null) {
      const { error } = this.#failure;
      this.#failure = null;
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#asked.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<TaskNews>> {
    this.#waiting = [];
    this.#failure = null;
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #digest(): Promise<void> {
    this.#digesting = true;
    try {
      while (this.#seen.length > 0) {
        const seen = this.#seen;
        this.#seen = [];
        for (const task of seen) {
          if (this.#ended) break;
          if (task === null) throw new TaskNotFoundError(this.taskId ?? '');
          await this.#tell(task);
        }
      }
    } catch (error) {
      this.fail(error);
    }
    this.#digesting = false;
  }

  async #tell(task: TaskRecord): Promise<void> {
    const told = this.#told.get(task.id) ?? this.#toldBefore.get(task.id);
    const life = `${task.status} ${task.attempt}`;
    // What an attempt reported since the last write is told note by note, all at the version of the next one.
    if (told !== undefined && task.version < told.version) return;
    if (this.taskId === null && !this.#fits(task)) return;
    const now: Told = { version: task.version, life, progress: task.progress, logSeq: told?.logSeq ?? 0 };
    this.#told.set(task.id, now);
    if (this.#told.size >= MAX_KNOWN) {
      this.#toldBefore = this.#told;
      this.#told = new Map();
    }
    const final = isFinal(task.status);
    const status = told?.life !== life;
    if (status && !final) this.#push(newsOf(task, 'status'));
    if (task.attempt > 0) await this.#tellLog(task, now);
    if (task.progress !== null && !isSame(task.progress, told?.progress)) this.#push(newsOf(task, 'progress'));
    if (status && final) this.#push(newsOf(task, 'status'));
    if (final && this.taskId !== null) this.#end();
  }

  async #tellLog(task: TaskRecord, told: Told): Promise<void> {
    for (;;) {
      const lines = (await this.#storage.log(task.id, { after: told.logSeq, limit: LOG_PAGE })) ?? [];
      for (const line of lines) {
        told.logSeq = line.seq;
        if (line.at >= this.since) this.#push(logOf(task, line));
      }
      if (lines.length < LOG_PAGE) return;
    }
  }

  #push(news: TaskNews): void {
    if (this.#ended) return;
    const asked = this.#asked.shift();
    if (asked !== undefined) {
      asked.resolve({ done: false, value: news });
      return;
    }
    const last = this.#waiting.at(-1);
    if (news.type === 'progress' && last?.type === 'progress' && last.taskId === news.taskId) this.#waiting.pop();
    this.#waiting.push(news);
    if (this.#waiting.length <= MAX_WAITING) return;
    const oldest = this.#waiting.findIndex(({ type }) => type !== 'status');
    this.#waiting.splice(Math.max(0, oldest), 1);
  }

  fail(error: unknown): void {
    if (this.#ended) return;
    const [asked] = this.#asked.splice(0, 1);
    if (asked === undefined) this.#failure = { error };
    else asked.reject(error);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stop();
    for (const { resolve } of this.#asked.splice(0)) resolve({ done: true, value: undefined });
  }
}

function isSame(one: TaskProgress, other: TaskProgress | null | undefined): boolean {
  if (one === other) return true;
  return JSON.stringify(one) === JSON.stringify(other);
}

/** A `progress` is only told of a task that has some. */
function newsOf(task: TaskRecord, type: 'status' | 'progress'): TaskNews {
  return { type, handler: task.handler, taskId: task.id, at: task.updatedAt, task } as TaskNews;
}

function logOf(task: TaskRecord, { at, level, message }: LogLine): TaskNews {
  return { type: 'log', handler: task.handler, taskId: task.id, at, task, level, message };
}
