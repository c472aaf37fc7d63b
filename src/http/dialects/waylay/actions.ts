import { RelatedTasksError } from '../../../errors.ts';
import { isHeld } from '../../../task/query.ts';
import type { Tag, TaskRecord } from '../../../task/record.ts';
import { isFinal } from '../../../task/status.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { HttpProblem } from '../../problem.ts';
import { requireChange } from '../../task-change.ts';
import { withoutStrangers } from '../../tasks.ts';
import { type EntitySettings, statusOf } from './entity.ts';
import type { JsonObject } from './specification.ts';

/** What can be done with one task, by whoever may. */
export class TaskActions {
  readonly #context: HttpContext;
  readonly #settings: EntitySettings;

  constructor(context: HttpContext, settings: EntitySettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** Runs what is held, and what has ended again. @throws {HttpProblem} 400 for a task that waits or runs already */
  async start(caller: Caller, task: TaskRecord): Promise<TaskRecord> {
    const { manager } = this.#context;
    const { id } = task;
    if (isHeld(task)) {
      caller.check('runNow', task, id);
      return manager.runNow(id);
    }
    if (!isFinal(task.status)) throw this.#impossible('apply action start, for the task', task);
    caller.check('restart', task, id);
    return manager.restart(id).catch(async (error: unknown) => {
      throw await withoutStrangers(manager, caller, error);
    });
  }

  /** Cancels what waits or runs. @throws {HttpProblem} 400 for a task that is stopped or failed */
  async stop(caller: Caller, task: TaskRecord): Promise<TaskRecord> {
    if (isFinal(task.status) || isHeld(task)) throw this.#impossible('apply action stop, for the task', task);
    caller.check('cancel', task, task.id);
    return this.#context.manager.cancel(task.id, 'stopped');
  }

  /** To the archive. @param force stops it first @throws {HttpProblem} 400 for a task that waits or runs */
  async remove(caller: Caller, task: TaskRecord, force: boolean): Promise<void> {
    this.checkRemove(caller, task, force);
    const sees = (one: TaskRecord): boolean => caller.sees(one);
    try {
      await this.#context.inside.controls.delete(task.id, { cancel: force || isHeld(task) }, sees);
    } catch (error) {
      // it was started in between
      if (error instanceof RelatedTasksError && error.related.includes(task.id))
        throw this.#impossible('remove task', task);
      throw error;
    }
  }

  /** @throws {HttpProblem} what `remove` would throw of a task as it is now */
  checkRemove(caller: Caller, task: TaskRecord, force: boolean): void {
    caller.check('delete', task, task.id);
    if (!force && !isFinal(task.status) && !isHeld(task)) throw this.#impossible('remove task', task);
  }

  /** Stops what runs and waits for its end; then, and where it ran before, starts it. */
  async restart(caller: Caller, task: TaskRecord): Promise<TaskRecord> {
    let stopped = task;
    if (!isFinal(task.status) && !isHeld(task)) {
      stopped = await this.stop(caller, task);
      await this.#context.manager
        .task(task.id)
        .result()
        .catch(() => {});
      stopped = (await this.#context.manager.get(task.id)) ?? stopped;
    }
    return this.start(caller, stopped);
  }

  /** Gives it another name, resource or tags; what else there is stays. @throws {OptionError} */
  async update(caller: Caller, task: TaskRecord, { name, resource, tags }: JsonObject): Promise<TaskRecord> {
    caller.check('update', task, task.id);
    const patch = {
      ...(name === undefined ? undefined : { description: name as string }),
      ...(resource === undefined ? undefined : { entityId: resource as string }),
      ...(tags === undefined ? undefined : { tags: tags as Readonly<Record<string, Tag>> }),
    };
    if (Object.keys(patch).length === 0) return task;
    requireChange(caller, task, patch);
    return this.#context.manager.update(task.id, patch);
  }

  #impossible(what: string, task: TaskRecord): HttpProblem {
    const status = statusOf(task, this.#settings);
    return new HttpProblem('transition_refused', `Not possible to ${what} in status ${status}`);
  }
}
