import { checkBag, checkKeys } from './bag.ts';
import type { Environment } from './environment.ts';
import {
  OptionError,
  RelatedTasksError,
  ScheduleExistsError,
  TaskNotFoundError,
  TransitionError,
  UniqueConflictError,
  VersionConflictError,
} from './errors.ts';
import type { Relations, Sees } from './flow/relations.ts';
import type { Optional } from './handler/define.ts';
import { parsePriority } from './handler/registry.ts';
import type { Lifecycle } from './lifecycle.ts';
import { integer } from './options.ts';
import type { Runner } from './run/runner.ts';
import type { Change, DocumentPut } from './storage/storage.ts';
import { MAX_DESCRIPTION, parseTags, parseTime } from './submit/options.ts';
import { toErrorInfo } from './task/failure.ts';
import { toJson } from './task/json.ts';
import type { Tag, TaskRecord } from './task/record.ts';
import { isFinal, TRANSITIONS } from './task/status.ts';
import { MAX_TEXT, parseText } from './task/text.ts';
import {
  archive,
  cancel,
  changeNothing,
  complete,
  failFromOutside,
  restart,
  runNow,
  type Settable,
  type Steps,
  update,
} from './task/transition.ts';
import type { Announcer } from './watch/announcer.ts';
import { awaitFinal } from './watch/await-result.ts';
import type { Watchers } from './watch/watchers.ts';

/** What `update` may change; merged (RFC 7396). `runAt` null holds a task that has not started. */
export type TaskPatch = Optional<{
  priority: number;
  runAt: Date | number | null;
  tags: Readonly<Record<string, Tag | null>>;
  description: string | null;
  entityId: string | null;
  metadata: unknown;
}>;

/** `related`: its children and what depends on it too, and theirs. `cancel`: first, what has not ended. `purge`: for good, not to the archive. */
export type DeleteOptions = Optional<{ related: boolean; cancel: boolean; purge: boolean }>;

const MAX_REASON = 1_000;
const PATCH_KEYS = ['priority', 'runAt', 'tags', 'description', 'entityId', 'metadata'];

/** Changes tasks from outside: each call is one atomic transition, and a running attempt is told. */
export class Controls {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #lifecycle: Lifecycle;
  readonly #runner: Runner;
  readonly #watchers: Watchers;
  readonly #relations: Relations;

