import { TasklaneError } from '../errors.ts';
import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { HttpContext } from './context.ts';

/**
 * Holds a request until a task is final, the time is over, the client has gone or the handler closes.
 * @param waitMs cut to the limit of the handler
 * @returns the task as it is then; null when it has gone
 */
export async function hold(
  { manager, settings, closing }: HttpContext,
  task: TaskRecord,
  waitMs: number,
  request: Request,
): Promise<TaskRecord | null> {
  if (isFinal(task.status) || waitMs === 0 || closing.aborted) return task;
  const client = request.signal; // made when asked for
  if (client.aborted) return task;
  const over = new AbortController();
  const end = (): void => over.abort();
  const timer = setTimeout(end, Math.min(waitMs, settings.waitMs));
  client.addEventListener('abort', end);
  closing.addEventListener('abort', end);
  try {
    await manager.task(task.id).result({ signal: over.signal });
  } catch (error) {
    // failed, cancelled and gone are ends as well; so is our own signal, whose reason comes back
    if (!over.signal.aborted && !(error instanceof TasklaneError)) throw error;
  } finally {
    clearTimeout(timer);
    client.removeEventListener('abort', end);
    closing.removeEventListener('abort', end);
  }
  return manager.get(task.id, { archived: true });
}
