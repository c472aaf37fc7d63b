import { checkBag } from './bag.ts';
import type { Environment } from './environment.ts';
import { ManagerClosedError, StorageError } from './errors.ts';
import type { Optional } from './handler/define.ts';
import type { Runner } from './run/runner.ts';
import { Upkeep } from './run/upkeep.ts';
import type { Scheduling } from './schedule/scheduling.ts';
import { type Duration, parseDuration } from './time/duration.ts';
import type { Announcer } from './watch/announcer.ts';
import type { Watchers } from './watch/watchers.ts';

const CLOSE_TIMEOUT = '30s';
/** What the storage is given to take the last outcomes, after the grace of the handlers, in ms. */
const LAST_WRITES_MS = 1_000;
const LEAVE_LIMIT = 1_000;
/** What a close waits for an answer of the storage, in ms: a locked file is tried again for 10 s. */
const ANSWER_MS = 12_000;
/** The same, of one that did not answer before. */
const LAST_ANSWER_MS = 1_000;
const SILENT = 'The storage did not answer: the manager is closed, and the storage may not be.';

/** `ready`: the storage answers, and claiming and beats work. `problems` says what does not. */
export type Health = Readonly<{ ready: boolean; problems: readonly string[] }>;

/** Opens, starts and closes a manager. */
export class Lifecycle {
  readonly #environment: Environment;
  readonly #runner: Runner;
  readonly #watchers: Watchers;
  readonly #upkeep: Upkeep;
  readonly #scheduling: Scheduling;
  #opening: Promise<void> | null = null;
  #isOpen = false;
  #starting: Promise<void> | null = null;
  /** It was started to run tasks, too. */
  #runs = false;
  #hasStarted = false;
  #closing: Promise<void> | null = null;
  #isClosed = false;

  constructor(
    environment: Environment,
    announcer: Announcer,
    runner: Runner,
    watchers: Watchers,
    scheduling: Scheduling,
  ) {
    this.#environment = environment;
    this.#runner = runner;
    this.#watchers = watchers;
    this.#upkeep = new Upkeep(environment, announcer, runner);
    this.#scheduling = scheduling;
  }

  /** The storage is open, and not closing: what can be done at once need not wait. */
  get isOpen(): boolean {
    return this.#isOpen && this.#closing === null;
  }

  /** Whether this process runs tasks; null: it has not started yet, or closes. */
  get runsHere(): boolean | null {
    return this.#hasStarted && this.#closing === null ? this.#runner.isRunning : null;
  }

  /** Since another process was last seen to live, in ms; null: it was not looked for. */
  silenceOf(workerId: string): number | null {
    return this.#upkeep.silenceOf(workerId);
  }

