import { checkBag, checkKeys } from './bag.ts';
import { OptionError } from './errors.ts';
import type { AnyTask, Optional, Retention } from './handler/define.ts';
import type { OnOrphan } from './schedule/reconcile.ts';
import type { DeclaredSchedule } from './schedule/spec.ts';
import { MemoryStorage } from './storage/memory/memory-storage.ts';
import type { LogLimit, TaskStorage } from './storage/storage.ts';
import { FINAL_STATUSES, type FinalStatus } from './task/status.ts';
import { type Clock, systemClock } from './time/clock.ts';
import { type Duration, parseDuration } from './time/duration.ts';

/** What a `TaskManager` is made with. */
export type TaskManagerOptions<Handlers extends readonly AnyTask[] = readonly AnyTask[]> = Optional<{
  /** Default: a new `MemoryStorage`. */
  storage: TaskStorage;
  /** Registered at once; they also type events and lists. */
  handlers: Handlers;
  /**
   * Schedules that stand in the code: at `start` those of the storage are made so, by key. Default: none do, and nothing is
   * compared.
   */
  schedules: readonly DeclaredSchedule[];
  /** What becomes of a schedule that stood in the code, and does so no more: `report` (the default) is a `warning`. */
  onOrphan: OnOrphan;
  /** Handlers running at once in this process; integer from 1, default 10. */
  concurrency: number;
  /**
   * How long a silent process keeps its tasks; at least 1 s, default 30 s. Renewed at a third of it. A process that is silent
   * for longer loses them, so a handler must not block the event loop that long.
   */
  lease: Duration;
  /** How often lost, due and expired tasks are looked for; default 5 s. */
  sweep: Duration;
  /** From a cancel, timeout or shutdown to a settled record when the handler ignores its signal; default 10 s. */
  cancelGrace: Duration;
  /** Lost runs (the process died) that are run again; one more fails the task with code `lost`; 0: never again. Default 3. */
  maxLost: number;
  /** Snoozes a task may ask for; one more fails it with code `snoozed_too_often`. Default 1,000. */
  maxSnoozes: number;
  /**
   * Handlers that run on after their record was settled; at it nothing more is claimed, and a `warning` says so. Default:
   * `concurrency`.
   */
  maxLeaks: number;
  /** Progress is stored and told at most this often; the first, the last and each new `message` always. Default 100 ms. */
  progressInterval: Duration;
  /** Log lines kept of a task, and the bytes of their text; the oldest go. Default 1,000 lines, 65,536 bytes. */
  logLimit: Optional<LogLimit>;
  /** Bytes of JSON text; default 1 MiB. */
  maxInputBytes: number;
  /** Bytes of JSON text; default 1 MiB. A larger result fails the task with code `payload_too_large`. */
  maxResultBytes: number;
  /** Unfinished tasks in the storage; above it `submit` throws `QueueFullError`. Default Infinity. */
  maxQueued: number;
  /** Of final tasks, archived ones included; default `{ age: '90d', count: 1_000_000 }`. */
  retention: Retention;
  /** How long an idempotency key answers; default 24 h. */
  idempotencyTtl: Duration;
  /** Letters, digits and `_`, up to 40; default `task_`. */
  idPrefix: string;
  /** The seam for time; default: the machine's. `tasklane/testing` has one that is moved by hand. */
  clock: Clock;
  /** For tests: `submit` resolves once the task, if it can run now, has run. Default false. */
  inline: boolean;
}>;

/** How long final tasks are kept, in ms by status (Infinity: for good), and how many. */
export interface RetentionSettings {
  readonly ageMs: Readonly<Record<FinalStatus, number>>;
  readonly count: number;
}

/** The options with their defaults, checked; durations in ms. */
export interface Settings {
  readonly storage: TaskStorage;
  readonly clock: Clock;
  readonly inline: boolean;
  /** Null: none were given. */
  readonly schedules: readonly DeclaredSchedule[] | null;
  readonly onOrphan: OnOrphan;
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly sweepMs: number;
  readonly cancelGraceMs: number;
  readonly maxLost: number;
  readonly maxSnoozes: number;
  /** Null: as many as `concurrency`, also when that changes. */
  readonly maxLeaks: number | null;
  readonly progressMs: number;
  readonly logLimit: LogLimit;
  readonly maxInputBytes: number;
  readonly maxResultBytes: number;
  readonly maxQueued: number;
  readonly retention: RetentionSettings;
  readonly idempotencyMs: number;
  readonly idPrefix: string;
}

/** The name of every option: the compiler holds this to the type. */
export const OPTIONS: readonly string[] = Object.keys({
  storage: true,
  handlers: true,
  schedules: true,
  onOrphan: true,
  concurrency: true,
  lease: true,
  sweep: true,
  cancelGrace: true,
  maxLost: true,
  maxSnoozes: true,
  maxLeaks: true,
  progressInterval: true,
  logLimit: true,
  maxInputBytes: true,
  maxResultBytes: true,
  maxQueued: true,
  retention: true,
  idempotencyTtl: true,
  idPrefix: true,
  clock: true,
  inline: true,
} satisfies Record<keyof TaskManagerOptions, true>);

