import type { EventSourceMessage } from 'eventsource-parser';
import type { AnyTask, RecordOf } from '../handler/define.ts';
import type { WireTask } from '../http/wire.ts';
import type { LogLevel, TaskProgress, TaskRecord } from '../task/record.ts';
import { type Listed, listedFromWire } from './record.ts';

type Each<T extends AnyTask, Extra> = T extends AnyTask
  ? {
      readonly type: string;
      readonly handler: T['name'];
      readonly taskId: string;
      /** Epoch ms. */
      readonly at: number;
      readonly task: Listed<RecordOf<T>>;
    } & Extra
  : never;

/** What `events` gives: as in process, but for the `input` and `result` of the record, which events leave out. */
export type ClientNews<T extends AnyTask = AnyTask> =
  | Each<T, { readonly type: 'status' }>
  | Each<T, { readonly type: 'progress'; readonly task: { readonly progress: TaskProgress } }>
  | Each<T, { readonly type: 'log'; readonly level: LogLevel; readonly message: string }>;

/** The data of a log event: it names its task, and no more. */
interface WireLog {
  readonly taskId: string;
  readonly at: string;
  readonly level: LogLevel;
  readonly message: string;
}

/** Records that log lines may belong to; the ones that were seen longest ago go first. */
const MAX_KNOWN = 1_000;

/** Makes news of events. It remembers the records it has seen, as log lines come without. */
export class NewsMaker<T extends AnyTask> {
  readonly #known = new Map<string, Listed<RecordOf<T>>>();
  readonly #find: (id: string) => Promise<Listed<RecordOf<T>> | null>;

  /** @param find a task that a log line names and that was not seen yet */
  constructor(find: (id: string) => Promise<Listed<RecordOf<T>> | null>) {
    this.#find = find;
  }

  /** @returns null for what is no news, such as how things stand when a connection was taken up again and nothing has changed */
  async make({ event, data }: EventSourceMessage): Promise<ClientNews<T> | null> {
    if (event === 'log') return this.#log(JSON.parse(data) as WireLog);
    if (event !== 'status' && event !== 'progress') return null;
    const task = listedFromWire<T>(JSON.parse(data) as WireTask);
    const before = this.#known.get(task.id);
    this.#remember(task);
    if (event === 'status' && before !== undefined && sameState(before, task)) return null;
    const at = event === 'progress' ? (task.progress?.at ?? task.updatedAt) : task.updatedAt;
    return { type: event, handler: task.handler, taskId: task.id, at, task } as unknown as ClientNews<T>;
  }

  async #log({ taskId, at, level, message }: WireLog): Promise<ClientNews<T> | null> {
    const task = this.#known.get(taskId) ?? (await this.#find(taskId));
    if (task === null) return null; // deleted meanwhile
    this.#remember(task);
    const { handler } = task;
    return { type: 'log', handler, taskId, at: Date.parse(at), task, level, message } as unknown as ClientNews<T>;
  }

  #remember(task: Listed<RecordOf<T>>): void {
    this.#known.delete(task.id);
    this.#known.set(task.id, task);
    if (this.#known.size <= MAX_KNOWN) return;
    for (const id of this.#known.keys()) {
      this.#known.delete(id);
      return;
    }
  }
}

/** A start is told at the version of its claim. */
function sameState(a: Listed<TaskRecord>, b: Listed<TaskRecord>): boolean {
  return a.version === b.version && a.status === b.status && a.startedAt === b.startedAt;
}
