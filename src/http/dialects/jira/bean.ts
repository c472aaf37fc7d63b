import type { TaskRecord } from '../../../task/record.ts';
import { isFinal, type Status } from '../../../task/status.ts';
import { percentOf, reasonOf } from '../progress.ts';

/** What Jira says of a task: `TaskProgressBeanObject`. Its keys are all there are, in this order. */
interface TaskProgressBean {
  readonly self: string;
  readonly id: string;
  readonly description: string;
  readonly status: string;
  readonly message?: string;
  readonly result?: unknown;
  readonly submittedBy: number;
  /** Percent. */
  readonly progress: number;
  /** Ms. */
  readonly elapsedRuntime: number;
  /** Epoch ms, like the others below. */
  readonly submitted: number;
  readonly started?: number;
  readonly finished?: number;
  readonly lastUpdate: number;
}

/** What a bean needs beside the task. */
export interface BeanSettings {
  readonly userId: (submittedBy: string) => number;
  readonly resultAsText: boolean;
}

const STATUS: Readonly<Record<Status, string>> = {
  waiting: 'ENQUEUED',
  scheduled: 'ENQUEUED',
  queued: 'ENQUEUED',
  running: 'RUNNING',
  cancelling: 'CANCEL_REQUESTED',
  succeeded: 'COMPLETE',
  failed: 'FAILED',
  cancelled: 'CANCELLED',
};

/** A task as Jira answers it. @param now epoch ms @throws {TypeError} when `userId` gives no integer */
export function beanOf(
  task: TaskRecord,
  self: string,
  { userId, resultAsText }: BeanSettings,
  now: number,
): TaskProgressBean {
  const message = reasonOf(task) ?? task.progress?.message ?? null;
  const hasResult = task.result !== null && task.result !== undefined;
  return {
    self,
    id: task.id,
    description: task.description ?? task.handler,
    status: task.status === 'failed' && task.error?.code === 'lost' ? 'DEAD' : STATUS[task.status],
    ...(message === null ? undefined : { message }),
    ...(hasResult ? { result: resultAsText ? textOf(task.result) : task.result } : undefined),
    submittedBy: task.submittedBy === null ? 0 : integerOf(userId(task.submittedBy)),
    progress: percentOf(task),
    elapsedRuntime: elapsed(task, now),
    submitted: Math.floor(task.createdAt),
    ...(task.startedAt === null ? undefined : { started: Math.floor(task.startedAt) }),
    ...(task.finishedAt === null ? undefined : { finished: Math.floor(task.finishedAt) }),
    lastUpdate: Math.floor(task.updatedAt),
  };
}

/** Of the newest attempt: to its end, to now while it runs, else to when the task was put back. */
function elapsed({ status, startedAt, finishedAt, updatedAt }: TaskRecord, now: number): number {
  if (startedAt === null) return 0;
  const runs = status === 'running' || status === 'cancelling';
  const end = isFinal(status) ? finishedAt : runs ? now : updatedAt;
  return Math.max(0, Math.floor((end ?? now) - startedAt));
}

/** A text is one already; whatever else is, is written as JSON. */
function textOf(result: unknown): string {
  return typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
}

function integerOf(value: unknown): number {
  if (Number.isSafeInteger(value)) return value as number;
  throw new TypeError('`userId` of jira() must give an integer.');
}