const ON_ORPHAN: readonly OnOrphan[] = ['report', 'pause', 'delete'];
const MIB = 1_048_576;
const DAY_MS = 86_400_000;

/** @throws {OptionError} that names the option, what came and what is allowed */
export function parseOptions(options: TaskManagerOptions = {}): Settings {
  checkKeys('options', options, OPTIONS);
  const { storage = new MemoryStorage(), handlers = [], clock = systemClock, inline = false } = options;
  if (typeof storage?.insert !== 'function') {
    throw new OptionError('storage', 'a storage, such as `new MemoryStorage()`', storage);
  }
  if (!Array.isArray(handlers)) throw new OptionError('handlers', 'a list of definitions', handlers);
  if (typeof clock?.after !== 'function') throw new OptionError('clock', 'a clock, such as `fakeClock()`', clock);
  if (typeof inline !== 'boolean') throw new OptionError('inline', 'true or false', inline);
  const { schedules = null, onOrphan = 'report' } = options;
  if (schedules !== null && !Array.isArray(schedules)) throw new OptionError('schedules', 'a list', schedules);
  if (!ON_ORPHAN.includes(onOrphan)) throw new OptionError('onOrphan', "'report', 'pause' or 'delete'", onOrphan);
  const idPrefix = options.idPrefix ?? 'task_';
  if (typeof idPrefix !== 'string' || !/^[A-Za-z0-9_]{0,40}$/.test(idPrefix)) {
    throw new OptionError('idPrefix', 'letters, digits and _, up to 40', idPrefix);
  }
  return {
    storage,
    clock,
    inline,
    schedules,
    onOrphan,
    concurrency: integer('concurrency', options.concurrency ?? 10, 1),
    leaseMs: parseDuration('lease', options.lease ?? '30s', 1_000),
    sweepMs: parseDuration('sweep', options.sweep ?? '5s', 10),
    cancelGraceMs: parseDuration('cancelGrace', options.cancelGrace ?? '10s'),
    maxLost: integer('maxLost', options.maxLost ?? 3, 0),
    maxSnoozes: integer('maxSnoozes', options.maxSnoozes ?? 1_000, 0),
    maxLeaks: options.maxLeaks === undefined ? null : integer('maxLeaks', options.maxLeaks, 1),
    progressMs: parseDuration('progressInterval', options.progressInterval ?? '100ms', 1),
    logLimit: parseLogLimit(options.logLimit),
    maxInputBytes: integer('maxInputBytes', options.maxInputBytes ?? MIB, 1),
    maxResultBytes: integer('maxResultBytes', options.maxResultBytes ?? MIB, 1),
    maxQueued: unbounded('maxQueued', options.maxQueued ?? Infinity, 1),
    retention: parseRetention('retention', options.retention ?? {}, DEFAULT_RETENTION),
    idempotencyMs: parseDuration('idempotencyTtl', options.idempotencyTtl ?? '24h', 1),
    idPrefix,
  };
}

function parseLogLimit(limit: Optional<LogLimit> | undefined): LogLimit {
  const { lines = 1_000, bytes = 65_536 } = checkBag('logLimit', limit, { lines: null, bytes: null }) ?? {};
  return { lines: integer('logLimit.lines', lines, 0), bytes: integer('logLimit.bytes', bytes, 0) };
}

const DEFAULT_RETENTION: RetentionSettings = {
  ageMs: { succeeded: 90 * DAY_MS, failed: 90 * DAY_MS, cancelled: 90 * DAY_MS },
  count: 1_000_000,
};

/** @param otherwise what holds where nothing is said */
export function parseRetention(option: string, retention: Retention, otherwise: RetentionSettings): RetentionSettings {
  if (retention === false) {
    return { ageMs: { succeeded: Infinity, failed: Infinity, cancelled: Infinity }, count: Infinity };
  }
  if (retention === null || typeof retention !== 'object')
    throw new OptionError(option, "false or an object, such as { age: '30d' }", retention);
  checkKeys(option, retention, ['age', 'count', ...FINAL_STATUSES]);
  const age = (status: FinalStatus): number => {
    const key = retention[status] === undefined ? 'age' : status;
    const value = retention[key];
    if (value === undefined) return otherwise.ageMs[status];
    return value === false ? Infinity : parseDuration(`${option}.${key}`, value);
  };
  const { count = otherwise.count } = retention;
  return {
    ageMs: { succeeded: age('succeeded'), failed: age('failed'), cancelled: age('cancelled') },
    count: unbounded(`${option}.count`, count, 0),
  };
}

/** An integer, or Infinity. */
function unbounded(option: string, value: unknown, min: number): number {
  return value === Infinity ? Infinity : integer(option, value, min);
}

/** @throws {OptionError} unless it is an integer within the bounds */
export function integer(option: string, value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  const bounds = max === Number.MAX_SAFE_INTEGER ? `an integer from ${min}` : `an integer from ${min} to ${max}`;
  throw new OptionError(option, bounds, value);
}
