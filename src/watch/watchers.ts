import { ManagerClosedError } from '../errors.ts';
import type { Hint, TaskStorage } from '../storage/storage.ts';
import type { TaskRecord } from '../task/record.ts';
import { Backoff } from '../time/backoff.ts';
import type { Clock, Timer } from '../time/clock.ts';

/** Somebody who follows one task, or all that match. */
export interface Watcher {
  /** Null: all of them. */
  readonly taskId: string | null;
  /** What changed before is no news; epoch ms. */
  readonly since: number;
  /** The task as it is now; may come late, twice or out of order: `version` tells. Null: it is gone. */
  see(task: TaskRecord | null): void;
  /** Nothing more will be seen. */
  fail(error: unknown): void;
}

/** A lost hint costs a watcher this long, in ms; the most while that fails. */
const REREAD_MS = 1_000;
const REREAD_MAX_MS = 10_000;
const REREAD_LIMIT = 1_000;
/** A change may be seen so long after it was stamped, in ms. */
const OVERLAP_MS = 1_000;
/** Hints of so long are answered by one read. */
const GATHER_MS = 10;
/** The storage's watch outlives the last watcher by this, since the next one often follows. */
const LINGER_MS = 5_000;

/**
 * Brings news to whoever watches: at once what this process did, by the storage's hints what others did, and by a slow
 * re-read what a hint lost.
 */
export class Watchers {
  readonly #storage: TaskStorage;
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #byTask = new Map<string, Set<Watcher>>();
  readonly #all = new Set<Watcher>();
  readonly #hinted = new Set<string>();
  #many = false;
  #gathering: Timer | null = null;
  #reread: Timer | null = null;
  #rereadFrom = 0;
  readonly #backoff = new Backoff(REREAD_MS, REREAD_MAX_MS);
  /** Up to then every change was read; epoch ms. */
  #readTo = 0;
  #unwatch: (() => void) | null = null;
  #linger: Timer | null = null;
  #closed = false;

  constructor(storage: TaskStorage, clock: Clock, onError: (error: unknown) => void) {
    this.#storage = storage;
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Whether anybody watches anything. */
  get active(): boolean {
    return this.#byTask.size > 0 || this.#all.size > 0;
  }

  /** Epoch ms. */
  now(): number {
    return this.#clock.now();
  }

  /** One that comes after the close fails, as those that were there. @returns ends it */
  add(watcher: Watcher): () => void {
    if (this.#closed) {
      queueMicrotask(() => watcher.fail(new ManagerClosedError()));
      return () => {};
    }
    const { taskId } = watcher;
    const group = taskId === null ? this.#all : (this.#byTask.get(taskId) ?? new Set());
    group.add(watcher);
    if (taskId !== null) this.#byTask.set(taskId, group);
    this.#listen();
    return () => {
      group.delete(watcher);
      if (taskId !== null && group.size === 0 && this.#byTask.get(taskId) === group) this.#byTask.delete(taskId);
      if (!this.active) this.#rest();
    };
  }

  /** What this process did, or read. */
  see(task: TaskRecord): void {
    for (const watcher of this.#byTask.get(task.id) ?? []) watcher.see(task);
    for (const watcher of this.#all) watcher.see(task);
  }

  /** A task changed while nobody wanted its record: who came meanwhile reads it. */
  missed(taskId: string): void {
    if (this.#all.size > 0 || this.#byTask.has(taskId)) this.#read([taskId]).catch(this.#onError);
  }

  /** Tells whoever still watches that nothing more comes, and lets go of timers and the storage. */
  close(): void {
    this.#closed = true;
    const watchers = [...this.#all, ...[...this.#byTask.values()].flatMap((group) => [...group])];
    for (const watcher of watchers) watcher.fail(new ManagerClosedError());
    this.#rest();
    this.#linger?.clear();
    this.#gathering?.clear();
    this.#unwatch?.();
    this.#unwatch = null;
  }

  #listen(): void {
    this.#linger?.clear();
    this.#linger = null;
    this.#unwatch ??= this.#storage.watch((hint) => this.#hint(hint), { changes: true });
    this.#armReread();
  }

  #rest(): void {
    this.#reread?.clear();
    this.#reread = null;
    this.#linger ??= this.#clock.after(LINGER_MS, () => {
      this.#linger = null;
      this.#unwatch?.();
      this.#unwatch = null;
    });
  }

  #hint(hint: Hint): void {
    if (hint.kind !== 'changed' || !this.active) return;
    if (hint.id === null) this.#many = true;
    else if (this.#all.size > 0 || this.#byTask.has(hint.id)) this.#hinted.add(hint.id);
    else return;
    this.#gathering ??= this.#clock.after(GATHER_MS, () => {
      this.#gathering = null;
      void this.#answerHints();
    });
  }

  async #answerHints(): Promise<void> {
    const ids = [...this.#hinted].filter((id) => this.#all.size > 0 || this.#byTask.has(id));
    this.#hinted.clear();
    const many = this.#many;
    this.#many = false;
    try {
      await this.#read(ids);
      if (!many) return;
      await this.#read([...this.#byTask.keys()].slice(0, REREAD_LIMIT));
      if (this.#all.size > 0) await this.#readNewest(true);
    } catch (error) {
      this.#onError(error);
    }
  }

  async #read(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const tasks = await this.#storage.get(ids, { archived: true });
    for (const [index, id] of ids.entries()) {
      const task = tasks[index] ?? null;
      if (task !== null) this.see(task);
      else for (const watcher of this.#byTask.get(id) ?? []) watcher.see(null);
    }
  }

  /** The newest of what changed: more than hints can name, or what a hint lost. @param hinted something did change */
  async #readNewest(hinted: boolean): Promise<void> {
    const now = this.#clock.now();
    const since = Math.min(...[...this.#all].map((watcher) => watcher.since));
    const after = Math.max(since, Math.min(now, this.#readTo) - OVERLAP_MS) - 1;
    const { items } = await this.#storage.list({
      where: [[{ archived: 'both', updated: { after } }]],
      sort: 'updatedAt',
      descending: true,
      limit: REREAD_LIMIT,
      payloads: true,
    });
    this.#readTo = now;
    for (const task of items.toReversed()) {
      for (const watcher of this.#all) {
        // Of the very ms in which it began, only a hint tells that something came after it.
        if (task.updatedAt > watcher.since || (hinted && task.updatedAt === watcher.since)) watcher.see(task);
      }
    }
  }

  /** Somebody waits, so the process stays alive. */
  #armReread(ms = REREAD_MS): void {
    this.#reread ??= this.#clock.after(
      ms,
      () => {
        this.#reread = null;
        void this.#rereadSome();
      },
      true,
    );
  }

  async #rereadSome(): Promise<void> {
    const ids = [...this.#byTask.keys()];
    if (this.#rereadFrom >= ids.length) this.#rereadFrom = 0;
    const some = ids.slice(this.#rereadFrom, this.#rereadFrom + REREAD_LIMIT);
    this.#rereadFrom += REREAD_LIMIT;
    let wait = REREAD_MS;
    try {
      await this.#read(some);
      // Within a process no hint is lost.
      if (this.#all.size > 0 && this.#storage.capabilities.shared) await this.#readNewest(false);
      this.#backoff.worked();
    } catch (error) {
      this.#onError(error);
      wait = this.#backoff.failed();
    }
    if (this.active) this.#armReread(wait);
  }
}