  constructor(
    environment: Environment,
    announcer: Announcer,
    lifecycle: Lifecycle,
    runner: Runner,
    watchers: Watchers,
    relations: Relations,
  ) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.#lifecycle = lifecycle;
    this.#runner = runner;
    this.#watchers = watchers;
    this.#relations = relations;
  }

  async cancel(id: string, reason?: string): Promise<TaskRecord> {
    const text = parseText('reason', reason, MAX_REASON, 0);
    return this.#change(id, 'a cancel', cancel(text, this.#environment.clock.now()), {
      descendants: true,
    });
  }

  /** The same for what nobody asked about: it may have ended, or be gone. */
  async cancelIfThere(id: string): Promise<void> {
    try {
      await this.cancel(id, 'superseded');
    } catch (error) {
      const ended = error instanceof TransitionError || error instanceof TaskNotFoundError;
      if (!ended) throw error;
    }
  }

  async restart(id: string): Promise<TaskRecord> {
    return this.#change(id, 'a restart', restart());
  }

  async runNow(id: string): Promise<TaskRecord> {
    return this.#change(id, 'to run it now', runNow());
  }

  async complete(id: string, result: unknown): Promise<TaskRecord> {
    const { maxResultBytes } = this.#environment.settings;
    const steps = complete(toJson(result ?? null, 'result', maxResultBytes));
    await this.#runner.tellStart(id);
    return this.#change(id, 'to complete it', steps);
  }

  async fail(id: string, error: unknown): Promise<TaskRecord> {
    await this.#runner.tellStart(id);
    return this.#change(id, 'to fail it', failFromOutside(toErrorInfo(error)));
  }

  async update(id: string, patch: TaskPatch, options?: Optional<{ ifVersion: number }>): Promise<TaskRecord> {
    const asked = checkBag('options', options, { ifVersion: null })?.ifVersion;
    const ifVersion = asked === undefined ? undefined : integer('ifVersion', asked, 1);
    const { set, tags, metadata } = this.#parsePatch(patch);
    if (Object.keys(set).length === 0 && tags === undefined && metadata === undefined) {
      return this.#change(id, 'this update', changeNothing(), { ifVersion });
    }
    const now = this.#environment.clock.now();
    const updated = await this.#change(id, 'this update', update(set, now), { tags, metadata, ifVersion });
    if (typeof set.runAt === 'number' && set.runAt < now) {
      const message = `The \`runAt\` that task ${id} was given has passed; it runs at once.`;
      this.#environment.events.warn('run_at_past', message, updated);
    }
    return updated;
  }

  /**
   * @param sees related tasks that it denies are as if they were not there; it may throw
   * @param put takes the place of a task that goes to the archive alone, in the same write
   */
  async delete(id: string, options: DeleteOptions, sees: Sees = () => true, put?: DocumentPut): Promise<void> {
    if (typeof id !== 'string') throw new OptionError('id', 'text', id);
    checkBag('options', options, { related: 'boolean', cancel: 'boolean', purge: 'boolean' });
    await this.#lifecycle.open();
    const task = await this.#find(id, options.purge === true);
    const related: Pick<TaskRecord, 'id' | 'status'>[] = [];
    for await (const { id: below, status } of this.#relations.walkBelow(task, sees))
      related.push({ id: below, status });
    if (related.length > 0 && !options.related) {
      throw new RelatedTasksError(
        id,
        'has related tasks, which `related: true` takes along',
        related.map((child) => child.id),
      );
    }
    const all = [{ id, status: task.status }, ...related];
    const unfinished = all.filter(({ status }) => !isFinal(status));
    if (unfinished.length > 0 && !options.cancel) {
      throw new RelatedTasksError(
        id,
        'cannot be deleted before these have ended, unless with `cancel: true`',
        unfinished.map((one) => one.id),
      );
    }
    if (!isFinal(task.status)) await this.#cancelToEnd(id); // takes what is below it along
    await Promise.all(unfinished.map((one) => (one.id === id ? undefined : this.#cancelToEnd(one.id))));
    const { storage, clock } = this.#environment;
    const ids = all.map((one) => one.id);
    if (options.purge) await storage.remove(ids);
    else if (put !== undefined) await this.#change(id, 'to replace it', archive(clock.now()), { put });
    else await Promise.all(ids.map((one) => this.#changeOrSkip(one, archive(clock.now()))));
  }

  async pause(handler: string | undefined): Promise<void> {
    if (handler !== undefined) this.#environment.registry.get(handler);
    await this.#lifecycle.open();
    await this.#runner.pauses.pause(handler);
    this.#runner.reconsider();
  }

  async resume(handler: string | undefined): Promise<void> {
    if (handler !== undefined) this.#environment.registry.get(handler);
    await this.#lifecycle.open();
    await this.#runner.pauses.resume(handler);
    this.#runner.reconsider();
  }

  /** Of one handler, or of this manager. */
  setConcurrency(handlerOrLimit: string | number, limit?: number): void {
    if (typeof handlerOrLimit === 'string') {
      this.#environment.registry.get(handlerOrLimit).concurrency = integer('limit', limit, 1);
    } else {
      this.#runner.concurrency = integer('limit', handlerOrLimit, 1);
    }
    this.#runner.reconsider();
  }

  async #change(id: string, action: string, steps: Steps, more: Partial<Change> = {}): Promise<TaskRecord> {
    if (typeof id !== 'string') throw new OptionError('id', 'text', id);
    await this.#lifecycle.open();
    const [answer] = await this.#environment.storage.change([{ ...more, taskId: id, steps }], {
      followed: this.#announcer.wanted,
    });
    if (answer === undefined) throw new TaskNotFoundError(id);
    if ('refused' in answer) {
      switch (answer.refused) {
        case 'missing':
          throw new TaskNotFoundError(id);
        case 'version':
          throw new VersionConflictError(id, more.ifVersion ?? 0, answer.record.version);
        case 'unique':
          throw new UniqueConflictError((await this.#find(id)).uniqueKey ?? '', answer.taskId);
        case 'document':
          throw new ScheduleExistsError(more.put?.key ?? '');
        default:
          throw new TransitionError(id, action, answer.record.status, TRANSITIONS[answer.record.status]);
      }
    }
    const { record, from } = answer;
    if (answer.changed) {
      const step = steps[from];
      this.#announcer.changed(record, step?.reason ?? 'updated');
      if (step?.reason === 'updated' && from === 'scheduled' && record.status === 'queued') {
        this.#announcer.changed(record, 'due');
      }
      this.#runner.noticed(record);
      if (record.status === 'queued') this.#runner.wake(record.priority);
    }
    this.#runner.followed(answer);
    return record;
  }

  async #changeOrSkip(id: string, steps: Steps): Promise<void> {
    try {
      await this.#change(id, 'to delete it', steps);
    } catch (error) {
      if (!(error instanceof TaskNotFoundError)) throw error; // deleted meanwhile
    }
  }

  /** Cancels, and waits for the end of what runs. */
  async #cancelToEnd(id: string): Promise<void> {
    try {
      const task = await this.cancel(id, 'deleted');
      if (!isFinal(task.status)) await awaitFinal(this.#environment.storage, this.#watchers, id, undefined);
    } catch (error) {
      const ended = error instanceof TransitionError || error instanceof TaskNotFoundError;
      if (!ended) throw error;
    }
  }

  async #find(id: string, archived = false): Promise<TaskRecord> {
    const [task] = await this.#environment.storage.get([id], { archived });
    if (task === undefined || task === null) throw new TaskNotFoundError(id);
    return task;
  }

  #parsePatch(patch: TaskPatch): { set: Settable } & Pick<Change, 'tags' | 'metadata'> {
    checkKeys('patch', patch, PATCH_KEYS);
    const { priority, runAt, tags, description, entityId, metadata } = patch;
    const set: { -readonly [K in keyof Settable]: Settable[K] } = {};
    if (priority !== undefined) set.priority = parsePriority('priority', priority);
    if (runAt !== undefined) set.runAt = runAt === null ? null : parseTime('runAt', runAt);
    if (description !== undefined) {
      set.description = description === null ? null : parseText('description', description, MAX_DESCRIPTION, 0);
    }
    if (entityId !== undefined) set.entityId = entityId === null ? null : parseText('entityId', entityId, MAX_TEXT);
    const { maxInputBytes } = this.#environment.settings;
    return {
      set,
      tags: tags === undefined ? undefined : parseTags<Tag | null>(tags, true),
      metadata: metadata === undefined ? undefined : toJson(metadata, 'metadata', maxInputBytes),
    };
  }
}
