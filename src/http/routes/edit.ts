import { z } from 'zod';
import { VersionConflictError } from '../../errors.ts';
import type { TaskRecord } from '../../task/record.ts';
import { answer, json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { changedMeanwhile, etagOf, IF_MATCH, requireMatch } from '../headers.ts';
import { type Route, route } from '../route.ts';
import { Flag, Task, TaskPatch, TaskPath } from '../schemas.ts';
import { requireChange } from '../task-change.ts';
import { permitted } from '../tasks.ts';

/** Changing a task, and deleting it. */
export function editRoutes(context: HttpContext): readonly Route[] {
  const { manager, inside } = context;

  const update = route({
    method: 'PATCH',
    path: '/tasks/:id',
    id: 'updateTask',
    tag: 'tasks',
    summary: 'Change what is not fixed; merged (RFC 7396): `null` removes, and for `runAt` it holds',
    params: TaskPath,
    body: TaskPatch,
    headers: IF_MATCH,
    answers: { 200: Task },
    problems: [
      'input_invalid',
      'option_invalid',
      'payload_too_large',
      'unsupported_media_type',
      'task_not_found',
      'transition_refused',
      'version_conflict',
    ],
    async handle({ params: { id }, body, request, caller }) {
      const before = await permitted(context, caller, 'update', id);
      requireMatch(request.headers, before, `Task ${id}`);
      requireChange(caller, before, body);
      // What `If-Match` found is what is changed, or nothing is.
      const ifVersion = request.headers.has('if-match') ? before.version : undefined;
      const task = await manager.update(id, body, { ifVersion }).catch((error: unknown) => {
        throw error instanceof VersionConflictError ? changedMeanwhile(`Task ${id}`) : error;
      });
      return json(200, caller.show(task), { etag: etagOf(task.version) });
    },
  });

  const remove = route({
    method: 'DELETE',
    path: '/tasks/:id',
    id: 'deleteTask',
    tag: 'tasks',
    summary:
      'Delete: to the archive, or with `purge` for good. `related` takes its children along, `cancel` ends first what has not ended',
    params: TaskPath,
    query: z.strictObject({ related: Flag.optional(), cancel: Flag.optional(), purge: Flag.optional() }),
    headers: IF_MATCH,
    answers: { 204: { type: null, description: 'Deleted' } },
    problems: ['task_not_found', 'related_tasks', 'transition_refused', 'version_conflict'],
    async handle({ params: { id }, query, request, caller }) {
      requireMatch(request.headers, await permitted(context, caller, 'delete', id), `Task ${id}`);
      const sees = (task: TaskRecord): boolean => {
        if (!caller.sees(task)) return false; // nobody deletes, or is held up by, what does not exist for him
        if (query.related) caller.check('delete', task, task.id);
        return true;
      };
      await inside.controls.delete(id, query, sees);
      return answer(204, null);
    },
  });

  return [update, remove];
}
