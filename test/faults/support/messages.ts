import type { DeleteOptions, JsonValue, SubmitOptions, TaskNews, TaskRecord } from 'tasklane';

/** Where a child kills or stops itself: right before or right after one call of its storage. */
export interface Trap {
  readonly call: TrapCall;
  readonly when: 'before' | 'after';
  /** Default SIGKILL. */
  readonly signal?: 'SIGKILL' | 'SIGSTOP';
}

/**
 * A call that does something: `start` and `checkpoint` are beats that store one, `claim` one that may take a task, `tick` an
 * insert that moves a schedule.
 */
export type TrapCall =
  | 'insert'
  | 'tick'
  | 'claim'
  | 'start'
  | 'checkpoint'
  | 'settle'
  | 'change'
  | 'remove'
  | 'takeBack';

/** What a child is started with. */
export interface WorkerConfig {
  /** The database. */
  readonly file: string;
  /** What its handlers did, beside the database. */
  readonly journal: string;
  /** False: it waits to be told. Default true. */
  readonly start?: boolean;
  /** False: nobody listens to its manager, which then takes other ways. Default true. */
  readonly listen?: boolean;
  readonly concurrency?: number;
  /** Default 10 min: a slow machine loses nothing, and nothing is found by a beat that must be found sooner. */
  readonly leaseMs?: number;
  readonly maxLost?: number;
  readonly trap?: Trap;
}

/** A task to submit. `input` must fit the handler; see `handlers.ts`. */
export type Item = { readonly handler: string; readonly input?: JsonValue; readonly ref?: string } & SubmitOptions;

export interface Submitted {
  readonly id: string;
  readonly created: boolean;
}

/** What a child does when asked. */
export interface Commands {
  start(run: boolean): Promise<void>;
  submit(item: Item): Promise<Submitted>;
  submitMany(items: readonly Item[]): Promise<readonly Submitted[]>;
  /** As many submits of the same, all under way at once, some in each turn of the event loop. */
  submitTogether(item: Item, times: number): Promise<readonly Submitted[]>;
  /** The final record, however it ended. */
  ended(id: string): Promise<TaskRecord>;
  get(id: string): Promise<TaskRecord | null>;
  cancel(id: string, reason: string): Promise<TaskRecord>;
  runNow(id: string): Promise<TaskRecord>;
  delete(id: string, options: DeleteOptions): Promise<void>;
  /** A schedule of `noop` tasks at these times, epoch ms. */
  schedule(key: string, times: readonly number[]): Promise<void>;
  pause(handler?: string): Promise<void>;
  resume(handler?: string): Promise<void>;
  /** Lets a `hold` return. */
  release(id: string): Promise<void>;
  /** From now on every `hold` returns at once. */
  releaseAll(): Promise<void>;
  /** Tells of this task's events, or of what happens to all, as `news` and `news ended`. */
  follow(id: string | null): Promise<void>;
  idle(): Promise<void>;
  /** It exits with 0 after that. `timeoutMs`: what running tasks are given to finish. */
  close(timeoutMs?: number): Promise<void>;
}

export type Command = keyof Commands;

/** What a child tells. */
export type Notice =
  | { readonly kind: 'answer'; readonly id: number; readonly value?: unknown; readonly error?: string }
  /** A `hold` or a `stop` began. */
  | { readonly kind: 'began'; readonly taskId: string; readonly attempt: number }
  /** Its signal was aborted. */
  | {
      readonly kind: 'aborted';
      readonly taskId: string;
      readonly attempt: number;
      readonly code: string;
      readonly message: string;
    }
  /** A checkpoint was refused. */
  | { readonly kind: 'refused'; readonly taskId: string; readonly attempt: number; readonly code: string }
  | { readonly kind: 'news'; readonly news: News }
  | { readonly kind: 'news ended'; readonly error: string | null }
  | { readonly kind: 'warning'; readonly code: string; readonly taskId: string | null }
  | { readonly kind: 'error'; readonly message: string };

/** Of what the event said. */
export type News = Pick<TaskNews, 'type' | 'taskId'> & {
  readonly status: TaskRecord['status'];
  readonly message: string | null;
};

/** What a parent asks. */
export interface Request {
  readonly id: number;
  readonly command: Command;
  readonly args: readonly unknown[];
}
