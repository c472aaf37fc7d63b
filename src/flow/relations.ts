import { checkBag } from '../bag.ts';
import type { Environment } from '../environment.ts';
import { OptionError, TaskNotFoundError } from '../errors.ts';
import type { AnyTask, Optional, RecordOf, ResultOf } from '../handler/define.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { integer } from '../options.ts';
import type { Edge, EdgeQuery, Position, TaskStorage } from '../storage/storage.ts';
import type { TaskErrorInfo, TaskRecord } from '../task/record.ts';
import type { Status } from '../task/status.ts';
import { AT_ONCE, childrenOf, type RelatedPage, type RelatedWish, readRelated } from './related-pages.ts';
import type { OnFailure } from './rules.ts';

/** A task at the other end of a dependency. */
export type RelatedTask<T extends AnyTask = AnyTask> = Readonly<{
  task: RecordOf<T>;
  onFailure: OnFailure;
  /** The dependent waits for the dependency. */
  waiting: boolean;
}>;

/** What has to do with a task; archived ones are among it. */
export type RelatedTasks<T extends AnyTask = AnyTask> = Readonly<{
  parent: RecordOf<T> | null;
  /** In submit order, as the lists below. */
  children: readonly RecordOf<T>[];
  /** What it depends on. */
  dependencies: readonly RelatedTask<T>[];
  /** What depends on it. */
  dependents: readonly RelatedTask<T>[];
  /** A list has more than `limit` tasks. */
  truncated: boolean;
  /** The `cursor` of what follows in each list; null: there is nothing more. */
  next: string | null;
}>;

/** `limit`: of each list, 1 to 1,000, default 100. `cursor`: `next` of the page before. */
export type RelatedQuery = Optional<{ limit: number; cursor: string }>;

/** What became of a task that another one depended on, told apart by `handler` where that is known. */
export type DependencyResult<T extends AnyTask = AnyTask> = T extends AnyTask
  ? Readonly<{
      id: string;
      handler: T['name'];
      status: Status;
      /** Null unless it succeeded. */
      result: ResultOf<T> | null;
      error: TaskErrorInfo | null;
    }>
  : never;

/** Whether a task is there for whoever asks. */
export type Sees = (task: TaskRecord) => boolean;

const MAX_LIMIT = 1_000;
const DEFAULT_LIMIT = 100;

/** Answers what tasks have to do with each other. */
export class Relations {
  readonly #storage: TaskStorage;
  readonly #lifecycle: Lifecycle;

  constructor({ storage }: Environment, lifecycle: Lifecycle) {
    this.#storage = storage;
    this.#lifecycle = lifecycle;
  }

