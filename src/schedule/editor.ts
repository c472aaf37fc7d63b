import { checkBag } from '../bag.ts';
import type { Environment } from '../environment.ts';
import { QueueFullError, ScheduleNotFoundError, StorageError, VersionConflictError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { integer } from '../options.ts';
import type { DocumentPut, TaskDraft } from '../storage/storage.ts';
import { bind, unbind } from './bindings.ts';
import { maybeUnderWay, nowUnderWay } from './overlap.ts';
import type { Move, ScheduledTasks } from './scheduled-tasks.ts';
import type { ReadSettings, SettingsReader } from './settings.ts';
import { parseKey } from './spec.ts';
import { type Found, SCHEDULE, type StoredRule, type StoredSchedule, toFound, toPut } from './stored-schedule.ts';
import { timelineOf } from './timeline.ts';

/** Somebody else changed it so often in between that something must be wrong. */
const TRIES = 100;
/** Longer than any write can be under way. */
const REMEMBERED_MS = 3_600_000;

/** `ifVersion`: only while the record's `version` is this one. */
export type ChangeOptions = Optional<{ ifVersion: number }>;

/** Reads and changes stored schedules; a tick that comes in between is never lost. */
export class ScheduleEditor {
  readonly #environment: Environment;
  readonly #tasks: ScheduledTasks;
  readonly #settings: SettingsReader;

  constructor(environment: Environment, tasks: ScheduledTasks, settings: SettingsReader) {
    this.#environment = environment;
    this.#tasks = tasks;
    this.#settings = settings;
  }

  /** @throws {OptionError} @throws {StorageError} */
  async find(key: string): Promise<Found | null> {
    const document = await this.#environment.storage.document(SCHEDULE, parseKey(key));
    return document && toFound(document);
  }

  /** @throws {ScheduleNotFoundError} @throws {OptionError} @throws {StorageError} */
  async get(key: string): Promise<Found> {
    const found = await this.find(key);
    if (found === null) throw new ScheduleNotFoundError(key);
    return found;
  }

  /** @returns null where there is one already. @throws {StorageError} */
  async create(key: string, read: ReadSettings, declared: boolean, paused = false): Promise<Found | null> {
    const made = await this.prepare(key, read, declared, paused);
    if (made === null) return null;
    const { value, ifVersion, dueAt = null } = made.put;
    const version = await this.#environment.storage.putDocument(SCHEDULE, key, value, { ifVersion, dueAt });
    return version === null ? null : { key, version, schedule: made.schedule };
  }

  /** One that is to be stored by whoever asks. @returns null where there is one already. @throws {StorageError} */
  async prepare(
    key: string,
    { settings, readAt }: ReadSettings,
    declared: boolean,
    paused = false,
  ): Promise<{ readonly schedule: StoredSchedule; readonly put: DocumentPut } | null> {
    const { storage } = this.#environment;
    await bind(storage, settings.rule.on, key);
    const before = await storage.document(SCHEDULE, key);
    if (before !== null && toFound(before) !== null) return null;
    const version = before?.version ?? 0;
    const schedule: StoredSchedule = {
      ...settings,
      handlerDefaults: this.#settings.defaultsOf(settings.handler),
      declared,
      createdAt: readAt,
      updatedAt: readAt,
      settingsVersion: version + 1,
      pausedAt: paused ? readAt : null,
      orphaned: false,
      nextTick: (await timelineOf(settings.rule))(readAt),
      lastTick: null,
      lastTaskId: null,
      underWay: [],
      runs: 0,
    };
    return { schedule, put: toPut(key, schedule, version) };
  }

  /**
   * Gives it other settings: where the rule is the same it goes on, else it begins anew.
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError}
   */
  async replace(
    key: string,
    { settings, readAt }: ReadSettings,
    declared: boolean,
    options?: ChangeOptions,
  ): Promise<Found> {
    const { storage } = this.#environment;
    const before = (await this.get(key)).schedule.rule.on;
    if (before !== settings.rule.on) await bind(storage, settings.rule.on, key);
    const found = await this.change(
      key,
      async (schedule) => {
        const same = isSameRule(schedule.rule, settings.rule);
        const rule = same ? schedule.rule : settings.rule;
        const changed: StoredSchedule = {
          ...schedule,
          ...settings,
          rule,
          handlerDefaults: this.#settings.defaultsOf(settings.handler),
          declared,
          updatedAt: readAt,
        };
        const goesOn = same && schedule.nextTick !== null && hasRunsLeft(changed);
        return goesOn ? changed : { ...changed, nextTick: await nextTick(changed, readAt) };
      },
      options,
    );
    if (before !== settings.rule.on) await unbind(storage, before, key);
    return found;
  }

  /**
   * @param edit gives the schedule as it shall be; the same object: nothing is written
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError} @throws {StorageError}
   */
  change(
    key: string,
    edit: (schedule: StoredSchedule, now: number) => StoredSchedule | Promise<StoredSchedule>,
    options?: ChangeOptions,
  ): Promise<Found> {
    const ifVersion = ifVersionOf(options);
    return this.#move(key, async (found) => {
      requireVersion(found, ifVersion);
      const edited = await edit(found.schedule, this.#environment.clock.now());
      if (edited === found.schedule) return null;
      return { found, schedule: { ...edited, settingsVersion: found.version + 1 }, drafts: [] };
    });
  }

  /**
   * No tick makes a task until `resume`; once more: nothing is written.
   * @param orphaned until it is in the code again, or is resumed
   * @param fits looks at what is to be paused
   * @throws as `change`
   */
  pause(
    key: string,
    options?: ChangeOptions,
    { orphaned = false, fits = () => true }: { orphaned?: boolean; fits?: (schedule: StoredSchedule) => boolean } = {},
  ): Promise<Found> {
    const edit = (schedule: StoredSchedule, now: number): StoredSchedule => {
      const isPaused = schedule.pausedAt !== null && (orphaned || !schedule.orphaned);
      if (!fits(schedule) || isPaused) return schedule;
      return { ...schedule, pausedAt: schedule.pausedAt ?? now, orphaned, updatedAt: now };
    };
    return this.change(key, edit, options);
  }

  /** Goes on with the next tick: those that came meanwhile were not missed. @throws as `change` */
  resume(key: string, options?: ChangeOptions): Promise<Found> {
    const edit = async (schedule: StoredSchedule, now: number): Promise<StoredSchedule> => {
      if (schedule.pausedAt === null) return schedule;
      const next = await nextTick(schedule, now);
      return { ...schedule, pausedAt: null, orphaned: false, updatedAt: now, nextTick: next };
    };
    return this.change(key, edit, options);
  }

  /**
   * Makes a task at once.
   * @param draftOf the task
   * @throws {ScheduleNotFoundError} @throws {QueueFullError} @throws {StorageError}
   */
  trigger(key: string, draftOf: (found: Found) => TaskDraft): Promise<Found> {
    return this.#move(key, async (found) => {
      const draft = draftOf(found);
      return { found, schedule: withTask(found.schedule, draft.record.id), drafts: [draft] };
    });
  }

  /** @param moveOf null: nothing is to be written. */
  async #move(key: string, moveOf: (found: Found) => Promise<Move | null>): Promise<Found> {
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await this.get(key);
      const move = await moveOf(found);
      if (move === null) return found;
      const answer = await this.#tasks.store([move]);
      if (answer === 'stored') return { key, version: found.version + 1, schedule: move.schedule };
      if (answer === 'full') throw new QueueFullError(this.#environment.settings.maxQueued);
    }
    throw new StorageError(`Schedule ${key} changed ${TRIES} times while it was to be changed.`);
  }

  /** @throws {ScheduleNotFoundError} @throws {VersionConflictError} @throws {StorageError} */
  async delete(key: string, options?: ChangeOptions): Promise<void> {
    const { storage, clock } = this.#environment;
    const ifVersion = ifVersionOf(options);
    for (let version: number | null = null; version === null; ) {
      const found = await this.get(key);
      requireVersion(found, ifVersion);
      // Nothing is left, but for a while its version goes on: else a tick of the old one could fit a new one of its key.
      const put = { ifVersion: found.version, expiresAt: clock.now() + REMEMBERED_MS };
      version = await storage.putDocument(SCHEDULE, key, null, put);
      if (version !== null) await unbind(storage, found.schedule.rule.on, key);
    }
  }
}

