import type { Claimed, EngineHost } from '../engine/engine.ts';
import { LocalEngine } from '../engine/local.ts';
import type { Environment } from '../environment.ts';
import { ManagerClosedError, StaleLeaseError } from '../errors.ts';
import type { FlowPort } from '../flow/port.ts';
import type { Handler } from '../handler/registry.ts';
import type { Settings } from '../options.ts';
import type { Claim, Followed, ReportAnswer, SettleAnswer, WorkerInfo } from '../storage/storage.ts';
import { drawWorkerId } from '../task/id.ts';
import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import type { Steps } from '../task/transition.ts';
import type { Clock } from '../time/clock.ts';
import type { Announcer } from '../watch/announcer.ts';
import { Attempt, type AttemptHost } from './attempt.ts';
import { Claims, type ClaimsHost } from './claims.ts';
import { Held } from './held.ts';
import { thisPlace } from './host.ts';
import { Leaks, type LeaksHost } from './leaks.ts';
import { LoopMonitor } from './loop-monitor.ts';
import { beforeItsEnd, tellNotes } from './notes.ts';
import { Outbox, type OutboxHost, type Outcome } from './outbox.ts';
import { Pauses } from './pauses.ts';
import { Pulse, type PulseHost } from './pulse.ts';
import type { Said } from './reports.ts';
import { AHEAD, Slots } from './slots.ts';
import { type Suspect, Suspects, type SuspectsHost } from './suspects.ts';

/**
 * Runs tasks: claims what there is room for, holds the attempts and their leases, and settles them. It is the host of the
 * engine, the attempts, the pulse and the outbox, which do the work.
 */
export class Runner implements EngineHost, AttemptHost, PulseHost, OutboxHost, LeaksHost, SuspectsHost, ClaimsHost {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly pulse: Pulse;
  readonly outbox: Outbox;
  readonly leaks: Leaks;
  /** Set once, by the manager: what takes submits in is made after what runs them. */
  flow: FlowPort = NO_FLOW;
  workerId = drawWorkerId();
  concurrency: number;
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #engine: LocalEngine;
  readonly #slots = new Slots();
  readonly #suspects: Suspects;
  readonly #loop: LoopMonitor;
  readonly #claims: Claims;
  /** Claimed, running, or with an outcome that is not stored yet. */
  readonly #held = new Held();
  readonly #closing = new AbortController();
  #running = false;
  readonly #onIdle = new Set<() => void>();

