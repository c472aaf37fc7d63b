import { RelatedTasksError } from '../../../errors.ts';
import { isHeld } from '../../../task/query.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { isFinal } from '../../../task/status.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { withoutStrangers } from '../../tasks.ts';
import { type CommandSettings, checkCommand, impossible } from './commands.ts';
import { type EntitySettings, statusOf } from './entity.ts';

/** What can be done with one task, by whoever may. */
export class TaskActions {
  readonly #context: HttpContext;
  readonly #settings: EntitySettings & CommandSettings;

  constructor(context: HttpContext, settings: EntitySettings & CommandSettings) {
    this.#context = context;
    this.#settings = settings;
  }

  /** Runs what is held, and what has ended again. @throws {HttpProblem} 400 for a task that waits or runs already, as a rule */
  async start(caller: Caller, task: TaskRecord): Promise<TaskRecord> {
    const { manager } = this.#context;
    const { id } = task;
    checkCommand(this.#settings, 'start', statusOf(task, this.#settings));
    if (isHeld(task)) {
      caller.check('runNow', task, id);
      return manager.runNow(id);
    }
    if (!isFinal(task.status)) return task;
    caller.check('restart', task, id);
    return manager.restart(id).catch(async (error: unknown) => {
      throw await withoutStrangers(manager, caller, error);
    });
  }

  /** Cancels what waits or runs. @throws {HttpProblem} 400 for a task that is stopped or failed, as a rule */
  async stop(caller: Caller, task: TaskRecord): Promise<TaskRecord> {
    checkCommand(this.#settings, 'stop', statusOf(task, this.#settings));
    if (isFinal(task.status) || isHeld(task)) return task;
    caller.check('cancel', task, task.id);
    return this.#context.manager.cancel(task.id, 'stopped');
  }

  /** To the archive. @param force stops it first @throws {HttpProblem} 400 for a task that waits or runs, as a rule */
  async remove(caller: Caller, task: TaskRecord, force: boolean): Promise<void> {
    this.checkRemove(caller, task, force);
    const sees = (one: TaskRecord): boolean => caller.sees(one);
    try {
      // what has not ended was allowed to be deleted as it is
      await this.#context.inside.controls.delete(task.id, { cancel: force || !isFinal(task.status) }, sees);
    } catch (error) {
      // it was started in between
      if (error instanceof RelatedTasksError && error.related.includes(task.id))
        throw impossible('delete', statusOf(task, this.#settings));
      throw error;
    }
  }

  /** @throws {HttpProblem} what `remove` would throw of a task as it is now */
  checkRemove(caller: Caller, task: TaskRecord, force: boolean): void {
    caller.check('delete', task, task.id);
    if (!force) checkCommand(this.#settings, 'delete', statusOf(task, this.#settings));
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
}
