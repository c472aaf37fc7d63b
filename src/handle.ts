import { signalOf } from './bag.ts';
import type { TaskNews, TaskWarning } from './events.ts';
import type { AnyTask, Optional, RecordOf, ResultOf } from './handler/define.ts';

/** One task, wherever it runs. */
export interface TaskHandle<T extends AnyTask = AnyTask> {
  readonly id: string;
  /**
   * Waits for the result, the stored copy.
   * @param options `signal` ends the waiting, not the task
   * @throws {TaskFailedError} @throws {TaskCancelledError} @throws {TaskNotFoundError} and the signal's reason
   */
  result(options?: Optional<{ signal: AbortSignal }>): Promise<ResultOf<T>>;
  /** As `manager.cancel`. */
  cancel(reason?: string): Promise<RecordOf<T>>;
  /**
   * What any process does with it: first its status as it is, and the end after its final status. Of a task that has ended
   * its log lines and last progress come first.
   */
  events(options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<TaskNews<T>>;
}

/** What `submit` gives: a handle that also says whether an earlier task answers. */
export type SubmittedTask<T extends AnyTask = AnyTask> = TaskHandle<T> & {
  readonly warnings: readonly TaskWarning[];
} & ({ readonly created: true; readonly matched: null } | { readonly created: false; readonly matched: Matched });

/** What let an earlier task answer. */
export type Matched = 'idempotency' | 'unique' | 'debounce' | 'throttle';

/** What a handle stands on. */
export interface HandleHost {
  result(id: string, signal: AbortSignal | undefined): Promise<unknown>;
  cancel(id: string, reason?: string): Promise<unknown>;
  events(id: string, signal: AbortSignal | undefined): AsyncIterableIterator<unknown>;
}

/** The handle of any task. */
export class Handle {
  readonly id: string;
  readonly #host: HandleHost;

  constructor(host: HandleHost, id: string) {
    this.#host = host;
    this.id = id;
  }

  async result(options?: Optional<{ signal: AbortSignal }>): Promise<unknown> {
    return this.#host.result(this.id, signalOf(options));
  }

  cancel(reason?: string): Promise<unknown> {
    return this.#host.cancel(this.id, reason);
  }

  events(options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<unknown> {
    return this.#host.events(this.id, signalOf(options));
  }
}

/** The handle of a task that was just submitted: it also says what `submit` found. */
export class SubmittedHandle extends Handle {
  readonly created: boolean;
  readonly matched: Matched | null;
  readonly warnings: readonly TaskWarning[];

  constructor(host: HandleHost, id: string, matched: Matched | null, warnings: readonly TaskWarning[]) {
    super(host, id);
    this.created = matched === null;
    this.matched = matched;
    this.warnings = warnings;
  }
}
