import { signalOf } from './bag.ts';
import { Controls, type DeleteOptions, type TaskPatch } from './controls.ts';
import type { Environment } from './environment.ts';
import { Publisher, type PublishOptions } from './event/publisher.ts';
import type { PayloadOf, StartedBy } from './event/types.ts';
import { Events, type TaskEvents, type TaskNews } from './events.ts';
import { Explainer, type Explanation } from './explain.ts';
import type { Children, ItemShape, Items, TaskOf } from './flow/children.ts';
import { type RelatedQuery, type RelatedTasks, Relations } from './flow/relations.ts';
import { Handle, type HandleHost, type SubmittedTask, type TaskHandle } from './handle.ts';
import type { AnyTask, InputOf, Optional, RecordOf, Resolve, TasksOf } from './handler/define.ts';
import { Registry } from './handler/registry.ts';
import { Idleness } from './idleness.ts';
import { exposeInside } from './internal.ts';
import { Kept } from './kept.ts';
import { type Health, Lifecycle } from './lifecycle.ts';
import { parseOptions, type TaskManagerOptions } from './options.ts';
import { type ListQuery, type Page, Queries, type TaskStats } from './queries.ts';
import { Runner } from './run/runner.ts';
import { createSchedule, replaceTask } from './schedule/create.ts';
import { KnownSchedules } from './schedule/known.ts';
import { listSchedules } from './schedule/list.ts';
import { Schedules } from './schedule/schedules.ts';
import { Scheduling } from './schedule/scheduling.ts';
import { type AnyItem, Intake } from './submit/intake.ts';
import type { Rest, SubmitOptions } from './submit/options.ts';
import { TaskIds } from './task/id.ts';
import { matches, parseFilter, type TaskFilter } from './task/query.ts';
import type { LogLine, TaskAttempt, TaskRecord } from './task/record.ts';
import type { Duration } from './time/duration.ts';
import { Announcer } from './watch/announcer.ts';
import { awaitResult } from './watch/await-result.ts';
import { streamAll, streamTask } from './watch/task-stream.ts';
import { UnstartedNotice } from './watch/unstarted.ts';
import { Watchers } from './watch/watchers.ts';

/**
 * Registers handlers, and runs their tasks. Generic over `handlers`: those given here type events and lists. The union is
 * closed for the compiler only: what `register` adds, or other processes left, appears in it too.
 */
export class TaskManager<
  const Handlers extends readonly AnyTask[] = readonly AnyTask[],
  Tasks extends AnyTask = TasksOf<Handlers>,
