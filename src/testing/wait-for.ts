import type { AnyTask, RecordOf } from '../handler/define.ts';
import type { TaskManager } from '../manager.ts';
import { isFinal, type Status } from '../task/status.ts';

/**
 * Waits until a task has a status, without polling.
 * @param status one, or several of which any will do
 * @returns its record then
 * @throws {TaskNotFoundError} and an `Error` when the task ends in another status
 */
export async function waitFor<Handlers extends readonly AnyTask[], Tasks extends AnyTask>(
  manager: TaskManager<Handlers, Tasks>,
  id: string,
  status: Status | readonly Status[],
): Promise<RecordOf<Tasks>> {
  const wanted: readonly Status[] = typeof status === 'string' ? [status] : status;
  for await (const { task } of manager.task(id).events()) {
    if (wanted.includes(task.status)) return task as RecordOf<Tasks>;
    if (isFinal(task.status)) {
      throw new Error(
        `Task ${id} is ${task.status} (${task.error?.message ?? 'no error'}), and will not be ${wanted.join(' or ')}.`,
      );
    }
  }
  throw new Error(`The manager was closed before task ${id} was ${wanted.join(' or ')}.`);
}
