import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { idempotencyKeyOf } from '../headers.ts';
import { type Route, route } from '../route.ts';
import { EventPath, PublishBody, StartedTasks } from '../schemas.ts';

/** `POST /publish/{event}`. */
export function publishRoutes({ submission, publication }: HttpContext): readonly Route[] {
  const publish = route({
    method: 'POST',
    path: '/publish/:event',
    id: 'publishEvent',
    tag: 'tasks',
    summary:
      'Publish an event: it starts whatever is bound to it, all or nothing; those tasks are answered that the caller may see',
    params: EventPath,
    body: PublishBody.optional(),
    headers: {
      'Idempotency-Key': 'Makes a retry safe: the same key and payload start nothing twice',
    },
    answers: { 202: StartedTasks },
    problems: [
      'option_invalid',
      'payload_too_large',
      'unsupported_media_type',
      'input_invalid',
      'unique_conflict',
      'idempotency_conflict',
      'idempotency_in_flight',
      'rate_limited',
      'queue_full',
    ],
    guard: (caller) => submission.take(caller),
    async handle({ params: { event }, body = {}, request, caller }) {
      const started = await publication.publish(caller, event, body, idempotencyKeyOf(request.headers));
      return json(202, { items: started.map(({ record, warnings }) => ({ ...caller.show(record), warnings })) });
    },
  });
  return [publish];
}
