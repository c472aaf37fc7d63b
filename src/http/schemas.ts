import { z } from 'zod';
import { ON_FAILURE } from '../flow/rules.ts';
import { MAX_WEIGHT } from '../flow/shares.ts';
import { SORT_KEYS, type SortKey } from '../task/query.ts';
import { STATUSES } from '../task/status.ts';
import { type Duration, MAX_DURATION, parseDuration } from '../time/duration.ts';

/** A status, or one in a filter. */
export const Status = z.enum(STATUSES as readonly [(typeof STATUSES)[number], ...(typeof STATUSES)[number][]]);

/** RFC 3339 with an offset, given on as epoch ms. */
export const Time = z.iso
  .datetime({ offset: true, error: 'It must be a time as in RFC 3339, such as 2026-01-31T08:00:00.000Z' })
  .transform((text) => Date.parse(text));

const DURATION_ERROR = "It must be a duration with its unit, such as '500ms', '30s' or '1h'";

/** A duration with its unit. */
export const DurationText = z
  .string({ error: DURATION_ERROR })
  .regex(/^\d+(\.\d+)?(ms|s|m|h|d|w)$/, { error: DURATION_ERROR })
  .refine(isDuration, { error: `${DURATION_ERROR}, up to 100 years` })
  .transform((text) => text as Duration);