  constructor(environment: Environment, announcer: Announcer) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.settings = environment.settings;
    this.clock = environment.clock;
    this.concurrency = environment.settings.concurrency;
    this.pauses = new Pauses(environment.storage);
    this.pulse = new Pulse(environment, this);
    this.outbox = new Outbox(environment, this);
    this.leaks = new Leaks(environment, this);
    this.#engine = new LocalEngine(this);
    this.#suspects = new Suspects(this);
    this.#claims = new Claims(environment, announcer, this.#slots, this);
    this.#loop = new LoopMonitor(this.clock, this.settings.leaseMs, (ms) => this.#loopBlocked(ms));
  }

  // ---- life ---------------------------------------------------------------------------------------------------------

  /** @throws {StorageError} */
  async start(): Promise<void> {
    await this.pauses.read();
    await this.pulse.join();
    if (this.#closing.signal.aborted) return; // meanwhile
    this.#running = true;
    this.#loop.start();
    this.wake(null);
  }

  /** Handlers of this process may be run. */
  get isRunning(): boolean {
    return this.#running;
  }

  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Nothing more is claimed; what has not started goes back. */
  drain(): void {
    this.#running = false;
    this.#engine.stop();
    this.#loop.stop();
    this.leaks.expectNoMore();
    this.#claims.stop();
    for (const attempt of this.#held.all()) attempt.giveBack();
    this.#closing.abort();
  }

  /** Tells every running handler to stop. */
  abortAll(): void {
    for (const attempt of this.#held.all()) attempt.abort('shutdown');
  }

  /** There may be work, or room. @param priority of what came, null when unknown */
  wake(priority: number | null): void {
    if (this.#running) this.#engine.wake(priority);
  }

  /** Attempts in hand: claimed, running, or not stored yet. */
  get inHand(): number {
    return this.#held.size + this.#claims.underWay;
  }

  /** The slots that a task of this handler needs in this process, leaks included; a handler without a limit has none. */
  load(
    handler: Handler,
  ): readonly { readonly of: 'manager' | 'handler'; readonly used: number; readonly limit: number }[] {
    const all = { of: 'manager', used: this.#slots.used, limit: this.concurrency } as const;
    const own = { of: 'handler', used: this.#slots.usedBy(handler), limit: handler.concurrency } as const;
    return own.limit === Infinity ? [all] : [all, own];
  }

  /** Whether a task is run here, or can be at once. */
  isAbout(task: TaskRecord): boolean {
    if (this.#held.of(task.id) !== undefined) return true;
    const handler = this.#environment.registry.find(task.handler);
    if (task.status !== 'queued' || handler?.definition.run === undefined) return false;
    const room = this.#slots.used < this.concurrency && this.#slots.left(handler) > 0;
    return room && !this.pauses.holds(handler.name) && !this.leaks.tooMany;
  }

  /** Why claiming or beating does not work; empty when it does. */
  get problems(): readonly string[] {
    return [
      ...(this.#claims.healthy ? [] : ['claiming fails']),
      ...(this.pulse.healthy ? [] : ['beats cannot be stored']),
      ...(this.outbox.healthy ? [] : ['outcomes cannot be stored']),
      ...(this.leaks.tooMany ? [`${this.leaks.count} handlers run on although their tasks are no longer theirs`] : []),
    ];
  }

  /** One on its last chance has this process to itself. */
  get isSetApart(): boolean {
    return this.#suspects.alone !== null;
  }

  /** Calls back once nothing is in hand; at once when that is so. @returns ends the waiting */
  onceIdle(callback: () => void): () => void {
    if (this.inHand === 0) callback();
    else this.#onIdle.add(callback);
    return () => this.#onIdle.delete(callback);
  }

  // ---- what others did to tasks -------------------------------------------------------------------------------------

  /** A task was changed from outside: an attempt of ours is told. */
  noticed(task: TaskRecord): void {
    const attempt = this.#held.of(task.id);
    // What was answered late may be older than the claim: to believe it would leave the task to nobody.
    if (attempt === undefined || task.version < attempt.task.version) return;
    if (task.status === 'cancelling') attempt.abort('cancelled', task.cancelReason);
    else if (task.status !== 'running') this.#lose(attempt, isFinal(task.status) ? 'superseded' : 'lease_lost');
  }

  /** What the end of a task did to others, or a cancel to those below it, or either to the progress of those above. */
  followed({ followed = [], progressed = [] }: Followed): void {
    for (const task of followed) {
      this.#announcer.followed(task);
      this.noticed(task);
      if (task.status === 'queued') this.wake(task.priority);
    }
    for (const task of progressed) this.#announcer.progressed(task);
  }

  /** Stores the start of a task that runs here, before somebody ends its lease: nothing can be said of it after that. */
  async tellStart(taskId: string): Promise<void> {
    if (this.#held.of(taskId)?.hasUntoldStart) await this.pulse.beat(false);
  }

  /** Asks the storage which of our tasks are to be cancelled. */
  async pollCancelling(): Promise<void> {
    if (this.#held.size === 0) return;
    const cancelling = await this.#environment.storage.cancelling(this.workerId);
    if (cancelling.length === 0) return;
    const byTask = new Map(this.#held.all().map((attempt) => [attempt.task.id, attempt]));
    for (const { lease, reason } of cancelling) {
      const attempt = byTask.get(lease.taskId);
      if (attempt?.lease.token === lease.token) attempt.abort('cancelled', reason);
    }
  }

  /** Pauses or limits changed: what has not started and may not start goes back. */
  reconsider(): void {
    const excess = new Map<string, number>();
    for (const attempt of this.#held.all().reverse()) {
      const { name } = attempt.handler;
      const over = excess.get(name) ?? -this.#slots.left(attempt.handler);
      const returns = this.pauses.holds(name) || over > 0;
      excess.set(name, returns && attempt.giveBack() ? over - 1 : over);
    }
    this.wake(null);
  }

  // ---- for the engine -----------------------------------------------------------------------------------------------

  async claim(free: number): Promise<readonly Attempt[]> {
    if (!this.#running || this.outbox.full || this.leaks.tooMany || this.isSetApart) return [];
    const runnable = this.#environment.registry.runnable().filter(({ name }) => !this.pauses.holds(name));
    const fast = runnable.filter((handler) => this.#slots.isFast(handler));
    if (fast.length === runnable.length) return this.#claims.ask(runnable, free + AHEAD);
    const claimed = await this.#claims.ask(runnable, free);
    if (claimed.length < free || fast.length === 0) return claimed;
    return [...claimed, ...(await this.#claims.ask(fast, AHEAD))];
  }

  run(claim: Claimed): Promise<void> | undefined {
    const attempt = claim as Attempt;
    const { alone } = this.#suspects;
    // Suspects have a line of their own.
    return alone === null || attempt.isSuspect ? attempt.run() : alone.then(() => this.run(attempt));
  }

  /** Deals with what is due or expired, without claiming. @throws {StorageError} */
  promote(): Promise<void> {
    return this.#claims.promote();
  }

  // ---- for the claims -----------------------------------------------------------------------------------------------

  hold(claim: Claim): readonly Attempt[] {
    const handler = this.#environment.registry.find(claim.task.handler);
    if (handler === undefined) return [];
    const attempt = new Attempt(this, handler, claim);
    this.#held.add(attempt);
    this.#slots.take(handler);
    // What began while the claim was under way: a cancel, where its first answer was lost; a drain, a pause.
    if (claim.task.status === 'cancelling') attempt.abort('cancelled', claim.task.cancelReason);
    else if (!this.#running || this.pauses.holds(handler.name)) attempt.giveBack();
    return [attempt];
  }

  claimed(): void {
    this.#checkIdle();
  }

  // ---- for the attempts ---------------------------------------------------------------------------------------------

  get isSilent(): boolean {
    return this.pulse.isSilent;
  }

  turnOf(attempt: Attempt): Promise<void> {
    return this.#suspects.turnOf(attempt);
  }

  runsBeside(suspect: Suspect): boolean {
    return this.#held.all().some((attempt) => attempt !== suspect && attempt.isRunning);
  }

  storeStart(attempt: Attempt): Promise<boolean> {
    return this.pulse.storeStart(attempt);
  }

  started(attempt: Attempt): void {
    if (attempt.isSuspect) this.#suspects.started(attempt);
    this.pulse.arm();
    if (this.#announcer.wanted) {
      this.#announcer.started({ ...attempt.task, startedAt: attempt.startedAt });
    }
  }

  report(now: boolean): void {
    this.pulse.note(now);
  }

  settle(attempt: Attempt, steps: Steps): void {
    this.outbox.push({ attempt, steps, said: attempt.takeReport(false) });
  }

  leaked(attempt: Attempt): void {
    this.leaks.add(attempt);
    if (attempt.isSuspect) this.#suspects.gone(attempt);
  }

  freed(attempt: Attempt): void {
    const ran = attempt.startedAt === null ? null : this.clock.monotonic() - attempt.began;
    this.#slots.free(attempt.handler, ran);
    if (attempt.isSuspect) this.#suspects.gone(attempt);
    this.#suspects.freed();
    if (attempt.handler.concurrency !== Infinity) this.wake(null);
    if (this.leaks.ended(attempt)) this.wake(null);
  }

  onError(error: unknown, task: TaskRecord): void {
    this.#environment.events.error(error, task);
  }

  #loopBlocked(ms: number): void {
    const running = this.#held.all().filter(({ startedAt }) => startedAt !== null);
    const names = [...new Set(running.map(({ handler }) => handler.name))];
    const who = names.length > 0 ? `while ${names.join(', ')} ran` : 'while no handler ran';
    const message = `The event loop stood still for ${ms} ms ${who}; after ${this.settings.leaseMs} ms its tasks are lost.`;
    this.#environment.events.warn('loop_blocked', message, running.length === 1 ? running[0]?.task : undefined);
  }

  get maxLeaks(): number {
    return this.settings.maxLeaks ?? this.concurrency;
  }

  // ---- for the pulse and the outbox ---------------------------------------------------------------------------------

  get wanted(): boolean {
    return this.#announcer.wanted;
  }

  info(): WorkerInfo {
    const handlers = this.#environment.registry.runnable().map(({ name }) => name);
    const { leaseMs } = this.settings;
    return { ...thisPlace(), handlers, engineKey: null, leaseMs, startedAt: this.clock.now() };
  }

  held(): Iterable<Attempt> {
    return this.#held.all();
  }

  said({ notes }: Said, attempt: Attempt, answer: ReportAnswer): void {
    if (!answer.held) {
      if (!attempt.ended)
        this.#lose(attempt, answer.status !== null && isFinal(answer.status) ? 'superseded' : 'lease_lost');
      return;
    }
    if (answer.record !== null) tellNotes(this.#announcer, answer.record, attempt, notes);
    if (answer.status === 'cancelling') attempt.abort('cancelled', answer.cancelReason);
  }

  settled({ attempt, steps, said }: Outcome, answer: SettleAnswer): void {
    const { task, lease } = attempt;
    this.#held.remove(attempt);
    for (const { stored, refused } of said?.checkpoints ?? []) {
      if (answer.settled) stored();
      else refused(new StaleLeaseError(lease.taskId));
    }
    if (!answer.settled) {
      const message = `Task ${task.id} was no longer held by this process when its attempt ended; the outcome was refused.`;
      this.#environment.events.warn('lease_lost', message, task);
    } else if (answer.record !== null) {
      tellNotes(this.#announcer, beforeItsEnd(answer.record), attempt, said?.notes ?? []);
      this.#announcer.settled(answer.record, steps);
      this.followed(answer);
    } else if (this.#announcer.wanted) {
      this.#announcer.missed(task.id);
    }
    if (answer.settled && answer.status === 'queued') this.wake(null);
    this.#checkIdle();
  }

  unknown(): void {
    for (const attempt of this.#held.all()) this.#lose(attempt, 'lease_lost');
    this.workerId = drawWorkerId();
    if (!this.#running) return;
    this.#claims.forget();
    this.#environment.events.warn(
      'worker_lost',
      'This process was silent for longer than its lease and lost its tasks.',
    );
    this.pulse.join().then(
      () => this.wake(null),
      (error: unknown) => this.#environment.events.error(error),
    );
  }

  #lose(attempt: Attempt, code: 'lease_lost' | 'superseded'): void {
    attempt.abort(code);
    this.#held.remove(attempt);
    if (attempt.isRunning) this.leaks.expect(attempt);
    if (attempt.isSuspect) this.#suspects.gone(attempt);
    this.#checkIdle();
  }

  #checkIdle(): void {
    if (this.inHand > 0) return;
    for (const callback of this.#onIdle) callback();
    this.#onIdle.clear();
  }
}

/** What a handler finds before its manager is whole: no handler runs then. */
const NO_FLOW: FlowPort = {
  submit: () => Promise.reject(new ManagerClosedError()),
  dependencies: () => Promise.reject(new ManagerClosedError()),
};
