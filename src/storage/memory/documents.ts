import { cloneJson, type JsonValue } from '../../task/json.ts';
import type { StoredDocument } from '../storage.ts';
import { DueDocuments } from './due-documents.ts';
import { compareText } from './list.ts';

/** Which part of a kind. */
export interface DocumentPage {
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
  readonly values?: boolean | undefined;
}

interface Entry extends StoredDocument {
  readonly expiresAt: number | null;
}

interface Kind {
  readonly documents: Map<string, Entry>;
  readonly due: DueDocuments<Entry>;
}

/** Documents by kind and key. What has expired is treated as gone, and goes with the next prune. */
export class DocumentTable {
  readonly #kinds = new Map<string, Kind>();

  get(kind: string, key: string, now: number): StoredDocument | null {
    const entry = this.#find(kind, key, now);
    return entry === undefined ? null : copyOf(entry);
  }

  /** 0: there is none. */
  versionOf(kind: string, key: string, now: number): number {
    return this.#find(kind, key, now)?.version ?? 0;
  }

  put(
    kind: string,
    key: string,
    value: JsonValue,
    options: {
      readonly ifVersion?: number;
      readonly dueAt?: number | null | undefined;
      readonly expiresAt?: number | null;
    },
    now: number,
  ): number | null {
    const before = this.versionOf(kind, key, now);
    if (options.ifVersion !== undefined && options.ifVersion !== before) return null;
    const version = before + 1;
    const { dueAt = null, expiresAt = null } = options;
    const { documents, due } = this.#kind(kind);
    const entry = { kind, key, value: cloneJson(value), version, dueAt, expiresAt };
    documents.set(key, entry);
    due.add(entry, documents.size);
    return version;
  }

  delete(kind: string, key: string, now: number): boolean {
    const there = this.#find(kind, key, now) !== undefined;
    this.#kinds.get(kind)?.documents.delete(key);
    return there;
  }

  list(kind: string, page: DocumentPage, now: number): readonly StoredDocument[] {
    const { after, limit = Number.POSITIVE_INFINITY, values = true } = page;
    return [...(this.#kinds.get(kind)?.documents.values() ?? [])]
      .filter((entry) => !isOver(entry, now) && (after === undefined || compareText(entry.key, after) > 0))
      .sort((a, b) => compareText(a.key, b.key))
      .slice(0, limit)
      .map((entry) => copyOf(values ? entry : { ...entry, value: null }));
  }

  due(kind: string, at: number, limit: number, now: number): readonly StoredDocument[] {
    for (;;) {
      const found = this.#kinds.get(kind)?.due.take(at, limit) ?? [];
      const over = found.filter((entry) => isOver(entry, now));
      if (over.length === 0) return found.map(copyOf);
      for (const { key } of over) this.#kinds.get(kind)?.documents.delete(key);
    }
  }

  /** Forgets what has expired. */
  expire(now: number): void {
    for (const [kind, { documents }] of this.#kinds) {
      for (const [key, entry] of documents) if (isOver(entry, now)) documents.delete(key);
      if (documents.size === 0) this.#kinds.delete(kind);
    }
  }

  #find(kind: string, key: string, now: number): Entry | undefined {
    const entry = this.#kinds.get(kind)?.documents.get(key);
    return entry === undefined || isOver(entry, now) ? undefined : entry;
  }

  #kind(name: string): Kind {
    const known = this.#kinds.get(name);
    if (known !== undefined) return known;
    const documents = new Map<string, Entry>();
    const kind: Kind = { documents, due: new DueDocuments((entry) => documents.get(entry.key) === entry) };
    this.#kinds.set(name, kind);
    return kind;
  }
}

function isOver({ expiresAt }: Entry, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}

function copyOf({ kind, key, value, version, dueAt }: Entry): StoredDocument {
  return { kind, key, value: cloneJson(value), version, dueAt };
}
