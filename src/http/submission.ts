import type { z } from 'zod';
import { InputInvalidError } from '../errors.ts';
import type { SubmittedHandle } from '../handle.ts';
import type { TaskManager } from '../manager.ts';
import type { SubmitOptions } from '../submit/options.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import { InFlight } from './in-flight.ts';
import type { HttpSettings } from './options.ts';
import { BodyInvalidProblem, HttpProblem } from './problem.ts';
import type { SubmitBody } from './schemas.ts';
import { SubmitLimit } from './submit-limit.ts';
import { previewOf } from './submit-preview.ts';
import { keyTaken, withoutStrangers } from './tasks.ts';

/** What is submitted: as our own API has it, whichever API it came by. */
export type Wanted = z.output<typeof SubmitBody>;

/** How it is. `key`: of idempotency, null where there is none. */
export interface SubmitWay {
  readonly key: string | null;
  readonly failOnWarning?: boolean | undefined;
}

/** What became of a submit. `earlier`: another one made the task. */
export interface Submitted {
  readonly record: TaskRecord;
  readonly earlier: boolean;
  readonly warnings: SubmittedHandle['warnings'];
}

/** Takes submits in, whichever API they come by: rights, limit and idempotency are the same. */
export class Submission {
  readonly #manager: TaskManager;
  readonly #limit: SubmitLimit | null;
  readonly #inFlight = new InFlight();

  constructor(manager: TaskManager, { submits }: HttpSettings) {
    this.#manager = manager;
    this.#limit = submits === null ? null : new SubmitLimit(submits);
  }

  /** Counts a submit against the caller's limit; before anything of it is read. @throws {HttpProblem} 429 */
  take(caller: Caller): Promise<void> | undefined {
    return this.#limit?.take(caller.id);
  }

  /** @throws {HttpProblem} @throws what `manager.submit` does */
  async submit(caller: Caller, wanted: Wanted, { key, failOnWarning }: SubmitWay): Promise<Submitted> {
    const { handler, input, runAt, ...rest } = wanted;
    const submittedBy = submitterOf(wanted, caller);
    const options: SubmitOptions = {
      ...rest,
      submittedBy,
      failOnWarning,
      runAt: runAt === undefined ? undefined : new Date(runAt),
      idempotencyKey: key ?? undefined,
    };
    const task = await this.#inFlight.run(key === null ? null : JSON.stringify([submittedBy, key]), () =>
      this.#manager.submit(handler, input, options).catch(async (error: unknown) => {
        if (error instanceof InputInvalidError) throw inBody(error, failOnWarning ? '' : 'input');
        throw await withoutStrangers(this.#manager, caller, error);
      }),
    );
    const record = await this.#manager.get(task.id, { archived: true });
    if (record === null)
      throw new HttpProblem('task_not_found', `Task ${task.id} was deleted as soon as it was there.`);
    // An earlier task answers only whom it may; whoever made a task may see what he made.
    if (task.matched !== null && !caller.reads(record)) throw keyTaken(`${task.matched}_conflict`);
    return { record, earlier: !task.created, warnings: task.warnings };
  }
}

/**
 * In whose name a task is submitted: the caller's, unless he names another and may.
 * @throws {HttpProblem} 403 also when he may submit no such task
 */
function submitterOf(wanted: Wanted, caller: Caller): string | undefined {
  const { principal } = caller;
  const submittedBy = wanted.submittedBy ?? principal?.id;
  if (principal === null || submittedBy === undefined) return submittedBy;
  if (!caller.maySubmitAs(submittedBy)) {
    throw new HttpProblem('forbidden', 'You may not submit tasks in the name of somebody else.');
  }
  if (!caller.may('submit', previewOf(wanted, submittedBy, Date.now()))) {
    throw new HttpProblem('forbidden', 'You may not submit this task.');
  }
  return submittedBy;
}

/**
 * The library tells where in the input something is wrong; the client sent a body.
 * @param whole where an issue without a path is: warnings are about all of the submit
 */
function inBody({ issues }: InputInvalidError, whole: string): BodyInvalidProblem {
  return new BodyInvalidProblem(
    issues.map(({ path, message }) => ({ path: path === '' ? whole : `input.${path}`, message })),
  );
}
