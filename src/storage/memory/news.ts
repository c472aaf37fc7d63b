import type { Hint, News } from '../storage.ts';

type Watcher = { readonly onHint: (hint: Hint) => void; readonly changes: boolean };

/** Collects what a turn's writes have to tell, and tells it in a microtask: never from inside a write. */
export class Hints implements News {
  readonly #watchers = new Set<Watcher>();
  #planned = false;
  #queued: number | null = null;
  #due: number | null = null;
  #cancelling = false;
  #control = false;
  #changed: string | null | undefined;

  watch(onHint: (hint: Hint) => void, options: { readonly changes?: boolean } = {}): () => void {
    const watcher = { onHint, changes: options.changes ?? false };
    this.#watchers.add(watcher);
    return () => void this.#watchers.delete(watcher);
  }

  queued(priority: number): void {
    if (this.#watchers.size === 0) return;
    if (this.#queued === null || priority > this.#queued) this.#queued = priority;
    this.#plan();
  }

  /** @param ms until a task is due */
  due(ms: number): void {
    if (this.#watchers.size === 0) return;
    const wait = Math.max(0, ms);
    if (this.#due === null || wait < this.#due) this.#due = wait;
    this.#plan();
  }

  cancelling(): void {
    if (this.#watchers.size === 0) return;
    this.#cancelling = true;
    this.#plan();
  }

  control(): void {
    if (this.#watchers.size === 0) return;
    this.#control = true;
    this.#plan();
  }

  changed(id: string): void {
    if (this.#watchers.size === 0) return;
    this.#changed = this.#changed === undefined || this.#changed === id ? id : null;
    this.#plan();
  }

  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => this.#tell());
  }

  #tell(): void {
    const hints: Hint[] = [];
    if (this.#queued !== null) hints.push({ kind: 'queued', priority: this.#queued });
    if (this.#due !== null) hints.push({ kind: 'due', ms: this.#due });
    if (this.#cancelling) hints.push({ kind: 'cancelling' });
    if (this.#control) hints.push({ kind: 'control' });
    const changed = this.#changed;
    this.#planned = this.#cancelling = this.#control = false;
    this.#queued = this.#due = null;
    this.#changed = undefined;
    for (const watcher of [...this.#watchers]) {
      for (const hint of hints) give(watcher, hint);
      if (changed !== undefined && watcher.changes) give(watcher, { kind: 'changed', id: changed });
    }
  }
}

function give(watcher: Watcher, hint: Hint): void {
  try {
    watcher.onHint(hint);
  } catch {
    // A hint may be lost; one watcher's mistake must not reach the others, or whoever wrote.
  }
}
