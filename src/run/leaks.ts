import type { Environment } from '../environment.ts';
import type { Lease } from '../storage/storage.ts';
import type { Timer } from '../time/clock.ts';
import type { Attempt } from './attempt.ts';

/** What leaks are counted against. */
export interface LeaksHost {
  readonly workerId: string;
  /** At so many nothing more is claimed. */
  readonly maxLeaks: number;
  /** Once it is stopped the worker has left, and its leaks with it. */
  readonly pulse: { readonly isStopped: boolean };
}

/**
 * Counts the handlers that run on although their task is no longer theirs: settled when their grace was over, settled from
 * outside, or lost to another process. Each keeps its slot until it ends.
 */
export class Leaks {
  readonly #environment: Environment;
  readonly #host: LeaksHost;
  readonly #running = new Set<Attempt>();
  /** Told to stop, and within their grace. */
  readonly #expected = new Map<Attempt, Timer>();
  /** Ended, and the storage does not know yet. */
  #ended: Lease[] = [];
  #saidSo = false;
  #stopped = false;

  constructor(environment: Environment, host: LeaksHost) {
    this.#environment = environment;
    this.#host = host;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Whether there are too many; a warning says so once. */
  get tooMany(): boolean {
    const tooMany = this.count >= this.#host.maxLeaks;
    if (tooMany && !this.#saidSo) {
      const message = `${this.count} handlers run on although their tasks are no longer theirs: nothing more is claimed.`;
      this.#environment.events.warn('too_many_leaks', message);
    }
    this.#saidSo = tooMany;
    return tooMany;
  }

  /** Its task is no longer its own, and its signal says so: it is given its grace to end. */
  expect(attempt: Attempt): void {
    if (this.#stopped || this.#running.has(attempt) || this.#expected.has(attempt)) return;
    const timer = this.#environment.clock.after(attempt.handler.cancelGraceMs, () => {
      this.#expected.delete(attempt);
      this.add(attempt);
    });
    this.#expected.set(attempt, timer);
  }

  /** It did not end within its grace. */
  add(attempt: Attempt): void {
    this.#running.add(attempt);
    const { id, handler } = attempt.task;
    const what = attempt.wasTaken ? 'is no longer its own' : 'was settled';
    const message = `The handler of ${handler} runs on although task ${id} ${what}; it keeps its slot until it ends.`;
    this.#environment.events.warn('handler_leaked', message, attempt.task);
  }

  /** Its handler has ended. @returns whether it was a leak */
  ended(attempt: Attempt): boolean {
    this.#expected.get(attempt)?.clear();
    this.#expected.delete(attempt);
    if (!this.#running.delete(attempt)) return false;
    if (!attempt.wasTaken && !this.#host.pulse.isStopped) {
      this.#ended.push(attempt.lease);
      this.report().catch((error: unknown) => this.#environment.events.error(error, attempt.task));
    }
    return true;
  }

  /** Tells the storage which have ended, so that their unique keys are free. @throws {StorageError} */
  async report(): Promise<void> {
    if (this.#ended.length === 0) return;
    const leases = this.#ended;
    const { storage, settings } = this.#environment;
    const reports = leases.map((lease) => ({ lease, leakEnded: true }));
    await storage.beat({ workerId: this.#host.workerId, reports, logLimit: settings.logLimit, records: false });
    this.#ended = this.#ended.filter((lease) => !leases.includes(lease));
  }

  /** Nothing more is claimed, so nobody needs to know who would stand in the way. */
  expectNoMore(): void {
    this.#stopped = true;
    for (const timer of this.#expected.values()) timer.clear();
    this.#expected.clear();
  }
}