> {
  /** What recurs: schedules, by key. */
  readonly schedules: Schedules<Tasks>;
  readonly #environment: Environment;
  readonly #watchers: Watchers;
  readonly #handles: HandleHost;
  readonly #lifecycle: Lifecycle;
  readonly #intake: Intake;
  readonly #publisher: Publisher;
  readonly #controls: Controls;
  readonly #queries: Queries;
  readonly #relations: Relations;
  readonly #explainer: Explainer;
  readonly #idleness: Idleness;

  /** @throws {OptionError} that names the option, what came and what is allowed */
  constructor(options?: TaskManagerOptions<Handlers>) {
    const settings = parseOptions(options);
    const { clock, storage } = settings;
    const events = new Events(() => clock.now());
    const ids = new TaskIds(settings.idPrefix, () => clock.now());
    const environment: Environment = { settings, clock, storage, events, ids, registry: new Registry(settings) };
    const watchers = new Watchers(storage, clock, (error) => events.error(error));
    const announcer = new Announcer(events, watchers);
    const runner = new Runner(environment, announcer);
    const scheduling = new Scheduling(environment, announcer, runner, (id) => this.#controls.cancelIfThere(id));
    const lifecycle = new Lifecycle(environment, announcer, runner, watchers, scheduling);
    this.#environment = environment;
    this.#watchers = watchers;
    this.#lifecycle = lifecycle;
    this.#relations = new Relations(environment, lifecycle);
    this.#controls = new Controls(environment, announcer, lifecycle, runner, watchers, this.#relations);
    this.#queries = new Queries(environment, lifecycle);
    this.#explainer = new Explainer(environment, lifecycle, runner, this.#relations);
    const unstarted = new UnstartedNotice(environment, lifecycle);
    this.#handles = {
      result: (id, signal) =>
        unstarted.during(lifecycle.readable().then(() => awaitResult(storage, watchers, id, signal))),
      cancel: (id, reason) => this.cancel(id, reason),
      events: (id, signal) => streamTask(storage, watchers, id, { signal, opened: lifecycle.readable() }),
    };
    this.schedules = new Schedules(scheduling, lifecycle, this.#handles);
    this.#intake = new Intake(environment, announcer, lifecycle, runner, this.#handles);
    runner.flow = {
      submit: (child) => this.#intake.submitChild(child),
      dependencies: (id, of) => this.#relations.resultsFor(id, of),
    };
    this.#publisher = new Publisher(environment, lifecycle, this.#intake);
    this.#idleness = new Idleness(environment, lifecycle, runner, this.#intake);
    const known = new KnownSchedules(storage, clock);
    exposeInside(this, {
      queries: this.#queries,
      controls: this.#controls,
      kept: new Kept(environment, lifecycle),
      allSchedules: () => lifecycle.readable().then(() => known.all()),
      createSchedule: (spec, paused) => createSchedule(scheduling, lifecycle, spec, paused),
      replaceBySchedule: (spec, paused, sees) => replaceTask(scheduling, lifecycle, this.#controls, spec, paused, sees),
      warningsOf: (handler) => this.#intake.warningsOf(handler),
      drawId: () => ids.draw(),
      publish: (event, payload, options, look) => this.#publisher.publish(event, payload, options, look),
      submit: (handler, input, options, keep) => this.#intake.submit(handler, input, options, keep),
      relations: this.#relations,
      definitionOf: (handler) => environment.registry.find(handler)?.definition,
      handlerOf: (handler) => environment.registry.resolve(handler),
      nextDue: () => storage.nextDue(),
      listSchedules: (query, fits) => lifecycle.readable().then(() => listSchedules(storage, query, fits)),
      idPrefix: settings.idPrefix,
      now: () => clock.now(),
      after: (ms, callback, hold) => clock.after(ms, callback, hold),
      idempotencyMs: settings.idempotencyMs,
      news: (fits, signal) => streamAll(storage, watchers, fits, { signal, opened: lifecycle.readable() }),
    });
    this.register(...(options?.handlers ?? []));
  }

  /**
   * Adds handlers, all or none.
   * @throws {OptionError} also when another handler has the name
   */
  register(...tasks: readonly AnyTask[]): void {
    this.#environment.registry.add(tasks);
    this.#idleness.registered();
  }

  /** The definitions that are registered. */
  handlers(): readonly AnyTask[] {
    return this.#environment.registry.all().map(({ definition }) => definition);
  }

  /** Bytes of JSON text an input may have. */
  get maxInputBytes(): number {
    return this.#environment.settings.maxInputBytes;
  }

  /**
   * Opens the storage, recovers what an earlier process left, and runs tasks.
   * @param options `run` false: submit and watch only
   * @throws {StorageError} @throws {ManagerClosedError}
   */
  start(options?: Optional<{ run: boolean }>): Promise<void> {
    return this.#lifecycle.start(options);
  }

  /**
   * Stores a task, durably where the storage is durable, and answers with its handle; works before `start`, too.
   * @param handler a definition, or the name of one that is registered
   * @throws {InputInvalidError} @throws {OptionError} @throws {UnknownHandlerError} @throws {PayloadTooLargeError}
   * @throws {UniqueConflictError} @throws {IdempotencyConflictError} @throws {QueueFullError} @throws {ManagerClosedError}
   * @throws {StorageError}
   */
  submit<
    T extends AnyTask | Tasks['name'],
    const Shapes extends readonly ItemShape<Tasks>[] = readonly ItemShape<Tasks>[],
  >(
    handler: T,
    ...rest: Rest<InputOf<Resolve<Tasks, T>>, SubmitOptions<Children<Tasks, Shapes>>>
  ): Promise<SubmittedTask<Resolve<Tasks, T>>> {
    const [input, options] = rest as [unknown, SubmitOptions | undefined];
    return this.#intake.submit(handler, input, options) as Promise<SubmittedTask<Resolve<Tasks, T>>>;
  }

  /** Submits all or nothing, in order. An earlier task may answer in its place. @throws as `submit`, of the first refused */
  submitMany<const Shapes extends readonly ItemShape<Tasks>[] = readonly ItemShape<Tasks>[]>(
    items: Items<Tasks, Shapes>,
  ): Promise<{ readonly [I in keyof Shapes]: SubmittedTask<TaskOf<Tasks, Shapes[I]>> }> {
    const submitted: Promise<unknown> = this.#intake.submitMany(items as unknown as readonly AnyItem[]);
    return submitted as Promise<{ readonly [I in keyof Shapes]: SubmittedTask<TaskOf<Tasks, Shapes[I]>> }>;
  }

  /**
   * Starts what is bound to an event with `on`, all or nothing; nothing is bound: nothing happens.
   * @param event as names of handlers, of up to 200 characters
   * @param rest the payload, which is the input where the definition has no `fromEvent`; then options for each task
   * @returns one handle a binding @throws as `submitMany`; an `InputInvalidError` names the handler
   */
  publish<const E extends string>(
    event: E,
    ...rest: Rest<PayloadOf<Tasks, E>, PublishOptions>
  ): Promise<readonly SubmittedTask<StartedBy<Tasks, E>>[]> {
    const [payload, options] = rest as [unknown, PublishOptions | undefined];
    const published: Promise<unknown> = this.#publisher.publish(event, payload, options);
    return published as Promise<readonly SubmittedTask<StartedBy<Tasks, E>>[]>;
  }

  /** The handle of any task, also of an earlier process. Whether it is there shows when it is used. */
  task(id: string): TaskHandle<Tasks> {
    return new Handle(this.#handles, id) as unknown as TaskHandle<Tasks>;
  }

  /** The caller's own copy; null: no such task, or archived and not asked for. @throws {StorageError} */
  get(id: string, options?: Optional<{ archived: boolean }>): Promise<RecordOf<Tasks> | null> {
    return this.#queries.get(id, options) as Promise<RecordOf<Tasks> | null>;
  }

  /** @throws {CursorError} @throws {OptionError} @throws {TaskNotFoundError} for `after` and `before` @throws {StorageError} */
  list(query: ListQuery = {}): Promise<Page<RecordOf<Tasks>>> {
    return this.#queries.list(query) as Promise<Page<RecordOf<Tasks>>>;
  }

  /** @throws {OptionError} @throws {StorageError} */
  count(filter?: TaskFilter): Promise<number> {
    return this.#queries.count(filter);
  }

  /** Counts by status and by handler, archived tasks left out. @throws {StorageError} */
  stats(): Promise<TaskStats> {
    return this.#queries.stats();
  }

  /** Whether the storage answers, and claiming and beats work. Never throws. */
  health(): Promise<Health> {
    return this.#lifecycle.health();
  }

  /**
   * Cancels: at once where it does not run, else it is `cancelling` until its handler ends or its grace is over.
   * @throws {TaskNotFoundError} @throws {TransitionError} when it is final
   */
  cancel(id: string, reason?: string): Promise<RecordOf<Tasks>> {
    return this.#controls.cancel(id, reason) as Promise<RecordOf<Tasks>>;
  }

  /** Retries a final task by hand. @throws {TaskNotFoundError} @throws {TransitionError} @throws {UniqueConflictError} */
  restart(id: string): Promise<RecordOf<Tasks>> {
    return this.#controls.restart(id) as Promise<RecordOf<Tasks>>;
  }

  /** Queues a scheduled, held or waiting task at once. @throws {TaskNotFoundError} @throws {TransitionError} */
  runNow(id: string): Promise<RecordOf<Tasks>> {
    return this.#controls.runNow(id) as Promise<RecordOf<Tasks>>;
  }

  /**
   * Changes fields; tags and metadata are merged (RFC 7396).
   * @throws {VersionConflictError} @throws {TaskNotFoundError} @throws {TransitionError} @throws {OptionError}
   */
  update(id: string, patch: TaskPatch, options?: Optional<{ ifVersion: number }>): Promise<RecordOf<Tasks>> {
    return this.#controls.update(id, patch, options) as Promise<RecordOf<Tasks>>;
  }

  /** Settles from outside as succeeded; a running attempt is told by its signal. @throws {TransitionError} */
  complete(id: string, result?: unknown): Promise<RecordOf<Tasks>> {
    return this.#controls.complete(id, result) as Promise<RecordOf<Tasks>>;
  }

  /** Settles from outside as failed; a running attempt is told by its signal. @throws {TransitionError} */
  fail(id: string, error: unknown): Promise<RecordOf<Tasks>> {
    return this.#controls.fail(id, error) as Promise<RecordOf<Tasks>>;
  }

  /** To the archive, or for good. @throws {RelatedTasksError} @throws {TaskNotFoundError} */
  delete(id: string, options: DeleteOptions = {}): Promise<void> {
    return this.#controls.delete(id, options);
  }

  /** Its attempts, oldest first; of those that ended the newest 1,000 are kept. @throws {TaskNotFoundError} */
  attempts(id: string): Promise<readonly TaskAttempt[]> {
    return this.#queries.attempts(id);
  }

  /** Log lines, oldest first. `after`: the `seq` of a line; `limit`: up to 1,000. @throws {TaskNotFoundError} */
  log(id: string, page: Optional<{ after: number; limit: number }> = {}): Promise<readonly LogLine[]> {
    return this.#queries.log(id, page);
  }

  /**
   * Its parent and children, what it depends on and what depends on it.
   * @throws {TaskNotFoundError} @throws {CursorError} @throws {StorageError}
   */
  related(id: string, query?: RelatedQuery): Promise<RelatedTasks<Tasks>> {
    return this.#relations.related(id, query) as Promise<RelatedTasks<Tasks>>;
  }

  /** Why a task does not run, or who runs it. @throws {TaskNotFoundError} @throws {StorageError} */
  explain(id: string): Promise<Explanation> {
    return this.#explainer.explain(id);
  }

  /** Stored: no process starts tasks of one handler, or of all, until `resume`. @throws {UnknownHandlerError} */
  pause(handler?: string): Promise<void> {
    return this.#controls.pause(handler);
  }

  /** Ends the pause of one handler, or all pauses. @throws {UnknownHandlerError} */
  resume(handler?: string): Promise<void> {
    return this.#controls.resume(handler);
  }

  /** Of this process only: of the manager, or of one handler. @throws {OptionError} @throws {UnknownHandlerError} */
  setConcurrency(limit: number): void;
  setConcurrency(handler: string, limit: number): void;
  setConcurrency(handlerOrLimit: string | number, limit?: number): void {
    this.#controls.setConcurrency(handlerOrLimit, limit);
  }

  /** What this process does. @returns ends the listening @throws {OptionError} for a name that no event has */
  on<E extends keyof TaskEvents>(name: E, listener: (event: TaskEvents<Tasks>[E]) => unknown): () => void {
    return this.#environment.events.on(name, listener as (event: TaskEvents[E]) => unknown);
  }

  /** What every process on this storage does from now on, until `signal` or `return()`. @throws {OptionError} */
  watch(filter?: TaskFilter, options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<TaskNews<Tasks>> {
    const streamed = { signal: signalOf(options), opened: this.#lifecycle.readable() };
    const condition = parseFilter(filter);
    const fits = (task: TaskRecord): boolean => matches(task, condition);
    const news = streamAll(this.#environment.storage, this.#watchers, fits, streamed);
    return news as AsyncIterableIterator<TaskNews<Tasks>>;
  }

  /** Resolves when nothing is queued or running that this process could run. */
  onIdle(): Promise<void> {
    return this.#idleness.onIdle();
  }

  /**
   * Stops claiming, lets running tasks finish for `timeout` (default 30 s), then gives them back. Twice: no error.
   * @throws {OptionError} @throws {StorageError}
   */
  async close(options?: Optional<{ timeout: Duration }>): Promise<void> {
    await this.#lifecycle.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
