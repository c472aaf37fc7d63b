import type { Environment } from '../environment.ts';
import type { Hint } from '../storage/storage.ts';
import type { TaskRecord } from '../task/record.ts';
import { Backoff } from '../time/backoff.ts';
import type { Timer } from '../time/clock.ts';
import type { Announcer } from '../watch/announcer.ts';
import { Recovery } from './recovery.ts';
import { Pruner } from './retention.ts';
import type { Runner } from './runner.ts';

/** How often a running process asks for cancels and pauses that no hint told of, in ms; the most while that fails. */
const POLL_MS = 500;
const POLL_MAX_MS = 10_000;

/**
 * What keeps the promises while nobody looks: the repeating sweep (lost, due, expired and old tasks), the poll for cancels and
 * pauses, the timer for what is due next, and the answer to the storage's hints.
 */
export class Upkeep {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #runner: Runner;
  readonly #recovery: Recovery;
  readonly #pruner: Pruner;
  #unwatch: (() => void) | null = null;
  #sweepTimer: Timer | null = null;
  #pollTimer: Timer | null = null;
  #dueTimer: Timer | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #sweeping: Promise<void> | null = null;
  readonly #pollBackoff = new Backoff(POLL_MS, POLL_MAX_MS);
  #stopped = false;

  constructor(environment: Environment, announcer: Announcer, runner: Runner) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.#runner = runner;
    this.#recovery = new Recovery(environment);
    this.#pruner = new Pruner(environment);
  }

  /** The first sweep begins at once. */
  start(): void {
    this.#unwatch = this.#environment.storage.watch((hint) => this.#hint(hint));
    this.#sweep();
    this.#poll();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unwatch?.();
    this.#sweepTimer?.clear();
    this.#pollTimer?.clear();
    this.#dueTimer?.clear();
    await Promise.all([this.#sweeping, this.#pruner.stop()]);
  }

  /** See {@link Recovery}. */
  silenceOf(workerId: string): number | null {
    return this.#recovery.silenceOf(workerId);
  }

  #hint(hint: Hint): void {
    if (this.#stopped) return;
    if (hint.kind === 'queued') this.#runner.wake(hint.priority);
    else if (hint.kind === 'due') this.#armDue(hint.ms);
    else if (hint.kind === 'cancelling') void this.#guarded(() => this.#runner.pollCancelling());
    else if (hint.kind === 'control') void this.#guarded(() => this.#readPauses());
  }

  #sweep(): void {
    if (this.#stopped) return;
    this.#sweepTimer = this.#environment.clock.after(
      this.#environment.settings.sweepMs,
      () => this.#sweep(),
      this.#runner.isRunning, // a process whose work is to run tasks lives until `close`
    );
    this.#sweeping ??= this.#sweepOnce().finally(() => {
      this.#sweeping = null;
    });
  }

  async #sweepOnce(): Promise<void> {
    await this.#guarded(() => this.#recover());
    await this.#guarded(() => this.#promote());
    await this.#guarded(() => this.#runner.leaks.report());
    if (!this.#stopped) this.#pruner.start();
    this.#runner.wake(null);
  }

  async #recover(): Promise<void> {
    const taken = (task: TaskRecord): void => {
      this.#announcer.takenBack(task);
      if (task.status === 'queued') this.#runner.wake(null);
    };
    await this.#recovery.sweep(this.#runner.workerId, taken, (others) => this.#runner.followed(others));
  }

  async #promote(): Promise<void> {
    await this.#runner.promote();
    const ms = await this.#environment.storage.nextDue();
    if (ms !== null) this.#armDue(ms);
  }

  /** It keeps the process alive: there is work to come. */
  #armDue(ms: number): void {
    const { clock } = this.#environment;
    const at = clock.monotonic() + ms;
    if (this.#stopped || !this.#runner.isRunning || at >= this.#dueAt) return;
    this.#dueTimer?.clear();
    this.#dueAt = at;
    this.#dueTimer = clock.after(
      ms,
      () => {
        this.#dueAt = Number.POSITIVE_INFINITY;
        void this.#guarded(() => this.#promote());
      },
      true,
    );
  }

  #poll(ms = POLL_MS): void {
    if (this.#stopped) return;
    this.#pollTimer = this.#environment.clock.after(ms, () => void this.#pollOnce());
  }

  /** The next one waits for this one, longer and longer while it fails: each failure is an error event. */
  async #pollOnce(): Promise<void> {
    const worked = await this.#guarded(async () => {
      await this.#runner.pollCancelling();
      await this.#readPauses();
    });
    if (worked) this.#pollBackoff.worked();
    this.#poll(worked ? POLL_MS : this.#pollBackoff.failed());
  }

  async #readPauses(): Promise<void> {
    if (this.#runner.isRunning && (await this.#runner.pauses.read())) this.#runner.reconsider();
  }

  /** @returns whether it worked */
  async #guarded(work: () => Promise<void>): Promise<boolean> {
    if (this.#stopped) return false;
    try {
      await work();
      return true;
    } catch (error) {
      if (!this.#stopped) this.#environment.events.error(error);
      return false;
    }
  }
}
