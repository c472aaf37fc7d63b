import type { Environment } from '../environment.ts';
import { StaleLeaseError } from '../errors.ts';
import type { BeatAnswer, Followed, WorkerInfo } from '../storage/storage.ts';
import { Backoff } from '../time/backoff.ts';
import type { Timer } from '../time/clock.ts';
import type { Attempt } from './attempt.ts';
import type { Said } from './reports.ts';

/** What the pulse serves. */
export interface PulseHost {
  readonly workerId: string;
  info(): WorkerInfo;
  /** Every attempt whose lease is held. */
  held(): Iterable<Attempt>;
  /** Whether listeners want records. */
  readonly wanted: boolean;
  said(said: Said, attempt: Attempt, answer: BeatAnswer['reports'][number]): void;
  followed(others: Followed): void;
  /** This worker was declared dead. */
  unknown(): void;
}

type Sent = readonly (readonly [Attempt, Said])[];

/**
 * The one beat of a worker. Each third of the lease it keeps all leases; in between, each `progressInterval` while there is
 * something to report, it writes that; a checkpoint at once. One beat at a time.
 */
export class Pulse {
  readonly #environment: Environment;
  readonly #host: PulseHost;
  #leaseTimer: Timer | null = null;
  #reportTimer: Timer | null = null;
  #beating: Promise<void> | null = null;
  #beatAt = Number.NEGATIVE_INFINITY;
  /** When the newest beat that was stored was sent. */
  #storedAt = Number.NEGATIVE_INFINITY;
  #soon = false;
  #askedUpTo = 0;
  /** A beat is on its way that takes what there is to report. */
  #noted = false;
  #stopped = false;
  #failing = false;
  readonly #backoff: Backoff;

  constructor(environment: Environment, host: PulseHost) {
    this.#environment = environment;
    this.#host = host;
    this.#backoff = new Backoff(RETRY_MS, Math.max(RETRY_MS, environment.settings.leaseMs / 3));
  }

  /** The last beat was stored. */
  get healthy(): boolean {
    return !this.#failing;
  }

  /** No beat was stored for as long as the lease, a process that stood still for example: others may hold its tasks. */
  get isSilent(): boolean {
    const { clock, settings } = this.#environment;
    return clock.monotonic() - this.#storedAt >= settings.leaseMs;
  }

  /** Makes the worker known, and keeps it so. @throws {StorageError} */
  async join(): Promise<void> {
    const { storage, settings, clock } = this.#environment;
    const { workerId } = this.#host;
    const sentAt = clock.monotonic();
    await storage.beat({ workerId, join: this.#host.info(), reports: [], logLimit: settings.logLimit, records: false });
    this.#storedAt = sentAt;
    this.#armLease();
  }

  /** This worker says nothing more. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  stop(): void {
    this.#stopped = true;
    this.#leaseTimer?.clear();
    this.#reportTimer?.clear();
  }

  /** Something is to be reported: at the next interval, or at once where the last beat is longer ago or `now`. */
  note(now: boolean): void {
    if (this.#stopped || (this.#noted && !now)) return;
    this.#noted = true;
    const { clock, settings } = this.#environment;
    const wait = now ? 0 : this.#beatAt + settings.progressMs - clock.monotonic();
    if (wait > 0) this.arm(wait);
    else if (!this.#soon) {
      this.#soon = true;
      setImmediate(() => {
        this.#soon = false;
        void this.beat(false);
      });
    }
  }

  /** A beat in `ms` at the latest; there may be starts to report. */
  arm(ms = this.#environment.settings.progressMs): void {
    if (this.#reportTimer !== null || this.#stopped) return;
    this.#reportTimer = this.#environment.clock.after(
      ms,
      () => {
        this.#reportTimer = null;
        void this.beat(false);
      },
      true,
    );
  }

  /** Writes what there is to report. @param bare also asks whether leases are held: of many a part, the next beat goes on */
  async beat(bare: boolean): Promise<void> {
    while (this.#beating !== null) await this.#beating;
    if (this.#stopped) return; // meanwhile
    this.#noted = false;
    const sent: [Attempt, Said][] = [];
    const held = [...this.#host.held()];
    const from = held.length > MAX_ASKED ? this.#askedUpTo % held.length : 0;
    for (const [index, attempt] of held.entries()) {
      const asks = bare && (index - from + held.length) % held.length < MAX_ASKED;
      const said = attempt.ended && !asks ? null : attempt.takeReport(asks);
      if (said !== null) sent.push([attempt, said]);
    }
    if (bare) this.#askedUpTo = from + MAX_ASKED;
    if (sent.length === 0 && !bare) return;
    this.#beating = this.#send(sent);
    await this.#beating;
  }

  /** Stores the start of one attempt before its handler runs, however long that takes. @returns whether its lease holds */
  async storeStart(attempt: Attempt): Promise<boolean> {
    const said = attempt.takeReport(true);
    const { storage, settings, events, clock } = this.#environment;
    while (said !== null && !attempt.ended) {
      try {
        const { workerId } = this.#host;
        const reports = [said.report];
        const sentAt = clock.monotonic();
        const answer = await storage.beat({ workerId, reports, logLimit: settings.logLimit, records: false });
        if (answer.known) this.#storedAt = Math.max(this.#storedAt, sentAt);
        return answer.known && answer.reports[0]?.held === true;
      } catch (error) {
        events.error(error, attempt.task);
        await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve, true));
      }
    }
    return false;
  }

  async #send(sent: Sent): Promise<void> {
    const { storage, settings, events, clock } = this.#environment;
    const { workerId, wanted } = this.#host;
    this.#beatAt = clock.monotonic();
    try {
      const reports = sent.map(([, { report }]) => report);
      const answer = await storage.beat({ workerId, reports, logLimit: settings.logLimit, records: wanted });
      this.#failing = false;
      this.#backoff.worked();
      if (answer.known) this.#storedAt = Math.max(this.#storedAt, this.#beatAt);
      this.#beating = null;
      this.#answered(sent, answer);
    } catch (error) {
      this.#failing = true;
      this.#beating = null;
      for (const [attempt, said] of sent) attempt.restoreReport(said, error);
      events.error(error);
      this.arm(Math.max(settings.progressMs, this.#backoff.failed()));
    }
  }

  #answered(sent: Sent, answer: BeatAnswer): void {
    // First: whatever became of its tasks since, a dead worker lost them all.
    if (!answer.known) this.#host.unknown();
    for (const [index, [attempt, said]] of sent.entries()) {
      const report = answer.reports[index];
      if (report === undefined) continue;
      for (const { stored, refused } of said.checkpoints) {
        if (report.held) stored();
        else refused(new StaleLeaseError(attempt.task.id));
      }
      this.#host.said(said, attempt, report);
    }
    this.#host.followed(answer);
  }

  #armLease(): void {
    if (this.#stopped) return;
    const { clock, settings } = this.#environment;
    this.#leaseTimer?.clear();
    this.#leaseTimer = clock.after(settings.leaseMs / 3, () => {
      void this.beat(true);
      this.#armLease();
    });
  }
}

/** After a beat that could not be stored. */
const RETRY_MS = 1_000;
/** Leases that one beat asks about. All are kept by it: this only finds out what was taken away. */
const MAX_ASKED = 1_000;
