import type { Environment } from '../environment.ts';
import type { Runner } from '../run/runner.ts';
import { SubmitCheck } from '../submit/check.ts';
import type { Announcer } from '../watch/announcer.ts';
import { ScheduleEditor } from './editor.ts';
import { Reconciler } from './reconcile.ts';
import { ScheduledTasks } from './scheduled-tasks.ts';
import { Scheduler } from './scheduler.ts';
import { SettingsReader } from './settings.ts';

/** All that a manager needs for its schedules. */
export class Scheduling {
  readonly environment: Environment;
  readonly tasks: ScheduledTasks;
  readonly settings: SettingsReader;
  readonly editor: ScheduleEditor;
  readonly #reconciler: Reconciler;
  readonly #scheduler: Scheduler;

  /** @param cancel ends a task whose schedule wants its place; it need not be there any more */
  constructor(
    environment: Environment,
    announcer: Announcer,
    runner: Runner,
    cancel: (taskId: string) => Promise<void>,
  ) {
    this.environment = environment;
    this.tasks = new ScheduledTasks(environment, announcer, runner);
    this.settings = new SettingsReader(environment, new SubmitCheck(environment));
    this.editor = new ScheduleEditor(environment, this.tasks, this.settings);
    this.#reconciler = new Reconciler(environment, this.editor, this.settings);
    this.#scheduler = new Scheduler(environment, runner, this.tasks, cancel);
  }

  /** Brings what the storage has in line with what stands in the code. @throws {TasklaneError} */
  async reconcile(): Promise<void> {
    const { schedules, onOrphan } = this.environment.settings;
    if (schedules !== null) await this.#reconciler.run(schedules, onOrphan);
  }

  /** To be done before `start`. @throws {StorageError} */
  prepare(): Promise<void> {
    return this.#scheduler.prepare();
  }

  /** Makes the tasks of ticks from now on. */
  start(): void {
    this.#scheduler.start();
  }

  /** Resolves once what was begun is done. */
  stop(): Promise<void> {
    return this.#scheduler.stop();
  }
}
