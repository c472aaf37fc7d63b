import type { Environment } from '../environment.ts';
import { QueueFullError, ScheduleNotFoundError, StorageError } from '../errors.ts';
import type { DocumentPut, TaskDraft } from '../storage/storage.ts';
import { bind, unbind } from './bindings.ts';
import { maybeUnderWay, nowUnderWay } from './overlap.ts';
import type { ScheduledTasks } from './scheduled-tasks.ts';
import type { SettingsReader } from './settings.ts';
import { parseKey } from './spec.ts';
import {
  type Found,
  SCHEDULE,
  type ScheduleSettings,
  type StoredRule,
  type StoredSchedule,
  toFound,
  toPut,
} from './stored-schedule.ts';
import { timelineOf } from './timeline.ts';

/** Somebody else changed it so often in between that something must be wrong. */
const TRIES = 100;
/** Longer than any write can be under way. */
const REMEMBERED_MS = 3_600_000;

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
  async create(key: string, settings: ScheduleSettings, declared: boolean, paused = false): Promise<Found | null> {
    const made = await this.prepare(key, settings, declared, paused);
    if (made === null) return null;
    const { value, ifVersion, dueAt = null } = made.put;
    const version = await this.#environment.storage.putDocument(SCHEDULE, key, value, { ifVersion, dueAt });
    return version === null ? null : { key, version, schedule: made.schedule };
  }

  /** One that is to be stored by whoever asks. @returns null where there is one already. @throws {StorageError} */
  async prepare(
    key: string,
    settings: ScheduleSettings,
    declared: boolean,
    paused = false,
  ): Promise<{ readonly schedule: StoredSchedule; readonly put: DocumentPut } | null> {
    const { clock, storage } = this.#environment;
    const now = clock.now();
    const schedule: StoredSchedule = {
      ...settings,
      handlerDefaults: this.#settings.defaultsOf(settings.handler),
      declared,
      createdAt: now,
      updatedAt: now,
      pausedAt: paused ? now : null,
      nextTick: (await timelineOf(settings.rule))(now),
      lastTick: null,
      lastTaskId: null,
      underWay: [],
      runs: 0,
    };
    await bind(storage, settings.rule.on, key);
    const before = await storage.document(SCHEDULE, key);
    if (before !== null && toFound(before) !== null) return null;
    return { schedule, put: toPut(key, schedule, before?.version ?? 0) };
  }

  /** Gives it other settings: where the rule is the same it goes on, else it begins anew. @throws {ScheduleNotFoundError} */
  async replace(key: string, settings: ScheduleSettings, declared: boolean): Promise<Found> {
    const { storage } = this.#environment;
    const before = (await this.get(key)).schedule.rule.on;
    if (before !== settings.rule.on) await bind(storage, settings.rule.on, key);
    const found = await this.change(key, async (schedule, now) => {
      const same = isSameRule(schedule.rule, settings.rule);
      const rule = same ? schedule.rule : settings.rule;
      const changed: StoredSchedule = {
        ...schedule,
        ...settings,
        rule,
        handlerDefaults: this.#settings.defaultsOf(settings.handler),
        declared,
        updatedAt: now,
      };
      const goesOn = same && schedule.nextTick !== null && hasRunsLeft(changed);
      return goesOn ? changed : { ...changed, nextTick: await nextTick(changed, now) };
    });
    if (before !== settings.rule.on) await unbind(storage, before, key);
    return found;
  }

  /**
   * @param edit gives the schedule as it shall be; the same object: nothing is written
   * @param draftOf a task that is made in the same write
   * @throws {ScheduleNotFoundError} @throws {QueueFullError} @throws {StorageError}
   */
  async change(
    key: string,
    edit: (schedule: StoredSchedule, now: number) => StoredSchedule | Promise<StoredSchedule>,
    draftOf?: (found: Found) => TaskDraft,
  ): Promise<Found> {
    const { clock, settings } = this.#environment;
    for (let tries = 0; tries < TRIES; tries++) {
      const found = await this.get(key);
      const edited = await edit(found.schedule, clock.now());
      const draft = draftOf?.(found);
      if (draft === undefined && edited === found.schedule) return found;
      const schedule = draft === undefined ? edited : withTask(edited, draft.record.id);
      const answer = await this.#tasks.store([{ found, schedule, drafts: draft === undefined ? [] : [draft] }]);
      if (answer === 'stored') return { key, version: found.version + 1, schedule };
      if (answer === 'full') throw new QueueFullError(settings.maxQueued);
    }
    throw new StorageError(`Schedule ${key} changed ${TRIES} times while it was to be changed.`);
  }

  /** @throws {ScheduleNotFoundError} @throws {StorageError} */
  async delete(key: string): Promise<void> {
    const { storage, clock } = this.#environment;
    for (let version: number | null = null; version === null; ) {
      const found = await this.get(key);
      // Nothing is left, but for a while its version goes on: else a tick of the old one could fit a new one of its key.
      const options = { ifVersion: found.version, expiresAt: clock.now() + REMEMBERED_MS };
      version = await storage.putDocument(SCHEDULE, key, null, options);
      if (version !== null) await unbind(storage, found.schedule.rule.on, key);
    }
  }
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

function hasRunsLeft({ maxRuns, runs }: StoredSchedule): boolean {
  return maxRuns === null || runs < maxRuns;
}
