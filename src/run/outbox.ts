import type { Environment } from '../environment.ts';
import type { Report, SettleAnswer, Settlement } from '../storage/storage.ts';
import type { Steps } from '../task/transition.ts';
import type { Attempt } from './attempt.ts';
import type { Said } from './reports.ts';

/** An outcome on its way into the storage. */
export interface Outcome {
  readonly attempt: Attempt;
  readonly steps: Steps;
  /** What the attempt still had to say. */
  readonly said: Said | null;
}

/** What the outbox serves. */
export interface OutboxHost {
  /** Whether listeners want records. */
  readonly wanted: boolean;
  settled(outcome: Outcome, answer: SettleAnswer): void;
}

const BATCH = 1_000;
const RETRY_MS = 500;
const RETRY_MAX_MS = 30_000;

/**
 * Stores outcomes: those of one turn in one write, one write at a time. A storage that fails is tried again until it works,
 * for the outcome of a run must not be lost while its process lives.
 */
export class Outbox {
  readonly #environment: Environment;
  readonly #host: OutboxHost;
  #waiting: Outcome[] = [];
  #flushing: Promise<void> | null = null;
  #inFlight = 0;
  #abandoned = false;
  #failing = false;
  #endWait = (): void => {};

  constructor(environment: Environment, host: OutboxHost) {
    this.#environment = environment;
    this.#host = host;
  }

  /** Outcomes that are not stored yet. */
  get size(): number {
    return this.#waiting.length + this.#inFlight;
  }

  /** The last write was stored. */
  get healthy(): boolean {
    return !this.#failing;
  }

  push(outcome: Outcome): void {
    this.#waiting.push(outcome);
    this.#flushing ??= this.#flush();
  }

  /** While more wait than one write takes, nothing more is to be claimed. */
  get full(): boolean {
    return this.#waiting.length >= BATCH;
  }

  /** Resolves when all that was pushed is stored, or given up. */
  async drained(): Promise<void> {
    while (this.#flushing !== null) await this.#flushing;
  }

  /** What cannot be stored now is given up, after one more try: other processes find these tasks lost. */
  abandon(): void {
    this.#abandoned = true;
    this.#endWait();
  }

  async #flush(): Promise<void> {
    await undefined; // what ends in the same turn goes along
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.length <= BATCH ? this.#waiting : this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.length <= BATCH ? [] : this.#waiting.slice(BATCH);
      this.#inFlight = batch.length;
      const answers = await this.#store(batch);
      this.#inFlight = 0;
      answers?.forEach((answer, index) => {
        const outcome = batch[index];
        if (outcome !== undefined) this.#host.settled(outcome, answer);
      });
    }
    this.#flushing = null;
  }

  async #store(batch: readonly Outcome[]): Promise<readonly SettleAnswer[] | null> {
    const { storage, settings, events } = this.#environment;
    const settlements = batch.map(settlementOf);
    for (let wait = RETRY_MS; ; wait = Math.min(wait * 2, RETRY_MAX_MS)) {
      try {
        const answers = await storage.settle(settlements, { logLimit: settings.logLimit, records: this.#host.wanted });
        this.#failing = false;
        return answers;
      } catch (error) {
        this.#failing = true;
        events.error(error);
        if (this.#abandoned) return null;
        await this.#pause(wait);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#environment.clock.after(ms, resolve, true);
      this.#endWait = (): void => {
        timer.clear(); // it would keep the process alive
        resolve();
      };
    });
  }
}

/** Spelt out, since every task that ends passes here: a spread costs more than all the rest of it. */
function settlementOf({ attempt, steps, said }: Outcome): Settlement {
  const { progress, checkpoint, log } = said?.report ?? NOTHING;
  // Said with each outcome: the beat that told the start may have failed.
  return { lease: attempt.lease, startedAt: attempt.startedAt ?? undefined, progress, checkpoint, log, steps };
}

const NOTHING: Partial<Report> = {};
