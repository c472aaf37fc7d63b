import { z } from 'zod';
import { InputInvalidError } from '../../errors.ts';
import type { SubmitOptions } from '../../submit/options.ts';
import { json } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import { etagOf, idempotencyKeyOf } from '../headers.ts';
import { InFlight } from '../in-flight.ts';
import { BodyInvalidProblem, HttpProblem } from '../problem.ts';
import { retryAfter } from '../retry-after.ts';
import { type Route, route } from '../route.ts';
import { Flag, SubmitBody, SubmittedTask } from '../schemas.ts';
import { SubmitLimit } from '../submit-limit.ts';
import { previewOf } from '../submit-preview.ts';
import { keyTaken, withoutStrangers } from '../tasks.ts';

/** `POST /tasks`. */
export function submitRoutes(context: HttpContext): readonly Route[] {
  const { manager, settings } = context;
  const limit = settings.submits === null ? null : new SubmitLimit(settings.submits);
  const inFlight = new InFlight();

  const submit = route({
    method: 'POST',
    path: '/tasks',
    id: 'submitTask',
    tag: 'tasks',
    summary: 'Submit a task; 200 where an earlier task answers by its idempotency key or unique key',
    query: z.strictObject({ failOnWarning: Flag.optional() }),
    body: SubmitBody,
    headers: {
      'Idempotency-Key': 'Makes a retry safe: the same key and input are answered with the earlier task',
    },
    answers: { 202: SubmittedTask, 200: SubmittedTask },
    problems: [
      'option_invalid',
      'payload_too_large',
      'unsupported_media_type',
      'input_invalid',
      'handler_unknown',
      'unique_conflict',
      'idempotency_conflict',
      'idempotency_in_flight',
      'rate_limited',
      'queue_full',
      'task_not_found',
    ],
    guard: (caller) => limit?.take(caller.id),
    async handle({ body, query: { failOnWarning }, request, link, caller }) {
      const { handler, input, runAt, ...rest } = body;
      const submittedBy = submitterOf(body, caller);
      const key = idempotencyKeyOf(request.headers) ?? undefined;
      const options: SubmitOptions = {
        ...rest,
        submittedBy,
        failOnWarning,
        runAt: runAt === undefined ? undefined : new Date(runAt),
        idempotencyKey: key,
      };
      const task = await inFlight.run(key === undefined ? null : JSON.stringify([submittedBy, key]), () =>
        manager.submit(handler, input, options).catch(async (error: unknown) => {
          if (error instanceof InputInvalidError) throw inBody(error, failOnWarning ? '' : 'input');
          throw await withoutStrangers(context, caller, error);
        }),
      );
      const record = await manager.get(task.id, { archived: true });
      if (record === null)
        throw new HttpProblem('task_not_found', `Task ${task.id} was deleted as soon as it was there.`);
      // An earlier task answers only whom it may; whoever made a task may see what he made.
      if (task.matched !== null && !caller.reads(record)) throw keyTaken(`${task.matched}_conflict`);
      const answer = { ...caller.show(record), warnings: task.warnings };
      const headers = { location: link(`/tasks/${record.id}`), etag: etagOf(record.version) };
      if (!task.created) return json(200, answer, headers);
      return json(202, answer, { ...headers, 'retry-after': retryAfter(record, Date.now()) });
    },
  });
  return [submit];
}

/**
 * In whose name a task is submitted: the caller's, unless he names another and may.
 * @throws {HttpProblem} 403 also when he may submit no such task
 */
function submitterOf(body: z.output<typeof SubmitBody>, caller: Caller): string | undefined {
  const { principal } = caller;
  const submittedBy = body.submittedBy ?? principal?.id;
  if (principal === null || submittedBy === undefined) return submittedBy;
  if (!caller.maySubmitAs(submittedBy)) {
    throw new HttpProblem('forbidden', 'You may not submit tasks in the name of somebody else.');
  }
  if (!caller.may('submit', previewOf(body, submittedBy, Date.now()))) {
    throw new HttpProblem('forbidden', 'You may not submit this task.');
  }
  return submittedBy;
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
