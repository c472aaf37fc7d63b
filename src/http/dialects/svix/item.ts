import type { TaskProgress, TaskRecord } from '../../../task/record.ts';
import { dialectId } from '../ids.ts';
import { type Show, told } from '../options.ts';
import { reasonOf } from '../progress.ts';
import { type SvixTask, statusOf, type TaskWords, taskOf } from './words.ts';

/** What ids begin with. Clients take only `^qtask_[A-Za-z0-9]{27}$`. */
export const ID_PREFIX = 'qtask_';

type Data = Readonly<Record<string, unknown>>;

/** `BackgroundTaskOut`, with its keys in their order; the last one is unknown to version 1.4. */
interface SvixItem {
  readonly data: Data;
  readonly id: string;
  readonly status: string;
  readonly task: SvixTask;
  readonly updatedAt?: string;
}

/** What an item needs beside the task. */
export interface ItemSettings extends TaskWords {
  readonly data: (task: TaskRecord) => unknown;
  readonly show: Show | null;
}

/** A task as Svix answers it. @param old as version 1.4 has it: its clients throw on a key that they do not know */
export function itemOf(task: TaskRecord, settings: ItemSettings, old: boolean): object {
  const item: SvixItem = {
    data: wrapped(settings.data(task)),
    id: dialectId(ID_PREFIX, task.id),
    status: statusOf(task.status),
    task: taskOf(settings, task.handler, old),
    ...(old ? undefined : { updatedAt: new Date(task.updatedAt).toISOString() }),
  };
  return told(settings.show, item, task);
}

/**
 * What `data` is unless an option says otherwise: the handler's name, and the result of the task, or why it has none, or how far
 * it is.
 */
export function defaultData(task: TaskRecord): Data {
  const { handler, result, progress } = task;
  if (task.status === 'succeeded') {
    if (isPlain(result) && !Object.hasOwn(result, 'handler')) return { handler, ...result };
    return result === null ? { handler } : { handler, result };
  }
  const message = reasonOf(task);
  if (message !== null) return { handler, error: { code: task.error?.code ?? task.status, message } };
  if (progress === null) return { handler };
  return { handler, progress: known(progress) };
}

/** Without what is not known: some typed clients read null as text. */
function known({ processed, total, fraction, message }: TaskProgress): Data {
  return Object.fromEntries(
    Object.entries({ processed, total, fraction, message }).filter(([, value]) => value !== null),
  );
}

/** Typed clients take nothing but an object. */
function wrapped(value: unknown): Data {
  if (isPlain(value)) return value;
  return value === null || value === undefined ? {} : { result: value };
}

function isPlain(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
