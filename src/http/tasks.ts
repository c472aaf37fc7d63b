import { IdempotencyConflictError, UniqueConflictError } from '../errors.ts';
import type { TaskAction } from '../handler/rights.ts';
import type { TaskManager } from '../manager.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import type { HttpContext } from './context.ts';
import { HttpProblem } from './problem.ts';

/** The task that a path names, archived or not. @throws {TaskNotFoundError} @throws {HttpProblem} 403 */
export async function permitted(
  { manager }: HttpContext,
  caller: Caller,
  action: TaskAction,
  id: string,
): Promise<TaskRecord> {
  return caller.check(action, await manager.get(id, { archived: true }), id);
}

/** What a key points at may be somebody else's task: then the caller is told of the conflict, and not of the task. */
export async function withoutStrangers(manager: TaskManager, caller: Caller, error: unknown): Promise<unknown> {
  if (!(error instanceof UniqueConflictError || error instanceof IdempotencyConflictError)) return error;
  const task = await manager.get(error.taskId, { archived: true });
  if (task !== null && caller.reads(task)) return error;
  return keyTaken(error instanceof UniqueConflictError ? 'unique_conflict' : 'idempotency_conflict');
}

/** Says no more than that a key is taken. */
export function keyTaken(code: 'unique_conflict' | 'idempotency_conflict'): HttpProblem {
  const key = code === 'unique_conflict' ? 'unique' : 'idempotency';
  return new HttpProblem(code, `Another task has the ${key} key.`);
}
