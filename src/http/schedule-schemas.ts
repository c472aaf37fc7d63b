import { z } from 'zod';
import { DurationValue, Tags, Text, Time, WireTime } from './schemas.ts';

const Rule = {
  cron: z.string().max(1_000).nullish(),
  rrule: z.string().max(1_000).nullish(),
  every: DurationValue.nullish(),
  wallClock: z.boolean().nullish(),
  times: z.array(Time).max(1_000).nullish(),
  on: z.string().nullish(),
  timeZone: z.string().nullish(),
  start: Time.nullish(),
  end: Time.nullish(),
};

const Overlap = z.enum(['allow', 'skip', 'queueOne', 'queue', 'cancelPrevious']);
const Missed = z.enum(['skip', 'once', 'all']);

/** What a schedule is made of: exactly one of `cron`, `rrule`, `every`, `times` and `on`. */
export const ScheduleBody = z.strictObject({
  key: z.string().min(1).max(200),
  handler: z.string(),
  input: z.unknown().optional(),
  ...Rule,
  jitter: DurationValue.nullish(),
  maxRuns: z.int().min(1).nullish(),
  overlap: Overlap.nullish(),
  missed: Missed.nullish(),
  missedMax: z.int().min(1).max(10_000).nullish(),
  missedWithin: DurationValue.nullish(),
  priority: z.int().min(-1_000_000).max(1_000_000).nullish(),
  startBy: DurationValue.nullish(),
  tags: Tags.nullish(),
  description: z.string().nullish(),
  entityId: z.string().nullish(),
  /** In whose name; default: the caller's. */
  submittedBy: z.string().nullish(),
  metadata: z.unknown().optional(),
});

/** What takes the place of a schedule; the key may be left out. */
export const ScheduleReplacement = ScheduleBody.extend({ key: z.string().optional() });

/** A rule to look ahead with. */
export const PreviewBody = z.strictObject({
  ...Rule,
  maxRuns: z.int().min(1).nullish(),
  from: Time.optional(),
  count: z.int().min(1).max(1_000).optional(),
});

/** The next ticks of a rule. */
export const Preview = z.object({ items: z.array(WireTime) });

/** The parameters of a path that names a schedule. */
export const SchedulePath = z.object({ key: z.string().min(1).max(200) });

/** A schedule as it is answered; durations in ms. */
export const Schedule = z
  .object({
    key: z.string(),
    handler: z.string(),
    input: z.unknown(),
    cron: Text,
    rrule: Text,
    every: z.number().nullable(),
    wallClock: z.boolean(),
    times: z.array(WireTime).nullable(),
    on: Text,
    timeZone: z.string(),
    start: WireTime.nullable(),
    end: WireTime.nullable(),
    jitter: z.number(),
    maxRuns: z.int().nullable(),
    overlap: Overlap,
    missed: Missed,
    missedMax: z.int(),
    missedWithin: z.number().nullable(),
    ownEvents: z.boolean(),
    priority: z.int().nullable(),
    startBy: z.number().nullable(),
    tags: Tags,
    description: Text,
    entityId: Text,
    submittedBy: Text,
    metadata: z.unknown(),
    declared: z.boolean(),
    createdAt: WireTime,
    updatedAt: WireTime,
    pausedAt: WireTime.nullable(),
    nextRunAt: WireTime.nullable(),
    lastTick: WireTime.nullable(),
    lastTaskId: Text,
    runs: z.int(),
    version: z.int(),
  })
  .meta({ id: 'Schedule' });

/** Schedules by key. `next`: the cursor of the next page. */
export const SchedulePageSchema = z.object({ items: z.array(Schedule), next: Text }).meta({ id: 'SchedulePage' });
