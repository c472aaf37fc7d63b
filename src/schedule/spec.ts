import { OptionError } from '../errors.ts';
import type { AnyTask, InputOf, Optional, Resolve } from '../handler/define.ts';
import { parseEvent } from '../handler/event-name.ts';
import { integer } from '../options.ts';
import { parseTime } from '../submit/options.ts';
import type { Tag } from '../task/record.ts';
import { parseText } from '../task/text.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import { zoneOfRrule } from './rrule.ts';
import type { Missed, Overlap, ScheduleSettings, StoredRule } from './stored-schedule.ts';
import { timelineOf } from './timeline.ts';
import { Zone } from './zone.ts';

/** When a schedule runs: exactly one of `cron`, `rrule`, `every`, `times` and `on`. Null counts as not given. */
export type ScheduleRule = {
  readonly [K in keyof Rule]?: Rule[K] | null | undefined;
};

interface Rule {
  /** Five fields, six with seconds in front, seven with a year behind; Quartz's form; `@daily` and its like. */
  readonly cron: string;
  /** RFC 5545: a rule, or lines of `DTSTART`, `RRULE`, `EXDATE` and `RDATE`. */
  readonly rrule: string;
  /** From 100 ms, counted from the first run, so that nothing drifts: that is `start`, or one period after it was made. */
  readonly every: Duration;
  /** `every` by the clocks of `timeZone`: a day is a day when they change, too. Default false. */
  readonly wallClock: boolean;
  /** Up to 1,000 dates or epoch ms. */
  readonly times: readonly (Date | number)[];
  /** The name of an event: each time it is published, a task is made. Not with `overlap`, `jitter` or `maxRuns`. */
  readonly on: string;
  /** Of `cron`, `rrule` and `wallClock`, by the IANA database; default `UTC`, or that of the rule's `DTSTART`. */
  readonly timeZone: string;
  /** No tick before it; a date or epoch ms. */
  readonly start: Date | number;
  /** No tick after it; a date or epoch ms. */
  readonly end: Date | number;
}

/** How a schedule's ticks become tasks, and what the tasks have. Null counts as not given. */
export type ScheduleOptions = ScheduleRule & {
  readonly [K in keyof Manner]?: Manner[K] | null | undefined;
};

interface Manner {
  /** Each task is made up to so much later than its tick, by key and tick; up to a day, default 0. */
  readonly jitter: Duration;
  /** So many ticks make a task; then it is over. Integer from 1. */
  readonly maxRuns: number;
  /** A tick while the task of an earlier one has not ended. Default `allow`. */
  readonly overlap: Overlap;
  /** Ticks that came while no process was up. Default `once`: one task for all of them. */
  readonly missed: Missed;
  /** With `missed: 'all'`: the newest so many; 1 to 10,000, default 100. */
  readonly missedMax: number;
  /** With `missed`: older ones are skipped. Default: none is too old. */
  readonly missedWithin: Duration;
  /** With `on`: hears only of events that are published in the name of its `submittedBy`. Default false: of nobody's, too. */
  readonly ownEvents: boolean;
  /** Of each task, as in `SubmitOptions`. */
  readonly priority: number;
  readonly startBy: Duration;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly description: string;
  readonly entityId: string;
  readonly submittedBy: string;
  readonly metadata: unknown;
}

type InputKey<Input> = undefined extends Input ? { readonly input?: Input | undefined } : { readonly input: Input };

/** What `create` makes a schedule of. */
export type ScheduleSpec<Tasks extends AnyTask = AnyTask, T = AnyTask | string> = {
  /** 1 to 200 characters; the tasks have it as `scheduleId`. */
  readonly key: string;
  /** A definition, or the name of one that is registered. */
  readonly handler: T;
} & ScheduleOptions &
  // Of a schedule that waits for an event, the payload is the input where it has none of its own.
  (InputKey<InputOf<Resolve<Tasks, T>>> | { readonly on: string; readonly input?: undefined });

/** A schedule that stands in the code; its input is checked at `start`. */
export type DeclaredSchedule = Readonly<{ key: string; handler: AnyTask | string }> &
  Optional<{ input: unknown }> &
  ScheduleOptions;

/** Characters of an expression. */
const MAX_EXPRESSION = 1_000;
const MAX_KEY = 200;
const MAX_TIMES = 1_000;
const MAX_MISSED = 10_000;
const DAY_MS = 86_400_000;
/** An expression that names no moment for so long is a mistake. */
const HORIZON_MS = 5 * 366 * DAY_MS;

const KINDS = ['cron', 'rrule', 'every', 'times', 'on'] as const;
const OVERLAPS: readonly Overlap[] = ['allow', 'skip', 'queueOne', 'queue', 'cancelPrevious'];
const MISSED: readonly Missed[] = ['skip', 'once', 'all'];

/** The options that a task is submitted with, too. */
export const SUBMIT_KEYS = [
  'priority',
  'startBy',
  'tags',
  'description',
  'entityId',
  'submittedBy',
  'metadata',
] as const satisfies readonly (keyof ScheduleOptions)[];

const RULE_KEYS = [...KINDS, 'wallClock', 'timeZone', 'start', 'end'] as const;
const MANNER_KEYS = ['jitter', 'maxRuns', 'overlap', 'missed', 'missedMax', 'missedWithin', 'ownEvents'] as const;
/** The keys of a schedule. */
export const SPEC_KEYS: readonly string[] = ['key', 'handler', 'input', ...RULE_KEYS, ...MANNER_KEYS, ...SUBMIT_KEYS];

