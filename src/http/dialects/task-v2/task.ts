import type { TaskRecord } from '../../../task/record.ts';
import { STATUSES, type Status } from '../../../task/status.ts';
import type { JsonSettings } from './fields.ts';

/** What Task v2 says of a task. Its keys are all there are, in this order. */
export interface TaskV2 {
  readonly task_id: string;
  readonly handler: string;
  readonly user_id: string;
  readonly entity_id: string | null;
  readonly status: string;
  /** JSON, as text. */
  readonly request: string | null;
  /** JSON, as text. */
  readonly response: string | null;
  /** A day, in UTC. */
  readonly created_at: string;
  readonly updated_at: string;
}

/** What a document needs beside the task. */
export interface TaskSettings extends JsonSettings {
  readonly statuses: Readonly<Record<Status, string>>;
  readonly noUser: string;
  readonly request: (task: TaskRecord) => unknown;
  readonly response: (task: TaskRecord) => unknown;
  /** What becomes of fields that are not the client's to set. */
  readonly fixed: 'refuse' | 'ignore';
}

/** The words of the API, of our statuses. */
export const STATUS_WORDS: Readonly<Record<Status, string>> = {
  waiting: 'pending',
  scheduled: 'pending',
  queued: 'pending',
  running: 'running',
  cancelling: 'running',
  succeeded: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
};

/** A task as Task v2 answers it. */
export function documentOf(task: TaskRecord, { statuses, noUser, request, response }: TaskSettings): TaskV2 {
  return {
    task_id: task.id,
    handler: task.handler,
    user_id: task.submittedBy ?? noUser,
    entity_id: task.entityId,
    status: statuses[task.status],
    request: jsonText(request(task)),
    response: jsonText(response(task)),
    created_at: dayOf(task.createdAt),
    updated_at: dayOf(task.updatedAt),
  };
}

/** Ours that a word stands for; none for a word that is not the API's. */
export function statusesOf(word: string, statuses: TaskSettings['statuses']): readonly Status[] {
  return STATUSES.filter((status) => statuses[status] === word);
}

/** Ours in the order of their words: as these are listed, then alphabetically. */
export function byWord(statuses: TaskSettings['statuses'], words: readonly string[]): readonly Status[] {
  const place = (word: string): number => (words.includes(word) ? words.indexOf(word) : words.length);
  const compare = (a: string, b: string): number => place(a) - place(b) || (a < b ? -1 : Number(a > b));
  return STATUSES.toSorted((a, b) => compare(statuses[a], statuses[b]));
}

function jsonText(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

/** The day of a time, in UTC. @param ms epoch ms */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
