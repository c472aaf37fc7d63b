import { defineTask, type TaskContext, type TaskDefinition } from 'tasklane';
import { type Gate, gate } from './gate.ts';

/** A run of a handler, ended by the test. */
interface Run {
  readonly input: unknown;
  readonly context: TaskContext;
  finish(value?: unknown): void;
  fail(error: unknown): void;
}

export type ControlledTask = TaskDefinition<string, unknown, unknown> & {
  /** Every run so far. */
  readonly runs: readonly Run[];
  /** The first run that was not given to anybody yet; waits for it. */
  next(): Promise<Run>;
};

/** A handler that runs until the test says how it ends; it does nothing about its signal by itself. */
export function controlled(
  name: string,
  options: Partial<TaskDefinition<string, unknown, unknown>> = {},
): ControlledTask {
  const runs: Run[] = [];
  const waiting: Gate<Run>[] = [];
  let given = 0;
  const definition = defineTask<string, unknown, unknown>({
    name,
    ...options,
    run(input, context) {
      const end = gate<unknown>();
      const run: Run = { input, context, finish: (value) => end.open(value), fail: (error) => end.fail(error) };
      runs.push(run);
      while (given < runs.length && waiting.length > 0) waiting.shift()?.open(runs[given++] as Run);
      return end.opened;
    },
  });
  return Object.assign(definition, {
    runs,
    next(): Promise<Run> {
      const run = runs[given];
      const next = gate<Run>();
      if (run === undefined) waiting.push(next);
      else {
        given++;
        next.open(run);
      }
      return next.opened;
    },
  });
}
