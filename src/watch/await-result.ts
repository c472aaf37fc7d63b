import { TaskCancelledError, TaskFailedError, TaskNotFoundError } from '../errors.ts';
import type { TaskStorage } from '../storage/storage.ts';
import { cloneJson } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Watchers } from './watchers.ts';

/**
 * Waits until a task is final.
 * @param signal ends the waiting
 * @returns the stored result
 * @throws {TaskFailedError} @throws {TaskCancelledError} @throws {TaskNotFoundError} and the signal's reason
 */
export async function awaitResult(
  storage: TaskStorage,
  watchers: Watchers,
  taskId: string,
  signal?: AbortSignal,
): Promise<unknown> {
  const task = await awaitFinal(storage, watchers, taskId, signal);
  if (task.status === 'succeeded') return cloneJson(task.result); // others may wait for the same record
  throw task.status === 'failed' ? new TaskFailedError(task) : new TaskCancelledError(task);
}

/** Waits for the final record, whatever its status. @throws {TaskNotFoundError} and the signal's reason */
export function awaitFinal(
  storage: TaskStorage,
  watchers: Watchers,
  taskId: string,
  signal: AbortSignal | undefined,
): Promise<TaskRecord> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = (): void => {
      unwatch();
      signal?.removeEventListener('abort', aborted);
    };
    const fail = (error: unknown): void => {
      end();
      reject(error);
    };
    const aborted = (): void => fail(signal?.reason);
    const see = (task: TaskRecord | null): void => {
      if (task === null) fail(new TaskNotFoundError(taskId));
      else if (isFinal(task.status)) {
        end();
        resolve(task);
      }
    };
    const unwatch = watchers.add({ taskId, since: 0, see, fail });
    signal?.addEventListener('abort', aborted, { once: true });
    // It may have ended before we watched.
    storage.get([taskId], { archived: true }).then(([task]) => see(task ?? null), fail);
  });
}
