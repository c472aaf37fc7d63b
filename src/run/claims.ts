import type { Environment } from '../environment.ts';
import type { Handler } from '../handler/registry.ts';
import type { Claim, ClaimAnswer, ClaimRequest, Followed } from '../storage/storage.ts';
import { Backoff } from '../time/backoff.ts';
import type { Timer } from '../time/clock.ts';
import type { Announcer } from '../watch/announcer.ts';
import type { Attempt } from './attempt.ts';
import type { Slots } from './slots.ts';

/** After a claim that the storage refused, in ms, and after many of them. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 10_000;

/** What claiming serves. */
export interface ClaimsHost {
  readonly workerId: string;
  /** Nothing more is claimed where it does not. */
  readonly isRunning: boolean;
  /** Takes a task in hand. @returns empty: there is no such handler any more */
  hold(claim: Claim): readonly Attempt[];
  followed(answer: Followed): void;
  wake(priority: number | null): void;
  /** A claim is over, however it ended. */
  claimed(): void;
}

/** Asks the storage for tasks, each time under a token of its own, and tells of what became due or expired by that. */
export class Claims {
  readonly #environment: Environment;
  readonly #announcer: Announcer;
  readonly #slots: Slots;
  readonly #host: ClaimsHost;
  #tokens = 0;
  #unanswered: ClaimRequest | null = null;
  #underWay = 0;
  #failing = false;
  #retry: Timer | null = null;
  readonly #backoff = new Backoff(RETRY_MS, RETRY_MAX_MS);

  constructor(environment: Environment, announcer: Announcer, slots: Slots, host: ClaimsHost) {
    this.#environment = environment;
    this.#announcer = announcer;
    this.#slots = slots;
    this.#host = host;
  }

  /** Claims whose answers are on their way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** The last claim was answered. */
  get healthy(): boolean {
    return !this.#failing;
  }

  /** Up to `limit` tasks of these handlers, and of each as many as it has slots left. One that fails is tried again later. */
  async ask(handlers: readonly Handler[], limit: number): Promise<readonly Attempt[]> {
    const wanted = handlers
      .map((handler) => ({ name: handler.name, limit: Math.min(limit, this.#slots.left(handler)) }))
      .filter((handler) => handler.limit > 0);
    if (wanted.length === 0 || limit <= 0) return [];
    // A claim whose answer was lost is asked for again, or its tasks would wait for nobody.
    const request = this.#unanswered ?? this.#request(wanted, limit);
    this.#unanswered = request;
    this.#underWay++;
    try {
      const answer = await this.#environment.storage.claim(request);
      this.#unanswered = null;
      this.#failing = false;
      this.#backoff.worked();
      this.#tell(answer);
      return answer.claims.flatMap((claim) => this.#host.hold(claim));
    } catch (error) {
      this.#failing = true;
      this.#environment.events.error(error);
      this.#later();
      return [];
    } finally {
      this.#underWay--;
      this.#host.claimed();
    }
  }

  /** Deals with what is due or expired, without claiming. @throws {StorageError} */
  async promote(): Promise<void> {
    const answer = await this.#environment.storage.claim(this.#request([], 0));
    this.#tell(answer);
    if (answer.queued.length > 0) this.#host.wake(null);
  }

  /** What was asked for is no longer to be had: by now this worker has another name. */
  forget(): void {
    this.#unanswered = null;
  }

  stop(): void {
    this.#retry?.clear();
  }

  #request(handlers: ClaimRequest['handlers'], limit: number): ClaimRequest {
    const { workerId } = this.#host;
    return { workerId, token: `${workerId}.${++this.#tokens}`, handlers, limit };
  }

  #tell(answer: ClaimAnswer): void {
    if (this.#announcer.wanted) {
      for (const task of answer.queued) this.#announcer.changed(task, 'due');
      for (const task of answer.expired) this.#announcer.changed(task, 'expired');
    }
    this.#host.followed(answer);
  }

  /** One retry at a time, whatever else wakes the engine meanwhile. */
  #later(): void {
    if (!this.#host.isRunning) return;
    this.#retry ??= this.#environment.clock.after(this.#backoff.failed(), () => {
      this.#retry = null;
      this.#host.wake(null);
    });
  }
}