/** @throws {OptionError} */
function ifVersionOf(options: ChangeOptions | undefined): number | null {
  const asked = checkBag('options', options, { ifVersion: null })?.ifVersion;
  return asked === undefined ? null : integer('ifVersion', asked, 1);
}

/** @throws {VersionConflictError} */
function requireVersion({ key, schedule: { settingsVersion } }: Found, ifVersion: number | null): void {
  if (ifVersion === null || ifVersion === settingsVersion) return;
  throw new VersionConflictError(key, ifVersion, settingsVersion, 'Schedule');
}

/** The first tick that is to come; one that was dealt with does not come again, also where the clock was put back. */
export async function nextTick(schedule: StoredSchedule, now: number): Promise<number | null> {
  if (!hasRunsLeft(schedule)) return null;
  return (await timelineOf(schedule.rule))(Math.max(now, schedule.lastTick ?? 0));
}

/** Whether two rules say the same, whenever they began to. */
export function isSameRule(one: StoredRule, other: StoredRule): boolean {
  return JSON.stringify({ ...one, anchor: 0 }) === JSON.stringify({ ...other, anchor: 0 });
}

function withTask(schedule: StoredSchedule, id: string): StoredSchedule {
  const underWay = nowUnderWay(schedule.overlap, [...maybeUnderWay(schedule), id]);
  return { ...schedule, lastTaskId: id, underWay };
}

/** Whether `maxRuns` lets another tick make a task. */
export function hasRunsLeft({ maxRuns, runs }: StoredSchedule): boolean {
  return maxRuns === null || runs < maxRuns;
}