/** @throws {OptionError} */
export function parseKey(key: unknown): string {
  return parseText('key', key ?? null, MAX_KEY) ?? '';
}

/** All but the handler, the input and what a submit has. @throws {OptionError} */
export function parseManner(spec: ScheduleOptions): Pick<ScheduleSettings, (typeof MANNER_KEYS)[number]> {
  const { jitter, maxRuns, overlap, missed, missedMax, missedWithin } = spec;
  if ((spec.on ?? null) !== null) checkEventManner(spec);
  return {
    jitter: parseDuration('jitter', jitter ?? 0, 0, DAY_MS),
    maxRuns: (maxRuns ?? null) === null ? null : integer('maxRuns', maxRuns, 1),
    overlap: oneOf('overlap', overlap ?? 'allow', OVERLAPS),
    missed: oneOf('missed', missed ?? 'once', MISSED),
    missedMax: integer('missedMax', missedMax ?? 100, 1, MAX_MISSED),
    missedWithin: (missedWithin ?? null) === null ? null : parseDuration('missedWithin', missedWithin),
    ownEvents: ownEvents(spec),
  };
}

/** Events come in any number at any time, so nothing is counted, and no task waits for that of an earlier one. */
function checkEventManner({ jitter, maxRuns, overlap }: ScheduleOptions): void {
  for (const [option, value] of Object.entries({ jitter, maxRuns, overlap })) {
    const isSaid = (value ?? null) !== null && value !== 'allow' && value !== 0;
    if (isSaid) throw new OptionError(option, 'left out with `on`', value);
  }
}

function ownEvents({ ownEvents: own, on, submittedBy }: ScheduleOptions): boolean {
  const isOwn = flag('ownEvents', own);
  const isSomebodys = (on ?? null) !== null && (submittedBy ?? null) !== null;
  if (isOwn && !isSomebodys) throw new OptionError('ownEvents', 'left out without `on` and `submittedBy`', own);
  return isOwn;
}

/**
 * Reads when a schedule runs, and makes sure that it ever does.
 * @param now epoch ms: what counts from its making counts from then
 * @param mayBeOver one that never runs again is all right
 * @throws {OptionError}
 */
export async function parseRule(spec: ScheduleRule, now: number, mayBeOver = false): Promise<StoredRule> {
  const given = KINDS.filter((kind) => (spec[kind] ?? null) !== null);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const all = KINDS.join(', ');
    throw kind === undefined
      ? new OptionError('cron', `given, or another one of ${all}`, undefined)
      : new OptionError('cron', `the only one of ${all}`, given.join(', '));
  }
  const start = time('start', spec.start);
  const every = kind === 'every' ? parseDuration('every', spec.every, 100) : null;
  const rrule = kind === 'rrule' ? expression('rrule', spec.rrule) : null;
  const rule: StoredRule = {
    cron: kind === 'cron' ? expression('cron', spec.cron) : null,
    rrule,
    every,
    wallClock: flag('wallClock', spec.wallClock),
    times: kind === 'times' ? parseTimes(spec.times) : null,
    on: kind === 'on' ? parseEvent('on', spec.on) : null,
    timeZone: zoneOf(spec.timeZone, rrule),
    start,
    end: time('end', spec.end),
    anchor: start ?? now + (every ?? 0),
  };
  if (rule.wallClock && every === null) throw new OptionError('wallClock', 'given with `every`', true);
  if (kind !== 'on') await checkRuns(kind, rule, now, mayBeOver);
  return rule;
}

async function checkRuns(kind: string, rule: StoredRule, now: number, mayBeOver: boolean): Promise<void> {
  const next = await timelineOf(rule);
  if (mayBeOver && rule.end !== null && rule.end <= now) return;
  if (mayBeOver && rule.times !== null) return;
  let tick: number | null = null;
  try {
    tick = next(now);
  } catch {
    // the search took too long
  }
  const from = Math.max(now, rule.start ?? 0);
  if (tick !== null && (rule.times !== null || tick - from <= HORIZON_MS)) return;
  throw new OptionError(kind, 'with a run in the next five years, from `start` to `end`', rule[kind as 'cron']);
}

function zoneOf(timeZone: unknown, rrule: string | null): string {
  const own = rrule === null ? null : zoneOfRrule(rrule);
  const zone = Zone.of(timeZone ?? own ?? 'UTC');
  if (own !== null && Zone.of(own, 'rrule').name !== zone.name) {
    throw new OptionError('timeZone', `that of the rule's DTSTART, ${own}`, timeZone);
  }
  return zone.name;
}

function expression(option: string, text: unknown): string {
  const parsed = parseText(option, text, MAX_EXPRESSION);
  return parsed ?? '';
}

function parseTimes(times: unknown): readonly number[] {
  const fits = Array.isArray(times) && times.length > 0 && times.length <= MAX_TIMES;
  if (!fits) throw new OptionError('times', `1 to ${MAX_TIMES} dates or epoch ms`, times);
  const parsed = times.map((each, index) => parseTime(`times.${index}`, each));
  return [...new Set(parsed)].sort((a, b) => a - b);
}

function time(option: string, value: unknown): number | null {
  return (value ?? null) === null ? null : parseTime(option, value);
}

function flag(option: string, value: unknown): boolean {
  if (typeof (value ?? false) === 'boolean') return value === true;
  throw new OptionError(option, 'true or false', value);
}

function oneOf<T extends string>(option: string, value: unknown, allowed: readonly T[]): T {
  if (allowed.includes(value as T)) return value as T;
  throw new OptionError(option, allowed.map((each) => `'${each}'`).join(', '), value);
}
