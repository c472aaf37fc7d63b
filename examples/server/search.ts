import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import MiniSearch from 'minisearch';

/** One answer of a search. */
export interface Hit {
  /** As the task named it: the folder it was given, and the path below. */
  readonly file: string;
  readonly score: number;
}

interface Entry {
  readonly file: string;
  readonly text: string;
}

/** How far an index has come. It is stored in the same file as the index, so the two can never disagree. */
export interface Mark {
  readonly taskId: string;
  readonly folder: string;
  /** Files that are in it. */
  readonly processed: number;
  /** The last of them, in the order in which they are read; null before the first. */
  readonly last: string | null;
}

const OPTIONS = { idField: 'file', fields: ['text'] };
const MAX_HITS = 100;

/** An index that a task is building. */
export class Draft {
  readonly #index: MiniSearch<Entry>;
  #mark: Mark;

  constructor(mark: Mark, index = new MiniSearch<Entry>(OPTIONS)) {
    this.#mark = mark;
    this.#index = index;
  }

  get mark(): Mark {
    return this.#mark;
  }

  get index(): MiniSearch<Entry> {
    return this.#index;
  }

  /** @param text null: the file is passed over, but counts as read */
  add(file: string, text: string | null): void {
    if (text !== null) this.#index.add({ file, text });
    this.#mark = { ...this.#mark, processed: this.#mark.processed + 1, last: file };
  }

  toJSON(): { mark: Mark; index: unknown } {
    return { mark: this.#mark, index: this.#index };
  }
}

/**
 * The indexes of a server, one for each folder, in a directory beside its database. A task builds a draft of its own, which
 * takes the place of the folder's index when it is whole: a search never sees half of one.
 */
export class SearchStore {
  readonly #directory: string;
  readonly #published = new Map<string, Draft>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the directory, and reads what earlier processes published. */
  static async open(directory: string): Promise<SearchStore> {
    await mkdir(directory, { recursive: true });
    const store = new SearchStore(directory);
    for (const name of await readdir(directory)) {
      const draft = name.startsWith('folder-') && name.endsWith('.json') ? await load(join(directory, name)) : null;
      if (draft !== null) store.#published.set(draft.mark.folder, draft);
    }
    return store;
  }

  /** The best hits first. */
  search(query: string): readonly Hit[] {
    const best = new Map<string, number>();
    for (const { index } of this.#published.values()) {
      for (const { id, score } of index.search(query, { prefix: true })) {
        best.set(id, Math.max(score, best.get(id) ?? 0)); // folders may lie in one another
      }
    }
    const hits = [...best].map(([file, score]) => ({ file, score }));
    return hits.sort((a, b) => b.score - a.score).slice(0, MAX_HITS);
  }

  /** @param resume goes on from the draft that an earlier attempt of the task saved, if there is one */
  async begin(taskId: string, folder: string, resume: boolean): Promise<Draft> {
    const saved = resume ? await load(this.#draftPath(taskId)) : null;
    return saved ?? new Draft({ taskId, folder, processed: 0, last: null });
  }

  /** Stores a draft as it is. */
  async save(draft: Draft): Promise<void> {
    const path = this.#draftPath(draft.mark.taskId);
    await writeFile(`${path}.new`, JSON.stringify(draft));
    await rename(`${path}.new`, path); // whole or not at all
  }

  /** Puts a draft in the place of its folder's index. */
  async publish(draft: Draft): Promise<void> {
    const { taskId, folder } = draft.mark;
    await this.save(draft);
    const name = createHash('sha256').update(folder).digest('hex').slice(0, 32);
    await rename(this.#draftPath(taskId), join(this.#directory, `folder-${name}.json`));
    this.#published.set(folder, draft);
  }

  /** Forgets a draft that nobody will finish. */
  async discard(taskId: string): Promise<void> {
    await rm(this.#draftPath(taskId), { force: true });
  }

  #draftPath(taskId: string): string {
    return join(this.#directory, `draft-${taskId}.json`);
  }
}

/** Null when there is no such file, or it is not one of ours. */
async function load(path: string): Promise<Draft | null> {
  try {
    const { mark, index } = JSON.parse(await readFile(path, 'utf8')) as { mark: Mark; index: unknown };
    return new Draft(mark, MiniSearch.loadJSON<Entry>(JSON.stringify(index), OPTIONS));
  } catch {
    return null;
  }
}
