import { z } from 'zod';
import type { TaskAction } from '../../handler/rights.ts';
import type { TaskRecord } from '../../task/record.ts';
import { json } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import { etagOf, IF_MATCH, requireMatch } from '../headers.ts';
import { retryAfter } from '../retry-after.ts';
import { type Route, route } from '../route.ts';
import { Task, TaskPath } from '../schemas.ts';
import { permitted, withoutStrangers } from '../tasks.ts';

/** What is told a task to do: each is accepted, and answered with the record as it is then. */
export function actionRoutes(context: HttpContext): readonly Route[] {
  const { manager } = context;

  /** @throws {TaskNotFoundError} @throws {TransitionError} @throws {UniqueConflictError} */
  async function act(
    { id, caller, request, link }: { id: string; caller: Caller; request: Request; link: (path: string) => string },
    action: TaskAction,
    change: (id: string) => Promise<TaskRecord>,
  ): Promise<Response> {
    requireMatch(request.headers, await permitted(context, caller, action, id), `Task ${id}`);
    const task = await change(id).catch(async (error: unknown) => {
      throw await withoutStrangers(manager, caller, error);
    });
    return json(202, caller.show(task), {
      location: link(`/tasks/${task.id}`),
      'retry-after': retryAfter(task, Date.now()),
      etag: etagOf(task.version),
    });
  }

  const cancel = route({
    method: 'POST',
    path: '/tasks/:id/cancel',
    id: 'cancelTask',
    tag: 'tasks',
    summary: 'Cancel: at once what does not run yet, else by telling the handler to stop',
    params: TaskPath,
    body: z.strictObject({ reason: z.string().max(1_000).optional() }).optional(),
    headers: IF_MATCH,
    answers: { 202: Task },
    problems: [
      'input_invalid',
      'option_invalid',
      'payload_too_large',
      'unsupported_media_type',
      'task_not_found',
      'transition_refused',
      'version_conflict',
    ],
    handle: ({ params: { id }, body, ...call }) =>
      act({ id, ...call }, 'cancel', () => manager.cancel(id, body?.reason)),
  });

  const restart = route({
    method: 'POST',
    path: '/tasks/:id/restart',
    id: 'restartTask',
    tag: 'tasks',
    summary: 'Run a final task again; its attempts are counted anew, its history goes on',
    params: TaskPath,
    headers: IF_MATCH,
    answers: { 202: Task },
    problems: ['task_not_found', 'transition_refused', 'unique_conflict', 'version_conflict'],
    handle: ({ params: { id }, ...call }) => act({ id, ...call }, 'restart', () => manager.restart(id)),
  });

  const runNow = route({
    method: 'POST',
    path: '/tasks/:id/run-now',
    id: 'runTaskNow',
    tag: 'tasks',
    summary: 'Queue a scheduled, held or waiting task at once',
    params: TaskPath,
    headers: IF_MATCH,
    answers: { 202: Task },
    problems: ['task_not_found', 'transition_refused', 'version_conflict'],
    handle: ({ params: { id }, ...call }) => act({ id, ...call }, 'runNow', () => manager.runNow(id)),
  });

  return [cancel, restart, runNow];
}
