import type { TaskRecord } from '../../../task/record.ts';
import type { Status } from '../../../task/status.ts';

/** The words that version 1.4 has for `task`. Typed clients refuse any other. */
export const OLD_TASKS = ['endpoint.replay', 'endpoint.recover', 'application.stats'] as const;

/** The words that Svix has for `task` at present. */
export const TASKS = [
  ...OLD_TASKS,
  'message.broadcast',
  'sdk.generate',
  'event-type.aggregate',
  'application.purge_content',
  'endpoint.bulk-replay',
] as const;
export type SvixTask = (typeof TASKS)[number];

/** The words for `status`, and which of ours each is. */
export const STATUSES = {
  running: ['waiting', 'scheduled', 'queued', 'running', 'cancelling'],
  finished: ['succeeded'],
  failed: ['failed', 'cancelled'],
} as const satisfies Readonly<Record<string, readonly Status[]>>;
export type SvixStatus = keyof typeof STATUSES;

/** The word for one of our statuses. */
export function statusOf(status: Status): SvixStatus {
  if (status === 'succeeded') return 'finished';
  return status === 'failed' || status === 'cancelled' ? 'failed' : 'running';
}

/** How handlers are called here. */
export interface TaskWords {
  readonly tasks: ReadonlyMap<string, SvixTask>;
  /** Of the handlers that are not in it. */
  readonly otherTask: (typeof OLD_TASKS)[number];
}

/** The word for a handler. @param old only those of 1.4 */
export function taskOf({ tasks, otherTask }: TaskWords, handler: TaskRecord['handler'], old: boolean): SvixTask {
  const word = tasks.get(handler) ?? otherTask;
  return old && !(OLD_TASKS as readonly string[]).includes(word) ? otherTask : word;
}
