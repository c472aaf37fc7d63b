import { setTimeout as pause } from 'node:timers/promises';
import { type AnyTask, defineTask, Snooze, TaskAbort, type TaskContext } from 'tasklane';
import type { Journal } from './journal.ts';
import type { Notice } from './messages.ts';

/** What the handlers of a child stand on. */
export interface HandlerHost {
  readonly journal: Journal;
  readonly holds: Holds;
  tell(notice: Notice): void;
}

/** What a handler gives back: `proof` is in the journal too, so that a result shows which end it came from. */
export interface Proven {
  readonly proof: string;
}

/** The `hold` tasks of this process. */
export class Holds {
  readonly #waiting = new Map<string, () => void>();
  #open = false;

  /** Resolves when it is released. */
  wait(taskId: string): Promise<void> {
    if (this.#open) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(taskId, resolve));
  }

  release(taskId: string): void {
    this.#waiting.get(taskId)?.();
    this.#waiting.delete(taskId);
  }

  releaseAll(): void {
    this.#open = true;
    for (const taskId of this.#waiting.keys()) this.release(taskId);
  }
}

/** The handlers of a child. Each writes its start and its end into the journal. */
export function handlersOf({ journal, holds, tell }: HandlerHost): readonly AnyTask[] {
  /** Runs `body` between a start and an end in the journal. */
  function journaled<Input>(body: (input: Input, context: TaskContext) => unknown) {
    return (input: Input, context: TaskContext): Proven | Promise<Proven> => {
      const { id: taskId, attempt, workerId, checkpoint } = context.task;
      const run = { taskId, attempt, workerId };
      const proof = `${process.pid} ${taskId} ${attempt}`;
      const returned = (): Proven => {
        journal.write(run, { phase: 'end', how: 'returned', proof });
        return { proof };
      };
      const threw = (error: unknown): never => {
        const how = error instanceof Snooze ? 'snoozed' : error instanceof TaskAbort ? 'aborted' : 'threw';
        journal.write(run, { phase: 'end', how, proof });
        throw error;
      };
      journal.write(run, { phase: 'start', seen: checkpoint });
      try {
        const outcome = body(input, context);
        return outcome instanceof Promise ? outcome.then(returned, threw) : returned();
      } catch (error) {
        return threw(error);
      }
    };
  }

  /** Stores a checkpoint, and notes that it was acknowledged. */
  async function store({ checkpoint, task }: TaskContext, value: unknown): Promise<void> {
    await checkpoint(value);
    const { id: taskId, attempt, workerId } = task;
    journal.write({ taskId, attempt, workerId }, { phase: 'checkpoint', stored: value });
  }

  /** Rejects with the reason of the signal, and tells it. */
  function aborted({ signal, task }: TaskContext): Promise<never> {
    return new Promise((_, reject) => {
      const abort = (): void => {
        const { code, message } = signal.reason as TaskAbort;
        tell({ kind: 'aborted', taskId: task.id, attempt: task.attempt, code, message });
        reject(signal.reason);
      };
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  return [
    /** Ends in the turn it starts. */
    defineTask({ name: 'noop', run: journaled(() => undefined) }),

    /** Takes its time in steps, each with progress, a log line and a checkpoint that a later attempt goes on from. */
    defineTask({
      name: 'work',
      run: journaled(async ({ ms, steps }: { ms: number; steps: number }, context) => {
        for (let at = placeOf(context.task.checkpoint); at < steps; at++) {
          await pause(ms / steps);
          context.progress({ processed: at + 1, total: steps, message: `step ${at + 1}` });
          context.log(`did step ${at + 1}`);
          await store(context, { at: at + 1 });
        }
      }),
    }),

    /** Fails the first `times` attempts that count. */
    defineTask({
      name: 'flaky',
      retry: { maxAttempts: 3, backoff: { type: 'fixed', delay: 10 } },
      run: journaled(async ({ times }: { times: number }, { task }) => {
        await pause(2);
        const counted = task.attempt - task.lost - task.interrupted - task.snoozed;
        if (counted <= times) throw new Error(`attempt ${counted} fails`);
      }),
    }),

    /** Asks to be run later, `times` times. */
    defineTask({
      name: 'snooze',
      run: journaled(({ times }: { times: number }, { task }) => {
        if (task.snoozed < times) throw new Snooze(10);
      }),
    }),

    /** Runs until it is released, or aborted; when `once`, a later attempt returns at once. `stored`: so is its start. */
    defineTask({
      name: 'hold',
      run: journaled(async ({ once, say, stored }: { once?: boolean; say?: string; stored?: boolean }, context) => {
        const { task } = context;
        if (once && task.attempt > 1) return;
        if (say !== undefined) {
          context.progress({ processed: 1, total: 2, message: say });
          context.log(`said ${say}`, { level: 'warn' });
        }
        if (stored) await store(context, { at: 1 });
        const released = holds.wait(task.id);
        tell({ kind: 'began', taskId: task.id, attempt: task.attempt });
        await Promise.race([released, aborted(context)]);
      }),
    }),

    /** Kills its process `after` some ms; when it starts, by default. */
    defineTask({
      name: 'poison',
      run: journaled((input: { after: number } | undefined) => {
        const kill = (): void => void process.kill(process.pid, 'SIGKILL');
        return input === undefined ? kill() : pause(input.after).then(kill);
      }),
    }),

    /** Its first attempt stops its process; woken, it returns at once, waits to be told, or stores a checkpoint. */
    defineTask({
      name: 'stop',
      run: journaled(async ({ woken }: { woken: 'return' | 'wait' | 'checkpoint' }, context) => {
        const { task } = context;
        if (task.attempt > 1) return;
        await store(context, { at: 1 });
        const told = woken === 'wait' ? aborted(context) : undefined;
        tell({ kind: 'began', taskId: task.id, attempt: task.attempt });
        process.kill(process.pid, 'SIGSTOP');
        await told;
        if (woken !== 'checkpoint') return;
        await context.checkpoint({ at: 2 }).catch((error: unknown) => {
          const { code } = error as { code: string };
          tell({ kind: 'refused', taskId: task.id, attempt: task.attempt, code });
        });
      }),
    }),
  ];
}

/** Where a checkpoint of `work` says to go on. */
export function placeOf(checkpoint: unknown): number {
  return (checkpoint as { at: number } | null)?.at ?? 0;
}
