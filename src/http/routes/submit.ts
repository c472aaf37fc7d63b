import { z } from 'zod';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { etagOf, idempotencyKeyOf } from '../headers.ts';
import { retryAfter } from '../retry-after.ts';
import { type Route, route } from '../route.ts';
import { Flag, SubmittedTask } from '../schemas.ts';
import { SubmitBody } from '../submit-schema.ts';

/** `POST /tasks`. */
export function submitRoutes({ submission }: HttpContext): readonly Route[] {
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
    guard: (caller) => submission.take(caller),
    async handle({ body, query: { failOnWarning }, request, link, caller }) {
      const way = { key: idempotencyKeyOf(request.headers), failOnWarning };
      const { record, earlier, warnings } = await submission.submit(caller, body, way);
      const answer = Object.assign(caller.show(record), { warnings });
      const headers = { location: link(`/tasks/${record.id}`), etag: etagOf(record.version) };
      if (earlier) return json(200, answer, headers);
      return json(202, answer, { ...headers, 'retry-after': retryAfter(record, Date.now()) });
    },
  });
  return [submit];
}