  /** Opens the storage, once. @throws {ManagerClosedError} @throws {StorageError} */
  open(): Promise<void> {
    if (this.#isClosed || this.#closing !== null) return Promise.reject(new ManagerClosedError());
    this.#opening ??= this.#open();
    return this.#opening;
  }

  /** For reads, which work until the storage is closed. @throws {ManagerClosedError} @throws {StorageError} */
  readable(): Promise<void> {
    return this.#closing !== null && this.#isOpen && !this.#isClosed ? Promise.resolve() : this.open();
  }

  /** @param options `run` false: submit and watch only. @throws {OptionError} @throws {ManagerClosedError} @throws {StorageError} */
  async start(options?: Optional<{ run: boolean }>): Promise<void> {
    const { run = true } = checkBag('options', options, { run: 'boolean' }) ?? {};
    if (this.#isClosed || this.#closing !== null) throw new ManagerClosedError();
    if (this.#starting !== null && (!run || this.#runs)) return this.#starting;
    this.#runs ||= run;
    const before = this.#starting;
    this.#starting = this.#start(run, before).catch((error: unknown) => {
      this.#starting = before; // it may be tried again
      this.#runs = false;
      throw error;
    });
    return this.#starting;
  }

  /** @param options `timeout`: what running tasks are given to finish. @throws {OptionError} @throws {StorageError} */
  async close(options?: Optional<{ timeout: Duration }>): Promise<void> {
    const { timeout = CLOSE_TIMEOUT } = checkBag('options', options, { timeout: null }) ?? {};
    const ms = parseDuration('timeout', timeout);
    this.#closing ??= this.#close(ms);
    return this.#closing;
  }

  async health(): Promise<Health> {
    if (this.#isClosed || this.#closing !== null) return { ready: false, problems: ['the manager is closed'] };
    try {
      await this.open();
      await this.#environment.storage.nextDue();
    } catch (error) {
      return {
        ready: false,
        problems: [`the storage does not answer: ${error instanceof Error ? error.message : error}`],
      };
    }
    const problems = this.#hasStarted ? this.#runner.problems : ['the manager has not been started'];
    return { ready: problems.length === 0, problems };
  }

  async #open(): Promise<void> {
    try {
      await this.#environment.storage.open({ clock: this.#environment.clock });
      this.#isOpen = true;
    } catch (error) {
      this.#opening = null; // it may be tried again
      throw error;
    }
  }

  /** @param before the start of one that only submitted and watched so far */
  async #start(run: boolean, before: Promise<void> | null): Promise<void> {
    await (before ?? this.open());
    await this.#scheduling.reconcile();
    if (run) await this.#scheduling.prepare();
    // It may have taken so long that a close did not wait for it.
    if (this.#isClosed) throw new ManagerClosedError();
    if (run) await this.#runner.start();
    if (this.#isClosed) throw new ManagerClosedError();
    if (!this.#hasStarted) this.#upkeep.start();
    this.#hasStarted = true;
    if (run) this.#scheduling.start();
  }

  async #close(ms: number): Promise<void> {
    const { settings } = this.#environment;
    let answers = await this.#inTime(Promise.allSettled([this.#opening, this.#starting]));
    try {
      const unscheduled = this.#scheduling.stop();
      this.#runner.drain();
      if (!(await this.#idle(ms))) {
        this.#runner.abortAll();
        const grace = Math.max(settings.cancelGraceMs, ...this.#environment.registry.all().map((h) => h.cancelGraceMs));
        await this.#idle(grace + LAST_WRITES_MS);
      }
      // What is left is of no use: the storage is down, or the task was lost while its outcome waited.
      this.#runner.outbox.abandon();
      this.#runner.pulse.stop();
      const upkeep = Promise.all([this.#upkeep.stop(), unscheduled]);
      if (answers) answers = await this.#inTime(upkeep);
      if (answers && this.#isOpen && this.#starting !== null) answers = await this.#inTime(this.#leave());
    } finally {
      this.#watchers.close();
      this.#isClosed = true;
      answers = (await this.#inTime(this.#closeStorage(), answers ? ANSWER_MS : LAST_ANSWER_MS)) && answers;
    }
    if (!answers) throw new StorageError(SILENT, { ambiguous: true, retryable: false });
  }

  /** Also one that opens only now. */
  async #closeStorage(): Promise<void> {
    await this.#opening?.catch(() => {});
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#environment.storage.close();
  }

  /** @returns false: the storage did not answer in time, and is waited for no longer. @throws what `work` rejects with */
  async #inTime(work: Promise<unknown>, ms = ANSWER_MS): Promise<boolean> {
    const { promise: late, resolve } = Promise.withResolvers<false>();
    const timer = this.#environment.clock.after(ms, () => resolve(false), true);
    try {
      return await Promise.race([work.then(() => true), late]);
    } finally {
      timer.clear();
    }
  }

  /** @returns whether nothing is in hand any more within `ms` */
  #idle(ms: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.#environment.clock.after(
        ms,
        () => {
          stop();
          resolve(false);
        },
        true,
      );
      const stop = this.#runner.onceIdle(() => {
        timer.clear();
        resolve(true);
      });
    });
  }

  /** The worker is gone for the others too: nobody has to wait for its silence. */
  async #leave(): Promise<void> {
    try {
      await this.#environment.storage.takeBack(this.#runner.workerId, LEAVE_LIMIT);
    } catch (error) {
      this.#environment.events.error(error);
    }
  }
}
