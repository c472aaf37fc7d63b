import { z } from 'zod';
import { TaskNotFoundError } from '../../errors.ts';
import type { TaskRecord } from '../../task/record.ts';
import { parseDuration } from '../../time/duration.ts';
import { answer, json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { etagOf, noneMatches, preferredWaitOf } from '../headers.ts';
import { hold } from '../hold.ts';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { DurationText, Task, TaskPath } from '../schemas.ts';
import { toWire } from '../wire.ts';

/** What is done with one task: read it, read its result, cancel it. */
export function taskRoutes(context: HttpContext): readonly Route[] {
  const { manager, settings } = context;

  const read = route({
    method: 'GET',
    path: '/tasks/:id',
    id: 'getTask',
    summary: 'One task; `wait`, or `Prefer: wait=<seconds>`, holds the answer until it is final or the time is over',
    params: TaskPath,
    query: z.strictObject({ wait: DurationText.optional() }),
    answers: { 200: Task, 304: null },
    problems: ['malformed', 'task_not_found'],
    async handle({ params: { id }, query, request }) {
      const asked = query.wait === undefined ? null : parseDuration('wait', query.wait);
      const preferred = asked === null ? preferredWaitOf(request.headers) : null;
      const found = await existing(context, id);
      const task = await hold(context, found, asked ?? preferred ?? 0, request);
      if (task === null) throw new TaskNotFoundError(id);
      const etag = etagOf(task.version);
      const headers = {
        etag,
        'cache-control': 'no-cache',
        ...(preferred === null
          ? undefined
          : {
              'preference-applied': `wait=${Math.floor(Math.min(preferred, settings.waitMs) / 1_000)}`,
              vary: 'prefer',
            }),
      };
      return noneMatches(request.headers, etag) ? answer(304, null, headers) : json(200, toWire(task), headers);
    },
  });

  const result = route({
    method: 'GET',
    path: '/tasks/:id/result',
    id: 'getTaskResult',
    summary: 'The result, as bare JSON',
    params: TaskPath,
    answers: { 200: z.unknown() },
    problems: ['task_not_found', 'task_unfinished', 'task_failed', 'task_cancelled'],
    async handle({ params: { id } }) {
      const task = await existing(context, id);
      if (task.status === 'succeeded') return json(200, task.result ?? null, { etag: etagOf(task.version) });
      throw withoutResult(task);
    },
  });

  const cancel = route({
    method: 'POST',
    path: '/tasks/:id/cancel',
    id: 'cancelTask',
    summary: 'Cancel: at once what does not run yet, else by telling the handler to stop',
    params: TaskPath,
    body: z.strictObject({ reason: z.string().max(1_000).optional() }).optional(),
    answers: { 202: Task },
    problems: ['malformed', 'input_invalid', 'task_not_found', 'transition_refused'],
    async handle({ params: { id }, body, link }) {
      const task = await manager.cancel(id, body?.reason);
      return json(202, toWire(task), { location: link(`/tasks/${task.id}`) });
    },
  });

  return [read, result, cancel];
}

/** @throws {TaskNotFoundError} */
export async function existing({ manager }: HttpContext, id: string): Promise<TaskRecord> {
  const task = await manager.get(id, { archived: true });
  if (task === null) throw new TaskNotFoundError(id);
  return task;
}

function withoutResult(task: TaskRecord): HttpProblem {
  const { id, status, error } = task;
  if (status === 'failed') {
    const members = { error: toWire(task).error };
    return new HttpProblem('task_failed', `Task ${id} failed: ${error?.message ?? 'no reason is known'}`, members);
  }
  if (status === 'cancelled') {
    const why = task.cancelReason ?? error?.message ?? null;
    return new HttpProblem('task_cancelled', `Task ${id} was cancelled${why === null ? '' : `: ${why}`}.`);
  }
  return new HttpProblem('task_unfinished', `Task ${id} is ${status}: it has no result yet.`, { taskStatus: status });
}
