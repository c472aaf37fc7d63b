import { z } from 'zod';
import { SORT_KEYS, type SortKey } from '../task/query.ts';
import { STATUSES } from '../task/status.ts';
import type { Duration } from '../time/duration.ts';

/** A status, or one in a filter. */
export const Status = z.enum(STATUSES as readonly [(typeof STATUSES)[number], ...(typeof STATUSES)[number][]]);

/** RFC 3339 with an offset, given on as epoch ms. */
export const Time = z.iso
  .datetime({ offset: true, error: 'It must be a time as in RFC 3339, such as 2026-01-31T08:00:00.000Z' })
  .transform((text) => Date.parse(text));

const DURATION_ERROR = "It must be a duration such as '30s', '5m' or '1h'";

/** A duration with its unit. */
export const DurationText = z
  .string({ error: DURATION_ERROR })
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d|w)$/, { error: DURATION_ERROR })
  .transform((text) => text as Duration);

/** A duration in a body: with its unit, or milliseconds. */
export const DurationValue = z.union([DurationText, z.number().min(0)], {
  error: `${DURATION_ERROR}, or milliseconds`,
});

/** A flag of a query. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** A value of a tag. */
const TagValue = z.union([z.string(), z.number(), z.boolean()], {
  error: 'It must be text, a number or a boolean',
});

/** Tags by key. */
export const Tags = z.record(z.string(), TagValue);

/** What a list can be sorted by; `-` for descending. */
export const Sort = z.enum(
  SORT_KEYS.flatMap((key) => [key, `-${key}`] as const) as [SortKey | `-${SortKey}`, ...(SortKey | `-${SortKey}`)[]],
);

/** The parameters of a path that names a task. */
export const TaskPath = z.object({ id: z.string().min(1).max(200) });

const WireTime = z.iso.datetime({ precision: 3 });
const Text = z.string().nullable();

/** A task as it is answered. */
export const Task = z.object({
  id: z.string(),
  handler: z.string(),
  description: Text,
  status: Status,
  input: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.object({ name: z.string(), message: z.string(), code: Text }).nullable(),
  progress: z
    .object({
      processed: z.number().nullable(),
      total: z.number().nullable(),
      fraction: z.number().min(0).max(1).nullable(),
      message: Text,
      rate: z.number().nullable(),
      remainingMs: z.number().nullable(),
      at: WireTime,
    })
    .nullable(),
  checkpoint: z.unknown(),
  priority: z.int(),
  attempt: z.int(),
  maxAttempts: z.int(),
  lost: z.int(),
  interrupted: z.int(),
  snoozed: z.int(),
  submittedBy: Text,
  entityId: Text,
  parentId: Text,
  scheduleId: Text,
  tags: Tags,
  metadata: z.unknown(),
  idempotencyKey: Text,
  uniqueKey: Text,
  runAt: WireTime.nullable(),
  startBy: WireTime.nullable(),
  createdAt: WireTime,
  queuedAt: WireTime.nullable(),
  startedAt: WireTime.nullable(),
  finishedAt: WireTime.nullable(),
  updatedAt: WireTime,
  archivedAt: WireTime.nullable(),
  workerId: Text,
  cancelRequestedAt: WireTime.nullable(),
  cancelReason: Text,
  version: z.int(),
});

/** What a submit answers. */
export const SubmittedTask = Task.extend({
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});

/** A page of a list. `next` and `previous` are cursors. */
export const TaskPage = z.object({
  items: z.array(Task),
  next: Text,
  previous: Text,
  total: z.int().optional(),
  truncated: z.literal(true).optional(),
});
