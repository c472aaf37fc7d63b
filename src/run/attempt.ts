import type { StandardSchemaV1 } from '@standard-schema/spec';
import { InputInvalidError, StaleLeaseError } from '../errors.ts';
import type { FlowPort } from '../flow/port.ts';
import type { DependencyResult } from '../flow/relations.ts';
import { type AbortCode, TaskAbort } from '../handler/abort.ts';
import type { ProgressReport } from '../handler/context.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Handler } from '../handler/registry.ts';
import { validate } from '../handler/schema.ts';
import type { Settings } from '../options.ts';
import type { Claim, Lease } from '../storage/storage.ts';
import type { SubmitOptions } from '../submit/options.ts';
import { isA, textOf, toErrorInfo } from '../task/failure.ts';
import { toJson } from '../task/json.ts';
import type { LogLevel, TaskProgress, TaskRecord } from '../task/record.ts';
import { type Baseline, cancelled, fail, giveBack, leaked, type Steps } from '../task/transition.ts';
import type { Clock, Timer } from '../time/clock.ts';
import { Context, type ContextHost } from './context.ts';
import { type Circumstances, ignored, returned, threw } from './outcome.ts';
import { Reports, type Said, sayBare } from './reports.ts';

/** What an attempt stands on. */
export interface AttemptHost {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly workerId: string;
  readonly closing: AbortSignal;
  /** No beat was stored for as long as the lease. */
  readonly isSilent: boolean;
  /** Waits until it may start, which a suspect does alone. */
  turnOf(attempt: Attempt): Promise<void>;
  /** Stores that the handler is about to start. @returns false: the task is no longer ours */
  storeStart(attempt: Attempt): Promise<boolean>;
  started(attempt: Attempt): void;
  /** What a handler may do with other tasks. */
  readonly flow: FlowPort;
  /** There is something to report. @param now at once, not at the next interval */
  report(now: boolean): void;
  /** Its outcome is to be stored. */
  settle(attempt: Attempt, steps: Steps): void;
  /** Its record is settled although its handler runs on. */
  leaked(attempt: Attempt): void;
  /** The slot is free: the handler has ended, or never ran. */
  freed(attempt: Attempt): void;
  onError(error: unknown, task: TaskRecord): void;
}

/**
 * One claim of a task and the run of its handler. It ends once: by the handler, by whoever stops it before it started, or by
 * its grace running out. The slot is free only when the handler has ended.
 */
export class Attempt implements Circumstances, ContextHost {
  readonly task: TaskRecord;
  readonly baseline: Baseline;
  readonly handler: Handler;
  readonly lease: Lease;
  /** Null until the handler starts; epoch ms. */
  startedAt: number | null = null;
  /** By the monotonic clock, ms. */
  began = 0;
  /** Among those in hand; {@link Held} keeps it. */
  place = -1;
  /** Its outcome is decided, or no longer ours to decide. */
  ended = false;
  /** Its task was settled from outside, or is held by another claim. */
  wasTaken = false;
  /** The progress that listeners were told last; undefined: it has reported none, and what the task shows may be its children's. */
  toldProgress: TaskProgress | null | undefined = undefined;
  /** Why the signal was aborted first. */
  aborted: AbortCode | null = null;
  readonly #host: AttemptHost;
  readonly #maxLost: number;
  /** Made by the first report: most tasks have none. */
  #reports: Reports | null = null;
  /** When its handler started, as long as that is not stored; epoch ms. */
  #untold: number | null = null;
  #reason: TaskAbort | null = null;
  #controller: AbortController | null = null;
  #timer: Timer | null = null;
  #freed = false;

  constructor(host: AttemptHost, handler: Handler, claim: Claim) {
    this.#host = host;
    this.handler = handler;
    this.task = claim.task;
    this.baseline = claim.baseline;
    this.#maxLost = claim.maxLost;
    this.lease = { taskId: claim.task.id, token: claim.token };
  }

  get settings(): Settings {
    return this.#host.settings;
  }

  // ---- what its context stands on -----------------------------------------------------------------------------------

