import { TaskNotFoundError, VersionConflictError } from '../../../errors.ts';
import type { TaskWarning } from '../../../events.ts';
import type { ScheduleRecord } from '../../../schedule/stored-schedule.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { BodyInvalidProblem, HttpProblem } from '../../problem.ts';
import type { SubmitWay } from '../../submission.ts';
import { previewOf } from '../../submit-preview.ts';
import { requireChange } from '../../task-change.ts';
import { tasksOf } from '../../task-pages.ts';
import { findTask, type Sight } from '../find.ts';
import { type Show, told } from '../options.ts';
import { TaskActions } from './actions.ts';
import { type Asked, type AskedSettings, questionOf, withBounds } from './asked.ts';
import { confOf } from './conf.ts';
import { entityOf, healthOf, PLAIN, settingsOf, statusOf, type TaskEntity, type View } from './entity.ts';
import { fits } from './fits.ts';
import { withHidden, withoutHidden } from './hidden.ts';
import { createOnce } from './once.ts';
import { changedTask, type Properties, specificationFor } from './properties.ts';
import { warned } from './refuse.ts';
import { isSameWork, patchOf } from './replace.ts';
import { ScheduleActions, type ScheduleSettings } from './schedule-actions.ts';
import { ruleOf, scheduleEntityOf, taskOf } from './schedule-entity.ts';
import { isObject, type Specification, wantedOf } from './specification.ts';

/** What is behind a task of Waylay: one of ours, or a schedule. */
export type Found = { readonly task: TaskRecord } | { readonly schedule: ScheduleRecord };

/** What decides how tasks are seen. */
export type EntitiesSettings = AskedSettings &
  ScheduleSettings &
  Sight & {
    readonly show: Show | null;
    /** Changes a specification that is told. */
    readonly conf: Show | null;
    /** The most tasks of a batch. */
    readonly batchTasks: number;
  };

/** Characters that the key of a schedule may have. */
const MAX_KEY = 200;

/** The tasks of Waylay: schedules, and tasks of ours that no schedule made. */
export class Entities {
  readonly #context: HttpContext;
  readonly #settings: EntitiesSettings;
  readonly #tasks: TaskActions;
  readonly #schedules: ScheduleActions;

  constructor(context: HttpContext, settings: EntitiesSettings) {
    this.#context = context;
    this.#settings = settings;
    this.#tasks = new TaskActions(context, settings);
    this.#schedules = new ScheduleActions(context, settings);
  }

