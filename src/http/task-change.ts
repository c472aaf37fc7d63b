import type { TaskPatch } from '../controls.ts';
import type { JsonValue } from '../task/json.ts';
import { mergePatch } from '../task/merge-patch.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import { HttpProblem } from './problem.ts';

/**
 * What a caller may do with a task must hold for what he makes of it, too: or a tag, an entity or a priority with which he may
 * submit nothing could be given afterwards, and a task be put among those of others.
 * @param task that he may update
 * @throws {HttpProblem} 403
 */
export function requireChange(caller: Caller, task: TaskRecord, patch: TaskPatch): void {
  if (caller.principal === null) return;
  const changed = patched(task, patch);
  if (caller.sees(changed) && caller.may('update', changed)) return;
  throw new HttpProblem('forbidden', 'You may not make this of the task.');
}

/** The task as it would be (RFC 7396); its status is left as it is. */
function patched(task: TaskRecord, { tags, metadata, runAt, ...fields }: TaskPatch): TaskRecord {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    ...task,
    ...Object.fromEntries(given),
    ...(runAt === undefined ? undefined : { runAt: runAt instanceof Date ? runAt.getTime() : runAt }),
    tags: tags === undefined ? task.tags : (mergePatch(task.tags, tags) as TaskRecord['tags']),
    metadata: metadata === undefined ? task.metadata : mergePatch(task.metadata as JsonValue, metadata as JsonValue),
  };
}
