import { TaskNotFoundError } from '../../errors.ts';
import type { TaskAction } from '../../handler/rights.ts';
import type { TaskRecord } from '../../task/record.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import { HttpProblem } from '../problem.ts';

/** What there is of a task for a dialect. */
export interface Sight {
  /** How long a final task is there, in ms; default: as long as the storage has it. */
  readonly keepMs?: number;
  /** What a task outside the caller's scope is answered with; default 404. */
  readonly forbidden?: 403 | 404;
}

/**
 * The task of an id of ours, for what is to be done with it. One that is archived is not there.
 * @param asked the id as the caller has it, which is what errors name
 * @throws {TaskNotFoundError} @throws {HttpProblem} 403
 */
export async function findTask(
  { manager, inside }: HttpContext,
  caller: Caller,
  action: TaskAction,
  id: string,
  { keepMs = Number.POSITIVE_INFINITY, forbidden = 404 }: Sight = {},
  asked = id,
): Promise<TaskRecord> {
  const task = await manager.get(id);
  if (task === null || isOver(task, keepMs, inside.now())) throw new TaskNotFoundError(asked);
  if (forbidden === 403 && !caller.sees(task)) throw new HttpProblem('forbidden', 'You may not see this task.');
  return caller.check(action, task, asked);
}

function isOver({ finishedAt }: TaskRecord, keepMs: number, now: number): boolean {
  return finishedAt !== null && now - finishedAt > keepMs;
}
