import { within } from '../bag.ts';
import type { Environment } from '../environment.ts';
import {
  IdempotencyConflictError,
  OptionError,
  QueueFullError,
  StaleLeaseError,
  UniqueConflictError,
} from '../errors.ts';
import type { TaskWarning } from '../events.ts';
import { FlowGraph, type FlowItem, ITEM_KEYS } from '../flow/graph.ts';
import type { ChildSubmit } from '../flow/port.ts';
import { type HandleHost, SubmittedHandle } from '../handle.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Lifecycle } from '../lifecycle.ts';
import type { Runner } from '../run/runner.ts';
import type { InsertAnswer, TaskDraft } from '../storage/storage.ts';
import { cloneJson } from '../task/json.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Announcer } from '../watch/announcer.ts';
import { Batch, type Keep, MOST } from './batch.ts';
import { type Checked, SubmitCheck, WarnedError } from './check.ts';
import { checkWaiting, type DraftHandler, isShowing, makeDraft, type PlaceInFlow } from './draft.ts';
import type { SubmitOptions } from './options.ts';
import { checkWeights, requireParent, sharesOf, UNCOUNTED } from './weights.ts';

/** One item of `submitMany`, its types forgotten. */
export type AnyItem = FlowItem;

/** One of several that are submitted together, not all of which a caller wrote. */
export interface Together {
  readonly item: AnyItem;
  /** The schedule that makes it. */
  readonly scheduleId?: string | undefined;
  /** Of its handler, in a process that does not know it. */
  readonly elsewhere?: DraftHandler | undefined;
}

/** A turn's submits. */
interface Turn {
  readonly batch: Batch;
  /** One a place, in order. */
  readonly outcomes: Promise<readonly Outcome[]>;
}

/** What became of a submit: its handle, or why it was refused. */
type Outcome = SubmittedHandle | Error;

