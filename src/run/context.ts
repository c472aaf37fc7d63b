import type { DependencyResult } from '../flow/relations.ts';
import type { ProgressReport, TaskContext } from '../handler/context.ts';
import type { AnyTask, Optional } from '../handler/define.ts';
import type { SubmitOptions } from '../submit/options.ts';
import type { LogLevel, TaskRecord } from '../task/record.ts';

/** The attempt behind a context. */
export interface ContextHost {
  readonly task: TaskRecord;
  readonly signal: AbortSignal;
  readonly closing: AbortSignal;
  progress(report: ProgressReport): void;
  log(message: unknown, level: LogLevel | undefined): void;
  checkpoint(value: unknown): Promise<void>;
  submit(handler: AnyTask | string, input: unknown, options: SubmitOptions | undefined): Promise<unknown>;
  dependencies(of: readonly AnyTask[]): Promise<readonly DependencyResult[]>;
}

/** What a handler is given. Getters, so that what it does not use costs nothing and what it takes out stays bound. */
export class Context implements TaskContext {
  readonly #host: ContextHost;

  constructor(host: ContextHost) {
    this.#host = host;
  }

  get task(): TaskRecord {
    return this.#host.task;
  }

  get signal(): AbortSignal {
    return this.#host.signal;
  }

  get closing(): AbortSignal {
    return this.#host.closing;
  }

  get progress(): TaskContext['progress'] {
    return (report) => this.#host.progress(report);
  }

  get log(): TaskContext['log'] {
    return (message: string, options?: Optional<{ level: LogLevel }>) => this.#host.log(message, options?.level);
  }

  get checkpoint(): TaskContext['checkpoint'] {
    return (value) => this.#host.checkpoint(value);
  }

  get submit(): TaskContext['submit'] {
    const submit = (handler: AnyTask | string, input: unknown, options?: SubmitOptions): Promise<unknown> =>
      this.#host.submit(handler, input, options);
    return submit as TaskContext['submit'];
  }

  get dependencies(): TaskContext['dependencies'] {
    const dependencies = (...of: readonly AnyTask[]): Promise<unknown> => this.#host.dependencies(of);
    return dependencies as TaskContext['dependencies'];
  }
}