  /** @throws {TaskNotFoundError} @throws {CursorError} */
  async related(id: string, query: RelatedQuery = {}): Promise<RelatedTasks> {
    checkBag('query', query, { limit: null, cursor: null });
    const { limit = DEFAULT_LIMIT, cursor } = query;
    const write = (item: TaskRecord) => ({ item, size: 0 });
    const wish = { limit, cursor, write, maxSize: Number.POSITIVE_INFINITY };
    const { parent, children, dependencies, dependents, next } = await this.page(await this.#find(id), wish);
    return { parent, children, dependencies, dependents, truncated: next !== null, next };
  }

  /** One page, written down as is wished. @throws {CursorError} @throws {OptionError} */
  async page<T>(task: TaskRecord, wish: RelatedWish<T>): Promise<RelatedPage<T>> {
    integer('limit', wish.limit, 1, MAX_LIMIT);
    if (wish.cursor !== undefined && typeof wish.cursor !== 'string') {
      throw new OptionError('cursor', '`next` of a page', wish.cursor);
    }
    await this.#lifecycle.readable();
    return readRelated(this.#storage, task, wish);
  }

  /**
   * What became of everything that a task depends on, in submit order.
   * @param of only tasks of these definitions; none: all @throws {OptionError}
   */
  async resultsFor(id: string, of: readonly AnyTask[] = []): Promise<readonly DependencyResult[]> {
    const names = new Set(of.map(nameOf));
    const results: DependencyResult[] = [];
    for await (const { task } of this.#allEnds(id, 'dependencies')) {
      const { handler, status, result, error } = task;
      if (names.size === 0 || names.has(handler)) results.push({ id: task.id, handler, status, result, error });
    }
    return results;
  }

  /** What a task still waits for, the first few. */
  async waitsFor(id: string, limit: number): Promise<readonly string[]> {
    const edges = await this.#storage.edges(id, { side: 'dependencies', limit, open: true });
    return (edges ?? []).map((edge) => edge.id);
  }

  /**
   * Walks over its children and what depends on it, and theirs, as far as they are not archived, each once. A task that waits
   * for its own children is not below them, nor what only waited its turn behind a key.
   * @param sees others, and what is below them, are as if they were not there; it may throw
   */
  async *walkBelow(task: TaskRecord, sees: Sees): AsyncGenerator<TaskRecord> {
    await this.#lifecycle.readable();
    const found = new Set([task.id]);
    const left = [placeOf(task)];
    for (let next = left.shift(), walked = 1; next !== undefined; next = left.shift(), walked++) {
      if (walked % AT_ONCE === 0) await new Promise(setImmediate); // reads may take no turn, and others have work to do
      for await (const task of this.#justBelow(next)) {
        if (found.has(task.id) || task.archivedAt !== null || !sees(task)) continue;
        found.add(task.id);
        left.push(placeOf(task));
        yield task;
      }
    }
  }

  async *#justBelow(above: Place): AsyncGenerator<TaskRecord> {
    const { id, parentId } = above;
    for (let from: Position | undefined, more = true; more; ) {
      const page = await childrenOf(this.#storage, id, AT_ONCE, from, false);
      yield* page.items;
      from = page.places.at(-1);
      more = page.more && from !== undefined;
    }
    for await (const end of this.#allEnds(id, 'dependents')) {
      if (end.task.id !== parentId && !isNextOf(end, above)) yield end.task;
    }
  }

  async #find(id: string): Promise<TaskRecord> {
    if (typeof id !== 'string') throw new OptionError('id', 'text', id);
    await this.#lifecycle.readable();
    const [task] = await this.#storage.get([id], { archived: true });
    if (task === undefined || task === null) throw new TaskNotFoundError(id);
    return task;
  }

  async *#allEnds(id: string, side: EdgeQuery['side']): AsyncGenerator<RelatedTask> {
    for (let after: number | undefined, more = true; more; ) {
      const edges: readonly Edge[] = (await this.#storage.edges(id, { side, after, limit: AT_ONCE })) ?? [];
      yield* await this.#read(edges);
      after = edges.at(-1)?.place;
      more = edges.length === AT_ONCE;
    }
  }

  /** The tasks at the other ends, without those that were removed meanwhile. */
  async #read(edges: readonly Edge[]): Promise<readonly RelatedTask[]> {
    if (edges.length === 0) return [];
    const tasks = await this.#storage.get(
      edges.map(({ id }) => id),
      { archived: true },
    );
    return edges.flatMap(({ onFailure, open }, index) => {
      const task = tasks[index];
      return task === undefined || task === null ? [] : [{ task, onFailure, waiting: open }];
    });
  }
}

/** Of a task, what of it says what is just below it. */
type Place = Pick<TaskRecord, 'id' | 'parentId' | 'handler' | 'uniqueKey'>;

function placeOf({ id, parentId, handler, uniqueKey }: TaskRecord): Place {
  return { id, parentId, handler, uniqueKey };
}

/** A task only waited its turn behind another one of its key (`onConflict: 'runAfter'`), and needs nothing of it. */
function isNextOf({ task: { handler, uniqueKey }, onFailure }: RelatedTask, above: Place): boolean {
  return onFailure === 'run' && uniqueKey !== null && uniqueKey === above.uniqueKey && handler === above.handler;
}

function nameOf(definition: AnyTask): string {
  if (typeof definition?.name === 'string') return definition.name;
  throw new OptionError('dependencies', 'definitions', definition);
}
