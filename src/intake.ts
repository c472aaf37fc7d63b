import { createHash } from 'node:crypto';
import type { Announcer } from './announcer.ts';
import type { Environment } from './environment.ts';
import {
  IdempotencyConflictError,
  InputInvalidError,
  OptionError,
  QueueFullError,
  TasklaneError,
  UniqueConflictError,
} from './errors.ts';
import type { TaskWarning } from './events.ts';
import { type HandleHost, SubmittedHandle } from './handle.ts';
import type { AnyTask } from './handler/define.ts';
import type { Handler } from './handler/registry.ts';
import { validate } from './handler/schema.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Runner } from './run/runner.ts';
import type { InsertAnswer, TaskDraft } from './storage/storage.ts';
import { type ParsedSubmit, PLAIN_SUBMIT, parseSubmit, type SubmitOptions } from './submit-options.ts';
import { TaskIds } from './task/id.ts';
import { canonicalJson, cloneJson, type JsonValue, toJson } from './task/json.ts';
import type { TaskRecord } from './task/record.ts';

/** One item of `submitMany`, its types forgotten. */
export type AnyItem = { readonly handler: AnyTask | string; readonly input?: unknown } & SubmitOptions;

/** A submit that was checked, and has no id yet. */
interface Checked {
  readonly handler: Handler;
  readonly input: JsonValue;
  readonly options: ParsedSubmit;
}

/** A turn's submits, which share one insert. */
interface Batch {
  readonly drafts: TaskDraft[];
  readonly warnings: (readonly TaskWarning[])[];
  readonly answers: Promise<readonly InsertAnswer[]>;
}

/** A batch is stored when it has so many, or at the end of the turn. */
const BATCH = 1_000;
const NO_WARNINGS: readonly TaskWarning[] = Object.freeze([]);
const ITEM_KEYS = ['handler', 'input'];

