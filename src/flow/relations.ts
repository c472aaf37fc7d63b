import type { Environment } from '../environment.ts';
import { OptionError, TaskNotFoundError } from '../errors.ts';
import type { AnyTask, RecordOf, ResultOf } from '../handler/define.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { integer } from '../options.ts';
import type { Edge, EdgeQuery, Position, TaskStorage } from '../storage/storage.ts';
import type { TaskErrorInfo, TaskRecord } from '../task/record.ts';
import type { Status } from '../task/status.ts';
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
}>;

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

const PAGE = 1_000;
const DEFAULT_LIMIT = 100;

/** Answers what tasks have to do with each other. */
export class Relations {
  readonly #storage: TaskStorage;
  readonly #lifecycle: Lifecycle;

  constructor({ storage }: Environment, lifecycle: Lifecycle) {
    this.#storage = storage;
    this.#lifecycle = lifecycle;
  }

  /** @param sees others are as if they were not there; it may throw. @throws {TaskNotFoundError} */
  async related(id: string, limit = DEFAULT_LIMIT, sees: Sees = () => true): Promise<RelatedTasks> {
    if (typeof id !== 'string') throw new OptionError('id', 'text', id);
    integer('limit', limit, 1, PAGE);
    await this.#lifecycle.readable();
    const [task] = await this.#storage.get([id], { archived: true });
    if (task === undefined || task === null) throw new TaskNotFoundError(id);
    const { parentId } = task;
    const [[parent], children, dependencies, dependents] = await Promise.all([
      parentId === null ? [] : this.#storage.get([parentId], { archived: true }),
      this.#children(id, limit + 1, undefined, true),
      this.#ends(id, { side: 'dependencies', limit: limit + 1 }),
      this.#ends(id, { side: 'dependents', limit: limit + 1 }),
    ]);
    const seen = (related: RelatedTask): boolean => sees(related.task);
    return {
      parent: parent !== undefined && parent !== null && sees(parent) ? parent : null,
      children: children.items.slice(0, limit).filter(sees),
      dependencies: dependencies.slice(0, limit).filter(seen),
      dependents: dependents.slice(0, limit).filter(seen),
      truncated: [children.items, dependencies, dependents].some(({ length }) => length > limit),
    };
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
   * Its children and what depends on it, and theirs, as far as they are not archived. A task that waits for its own children
   * is not below them.
   * @param sees others, and what is below them, are as if they were not there; it may throw
   */
  async below({ id, parentId }: TaskRecord, sees: Sees): Promise<readonly TaskRecord[]> {
    await this.#lifecycle.readable();
    const found = new Map<string, TaskRecord>();
    const left = [{ id, parentId }];
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      for await (const task of this.#justBelow(next)) {
        if (task.id === id || found.has(task.id) || task.archivedAt !== null || !sees(task)) continue;
        found.set(task.id, task);
        left.push(task);
      }
    }
    return [...found.values()];
  }

  async *#justBelow({ id, parentId }: Pick<TaskRecord, 'id' | 'parentId'>): AsyncGenerator<TaskRecord> {
    for (let from: Position | undefined, more = true; more; ) {
      const page = await this.#children(id, PAGE, from, false);
      yield* page.items;
      from = page.last ?? undefined;
      more = page.more && from !== undefined;
    }
    for await (const { task } of this.#allEnds(id, 'dependents')) if (task.id !== parentId) yield task;
  }

  #children(parentId: string, limit: number, from: Position | undefined, archived: boolean) {
    return this.#storage.list({
      where: [[{ parentId, archived: archived ? 'both' : false }]],
      sort: 'id',
      descending: false,
      limit,
      from,
      payloads: true,
    });
  }

  async *#allEnds(id: string, side: EdgeQuery['side']): AsyncGenerator<RelatedTask> {
    for (let after: number | undefined, more = true; more; ) {
      const edges: readonly Edge[] = (await this.#storage.edges(id, { side, after, limit: PAGE })) ?? [];
      yield* await this.#read(edges);
      after = edges.at(-1)?.place;
      more = edges.length === PAGE;
    }
  }

  async #ends(id: string, query: EdgeQuery): Promise<readonly RelatedTask[]> {
    return this.#read((await this.#storage.edges(id, query)) ?? []);
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

function nameOf(definition: AnyTask): string {
  if (typeof definition?.name === 'string') return definition.name;
  throw new OptionError('dependencies', 'definitions', definition);
}
