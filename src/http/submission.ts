import type { z } from 'zod';
import { InputInvalidError } from '../errors.ts';
import type { SubmittedHandle } from '../handle.ts';
import type { Inside } from '../internal.ts';
import type { TaskManager } from '../manager.ts';
import { WarnedError } from '../submit/check.ts';
import type { SubmitOptions } from '../submit/options.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Caller } from './caller.ts';
import { InFlight } from './in-flight.ts';
import type { HttpSettings } from './options.ts';
import { BodyInvalidProblem, HttpProblem } from './problem.ts';
import { childrenOf, itemsOf, requireDependencies } from './submit-flow.ts';
import { SubmitLimit } from './submit-limit.ts';
import { previewOf } from './submit-preview.ts';
import type { SubmitBody } from './submit-schema.ts';
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
  readonly #inside: Inside;
  readonly #limit: SubmitLimit | null;
  readonly #inFlight = new InFlight();

  constructor(manager: TaskManager, inside: Inside, { submits }: HttpSettings) {
    this.#manager = manager;
    this.#inside = inside;
    this.#limit = submits === null ? null : new SubmitLimit(submits);
  }

  /** Counts a submit against the caller's limit; before anything of it is read. @throws {HttpProblem} 429 */
  take(caller: Caller): Promise<void> | undefined {
    return this.#limit?.take(caller.id, 1);
  }

  /** @throws {HttpProblem} @throws what `manager.submit` does */
  async submit(caller: Caller, wanted: Wanted, { key, failOnWarning }: SubmitWay): Promise<Submitted> {
    const { handler, input, runAt, children, ...rest } = wanted;
    const below = children === undefined ? 0 : childrenOf(wanted).length;
    if (below > 0) await this.#limit?.take(caller.id, below, 1); // it counted for one when it came
    const submittedBy = submitterOf(wanted, caller);
    const options: SubmitOptions = {
      ...rest,
      submittedBy,
      failOnWarning,
      runAt: runAt === undefined ? undefined : new Date(runAt),
      idempotencyKey: key ?? undefined,
      ...(children === undefined ? {} : { children: itemsOf(children, failOnWarning) }),
    };
    if (rest.parentId !== undefined) await this.#requireParent(caller, rest.parentId);
    if (rest.dependsOn !== undefined || children !== undefined)
      await requireDependencies(this.#manager, caller, wanted);
    let made: TaskRecord | null = null;
    const keep = (record: TaskRecord): void => {
      made = record;
    };
    const task = await this.#inFlight.run(key === null ? null : JSON.stringify([submittedBy, key]), () =>
      this.#inside.submit(handler, input, options, keep).catch(async (error: unknown) => {
        if (error instanceof InputInvalidError) throw bodyProblem(error);
        throw await withoutStrangers(this.#manager, caller, error);
      }),
    );
    const record = (task.created ? made : null) ?? (await this.#manager.get(task.id, { archived: true }));
    if (record === null)
      throw new HttpProblem('task_not_found', `Task ${task.id} was deleted as soon as it was there.`);
    // An earlier task answers only whom it may; whoever made a task may see what he made.
    if (task.matched !== null && !caller.reads(record)) {
      throw keyTaken(task.matched === 'idempotency' ? 'idempotency_conflict' : 'unique_conflict');
    }
    return { record, earlier: !task.created, warnings: task.warnings };
  }

  /** A child holds up the deletion of its parent, so nobody hangs one on a task that does not exist for him. */
  async #requireParent(caller: Caller, id: string): Promise<void> {
    const parent = await this.#manager.get(id, { archived: true });
    if (parent !== null && caller.sees(parent)) return;
    throw new BodyInvalidProblem([{ path: 'parentId', message: `There is no task ${JSON.stringify(id)}` }]);
  }
}

/**
 * In whose name a task is submitted: the caller's, unless he names another and may.
 * @throws {HttpProblem} 403 also when he may submit no such task
 */
export function submitterOf(wanted: Wanted, caller: Caller): string | undefined {
  const { principal } = caller;
  const submittedBy = wanted.submittedBy ?? principal?.id;
  if (principal === null || submittedBy === undefined) return submittedBy;
  if (!caller.maySubmitAs(submittedBy)) {
    throw new HttpProblem('forbidden', 'You may not submit tasks in the name of somebody else.');
  }
  for (const one of [wanted, ...childrenOf(wanted)]) {
    if (caller.may('submit', previewOf(one, submittedBy, Date.now()))) continue;
    throw new HttpProblem('forbidden', 'You may not submit this task.');
  }
  return submittedBy;
}

/** The library tells where in the input something is wrong, or in the submit; the client sent a body. */
export function bodyProblem(error: unknown): unknown {
  if (!(error instanceof InputInvalidError)) return error;
  if (error instanceof WarnedError) return new BodyInvalidProblem(error.issues);
  return new BodyInvalidProblem(
    error.issues.map(({ path, message }) => ({ path: path === '' ? 'input' : `input.${path}`, message })),
  );
}