const NO_WARNINGS: readonly TaskWarning[] = Object.freeze([]);

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
    return this.#submit(handler, input, options, keep, undefined);
  }

  /** Submits what a running task asks for. @throws {TasklaneError} by rejecting */
  submitChild({ handler, input, options, lease, task }: ChildSubmit): Promise<SubmittedHandle> {
    const { id: parentId, submittedBy } = task;
    return this.#submit(handler, input, options, undefined, { parentId, submittedBy, by: lease });
  }

  #submit(
    handler: AnyTask | string,
    input: unknown,
    options: SubmitOptions | undefined,
    keep: Keep | undefined,
    flow: PlaceInFlow | undefined,
  ): Promise<SubmittedHandle> {
    if (options?.children !== undefined) return this.#submitFlow({ ...options, handler, input }, keep, flow);
    let checked: Checked | Promise<Checked>;
    try {
      requireParent(options?.weight, flow !== undefined || options?.parentId !== undefined);
      checked = placed(this.#check(handler, input, options), flow);
    } catch (error) {
      return Promise.reject(error);
    }
    if (checked instanceof Promise || !this.#lifecycle.isOpen) return this.#submitLater(checked, keep);
    return this.#join(checked, keep);
  }

  /** All or nothing, in order. @throws {TasklaneError} of the first that is refused */
  async submitMany(items: readonly AnyItem[]): Promise<readonly SubmittedHandle[]> {
    if (!Array.isArray(items)) throw new OptionError('items', 'an array', items);
    return this.#submitTogether(new FlowGraph(items, 'items'));
  }

  /** One task with all that is below it. */
  async #submitFlow(item: AnyItem, keep: Keep | undefined, flow: PlaceInFlow | undefined): Promise<SubmittedHandle> {
    const [handle] = await this.#submitTogether(new FlowGraph([item], null), keep, flow);
    if (handle === undefined) throw new Error('A task without a handle.');
    return handle;
  }

  /**
   * As `submitMany`, but what nothing can refuse is stored with the other submits of the turn.
   * @param told gives the error in place of the one that an item was refused with
   */
  submitTogether(
    all: readonly Together[],
    told: (error: unknown, index: number) => unknown,
  ): Promise<readonly SubmittedHandle[]> {
    const checking = all.map((one, index) => {
      const checked = this.#checkOne(one);
      return checked instanceof Promise
        ? checked.catch((error: unknown) => Promise.reject(told(error, index)))
        : checked;
    });
    const checked = allOf(checking);
    return checked instanceof Promise ? checked.then((each) => this.#joinAll(each)) : this.#joinAll(checked);
  }

  async #joinAll(checked: readonly Checked[]): Promise<readonly SubmittedHandle[]> {
    if (checked.length === 0) return [];
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    if (checked.length > MOST || this.#environment.settings.maxQueued !== Infinity || checked.some(mayBeRefused)) {
      return this.#storeTogether(this.#drafts(checked), checked);
    }
    // One insert for all of them, whatever else is in it.
    const turn = this.#turnFor(checked.length);
    return Promise.all(checked.map((one) => this.#joinTurn(turn, one, undefined)));
  }

  /** @returns the handles of what is at the top */
  async #submitTogether(graph: FlowGraph, keep?: Keep, above?: PlaceInFlow): Promise<readonly SubmittedHandle[]> {
    const { nodes } = graph;
    const checking = nodes.map(({ item }, place) => inPlace(this.#checkItem(item), graph, place));
    const checked = await allOf(checking);
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    if (checked.length === 0) return [];
    checkWeights(graph, checked, above !== undefined);
    const drafts = this.#draftsOf(graph, checked, above);
    const [first] = drafts;
    if (first !== undefined && first.unique?.onConflict !== 'runAfter') keep?.(copyOf(first.record));
    const handles = await this.#storeTogether(drafts, checked, graph);
    return handles.filter((_, index) => nodes[index]?.parent === null);
  }

  async #storeTogether(
    drafts: readonly TaskDraft[],
    checked: readonly Checked[],
    graph?: FlowGraph,
  ): Promise<readonly SubmittedHandle[]> {
    const answers = await this.#insert(drafts, true);
    const refused = answers.findIndex((answer) => 'refused' in answer && answer.refused !== 'not_alone');
    if (refused >= 0)
      throw this.#refusal(drafts[refused], answers[refused], (option) => graph?.pathOf(refused, option) ?? option);
    const handles = drafts.map((draft, index) => this.#handle(draft, answers[index], checked[index]));
    return this.#environment.settings.inline ? this.#ran(handles) : handles;
  }

  /** What a submit for a handler is warned of, whatever its input. @throws {UnknownHandlerError} */
  warningsOf(handler: string): Promise<readonly TaskWarning[]> {
    return this.#checks.warningsOf(handler, this.#lifecycle.runsHere);
  }

  #check(item: AnyItem['handler'], input: unknown, options: SubmitOptions | undefined, more?: readonly string[]) {
    return this.#checks.check(item, input, options, this.#lifecycle.runsHere, more);
  }

  /** @returns a rejected promise instead of throwing, so that no other item's is left unheard */
  #checkItem(item: AnyItem): Checked | Promise<Checked> {
    try {
      return this.#check(item.handler, item.input, item, ITEM_KEYS);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #checkOne({ item, scheduleId, elsewhere }: Together): Checked | Promise<Checked> {
    const checked =
      elsewhere === undefined
        ? this.#checkItem(item)
        : this.#checks.checkElsewhere(elsewhere, item.input, item, ITEM_KEYS);
    if (scheduleId === undefined) return checked;
    return checked instanceof Promise ? checked.then((one) => ({ ...one, scheduleId })) : { ...checked, scheduleId };
  }

  async #submitLater(checking: Checked | Promise<Checked>, keep: Keep | undefined): Promise<SubmittedHandle> {
    const checked = await checking;
    if (!this.#lifecycle.isOpen) await this.#lifecycle.open();
    return this.#join(checked, keep);
  }

  #join(checked: Checked, keep: Keep | undefined): Promise<SubmittedHandle> {
    return this.#joinTurn(this.#turnFor(1), checked, keep);
  }

  #joinTurn({ batch, outcomes }: Turn, checked: Checked, keep: Keep | undefined): Promise<SubmittedHandle> {
    const { index, matched } = batch.add(checked, keep);
    return outcomes.then((all) => {
      const outcome = all[index];
      if (!(outcome instanceof SubmittedHandle)) throw outcome;
      const handle =
        matched === null ? outcome : new SubmittedHandle(this.#handles, outcome.id, matched, checked.warnings);
      return this.#environment.settings.inline ? this.#ran(handle) : handle;
    });
  }

  /** A turn with room for so many. */
  #turnFor(count: number): Turn {
    const turn = this.#turn?.batch.hasRoomFor(count) ? this.#turn : this.#newTurn();
    this.#turn = turn;
    return turn;
  }

  #newTurn(): Turn {
    const batch = new Batch();
    const outcomes = Promise.resolve().then(() => {
      if (this.#turn?.batch === batch) this.#turn = null;
      return this.#store(batch);
    });
    return { batch, outcomes };
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
          this.#runner.followed(answer);
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
    return checked.map((one) => makeDraft(one, ids.draw(now), now, settings.idempotencyMs, one.flow));
  }

  /** The tasks of a flow, of one moment: each knows its parent, and what it waits for. */
  #draftsOf(graph: FlowGraph, checked: readonly Checked[], flow?: PlaceInFlow): readonly TaskDraft[] {
    const { clock, settings, ids: drawn } = this.#environment;
    const now = clock.now();
    const ids = checked.map(() => drawn.draw(now));
    const dependsOn = graph.edges(
      checked.map(({ options }) => options.dependsOn),
      ids,
      () => firstsOf(graph, checked, flow?.submittedBy ?? null),
    );
    if (dependsOn.length === 0) {
      return checked.map((one, place) => makeDraft(one, ids[place] ?? '', now, settings.idempotencyMs, flow));
    }
    const drafts: TaskDraft[] = [];
    for (const [place, one] of checked.entries()) {
      checkWaiting(one.options, (dependsOn[place] ?? []).length > 0);
      const { parent = null } = graph.nodes[place] ?? {};
      const above = parent === null ? undefined : drafts[parent]?.record;
      const below = one.options.idempotencyKey === null ? [] : graph.below(place);
      drafts.push(
        makeDraft(one, ids[place] ?? '', now, settings.idempotencyMs, {
          ...(above === undefined ? flow : { parentId: above.id, submittedBy: above.submittedBy }),
          dependsOn: dependsOn[place],
          shares: isShowing(one.handler, one.options) ? sharesOf(graph.childrenOf(place), checked) : undefined,
          below: below.map(([depth, at]) => [depth, checked[at]?.handler.name ?? null, checked[at]?.input ?? null]),
        }),
      );
    }
    return drafts;
  }

  #handle(
    draft: TaskDraft | undefined,
    answer: InsertAnswer | undefined,
    checked: Checked | undefined,
  ): SubmittedHandle {
    const told = checked?.warnings ?? NO_WARNINGS;
    const warnings = answer?.made && answer.uncounted ? [...told, UNCOUNTED] : told;
    if (answer === undefined || !('matched' in answer) || answer.matched === 'parent') {
      return new SubmittedHandle(this.#handles, draft?.record.id ?? '', null, warnings);
    }
    const { taskId, matched } = answer;
    const by = matched === 'unique' ? (checked?.options.unique?.by ?? matched) : matched;
    return new SubmittedHandle(this.#handles, taskId, by, warnings);
  }

  #refusal(
    draft: TaskDraft | undefined,
    answer: InsertAnswer | undefined,
    pathOf = (option: string): string => option,
  ): Error {
    if (answer === undefined || !('refused' in answer)) return new Error('A storage refused without a reason.');
    switch (answer.refused) {
      case 'idempotency_conflict':
        return new IdempotencyConflictError(draft?.record.idempotencyKey ?? '', answer.taskId);
      case 'lease_stale':
        return new StaleLeaseError(draft?.record.parentId ?? '');
      case 'dependency_missing':
        return new OptionError(pathOf('dependsOn'), 'made of ids of tasks that are there, or of refs', answer.taskId);
      case 'unique_conflict':
        return new UniqueConflictError(draft?.record.uniqueKey ?? '', answer.taskId);
      case 'uncounted':
        return new WarnedError('The submit has warnings', [{ path: pathOf('weight'), message: UNCOUNTED.message }]);
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

/** Waits only where one of them needs time. */
function allOf(checking: readonly (Checked | Promise<Checked>)[]): readonly Checked[] | Promise<readonly Checked[]> {
  return checking.some((one) => one instanceof Promise) ? Promise.all(checking) : (checking as readonly Checked[]);
}

/** Whether a storage with room for it may refuse it. */
function mayBeRefused({ options: { idempotencyKey, unique } }: Checked): boolean {
  return idempotencyKey !== null || (unique !== null && unique.by === 'unique' && unique.rule.onConflict !== 'skip');
}

/**
 * Of each of what is submitted together the place of the first that shares a key with it: where that is made, it answers for
 * both, and for the children of the other, which are not.
 * @param by whoever submits it all
 */
function firstsOf({ nodes }: FlowGraph, checked: readonly Checked[], by: string | null): readonly number[] {
  const byKey = new Map<string, number>();
  const firsts: number[] = [];
  const submitters: (string | null)[] = [];
  for (const [place, { handler, options }] of checked.entries()) {
    const { unique, idempotencyKey } = options;
    const { parent = null } = nodes[place] ?? {};
    const submitter = options.submittedBy ?? (parent === null ? by : (submitters[parent] ?? null));
    submitters.push(submitter);
    const keys = [
      ...(unique === null ? [] : [JSON.stringify([handler.name, unique.key, unique.rule.ownOnly ? submitter : null])]),
      ...(idempotencyKey === null ? [] : [JSON.stringify([idempotencyKey, submitter])]),
    ];
    const above = parent === null ? undefined : firsts[parent];
    const earlier = above !== undefined && above !== parent ? above : keys.map((key) => byKey.get(key)).find(isThere);
    firsts.push(earlier ?? place);
    if (earlier === undefined) for (const key of keys) byKey.set(key, place);
  }
  return firsts;
}

function isThere(place: number | undefined): boolean {
  return place !== undefined;
}

/** A task that its storage made to wait. */
function waitingFor(record: TaskRecord): TaskRecord {
  return { ...record, status: 'waiting', queuedAt: null };
}

/** What it is refused with names the item, where there are several. */
function inPlace(checked: Checked | Promise<Checked>, graph: FlowGraph, place: number): Checked | Promise<Checked> {
  if (!(checked instanceof Promise)) return checked;
  return checked.catch((error: unknown) => {
    const path = graph.pathOf(place);
    throw path === '' ? error : within(path, error);
  });
}

/** As a running task submits it. */
function placed(checked: Checked | Promise<Checked>, flow: PlaceInFlow | undefined): Checked | Promise<Checked> {
  if (flow === undefined) return checked;
  if (checked instanceof Promise) return checked.then((one) => placed(one, flow));
  const { parentId, submittedBy, by } = flow;
  const options = {
    ...checked.options,
    parentId: checked.options.parentId ?? parentId ?? null,
    submittedBy: checked.options.submittedBy ?? submittedBy ?? null,
  };
  return { ...checked, options, flow: { by } };
}

function urgencyOf(drafts: readonly TaskDraft[]): number | null {
  let urgency: number | null = null;
  for (const { record } of drafts) {
    if (record.status === 'queued' && (urgency === null || record.priority > urgency)) urgency = record.priority;
  }
  return urgency;
}
