import { z } from 'zod';
import type { TaskRecord } from '../../task/record.ts';
import { isFinal } from '../../task/status.ts';
import { parseDuration } from '../../time/duration.ts';
import { answer, json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { etagOf, noneMatches, preferredWaitOf } from '../headers.ts';
import { hold } from '../hold.ts';
import { HttpProblem } from '../problem.ts';
import { retryAfter } from '../retry-after.ts';
import { type Route, route } from '../route.ts';
import { DurationText, Task, TaskPath } from '../schemas.ts';
import { permitted } from '../tasks.ts';
import { toWire } from '../wire.ts';

/** One task, and its result. */
export function taskRoutes(context: HttpContext): readonly Route[] {
  const { settings } = context;

  const read = route({
    method: 'GET',
    path: '/tasks/:id',
    id: 'getTask',
    tag: 'tasks',
    summary: 'One task; `wait`, or `Prefer: wait=<seconds>`, holds the answer until it is final or the time is over',
    params: TaskPath,
    query: z.strictObject({ wait: DurationText.optional() }),
    headers: {
      Prefer: '`wait=<seconds>` (RFC 7240), where `wait` is not in the query',
      'If-None-Match': 'the `ETag` of what the client has; 304 while that is still so',
    },
    answers: { 200: Task, 304: { type: null, description: 'Still at that version' } },
    problems: ['task_not_found'],
    async handle({ params: { id }, query, request, caller }) {
      const asked = query.wait === undefined ? null : parseDuration('wait', query.wait);
      const preferred = asked === null ? preferredWaitOf(request.headers) : null;
      const found = await permitted(context, caller, 'read', id);
      const held = await hold(context, found, asked ?? preferred ?? 0, request);
      const task = held === found ? found : caller.fresh().check('read', held, id);
      const etag = etagOf(task.version);
      const headers = {
        etag,
        'cache-control': 'private, no-cache',
        ...(isFinal(task.status) ? undefined : { 'retry-after': retryAfter(task, Date.now()) }),
        ...(preferred === null
          ? undefined
          : {
              'preference-applied': `wait=${Math.floor(Math.min(preferred, settings.waitMs) / 1_000)}`,
              vary: 'prefer',
            }),
      };
      return noneMatches(request.headers, etag) ? answer(304, null, headers) : json(200, caller.show(task), headers);
    },
  });

  const result = route({
    method: 'GET',
    path: '/tasks/:id/result',
    id: 'getTaskResult',
    tag: 'tasks',
    summary: 'The result, as bare JSON',
    params: TaskPath,
    answers: { 200: z.unknown() },
    problems: ['task_not_found', 'task_unfinished', 'task_failed', 'task_cancelled'],
    async handle({ params: { id }, caller }) {
      const task = await permitted(context, caller, 'read', id);
      if (task.status === 'succeeded') return json(200, caller.showResult(task), { etag: etagOf(task.version) });
      throw withoutResult(task);
    },
  });

  return [read, result];
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
