import { cloneJson, type JsonValue } from '../../task/json.ts';
import type { StoredDocument } from '../storage.ts';
import { compareText } from './list.ts';

interface Entry extends StoredDocument {
  readonly expiresAt: number | null;
}

/** Documents by kind and key. What has expired is treated as gone, and goes with the next prune. */
export class DocumentTable {
  readonly #kinds = new Map<string, Map<string, Entry>>();

  get(kind: string, key: string, now: number): StoredDocument | null {
    const entry = this.#find(kind, key, now);
    return entry === undefined ? null : copyOf(entry);
  }

  put(
    kind: string,
    key: string,
    value: JsonValue,
    options: { readonly ifVersion?: number; readonly dueAt?: number | null; readonly expiresAt?: number | null },
    now: number,
  ): number | null {
    const before = this.#find(kind, key, now)?.version ?? 0;
    if (options.ifVersion !== undefined && options.ifVersion !== before) return null;
    const version = before + 1;
    const { dueAt = null, expiresAt = null } = options;
    let documents = this.#kinds.get(kind);
    if (documents === undefined) {
      documents = new Map();
      this.#kinds.set(kind, documents);
    }
    documents.set(key, { kind, key, value: cloneJson(value), version, dueAt, expiresAt });
    return version;
  }

  delete(kind: string, key: string, now: number): boolean {
    const there = this.#find(kind, key, now) !== undefined;
    this.#kinds.get(kind)?.delete(key);
    return there;
  }

  list(kind: string, now: number): readonly StoredDocument[] {
    return this.#live(kind, now)
      .sort((a, b) => compareText(a.key, b.key))
      .map(copyOf);
  }

  due(kind: string, at: number, limit: number, now: number): readonly StoredDocument[] {
    return this.#live(kind, now)
      .filter(({ dueAt }) => dueAt !== null && dueAt <= at)
      .sort((a, b) => (a.dueAt ?? 0) - (b.dueAt ?? 0) || compareText(a.key, b.key))
      .slice(0, limit)
      .map(copyOf);
  }

  /** Forgets what has expired. */
  expire(now: number): void {
    for (const [kind, documents] of this.#kinds) {
      for (const [key, entry] of documents) if (isOver(entry, now)) documents.delete(key);
      if (documents.size === 0) this.#kinds.delete(kind);
    }
  }

  #find(kind: string, key: string, now: number): Entry | undefined {
    const entry = this.#kinds.get(kind)?.get(key);
    return entry === undefined || isOver(entry, now) ? undefined : entry;
  }

  #live(kind: string, now: number): Entry[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])].filter((entry) => !isOver(entry, now));
  }
}

function isOver({ expiresAt }: Entry, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function copyOf({ kind, key, value, version, dueAt }: Entry): StoredDocument {
  return { kind, key, value: cloneJson(value), version, dueAt };
}