  /** Made when a handler asks for it. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  get closing(): AbortSignal {
    return this.#host.closing;
  }

  progress(report: ProgressReport): void {
    if (this.startedAt === null || this.ended || report === null || typeof report !== 'object') return;
    this.#reports ??= new Reports(this.startedAt, this.task.checkpoint !== null);
    try {
      this.#reports.progress(report, this.#host.clock.now());
    } catch (error) {
      this.onError(error); // a getter of the caller's
    }
    this.#host.report(false);
  }

  log(message: unknown, level: LogLevel | undefined): void {
    if (this.startedAt === null || this.ended) return;
    this.#reports ??= new Reports(this.startedAt, this.task.checkpoint !== null);
    this.#reports.log(textOf(message), level, this.#host.clock.now());
    this.#host.report(false);
  }

  async checkpoint(value: unknown): Promise<void> {
    const copied = toJson(value ?? null, 'checkpoint', this.settings.maxResultBytes);
    if (this.startedAt === null || this.ended) throw new StaleLeaseError(this.task.id);
    this.#reports ??= new Reports(this.startedAt, this.task.checkpoint !== null);
    const stored = this.#reports.checkpoint(copied);
    this.#host.report(true);
    return stored;
  }

  async submit(handler: AnyTask | string, input: unknown, options: SubmitOptions | undefined): Promise<unknown> {
    if (this.startedAt === null || this.ended || this.aborted !== null) throw new StaleLeaseError(this.task.id);
    return this.#host.flow.submit({ handler, input, options, lease: this.lease, task: this.task });
  }

  dependencies(of: readonly AnyTask[]): Promise<readonly DependencyResult[]> {
    return this.#host.flow.dependencies(this.task.id, of);
  }

  // ---- its life -----------------------------------------------------------------------------------------------------

  /** Runs the handler. @returns resolves when the slot is free; undefined: it is */
  run(): Promise<void> | undefined {
    if (this.ended) return undefined;
    if (this.isSuspect) return this.#runInTurn();
    // Somebody may have taken the task meanwhile: to store the start is to ask.
    return this.#host.isSilent ? this.#runOnRecord() : this.#start(false);
  }

  /** It went down with its process before, or looks like it: should it do so again, its start must be on record. */
  get isSuspect(): boolean {
    return this.task.lost > 0 || this.task.interrupted > 0;
  }

  /** Tells the handler to stop, or settles at once what has not started. The first reason is the one it sees. */
  abort(code: AbortCode, reason?: string | null): void {
    if (this.ended) return;
    const lost = code === 'lease_lost' || code === 'superseded';
    if (this.aborted !== null) {
      if (lost) this.#drop();
      return;
    }
    this.aborted = code;
    if (this.startedAt === null) {
      if (code === 'cancelled') this.#end(cancelled());
      else if (code === 'shutdown') this.#end(giveBack());
      else this.#drop();
      this.#free();
      return;
    }
    this.#timer?.clear();
    this.#reason = new TaskAbort(code, reason);
    if (lost) this.#drop();
    else this.#timer = this.#host.clock.after(this.handler.cancelGraceMs, () => this.#force(), true);
    this.#controller?.abort(this.#reason);
  }

  /** Lost once more it fails: nothing else is to be blamed for that. */
  get isLastChance(): boolean {
    const lost = this.task.lost - this.baseline.lost;
    return lost > 0 && lost >= this.#maxLost;
  }

  /** Its handler was called, and has not ended. */
  get isRunning(): boolean {
    return this.startedAt !== null && !this.#freed;
  }

  /** Its handler has started, and nobody else knows yet. */
  get hasUntoldStart(): boolean {
    return this.#untold !== null && !this.ended;
  }

  /** Gives back what has not started. @returns whether it had not */
  giveBack(): boolean {
    if (this.startedAt !== null || this.ended) return false;
    this.#end(giveBack());
    this.#free();
    return true;
  }

