import type { Environment } from '../environment.ts';
import { IdempotencyConflictError, OptionError, QueueFullError, UniqueConflictError } from '../errors.ts';
import type { TaskWarning } from '../events.ts';
import { type HandleHost, SubmittedHandle } from '../handle.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Runner } from '../run/runner.ts';
import type { InsertAnswer, TaskDraft } from '../storage/storage.ts';
import { cloneJson } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Announcer } from '../watch/announcer.ts';
import { Batch, type Keep } from './batch.ts';
import { type Checked, SubmitCheck } from './check.ts';
import { makeDraft } from './draft.ts';
import type { SubmitOptions } from './options.ts';

/** One item of `submitMany`, its types forgotten. */
export type AnyItem = { readonly handler: AnyTask | string; readonly input?: unknown } & SubmitOptions;

/** A turn's submits. */
interface Turn {
  readonly batch: Batch;
  /** One a place, in order. */
  readonly outcomes: Promise<readonly Outcome[]>;
}

/** What became of a submit: its handle, or why it was refused. */
type Outcome = SubmittedHandle | Error;

const NO_WARNINGS: readonly TaskWarning[] = Object.freeze([]);
const ITEM_KEYS = ['handler', 'input'];

/** Takes tasks in: checks them, draws their ids, and stores those of one turn in one insert. */
export class Intake {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #lifecycle: Lifecycle;
  readonly #runner: Runner;
  readonly #handles: HandleHost;
  readonly #checks: SubmitCheck;
  #turn: Turn | null = null;
  #unanswered = 0;