/** A duration in a body: with its unit, or milliseconds. */
export const DurationValue = z.union([DurationText, z.number().min(0).max(MAX_DURATION)], {
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

/** What a submit says of one task, whatever it is submitted with. */
export const TaskToSubmit = z.strictObject({
  handler: z.string(),
  input: z.unknown().optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  delay: DurationValue.optional(),
  runAt: Time.optional(),
  hold: z.boolean().optional(),
  startBy: DurationValue.optional(),
  unique: z
    .strictObject({
      key: z.string(),
      scope: z
        .union([z.enum(['unstarted', 'unfinished']), z.strictObject({ window: DurationValue })], {
          error: 'It must be "unstarted", "unfinished" or { "window": duration }',
        })
        .optional(),
      onConflict: z.enum(['skip', 'error', 'replace', 'runAfter']).optional(),
    })
    .optional(),
  debounce: z
    .union([
      z.literal(false),
      z.strictObject({ key: z.string().optional(), wait: DurationValue, maxWait: DurationValue.optional() }),
    ])
    .optional(),
  throttle: z
    .union([z.literal(false), z.strictObject({ key: z.string().optional(), window: DurationValue })])
    .optional(),
  tags: Tags.optional(),
  description: z.string().optional(),
  /** In whose name; default: the caller's. */
  submittedBy: z.string().optional(),
  entityId: z.string().optional(),
  parentId: z.string().optional(),
  /** Its progress is that of its children. */
  progress: z.literal('children').optional(),
  /** What it counts for in that of its parent. */
  weight: z.number().positive().max(MAX_WEIGHT).optional(),
  metadata: z.unknown().optional(),
});

/** The body of a publish: what it says beside the payload holds for each task that the event starts. */
export const PublishBody = z.strictObject({
  payload: z.unknown().optional(),
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  delay: DurationValue.optional(),
  startBy: DurationValue.optional(),
  tags: Tags.optional(),
  description: z.string().optional(),
  /** In whose name; default: the caller's. */
  submittedBy: z.string().optional(),
  entityId: z.string().optional(),
  metadata: z.unknown().optional(),
});

/** The parameters of a path that names an event; which names there are, the library says. */
export const EventPath = z.object({ event: z.string() });

/** What a patch may change; null removes (RFC 7396). */
export const TaskPatch = z.strictObject({
  priority: z.int().min(-1_000_000).max(1_000_000).optional(),
  runAt: Time.nullable().optional(),
  tags: z.record(z.string(), TagValue.nullable()).optional(),
  description: z.string().nullable().optional(),
  entityId: z.string().nullable().optional(),
  metadata: z.unknown().optional(),
});

/** What a list can be sorted by; `-` for descending. Not by an input or a result: a cursor would tell what `redact` hides. */
export const Sort = z.enum(
  SORT_KEYS.filter((key) => key !== 'inputText' && key !== 'resultText').flatMap(
    (key) => [key, `-${key}`] as const,
  ) as [SortKey | `-${SortKey}`, ...(SortKey | `-${SortKey}`)[]],
);

/** The parameters of a path that names a task. */
export const TaskPath = z.object({ id: z.string().min(1).max(200) });

function isDuration(text: string): boolean {
  try {
    parseDuration('duration', text);
    return true;
  } catch {
    return false;
  }
}

/** A time as it is answered. */
export const WireTime = z.iso.datetime({ precision: 3 });
/** Text, or none. */
export const Text = z.string().nullable();

const TaskError = z.object({ name: z.string(), message: z.string(), code: Text }).nullable().meta({ id: 'TaskError' });
const Progress = z
  .object({
    processed: z.number().nullable(),
    total: z.number().nullable(),
    fraction: z.number().min(0).max(1).nullable(),
    message: Text,
    rate: z.number().nullable(),
    remainingMs: z.number().nullable(),
    at: WireTime,
  })
  .nullable()
  .meta({ id: 'TaskProgress' });

/** The fields of a task as it is answered. */
const TaskFields = z.object({
  id: z.string(),
  handler: z.string(),
  description: Text,
  status: Status,
  input: z.unknown().optional(),
  result: z.unknown().optional(),
  error: TaskError,
  progress: Progress,
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
  tick: WireTime.nullable(),
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

/** A task as it is answered. */
export const Task = TaskFields.meta({ id: 'Task' });

/** What a submit answers. */
export const SubmittedTask = TaskFields.extend({
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
}).meta({ id: 'SubmittedTask' });

/** What a publish answers. */
export const StartedTasks = z.object({ items: z.array(SubmittedTask) }).meta({ id: 'StartedTasks' });

/** A page of a list. `next` and `previous` are cursors. */
export const TaskPage = z
  .object({
    items: z.array(Task),
    next: Text,
    previous: Text,
    total: z.int().optional(),
    truncated: z.literal(true).optional(),
  })
  .meta({ id: 'TaskPage' });

const Related = z.array(z.object({ task: Task, onFailure: z.enum(ON_FAILURE), waiting: z.boolean() }));

/** Tasks that have to do with one, part of each list, without input and result. `items`: what a deletion takes along. */
export const RelatedTasks = z.object({
  items: z.array(Task),
  parent: Task.nullable(),
  children: z.array(Task),
  dependencies: Related,
  dependents: Related,
  truncated: z.boolean(),
  next: Text,
});

/** Log lines of a task. `next`: the `after` of those that follow. */
export const LogPage = z.object({
  items: z.array(
    z.object({ seq: z.int(), at: WireTime, level: z.enum(['debug', 'info', 'warn', 'error']), message: z.string() }),
  ),
  next: z.int().nullable(),
});

/** The attempts of a task. */
export const Attempts = z.object({
  items: z.array(
    z.object({
      attempt: z.int(),
      workerId: z.string(),
      startedAt: WireTime.nullable(),
      finishedAt: WireTime.nullable(),
      outcome: z.enum(['succeeded', 'failed', 'cancelled', 'retrying', 'snoozed', 'interrupted', 'lost']).nullable(),
      error: TaskError,
    }),
  ),
});

/** Why a task does not run, or who runs it. */
export const Explained = z
  .object({
    taskId: z.string(),
    handler: z.string(),
    status: Status,
    reasons: z.array(
      z.object({
        code: z.enum(['held', 'run_at', 'waits_for', 'paused', 'unserved', 'slots_taken', 'not_claiming', 'turn']),
        message: z.string(),
        runAt: WireTime.optional(),
        taskIds: z.array(z.string()).optional(),
        handler: Text.optional(),
        of: z.enum(['manager', 'handler']).optional(),
        used: z.int().optional(),
        limit: z.int().optional(),
      }),
    ),
    worker: z.object({ id: z.string(), host: Text, pid: z.int().nullable(), lastSeenAt: WireTime }).nullable(),
    progress: Progress,
  })
  .meta({ id: 'Explanation' });

/** What can be submitted. */
export const Handlers = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      description: Text,
      input: z.record(z.string(), z.unknown()),
      deprecated: z.union([z.boolean(), z.string()]),
    }),
  ),
});

/** Who the caller is. `scope`: which tasks exist for him. */
export const Me = z.object({
  principal: z.object({ id: z.string(), admin: z.boolean() }).nullable(),
  scope: z.enum(['all', 'some', 'none']),
  actions: z.array(z.enum(['submit', 'read', 'cancel', 'restart', 'runNow', 'update', 'delete'])),
});
