import { OptionError } from '../errors.ts';
import { Handle, type HandleHost, type TaskHandle } from '../handle.ts';
import type { AnyTask, Optional } from '../handler/define.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { createSchedule } from './create.ts';
import type { ChangeOptions } from './editor.ts';
import { listSchedules, type ScheduleFilter, type SchedulePage, type ScheduleQuery } from './list.ts';
import { pauseAll } from './pause-all.ts';
import { type PreviewSpec, previewRule, previewStored } from './preview.ts';
import type { Scheduling } from './scheduling.ts';
import type { DeclaredSchedule, ScheduleSpec } from './spec.ts';
import { type ScheduleRecord, toScheduleRecord } from './stored-schedule.ts';

/** What recurs, in the storage: each schedule makes a task for each of its ticks, whichever processes are up. */
export class Schedules<Tasks extends AnyTask = AnyTask> {
  readonly #scheduling: Scheduling;
  readonly #lifecycle: Lifecycle;
  readonly #handles: HandleHost;

  /** Each manager makes its own, `manager.schedules`. */
  constructor(scheduling: Scheduling, lifecycle: Lifecycle, handles: HandleHost) {
    this.#scheduling = scheduling;
    this.#lifecycle = lifecycle;
    this.#handles = handles;
  }

  /**
   * Makes a schedule, durably where the storage is durable; works before `start`, too.
   * @throws {ScheduleExistsError} @throws {OptionError} @throws {InputInvalidError} @throws {UnknownHandlerError}
   * @throws {PayloadTooLargeError} @throws {ManagerClosedError} @throws {StorageError}
   */
  async create<T extends AnyTask | Tasks['name']>(spec: ScheduleSpec<Tasks, T>): Promise<ScheduleRecord> {
    return createSchedule(this.#scheduling, this.#lifecycle, spec as DeclaredSchedule, false);
  }

  /** Null: there is none. @throws {OptionError} @throws {StorageError} */
  async get(key: string): Promise<ScheduleRecord | null> {
    await this.#lifecycle.readable();
    const found = await this.#scheduling.editor.find(key);
    return found === null ? null : toScheduleRecord(found);
  }

  /** By key, in the order of bytes. @throws {OptionError} @throws {StorageError} */
  async list(query: ScheduleQuery = {}): Promise<SchedulePage> {
    await this.#lifecycle.readable();
    return listSchedules(this.#scheduling.environment.storage, query);
  }

  /**
   * Gives a schedule another rule, handler, input or options: what is left out has its default again. It stays paused, and
   * keeps its runs; where the rule is the same it goes on as it was, else it begins anew.
   * @param options `ifVersion`: only while the record's `version` is this one
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError} and as `create`
   */
  async replace<T extends AnyTask | Tasks['name']>(
    key: string,
    spec: Omit<ScheduleSpec<Tasks, T>, 'key'> & Optional<{ key: string }>,
    options?: ChangeOptions,
  ): Promise<ScheduleRecord> {
    if (spec?.key !== undefined && spec.key !== key) throw new OptionError('key', 'the same, or left out', spec.key);
    const read = await this.#scheduling.settings.read({ ...spec, key } as unknown as DeclaredSchedule);
    await this.#lifecycle.open();
    return toScheduleRecord(await this.#scheduling.editor.replace(key, read, false, options));
  }

  /** Its tasks stay. @throws {ScheduleNotFoundError} @throws {VersionConflictError} @throws {StorageError} */
  async delete(key: string, options?: ChangeOptions): Promise<void> {
    await this.#lifecycle.open();
    await this.#scheduling.editor.delete(key, options);
  }

  /**
   * No tick makes a task until `resume`; once more: no error.
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError} @throws {StorageError}
   */
  async pause(key: string, options?: ChangeOptions): Promise<ScheduleRecord> {
    await this.#lifecycle.open();
    return toScheduleRecord(await this.#scheduling.editor.pause(key, options));
  }

  /**
   * Goes on with the next tick: those that came meanwhile were not missed.
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError} @throws {StorageError}
   */
  async resume(key: string, options?: ChangeOptions): Promise<ScheduleRecord> {
    await this.#lifecycle.open();
    return toScheduleRecord(await this.#scheduling.editor.resume(key, options));
  }

  /**
   * Pauses all that match, such as `{ submittedBy }`: those of somebody who may no more.
   * @param filter as of `list`, but a key that is undefined is an error: it would match everything
   * @returns how many it paused
   * @throws {OptionError} @throws {StorageError}
   */
  async pauseAll(filter: ScheduleFilter): Promise<number> {
    await this.#lifecycle.open();
    return pauseAll(this.#scheduling, filter);
  }

  /**
   * Makes a task at once, beside those of its ticks, paused or not, and whatever `overlap` says. Its record's `tick` is null.
   * @throws {ScheduleNotFoundError} @throws {InputInvalidError} for one that waits for the payload of an event
   * @throws {QueueFullError} @throws {StorageError}
   */
  async trigger(key: string): Promise<TaskHandle<Tasks>> {
    const { editor, settings, tasks } = this.#scheduling;
    await this.#lifecycle.open();
    await settings.checkTrigger((await editor.get(key)).schedule);
    const { schedule } = await editor.trigger(key, (found) => tasks.draft(found, null));
    return new Handle(this.#handles, schedule.lastTaskId ?? '') as unknown as TaskHandle<Tasks>;
  }

  /**
   * The next ticks, as epoch ms, without making anything; jitter comes on top.
   * @param what a key: of the schedule, from the next one on, those of a paused one as if it went on now. Else a rule, or a whole
   * spec: after `from` (default: now), from which `every` counts where it has no `start`
   * @param count 1 to 1,000, default 10
   * @throws {OptionError} @throws {ScheduleNotFoundError} @throws {StorageError}
   */
  async preview(what: string | PreviewSpec, count?: number): Promise<readonly number[]> {
    const { environment, editor } = this.#scheduling;
    const now = environment.clock.now();
    if (typeof what !== 'string') return previewRule(what, count, now);
    await this.#lifecycle.readable();
    return previewStored((await editor.get(what)).schedule, count, now);
  }
}
