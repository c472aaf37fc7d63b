import type { EdgeQuery, Position, TaskStorage } from '../storage/storage.ts';
import type { TaskRecord } from '../task/record.ts';
import { decodePlaces, encodePlaces, type RelatedPlaces } from './related-cursor.ts';
import type { OnFailure } from './rules.ts';

/** Tasks that are read at once: each may be of several MiB. */
export const AT_ONCE = 100;

/** What is related to a task, part of each list. `next`: the cursor of what follows; null: that was all. */
export interface RelatedPage<T> {
  readonly parent: T | null;
  readonly children: readonly T[];
  readonly dependencies: readonly RelatedEnd<T>[];
  readonly dependents: readonly RelatedEnd<T>[];
  /** Empty where it was not asked for. */
  readonly below: readonly T[];
  readonly next: string | null;
}

/** The other end of a dependency. */
interface RelatedEnd<T> {
  readonly task: T;
  readonly onFailure: OnFailure;
  readonly waiting: boolean;
}

/** What of it is wanted. */
export interface RelatedWish<T> {
  /** Of each list. */
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** What stands for a task, and its size; null: it is left out. */
  readonly write: (task: TaskRecord) => { readonly item: T; readonly size: number } | null;
  /** A page is not read further once it is so large. */
  readonly maxSize: number;
  /** Walks over what a deletion would take along; left out: that is not asked for. */
  readonly walk?: (() => AsyncIterable<TaskRecord>) | undefined;
}

/** What one step reads. `more`: there is something behind `last`. */
interface Step<Entry, Place> {
  readonly entries: readonly Entry[];
  readonly read: number;
  readonly last: Place | null;
  readonly more: boolean;
}

/** Some entries of a list, and how far it was read. */
interface Part<T, Place> {
  readonly items: readonly T[];
  readonly place: Place | null | undefined;
}

/** Reads one page. @throws {CursorError} @throws {StorageError} */
export async function readRelated<T>(
  storage: TaskStorage,
  { id, parentId }: Pick<TaskRecord, 'id' | 'parentId'>,
  wish: RelatedWish<T>,
): Promise<RelatedPage<T>> {
  const lists = wish.walk === undefined ? LISTS : ALL_LISTS;
  const from = wish.cursor === undefined ? {} : decodePlaces(id, wish.cursor, lists);
  const reader = new Reader(storage, wish);
  const parent = parentId === null ? null : await reader.one(parentId);
  const children = await reader.children(id, from.children);
  const dependencies = await reader.ends(id, 'dependencies', from.dependencies);
  const dependents = await reader.ends(id, 'dependents', from.dependents);
  const below = await reader.below(from.below);
  const places: RelatedPlaces = {
    children: children.place,
    dependencies: dependencies.place,
    dependents: dependents.place,
    below: below.place,
  };
  return {
    parent,
    children: children.items,
    dependencies: dependencies.items,
    dependents: dependents.items,
    below: below.items,
    next: encodePlaces(id, places, lists),
  };
}

const LISTS = ['children', 'dependencies', 'dependents'] as const;
const ALL_LISTS = [...LISTS, 'below'] as const;

/** Reads parts of lists until the page is full. */
class Reader<T> {
  readonly #storage: TaskStorage;
  readonly #wish: RelatedWish<T>;
  #size = 0;

  constructor(storage: TaskStorage, wish: RelatedWish<T>) {
    this.#storage = storage;
    this.#wish = wish;
  }

  async one(id: string): Promise<T | null> {
    const [task] = await this.#storage.get([id], { archived: true });
    return (task && this.#write(task)) ?? null;
  }

  children(parentId: string, from: Position | null | undefined): Promise<Part<T, Position>> {
    return this.#part(from, async (at, limit) => {
      const page = await childrenOf(this.#storage, parentId, limit, at, true);
      const entries = page.items.map((task) => this.#write(task));
      return { entries, read: entries.length, last: page.places.at(-1) ?? null, more: page.more };
    });
  }

  ends(id: string, side: EdgeQuery['side'], from: number | null | undefined): Promise<Part<RelatedEnd<T>, number>> {
    return this.#part(from, async (after, limit) => {
      // One more than is wanted: only then is there a next page.
      const found = (await this.#storage.edges(id, { side, after, limit: limit + 1 })) ?? [];
      const edges = found.slice(0, limit);
      const ids = edges.map((edge) => edge.id);
      const tasks = ids.length === 0 ? [] : await this.#storage.get(ids, { archived: true });
      const entries = edges.map(({ onFailure, open }, index): RelatedEnd<T> | null => {
        const task = tasks[index]; // it may have been removed meanwhile
        const written = (task && this.#write(task)) ?? null;
        return written === null ? null : { task: written, onFailure, waiting: open };
      });
      return { entries, read: edges.length, last: edges.at(-1)?.place ?? null, more: found.length > limit };
    });
  }

  async below(from: RelatedPlaces['below']): Promise<Part<T, readonly [number, string]>> {
    const { walk, limit } = this.#wish;
    if (walk === undefined || from === null || this.#isFull) return { items: [], place: from };
    const items: T[] = [];
    let [skipped, last] = from ?? [0, ''];
    let [place, skip, read] = [from, skipped, 0];
    for await (const task of walk()) {
      if (skip > 0) {
        skip = task.id === last ? 0 : skip - 1; // some before it may be gone
        continue;
      }
      if (read === limit || (read > 0 && this.#isFull)) return { items, place };
      const written = this.#write(task);
      if (written !== null) items.push(written);
      [skipped, last, read] = [skipped + 1, task.id, read + 1];
      place = [skipped, last];
    }
    return { items, place: null };
  }

  async #part<Entry, Place>(
    from: Place | null | undefined,
    step: (from: Place | undefined, limit: number) => Promise<Step<Entry | null, Place>>,
  ): Promise<Part<Entry, Place>> {
    const items: Entry[] = [];
    let [place, left] = [from, this.#wish.limit];
    while (place !== null && left > 0 && !this.#isFull) {
      const { entries, read, last, more } = await step(place, Math.min(left, AT_ONCE));
      for (const entry of entries) if (entry !== null) items.push(entry);
      left -= read;
      place = more ? last : null;
    }
    return { items, place };
  }

  get #isFull(): boolean {
    return this.#size >= this.#wish.maxSize;
  }

  #write(task: TaskRecord): T | null {
    const written = this.#wish.write(task);
    if (written === null) return null;
    this.#size += written.size;
    return written.item;
  }
}

/** Children in submit order. @param archived those too */
export function childrenOf(
  storage: TaskStorage,
  parentId: string,
  limit: number,
  from: Position | undefined,
  archived: boolean,
): ReturnType<TaskStorage['list']> {
  return storage.list({
    where: [[{ parentId, archived: archived ? 'both' : false }]],
    sort: 'id',
    descending: false,
    limit,
    from,
    payloads: true,
  });
}
