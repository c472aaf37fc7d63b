import { EventEmitter } from 'eventemitter3';
import { OptionError } from './errors.ts';
import type { AnyTask, RecordOf } from './handler/define.ts';
import type { LogLevel, TaskErrorInfo, TaskProgress, TaskRecord } from './task/record.ts';

/** Something a caller should know although nothing failed. */
export type TaskWarning = Readonly<{ code: string; message: string }>;

type Each<T extends AnyTask, Extra> = T extends AnyTask
  ? {
      readonly type: string;
      readonly handler: T['name'];
      readonly taskId: string;
      readonly at: number;
      readonly task: RecordOf<T>;
    } & Extra
  : never;

/** Of `manager.watch` and `task.events()`: what any process on the storage did. Discriminated by `type` and `handler`. */
export type TaskNews<T extends AnyTask = AnyTask> =
  | Each<T, { readonly type: 'status' }>
  | Each<T, { readonly type: 'progress'; readonly task: { readonly progress: TaskProgress } }>
  | Each<T, { readonly type: 'log'; readonly level: LogLevel; readonly message: string }>;

/** Of `manager.on`: what this process did. Discriminated by `handler`; `at`: epoch ms. */
export interface TaskEvents<T extends AnyTask = AnyTask> {
  /** A submit was stored; `task:queued` or `task:scheduled` follows. */
  'task:created': Each<T, unknown>;
  'task:scheduled': Each<T, unknown>;
  'task:queued': Each<T, unknown>;
  /** The handler started. */
  'task:started': Each<T, unknown>;
  'task:progress': Each<T, { readonly progress: TaskProgress }>;
  'task:log': Each<T, { readonly level: LogLevel; readonly message: string }>;
  /** An attempt failed and another follows. */
  'task:retrying': Each<T, { readonly error: TaskErrorInfo; readonly runAt: number }>;
  'task:snoozed': Each<T, { readonly runAt: number }>;
  /** Given back: a shutdown, or it never started. */
  'task:interrupted': Each<T, unknown>;
  /** The process that ran it died. */
  'task:lost': Each<T, unknown>;
  /** A running task was told to stop. */
  'task:cancelling': Each<T, unknown>;
  'task:updated': Each<T, unknown>;
  'task:succeeded': Each<T, unknown>;
  'task:failed': Each<T, { readonly error: TaskErrorInfo }>;
  'task:cancelled': Each<T, { readonly reason: string | null }>;
  'task:archived': Each<T, unknown>;
  warning: TaskWarning & { readonly taskId: string | null; readonly handler: string | null };
  /** What nobody could be thrown at: a listener, a storage in the background. */
  error: { readonly error: unknown; readonly taskId: string | null; readonly handler: string | null };
}

const NAMES: readonly string[] = Object.keys({
  'task:created': true,
  'task:scheduled': true,
  'task:queued': true,
  'task:started': true,
  'task:progress': true,
  'task:log': true,
  'task:retrying': true,
  'task:snoozed': true,
  'task:interrupted': true,
  'task:lost': true,
  'task:cancelling': true,
  'task:updated': true,
  'task:succeeded': true,
  'task:failed': true,
  'task:cancelled': true,
  'task:archived': true,
  warning: true,
  error: true,
} satisfies Record<keyof TaskEvents, true>);

/** The events of a task. */
export type TaskEventName = Exclude<keyof TaskEvents, 'warning' | 'error'>;

/**
 * The manager's events, under guard: a listener that throws or rejects becomes an `error` event and disturbs nobody; an
 * `error` without a listener goes to `process.emitWarning`, and is never thrown.
 */
export class Events {
  readonly #emitter = new EventEmitter();
  readonly #now: () => number;
  #heard = 0;

  /** @param now epoch ms */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** @returns ends the listening @throws {OptionError} */
  on<E extends keyof TaskEvents>(name: E, listener: (event: TaskEvents[E]) => unknown): () => void {
    if (!NAMES.includes(name)) throw new OptionError('name', `one of ${NAMES.join(', ')}`, name);
    if (typeof listener !== 'function') throw new OptionError('listener', 'a function', listener);
    const guarded = (event: TaskEvents[E]): void => {
      try {
        const outcome = listener(event);
        if (isThenable(outcome)) outcome.then(undefined, (error: unknown) => this.#failed(name, error));
      } catch (error) {
        this.#failed(name, error);
      }
    };
    this.#emitter.on(name, guarded);
    this.#heard++;
    let on = true;
    return () => {
      if (!on) return;
      on = false;
      this.#heard--;
      this.#emitter.off(name, guarded);
    };
  }

  /** Whether anybody listens to any event: making records for nobody would cost every task. */
  get heard(): boolean {
    return this.#heard > 0;
  }

  /** Whether anybody listens to this event. */
  hears(name: keyof TaskEvents): boolean {
    return this.#heard > 0 && this.#emitter.listenerCount(name) > 0;
  }

  /** Tells of a task; `extra` is what the event has beside the record. */
  task(name: TaskEventName, task: TaskRecord, extra?: object): void {
    if (!this.hears(name)) return;
    const { handler, id } = task;
    // A copy: whoever waits for the task is given the same record.
    this.#emitter.emit(name, { type: name, at: this.#now(), handler, taskId: id, task: { ...task }, ...extra });
  }

  warn(code: string, message: string, task?: { readonly id: string | null; readonly handler: string }): void {
    this.#emitter.emit('warning', { code, message, taskId: task?.id ?? null, handler: task?.handler ?? null });
  }

  /** Tells of an error that has no caller. */
  error(error: unknown, task?: { readonly id: string; readonly handler: string }): void {
    if (this.hears('error')) {
      this.#emitter.emit('error', { error, taskId: task?.id ?? null, handler: task?.handler ?? null });
    } else {
      emitWarning(error);
    }
  }

  #failed(name: keyof TaskEvents, error: unknown): void {
    if (name === 'error') emitWarning(error);
    else this.error(error);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function';
}

function emitWarning(error: unknown): void {
  let text = 'an error that cannot be shown';
  try {
    text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  } catch {
    // whatever was thrown has no text
  }
  process.emitWarning(text, { type: 'TasklaneWarning' });
}