/** Takes tasks in: checks them, draws their ids, and stores those of one turn in one insert. */
export class Intake {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #lifecycle: Lifecycle;
  readonly #runner: Runner;
  readonly #handles: HandleHost;
  readonly #ids: TaskIds;
  #batch: Batch | null = null;
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
    this.#ids = new TaskIds(environment.settings.idPrefix, () => environment.clock.now());
  }

  /** Submits that are not stored yet. */
  get pending(): number {
    return this.#unanswered;
  }

  /** @throws {TasklaneError} by rejecting, never at once */
  submit(handler: AnyTask | string, input: unknown, options: SubmitOptions | undefined): Promise<SubmittedHandle> {
    let checked: Checked | Promise<Checked>;
    try {
      checked = this.#check(handler, input, options);
    } catch (error) {
      return Promise.reject(error);
    }
    if (checked instanceof Promise || !this.#lifecycle.isOpen) return this.#submitLater(checked);
    return this.#join(checked);
  }

  /** All or nothing, in order. @throws {TasklaneError} of the first that is refused */
  async submitMany(items: readonly AnyItem[]): Promise<readonly SubmittedHandle[]> {
    if (!Array.isArray(items)) throw new OptionError('items', 'an array', items);
    const checking = items.map((item: AnyItem) => this.#check(item.handler, item.input, item, ITEM_KEYS));
    const checked = checking.some((one) => one instanceof Promise)
      ? await Promise.all(checking)
      : (checking as readonly Checked[]);
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    if (checked.length === 0) return [];
    const drafts = checked.map((one) => this.#draft(one));
    const answers = await this.#insert(drafts, true);
    const refused = answers.findIndex((answer) => 'refused' in answer && answer.refused !== 'not_alone');
    if (refused >= 0) throw this.#refusal(drafts[refused], answers[refused]);
    const warnings = checked.map((one) => this.#warningsOf(one));
    return drafts.map((draft, index) => this.#handle(draft, answers[index], warnings[index]));
  }

  #check(
    name: AnyTask | string,
    input: unknown,
    options: SubmitOptions | undefined,
    more?: readonly string[],
  ): Checked | Promise<Checked> {
    const { registry, settings } = this.#environment;
    const handler = registry.resolve(name);
    const parsed = options === undefined ? PLAIN_SUBMIT : parseSubmit(options, settings.maxInputBytes, more);
    const stored = input === undefined ? null : toJson(input, 'input', settings.maxInputBytes);
    const checked = { handler, input: stored, options: parsed };
    const schema = handler.definition.input;
    if (schema === undefined) return checked;
    // The copy: a schema may change what it is given, and it will be given the stored one.
    const validated = this.#validate(handler, stored === null ? undefined : cloneJson(stored));
    return validated instanceof Promise ? validated.then(() => checked) : checked;
  }

  #validate({ definition }: Handler, input: unknown): unknown {
    const unfit = (error: unknown): never => {
      if (error instanceof TasklaneError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      throw new InputInvalidError('The schema failed', [{ path: '', message }]);
    };
    try {
      const validated = definition.input && validate(definition.input, input);
      return validated instanceof Promise ? validated.catch(unfit) : validated;
    } catch (error) {
      return unfit(error);
    }
  }

  async #submitLater(checking: Checked | Promise<Checked>): Promise<SubmittedHandle> {
    const checked = await checking;
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    return this.#join(checked);
  }

  /** Into the batch of this turn. */
  #join(checked: Checked): Promise<SubmittedHandle> {
    const batch = this.#batch ?? this.#newBatch();
    this.#batch = batch;
    const index = batch.drafts.length;
    batch.drafts.push(this.#draft(checked));
    batch.warnings.push(this.#warningsOf(checked));
    if (batch.drafts.length === BATCH) this.#batch = null;
    return batch.answers.then((answers) => {
      const answer = answers[index];
      const draft = batch.drafts[index];
      if (answer !== undefined && 'refused' in answer) throw this.#refusal(draft, answer);
      const handle = this.#handle(draft, answer, batch.warnings[index]);
      return this.#environment.settings.inline ? this.#ran(handle) : handle;
    });
  }

  #newBatch(): Batch {
    const drafts: TaskDraft[] = [];
    const answers = Promise.resolve().then(() => {
      if (this.#batch?.drafts === drafts) this.#batch = null;
      return this.#insert(drafts, false);
    });
    return { drafts, warnings: [], answers };
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
        if (answers[index]?.made) this.#announcer.created(record);
      }
      this.#runner.wake(urgencyOf(drafts));
      return answers;
    } finally {
      this.#unanswered -= drafts.length;
    }
  }

  #draft({ handler, input, options }: Checked): TaskDraft {
    const now = this.#environment.clock.now();
    const runAt = options.delayMs === null ? options.runAt : now + options.delayMs;
    const scheduled = options.hold || (runAt !== null && runAt > now);
    const record: TaskRecord = {
      id: this.#ids.draw(),
      handler: handler.name,
      description: options.description,
      status: scheduled ? 'scheduled' : 'queued',
      input,
      result: null,
      error: null,
      progress: null,
      checkpoint: null,
      priority: options.priority ?? handler.priority,
      attempt: 0,
      maxAttempts: handler.maxAttempts,
      lost: 0,
      interrupted: 0,
      snoozed: 0,
      submittedBy: options.submittedBy,
      entityId: options.entityId,
      parentId: options.parentId,
      scheduleId: null,
      tags: options.tags,
      metadata: options.metadata,
      idempotencyKey: options.idempotencyKey,
      uniqueKey: options.unique?.key ?? null,
      runAt: scheduled ? runAt : null,
      startBy: options.startByMs === null ? null : now + options.startByMs,
      createdAt: now,
      queuedAt: scheduled ? null : now,
      startedAt: null,
      finishedAt: null,
      updatedAt: now,
      archivedAt: null,
      workerId: null,
      cancelRequestedAt: null,
      cancelReason: null,
      version: 1,
    };
    const { maxLost } = handler;
    if (options === PLAIN_SUBMIT) return { record, maxLost };
    const { idempotencyKey, unique } = options;
    const idempotency =
      idempotencyKey === null
        ? undefined
        : { fingerprint: fingerprint(handler.name, input), expiresAt: now + this.#environment.settings.idempotencyMs };
    return { record, maxLost, idempotency, unique: unique?.rule };
  }

  #warningsOf({ handler, options }: Checked): readonly TaskWarning[] {
    const { deprecated } = handler.definition;
    const late = options.runAt !== null && options.runAt < this.#environment.clock.now();
    if (!late && !deprecated) return NO_WARNINGS;
    const warnings: TaskWarning[] = [];
    if (late) warnings.push({ code: 'run_at_past', message: '`runAt` has passed; the task was queued at once.' });
    if (deprecated) {
      const instead = typeof deprecated === 'string' ? ` ${deprecated}` : '';
      warnings.push({ code: 'handler_deprecated', message: `Handler ${handler.name} is deprecated.${instead}` });
    }
    return warnings;
  }

  #handle(
    draft: TaskDraft | undefined,
    answer: InsertAnswer | undefined,
    warnings: readonly TaskWarning[] = NO_WARNINGS,
  ): SubmittedHandle {
    if (answer !== undefined && 'matched' in answer) {
      return new SubmittedHandle(this.#handles, answer.taskId, answer.matched, warnings);
    }
    return new SubmittedHandle(this.#handles, draft?.record.id ?? '', null, warnings);
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

  /** For tests: once the task, if it can run now, has run. */
  async #ran(handle: SubmittedHandle): Promise<SubmittedHandle> {
    if (this.#runner.isRunning)
      await new Promise<void>((resolve) => setImmediate(() => this.#runner.onceIdle(resolve)));
    return handle;
  }
}

function urgencyOf(drafts: readonly TaskDraft[]): number | null {
  let urgency: number | null = null;
  for (const { record } of drafts) {
    if (record.status === 'queued' && (urgency === null || record.priority > urgency)) urgency = record.priority;
  }
  return urgency;
}

function fingerprint(handler: string, input: JsonValue): string {
  return createHash('sha256')
    .update(canonicalJson([handler, input]))
    .digest('base64');
}
