import { z } from 'zod';
import { InputInvalidError } from '../../errors.ts';
import type { SubmitOptions } from '../../submit-options.ts';
import type { TaskRecord } from '../../task/record.ts';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { idempotencyKeyOf } from '../headers.ts';
import { BodyInvalidProblem, HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { DurationValue, Flag, SubmittedTask, Tags, Time } from '../schemas.ts';
import { toWire } from '../wire.ts';

/** The body of a submit. */
const Submit = z.strictObject({
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
      onConflict: z.enum(['skip', 'error']).optional(),
    })
    .optional(),
  tags: Tags.optional(),
  description: z.string().optional(),
  entityId: z.string().optional(),
  parentId: z.string().optional(),
  metadata: z.unknown().optional(),
});

/** A client that comes back sooner learns little; one that cares follows the events. In seconds. */
const RETRY_AFTER = 1;
const RETRY_AFTER_MAX = 3_600;

/** `POST /tasks`. */
export function submitRoutes({ manager }: HttpContext): readonly Route[] {
  const submit = route({
    method: 'POST',
    path: '/tasks',
    id: 'submitTask',
    summary: 'Submit a task; 200 where an earlier task answers by its idempotency key or unique key',
    query: z.strictObject({ failOnWarning: Flag.optional() }),
    body: Submit,
    answers: { 202: SubmittedTask, 200: SubmittedTask },
    problems: [
      'malformed',
      'option_invalid',
      'payload_too_large',
      'unsupported_media_type',
      'input_invalid',
      'handler_unknown',
      'unique_conflict',
      'idempotency_conflict',
      'queue_full',
      'manager_closed',
    ],
    async handle({ body: { handler, input, runAt, ...rest }, query: { failOnWarning }, request, link }) {
      const options: SubmitOptions = {
        ...rest,
        runAt: runAt === undefined ? undefined : new Date(runAt),
        failOnWarning,
        idempotencyKey: idempotencyKeyOf(request.headers) ?? undefined,
      };
      const task = await manager.submit(handler, input, options).catch((error: unknown) => {
        throw error instanceof InputInvalidError ? inBody(error, failOnWarning ? '' : 'input') : error;
      });
      const record = await manager.get(task.id, { archived: true });
      if (record === null)
        throw new HttpProblem('task_not_found', `Task ${task.id} was deleted as soon as it was there.`);
      const answer = { ...toWire(record), warnings: task.warnings };
      const location = link(`/tasks/${record.id}`);
      if (!task.created) return json(200, answer, { location });
      return json(202, answer, { location, 'retry-after': String(retryAfter(record)) });
    },
  });
  return [submit];
}

/**
 * The library tells where in the input something is wrong; the client sent a body.
 * @param whole where an issue without a path is: warnings are about all of the submit
 */
function inBody({ issues }: InputInvalidError, whole: string): BodyInvalidProblem {
  return new BodyInvalidProblem(
    issues.map(({ path, message }) => ({ path: path === '' ? whole : `input.${path}`, message })),
  );
}

/** Seconds until there may be something new. */
function retryAfter({ runAt, createdAt }: TaskRecord): number {
  if (runAt === null) return RETRY_AFTER;
  return Math.min(Math.max(Math.ceil((runAt - createdAt) / 1_000), RETRY_AFTER), RETRY_AFTER_MAX);
}
