import type { Hint, News } from '../storage.ts';

/** Changed tasks of one turn that are told by name. */
const MAX_NAMED = 1_000;

type Watcher = { readonly onHint: (hint: Hint) => void; readonly changes: boolean };

/** Collects what a turn's writes have to tell, and tells it in a microtask: never from inside a write. */
export class Hints implements News {
  readonly #watchers = new Set<Watcher>();
  /** Watchers that want to hear of each change. */
  #wanted = 0;
  #planned = false;
  #queued: number | null = null;
  #due: number | null = null;
  #cancelling = false;
  #control = false;
  /** Up to {@link MAX_NAMED}; beyond, no more is known than that there were many. */
  #changed = new Set<string>();
  #many = false;

  watch(onHint: (hint: Hint) => void, options: { readonly changes?: boolean } = {}): () => void {
    const watcher = { onHint, changes: options.changes ?? false };
    this.#watchers.add(watcher);
    this.#wanted += Number(watcher.changes);
    return () => {
      if (this.#watchers.delete(watcher)) this.#wanted -= Number(watcher.changes);
    };
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
    if (this.#wanted === 0) return;
    if (this.#changed.size < MAX_NAMED) this.#changed.add(id);
    else if (!this.#changed.has(id)) this.#many = true;
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
    const changed: Hint[] = [...this.#changed].map((id) => ({ kind: 'changed', id }));
    if (this.#many) changed.push({ kind: 'changed', id: null });
    this.#planned = this.#cancelling = this.#control = this.#many = false;
    this.#queued = this.#due = null;
    if (this.#changed.size > 0) this.#changed = new Set();
    for (const watcher of [...this.#watchers]) {
      for (const hint of hints) give(watcher, hint);
      if (watcher.changes) for (const hint of changed) give(watcher, hint);
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