  /** @throws {TaskNotFoundError} @throws {HttpProblem} 403 */
  async find(caller: Caller, id: string): Promise<Found> {
    try {
      return { task: await findTask(this.#context, caller, 'read', id, this.#settings) };
    } catch (error) {
      const schedule = error instanceof TaskNotFoundError ? await this.#schedule(id) : null;
      if (schedule === null) throw error;
      if (this.#settings.forbidden === 403 && !caller.sees(taskOf(schedule))) {
        throw new HttpProblem('forbidden', 'You may not see this task.');
      }
      this.#schedules.check(caller, 'read', schedule);
      return { schedule };
    }
  }

  /** As the caller sees it. */
  async show(caller: Caller, found: Found, view: View = PLAIN): Promise<object> {
    const { show } = this.#settings;
    if ('schedule' in found) {
      const { schedule } = found;
      return told(show, await this.#entityOf(caller, schedule, view), caller.redacted(taskOf(schedule)));
    }
    const health = view.health ? healthOf(await this.#context.manager.attempts(found.task.id)) : null;
    const seen = caller.redacted(found.task);
    return told(show, entityOf(seen, this.#settings, view.format, health), seen);
  }

  /** Its specification. */
  conf(caller: Caller, found: Found): object {
    const seen = caller.redacted('task' in found ? found.task : taskOf(found.schedule));
    const rule = 'task' in found ? { type: 'onetime' } : ruleOf(found.schedule);
    return told(this.#settings.conf, confOf(seen, rule), seen);
  }

  /**
   * A page: first the schedules that fit, by their ids, then the tasks, newest first.
   * @param hits 0: only the total is looked up
   */
  async list(
    caller: Caller,
    request: Asked,
    { hits, startIndex, ...view }: View & { readonly hits: number; readonly startIndex: number },
  ): Promise<{ readonly total: number; readonly values: readonly object[] }> {
    const { inside } = this.#context;
    const asked = withBounds(request, this.#settings);
    const schedules = await this.#asked(caller, asked); // each is looked at, for the total
    const question = questionOf(asked, this.#settings);
    const tasks = question === null ? 0 : await inside.queries.count(question.filter, caller.scope, question.groups);
    const total = schedules.length + tasks;
    const values = await Promise.all(
      schedules.slice(startIndex, startIndex + hits).map((schedule) => this.show(caller, { schedule }, view)),
    );
    const [limit, offset] = [hits - values.length, Math.max(0, startIndex - schedules.length)];
    if (question === null || limit === 0 || offset >= tasks) return { total, values };
    const query = { filter: question.filter, limit, offset };
    for await (const task of tasksOf(inside.queries, query, caller.scope, question.groups)) {
      if (caller.may('read', task)) values.push(await this.show(caller, { task }, view));
    }
    return { total, values };
  }

  /** The ids of all that is asked for, for a batch. @throws {BodyInvalidProblem} for too many */
  async ids(caller: Caller, request: Asked): Promise<readonly string[]> {
    const asked = withBounds(request, this.#settings);
    const found = (await this.#asked(caller, asked)).map(({ key }) => key);
    const question = questionOf(asked, this.#settings);
    if (question !== null) {
      const query = { filter: question.filter, sort: 'id' } as const;
      for await (const { id } of tasksOf(this.#context.inside.queries, query, caller.scope, question.groups)) {
        found.push(id);
        this.checkBatch(found);
      }
    }
    this.checkBatch(found);
    return found;
  }

  /** What became of each is kept, so a batch has an end. @throws {BodyInvalidProblem} */
  checkBatch({ length }: readonly string[]): void {
    const { batchTasks } = this.#settings;
    if (length <= batchTasks) return;
    const message = `is about more than the ${batchTasks} tasks that a batch may have: ask for fewer at a time`;
    throw new BodyInvalidProblem([{ path: 'query', message }]);
  }

  /** Makes what recurs or answers to events. @throws {HttpProblem} 403, and 400 for warnings that are not wanted */
  async createSchedule(
    caller: Caller,
    specification: Specification,
    { key, failOnWarning }: SubmitWay,
  ): Promise<{ readonly id: string; readonly warnings: readonly TaskWarning[] }> {
    const { inside } = this.#context;
    const submittedBy = caller.principal?.id ?? null;
    this.#requireSubmit(caller, this.#previewOf(specification, submittedBy));
    const warnings = await inside.warningsOf(specification.handler);
    if (failOnWarning && warnings.length > 0) throw warned(warnings.map(({ message }) => message));
    const id = await createOnce(inside, key === null ? null : [submittedBy, key], specification, (own) =>
      this.#schedules.create(caller, own, specification),
    );
    return { id, warnings };
  }

  /** @throws {HttpProblem} 403 */
  #requireSubmit(caller: Caller, task: TaskRecord): void {
    const { submittedBy } = task;
    if (submittedBy !== null && !caller.maySubmitAs(submittedBy)) throw mayNotSubmit('in the name of somebody else');
    if (!caller.may('submit', task)) throw mayNotSubmit();
  }

  #previewOf(specification: Specification, submittedBy: string | null): TaskRecord {
    return previewOf(wantedOf(specification), submittedBy, this.#context.inside.now());
  }

  /** Gives a task another specification, under the same id: it is work of another kind, which he must be allowed to submit. */
  async replace(caller: Caller, found: Found, sent: Specification): Promise<Found> {
    this.checkUpdate(caller, found);
    const before = 'task' in found ? found.task : taskOf(found.schedule);
    const specification = withHidden(caller, before, sent);
    const isSame = 'task' in found && isSameWork(found.task, specification);
    if (!isSame) this.#requireSubmit(caller, this.#previewOf(specification, before.submittedBy));
    try {
      if ('task' in found) return await this.#replace(caller, found.task, specification);
      return { schedule: await this.#schedules.replace(caller, found.schedule, specification) };
    } catch (error) {
      throw withoutHidden(error, sent.input, specification.input);
    }
  }

  async #replace(caller: Caller, task: TaskRecord, specification: Specification): Promise<Found> {
    if (!isSameWork(task, specification)) {
      // What a task was submitted with cannot change: a schedule takes its place, and its id.
      return { schedule: await this.#schedules.takePlace(caller, task, specification) };
    }
    const patch = patchOf(task, specification);
    requireChange(caller, task, patch);
    return { task: await this.#context.manager.update(task.id, patch) };
  }

  async start(caller: Caller, found: Found): Promise<Found> {
    if ('task' in found) return { task: await this.#tasks.start(caller, found.task) };
    return { schedule: await this.#schedules.start(caller, found.schedule) };
  }

  async stop(caller: Caller, found: Found): Promise<Found> {
    if ('task' in found) return { task: await this.#tasks.stop(caller, found.task) };
    return { schedule: await this.#schedules.stop(caller, found.schedule) };
  }

  async restart(caller: Caller, found: Found): Promise<void> {
    if ('task' in found) await this.#tasks.restart(caller, found.task);
    else await this.#schedules.restart(caller, found.schedule);
  }

  /** Gives it other properties. What variables a task has is what it was submitted with: then a schedule takes its place. */
  async update(caller: Caller, found: Found, properties: Properties): Promise<void> {
    try {
      await this.#update(caller, found, properties);
    } catch (error) {
      // Somebody else changed the schedule in between: what he gave it stays.
      if (!(error instanceof VersionConflictError) || !('schedule' in found)) throw error;
      await this.update(caller, await this.find(caller, found.schedule.key), properties);
    }
  }

  async #update(caller: Caller, found: Found, properties: Properties): Promise<void> {
    this.checkUpdate(caller, found);
    const before = 'task' in found ? found.task : taskOf(found.schedule);
    const after = changedTask(before, properties);
    const { entityId, description, metadata } = after;
    const gone = Object.keys(before.tags).filter((key) => !Object.hasOwn(after.tags, key));
    const tags = { ...after.tags, ...Object.fromEntries(gone.map((key) => [key, null])) };
    requireChange(caller, before, { description, entityId, tags, metadata });
    const isOther = properties.variables !== undefined || settingsOf(before).rule === true;
    if (isOther) this.#requireSubmit(caller, { ...after, id: '' });
    try {
      if ('schedule' in found) {
        await this.#schedules.update(found.schedule, properties);
      } else if (isOther) {
        const status = statusOf(before, this.#settings);
        await this.#replace(caller, found.task, specificationFor(after, status === 'running' || status === 'pending'));
      } else {
        const own = isObject(metadata) ? { metadata } : undefined;
        await this.#context.manager.update(before.id, { description, entityId, tags, ...own });
      }
    } catch (error) {
      throw withoutHidden(error, caller.redacted(after).input, after.input);
    }
  }

  /** @throws {TaskNotFoundError} @throws {HttpProblem} 403 */
  checkUpdate(caller: Caller, found: Found): void {
    if ('task' in found) caller.check('update', found.task, found.task.id);
    else this.#schedules.check(caller, 'update', found.schedule);
  }

  async remove(caller: Caller, found: Found, force: boolean): Promise<void> {
    if ('task' in found) await this.#tasks.remove(caller, found.task, force);
    else await this.#schedules.remove(caller, found.schedule, force);
  }

  async checkRemove(caller: Caller, found: Found, force: boolean): Promise<void> {
    if ('task' in found) this.#tasks.checkRemove(caller, found.task, force);
    else await this.#schedules.checkRemove(caller, found.schedule, force);
  }

  /** The schedules that fit and that the caller may read. */
  async #asked(caller: Caller, asked: Asked): Promise<readonly ScheduleRecord[]> {
    const looksAtLast = asked.statuses !== null || asked.finishedBefore !== null;
    const found: ScheduleRecord[] = [];
    for (const schedule of await this.#context.inside.allSchedules()) {
      if (caller.principal !== null && !caller.reads(taskOf(schedule))) continue;
      const last = looksAtLast ? await this.#schedules.lastOf(schedule) : null;
      if (fits(schedule, last, asked, this.#settings)) found.push(schedule);
    }
    return found;
  }

  async #entityOf(caller: Caller, schedule: ScheduleRecord, view: View): Promise<TaskEntity> {
    const last = await this.#schedules.lastOf(schedule);
    const health = view.health ? await this.#schedules.healthOf(caller, schedule) : null;
    const seen = caller.redacted(taskOf(schedule));
    return scheduleEntityOf(schedule, seen, last, this.#settings, view.format, health);
  }

  async #schedule(id: string): Promise<ScheduleRecord | null> {
    if (id === '' || id.length > MAX_KEY || !id.isWellFormed()) return null;
    return this.#context.manager.schedules.get(id);
  }
}

function mayNotSubmit(how = ''): HttpProblem {
  return new HttpProblem('forbidden', `You may not submit this task${how === '' ? '' : ` ${how}`}.`);
}