  /** Takes what is to be reported; null when that is nothing. @param bare say that the lease is held, at least */
  takeReport(bare: boolean): Said | null {
    const startedAt = this.#untold ?? undefined;
    this.#untold = null;
    if (this.#reports?.pending) return this.#reports.take(this.lease, startedAt);
    return bare || startedAt !== undefined ? sayBare(this.lease, startedAt) : null;
  }

  restoreReport(said: Said, error: unknown): void {
    if (said.report.startedAt !== undefined) this.#untold = said.report.startedAt;
    this.#reports?.restore(said, error);
  }

  onError(error: unknown): void {
    this.#host.onError(error, this.task);
  }

  async #runInTurn(): Promise<void> {
    await this.#host.turnOf(this);
    if (!this.ended) await this.#runOnRecord();
  }

  async #runOnRecord(): Promise<void> {
    this.#untold = this.#host.clock.now();
    const held = await this.#host.storeStart(this);
    if (this.ended) return;
    if (!held) {
      this.abort('lease_lost');
      return;
    }
    await this.#start(true);
  }

  #start(onRecord: boolean): Promise<void> | undefined {
    const { clock } = this.#host;
    this.startedAt = clock.now();
    this.began = clock.monotonic();
    if (!onRecord) this.#untold = this.startedAt;
    this.#host.started(this);
    const { timeoutMs } = this.handler;
    if (timeoutMs !== Infinity) this.#timer = clock.after(timeoutMs, () => this.abort('timeout'), true);
    let outcome: unknown;
    try {
      outcome = this.#call();
    } catch (error) {
      return this.#threw(error);
    }
    if (!isThenable(outcome)) return this.#returned(outcome);
    return Promise.resolve(outcome).then(
      (value) => this.#returned(value),
      (error: unknown) => this.#threw(error),
    );
  }

  #call(): unknown {
    const { definition } = this.handler;
    const context = new Context(this);
    const input = this.task.input === null ? undefined : this.task.input;
    if (definition.input === undefined) return definition.run?.(input, context);
    const parsed = this.#parse(definition.input, input);
    if (!(parsed instanceof Promise)) return definition.run?.(parsed, context);
    return parsed.then((value: unknown) => definition.run?.(value, context));
  }

  #parse(schema: StandardSchemaV1, input: unknown): unknown {
    const refuse = (error: unknown): never => {
      throw new Unparsed(error);
    };
    try {
      const parsed = validate(schema, input);
      return parsed instanceof Promise ? parsed.catch(refuse) : parsed;
    } catch (error) {
      return refuse(error);
    }
  }

  #returned(value: unknown): undefined {
    if (!this.ended) this.#end(returned(value, this));
    this.#free();
  }

  #threw(error: unknown): undefined {
    if (!this.ended) {
      // What was valid at submit is not any more: another attempt would find the same.
      const unparsed = isA(Unparsed, error);
      const cause = unparsed ? error.cause : error;
      const unfit = unparsed && isA(InputInvalidError, cause) && this.aborted === null;
      this.#end(unfit ? fail(toErrorInfo(cause, 'input_invalid')) : threw(cause, this));
    }
    this.#free();
  }

  /** Its grace is over: the record is settled, the handler runs on. */
  #force(): void {
    if (this.ended) return;
    this.#end(leaked(ignored(this), this.#host.workerId));
    this.#host.leaked(this);
  }

  #end(steps: Steps): void {
    this.ended = true;
    this.#timer?.clear();
    this.#host.settle(this, steps);
  }

  /** The outcome is no longer ours. What still waits for a checkpoint is told. */
  #drop(): void {
    this.ended = true;
    this.wasTaken = true;
    this.#timer?.clear();
    const said = this.takeReport(false);
    for (const { refused } of said?.checkpoints ?? []) refused(new StaleLeaseError(this.task.id));
  }

  #free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#timer?.clear();
    this.#host.freed(this);
  }
}

/** The schema refused, or threw. */
class Unparsed extends Error {
  constructor(cause: unknown) {
    super('unparsed', { cause });
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || typeof value !== 'object') return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return false; // a getter or a proxy: it will not do as a result either
  }
}