  constructor(
    environment: Environment,
    announcer: Announcer,
    lifecycle: Lifecycle,
    runner: Runner,
    handles: HandleHost,
  ) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.#lifecycle = lifecycle;
    this.#runner = runner;
    this.#handles = handles;
    this.#checks = new SubmitCheck(environment);
  }

  /** Submits that are not stored yet. */
  get pending(): number {
    return this.#unanswered;
  }

  /** @throws {TasklaneError} by rejecting, never at once */
  submit(
    handler: AnyTask | string,
    input: unknown,
    options: SubmitOptions | undefined,
    keep?: Keep,
  ): Promise<SubmittedHandle> {
    let checked: Checked | Promise<Checked>;
    try {
      checked = this.#check(handler, input, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (checked instanceof Promise || !this.#lifecycle.isOpen) return this.#submitLater(checked, keep);
    return this.#join(checked, keep);
  }

  /** All or nothing, in order. @throws {TasklaneError} of the first that is refused */
  async submitMany(items: readonly AnyItem[]): Promise<readonly SubmittedHandle[]> {
    if (!Array.isArray(items)) throw new OptionError('items', 'an array', items);
    const checking = items.map((item: AnyItem, index) => this.#checkItem(item, index));
    const checked = checking.some((one) => one instanceof Promise)
      ? await Promise.all(checking)
      : (checking as readonly Checked[]);
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    if (checked.length === 0) return [];
    const drafts = this.#drafts(checked);
    const answers = await this.#insert(drafts, true);
    const refused = answers.findIndex((answer) => 'refused' in answer && answer.refused !== 'not_alone');
    if (refused >= 0) throw this.#refusal(drafts[refused], answers[refused]);
    const handles = drafts.map((draft, index) => this.#handle(draft, answers[index], checked[index]));
    return this.#environment.settings.inline ? this.#ran(handles) : handles;
  }

  #check(item: AnyItem['handler'], input: unknown, options: SubmitOptions | undefined, more?: readonly string[]) {
    return this.#checks.check(item, input, options, this.#lifecycle.runsHere, more);
  }

  /** @returns a rejected promise instead of throwing, so that no other item's is left unheard */
  #checkItem(item: AnyItem, index: number): Checked | Promise<Checked> {
    try {
      if (item === null || typeof item !== 'object') throw new OptionError(`items.${index}`, 'an object', item);
      return this.#check(item.handler, item.input, item, ITEM_KEYS);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #submitLater(checking: Checked | Promise<Checked>, keep: Keep | undefined): Promise<SubmittedHandle> {
    const checked = await checking;
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    return this.#join(checked, keep);
  }

  /** Into the batch of this turn. */
  #join(checked: Checked, keep: Keep | undefined): Promise<SubmittedHandle> {
    const { batch, outcomes } = this.#turn ?? this.#newTurn();
    const { index, matched } = batch.add(checked, keep);
    if (batch.isFull) this.#turn = null;
    return outcomes.then((all) => {
      const outcome = all[index];
      if (!(outcome instanceof SubmittedHandle)) throw outcome;
      const handle =
        matched === null ? outcome : new SubmittedHandle(this.#handles, outcome.id, matched, checked.warnings);
      return this.#environment.settings.inline ? this.#ran(handle) : handle;
    });
  }

  #newTurn(): Turn {
    const batch = new Batch();
    const outcomes = Promise.resolve().then(() => {
      if (this.#turn?.batch === batch) this.#turn = null;
      return this.#store(batch);
    });
    this.#turn = { batch, outcomes };
    return this.#turn;
  }

  /** Stores tasks, each for itself. */
  async #store({ checked, keeps }: Batch): Promise<readonly Outcome[]> {
    const drafts = this.#drafts(checked);
    for (const [index, keep] of keeps ?? []) {
      const draft = drafts[index];
      // Where it may come to wait for another, only the storage knows what became of it.
      if (draft !== undefined && draft.unique?.onConflict !== 'runAfter') keep(copyOf(draft.record));
    }
    const answers = await this.#insert(drafts, false);
    return drafts.map((draft, index) => {
      const answer = answers[index];
      if (answer === undefined || 'refused' in answer) return this.#refusal(draft, answer);
      return this.#handle(draft, answer, checked[index]);
    });
  }

  async #insert(drafts: readonly TaskDraft[], atomic: boolean): Promise<readonly InsertAnswer[]> {
    const { storage, settings } = this.#environment;
    // The storage owns the drafts from now on.
    const records = this.#announcer.wanted ? drafts.map(({ record }) => cloneJson(record)) : null;
    this.#unanswered += drafts.length;
    try {
      const limit = settings.maxQueued === Infinity ? {} : { maxUnfinished: settings.maxQueued };
      const inserting = storage.insert(drafts, { atomic, ...limit });
      // A claim of the same turn shares the insert's transaction, where there is one.
      this.#runner.wake(null);
      const answers = await inserting;
      for (const [index, record] of records?.entries() ?? []) {
        const answer = answers[index];
        if (answer?.made) {
          this.#announcer.created(answer.after === undefined ? record : waitingFor(record));
          this.#runner.followed(answer.followed);
        } else if (answer !== undefined && 'replaced' in answer && answer.replaced) {
          this.#announcer.changed(answer.replaced, 'updated');
        }
      }
      this.#runner.wake(urgencyOf(drafts));
      return answers;
    } finally {
      this.#unanswered -= drafts.length;
    }
  }

  /** Tasks of one moment. */
  #drafts(checked: readonly Checked[]): readonly TaskDraft[] {
    const { clock, ids, settings } = this.#environment;
    const now = clock.now();
    return checked.map((one) => makeDraft(one, ids.draw(now), now, settings.idempotencyMs));
  }

  #handle(
    draft: TaskDraft | undefined,
    answer: InsertAnswer | undefined,
    checked: Checked | undefined,
  ): SubmittedHandle {
    const warnings = checked?.warnings ?? NO_WARNINGS;
    if (answer === undefined || !('matched' in answer) || answer.matched === 'parent') {
      return new SubmittedHandle(this.#handles, draft?.record.id ?? '', null, warnings);
    }
    const { taskId, matched } = answer;
    const by = matched === 'unique' ? (checked?.options.unique?.by ?? matched) : matched;
    return new SubmittedHandle(this.#handles, taskId, by, warnings);
  }

  #refusal(draft: TaskDraft | undefined, answer: InsertAnswer | undefined): Error {
    if (answer === undefined || !('refused' in answer)) return new Error('A storage refused without a reason.');
    switch (answer.refused) {
      case 'idempotency_conflict':
        return new IdempotencyConflictError(draft?.record.idempotencyKey ?? '', answer.taskId);
      case 'unique_conflict':
        return new UniqueConflictError(draft?.record.uniqueKey ?? '', answer.taskId);
      default:
        return new QueueFullError(this.#environment.settings.maxQueued);
    }
  }

  /** For tests: once the tasks that can run now have run. */
  async #ran<T extends SubmittedHandle | readonly SubmittedHandle[]>(handles: T): Promise<T> {
    const ids = [handles].flat().map(({ id }) => id);
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const tasks = this.#runner.isRunning ? await this.#environment.storage.get(ids, { archived: true }) : [];
      if (!tasks.some((task) => task !== null && this.#runner.isAbout(task))) return handles;
    }
  }
}

/** As `cloneJson`, for the hottest path: most of a new record is null. */
function copyOf(record: TaskRecord): TaskRecord {
  const { input, tags, metadata } = record;
  return { ...record, input: cloneJson(input), tags: cloneJson(tags), metadata: cloneJson(metadata) };
}

/** A task that its storage made to wait. */
function waitingFor(record: TaskRecord): TaskRecord {
  return { ...record, status: 'waiting', queuedAt: null };
}

function urgencyOf(drafts: readonly TaskDraft[]): number | null {
  let urgency: number | null = null;
  for (const { record } of drafts) {
    if (record.status === 'queued' && (urgency === null || record.priority > urgency)) urgency = record.priority;
  }
  return urgency;
}
