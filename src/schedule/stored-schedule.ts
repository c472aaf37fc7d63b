import type { DocumentPut, StoredDocument } from '../storage/storage.ts';
import type { JsonValue } from '../task/json.ts';
import type { Tag } from '../task/record.ts';

/** The kind of the documents that are schedules; their key is the schedule's. */
export const SCHEDULE = 'schedule';

/** What to do with a tick while the task of an earlier one has not ended. */
export type Overlap = 'allow' | 'skip' | 'queueOne' | 'queue' | 'cancelPrevious';

/** What to do with ticks that came while no process was up. */
export type Missed = 'skip' | 'once' | 'all';

/** When a schedule runs. Exactly one of `cron`, `rrule`, `every`, `times` and `on` is not null; times are epoch ms. */
export interface StoredRule {
  readonly cron: string | null;
  readonly rrule: string | null;
  /** In ms. */
  readonly every: number | null;
  readonly wallClock: boolean;
  readonly times: readonly number[] | null;
  readonly on: string | null;
  readonly timeZone: string;
  readonly start: number | null;
  readonly end: number | null;
  /** Where `every` counts from, and a recurrence rule that names no start. */
  readonly anchor: number;
}

/** What a schedule was told, checked; durations in ms, null: not given. */
export interface ScheduleSettings {
  readonly handler: string;
  readonly input: JsonValue;
  readonly rule: StoredRule;
  readonly jitter: number;
  readonly maxRuns: number | null;
  readonly overlap: Overlap;
  readonly missed: Missed;
  readonly missedMax: number;
  readonly missedWithin: number | null;
  readonly ownEvents: boolean;
  readonly priority: number | null;
  readonly startBy: number | null;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly description: string | null;
  readonly entityId: string | null;
  readonly submittedBy: string | null;
  readonly metadata: JsonValue;
}

/** A schedule as its document holds it; its `dueAt` is the moment of `nextTick`, jitter included. */
export interface StoredSchedule extends ScheduleSettings {
  /** Of the handler when it was last set: for a process that does not know the handler. */
  readonly handlerDefaults: {
    readonly priority: number;
    readonly maxAttempts: number;
    readonly maxLost: number;
    readonly showsChildren?: boolean;
  };
  /** It stands in the code of a process. */
  readonly declared: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Of the document, when its settings were last changed, or it was paused or resumed: so one of a deleted key is newer. */
  readonly settingsVersion: number;
  readonly pausedAt: number | null;
  /** It is paused because it left the code: it goes on when it is back. */
  readonly orphaned: boolean;
  readonly nextTick: number | null;
  /** The newest tick that was dealt with. */
  readonly lastTick: number | null;
  /** The newest task, triggered ones included. */
  readonly lastTaskId: string | null;
  /** Tasks that may not have ended, oldest first, where `overlap` cares. */
  readonly underWay: readonly string[];
  /** Tasks that ticks made. */
  readonly runs: number;
}

/** A schedule with its place in the storage. */
export interface Found {
  readonly key: string;
  readonly version: number;
  readonly schedule: StoredSchedule;
}

/** A schedule. Every key is always there; times are epoch ms, durations ms. */
export type ScheduleRecord = Readonly<
  Omit<StoredSchedule, 'rule' | 'handlerDefaults' | 'nextTick' | 'underWay' | 'settingsVersion' | 'orphaned'> &
    Omit<StoredRule, 'anchor'> & {
      key: string;
      /** When its next task will be made, jitter included; null: paused, over, or it waits for an event. */
      nextRunAt: number | null;
      /** Moves when its settings change, or it is paused or resumed; not with its ticks. */
      version: number;
    }
>;

/** What a document of the kind {@link SCHEDULE} holds; null where the schedule was deleted. */
export function toFound({ key, version, value }: StoredDocument): Found | null {
  return value === null ? null : { key, version, schedule: value as unknown as StoredSchedule };
}

/** Those that were not deleted. */
export function allFound(documents: readonly (StoredDocument | null)[]): readonly Found[] {
  return documents.map((document) => document && toFound(document)).filter((found) => found !== null);
}

/** A schedule as users see it. */
export function toScheduleRecord({ key, schedule }: Found): ScheduleRecord {
  const { rule, settingsVersion, ...own } = schedule;
  const { handlerDefaults: _defaults, nextTick: _next, underWay: _underWay, orphaned: _orphaned, ...rest } = own;
  const { anchor: _anchor, ...shown } = rule;
  return { key, ...rest, ...shown, nextRunAt: dueAtOf(key, schedule), version: settingsVersion };
}

/** The schedule as it shall be stored, in place of the version that was read. */
export function toPut(key: string, schedule: StoredSchedule, ifVersion: number): DocumentPut {
  const value = schedule as unknown as JsonValue;
  return { kind: SCHEDULE, key, value, ifVersion, dueAt: dueAtOf(key, schedule) };
}

/** When the next tick is to make its task; null: never, as things stand. */
export function dueAtOf(key: string, { nextTick, jitter, pausedAt }: StoredSchedule): number | null {
  return nextTick === null || pausedAt !== null ? null : nextTick + jitterOf(key, nextTick, jitter);
}

/** How much later than its tick a task is made: the same in every process, and spread evenly over keys and ticks. */
export function jitterOf(key: string, tick: number, jitter: number): number {
  if (jitter === 0) return 0;
  let hash = 0x811c9dc5; // FNV-1a
  for (const char of `${key} ${tick}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b); // its upper bits hardly know the last characters
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return Math.floor((((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32) * jitter);
}
