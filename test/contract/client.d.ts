// The public contract as types, kept apart from the library on purpose: what this says, the library must go on saying.
// `types.test.ts` compares the two.

import type {
  AnyTask,
  DeleteOptions,
  Duration,
  InputOf,
  ListQuery,
  Optional,
  RecordOf,
  Resolve,
  Rest,
  SubmitOptions,
  TaskFilter,
  TaskNews,
  TasksOf,
  TaskWarning,
} from './core.d.ts';

type Listed<R> = R extends unknown
  ? Omit<R, 'input' | 'result'> & Partial<Pick<R, Extract<keyof R, 'input' | 'result'>>>
  : never;
type HeaderMap = Readonly<Record<string, string>>;
export type ClientSubmitOptions = SubmitOptions & Optional<{ failOnWarning: boolean; signal: AbortSignal }>;
export type TaskClientOptions = { readonly baseUrl: string | URL } & Optional<{
  fetch: typeof globalThis.fetch;
  headers: HeaderMap | (() => HeaderMap | Promise<HeaderMap>);
  retry: false | Optional<{ maxAttempts: number }>;
}>;
/** Records as in the library (epoch ms), errors of the same classes. */
export declare class TaskClient<
  const Handlers extends readonly AnyTask[] = readonly AnyTask[],
  Tasks extends AnyTask = TasksOf<Handlers>,
> {
  constructor(options: TaskClientOptions);
  submit<N extends Tasks['name']>(
    handler: N,
    ...rest: Rest<InputOf<Resolve<Tasks, N>>, ClientSubmitOptions>
  ): Promise<RecordOf<Resolve<Tasks, N>> & { readonly warnings: readonly TaskWarning[] }>;
  get(id: string): Promise<RecordOf<Tasks> | null>;
  /** All pages, one after the other; `input` and `result` where included. */
  list(
    query?: ListQuery & Optional<{ include: readonly ('input' | 'result')[] }>,
  ): AsyncIterableIterator<Listed<RecordOf<Tasks>>>;
  /** The final record, whatever its status. */
  wait(id: string, options?: Optional<{ timeout: Duration; signal: AbortSignal }>): Promise<RecordOf<Tasks>>;
  cancel(id: string, reason?: string): Promise<RecordOf<Tasks>>;
  restart(id: string): Promise<RecordOf<Tasks>>;
  delete(id: string, options?: DeleteOptions): Promise<void>;
  /** Reconnects. Of one task it ends after the final status. */
  events(of: string | TaskFilter, options?: Optional<{ signal: AbortSignal }>): AsyncIterableIterator<TaskNews<Tasks>>;
}
