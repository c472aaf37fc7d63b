import PQueue from 'p-queue';
import type { Claimed, Engine, EngineHost } from './engine.ts';

/** Lanes let the event loop turn after this many ms of uninterrupted work. */
const BREATHE_MS = 10;

/**
 * Runs tasks in this process, on p-queue. One queue entry is a lane that runs claimed tasks one after the other, because an
 * entry a task would cost more than the task. A lane ends when nothing can be claimed.
 */
export class LocalEngine implements Engine {
  readonly #host: EngineHost;
  readonly #queue: PQueue;
  readonly #buffer = new Buffer();
  #lanes = 0;
  #idle = 0;
  #refill: Promise<boolean> | null = null;
  /** Woken while a refill was under way, whose answer may be older than the news. */
  #again = false;
  #urgent = false;
  #stopped = false;
  #opening = false;
  #wanted = false;
  #breathed = 0;
  #breath: Promise<void> | null = null;

  constructor(host: EngineHost) {
    this.#host = host;
    this.#queue = new PQueue({ concurrency: host.concurrency });
  }

  wake(priority: number | null): void {
    if (this.#stopped) return;
    this.#again = true;
    if (priority !== null && priority > this.#buffer.lowest) this.#urgent = true;
    const { concurrency } = this.#host;
    if (this.#queue.concurrency !== concurrency) this.#queue.concurrency = concurrency;
    // One idle lane is enough to find out: it opens the others when there is work for them.
    if (this.#idle === 0 || this.#buffer.length > 0) this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#buffer.clear();
  }

  /** Opens one more lane. A lane begins within `add` and may ask for the next one, which begins after it, not inside it. */
  #open(): void {
    this.#wanted = true;
    if (this.#opening) return;
    this.#opening = true;
    while (this.#wanted && !this.#stopped && this.#lanes < this.#host.concurrency) {
      this.#wanted = false;
      this.#lanes++;
      void this.#queue.add(this.#lane);
    }
    this.#opening = false;
  }

  readonly #lane = async (): Promise<void> => {
    await undefined; // p-queue starts it within `add`: the lane that opened this one goes first, and none on top of another
    while (!this.#stopped && this.#lanes <= this.#host.concurrency) {
      if (this.#urgent || this.#buffer.length === 0) {
        this.#idle++;
        this.#refill ??= this.#fill();
        const found = await this.#refill;
        this.#idle--;
        if (this.#buffer.length === 0) {
          if (found || this.#again) continue;
          break;
        }
      }
      const claim = this.#buffer.shift();
      if (claim === undefined) continue;
      const running = this.#host.run(claim);
      if (running !== undefined) {
        if (this.#buffer.length > 0 && this.#idle === 0) this.#open();
        await running;
      }
      if (performance.now() - this.#breathed > BREATHE_MS) await this.#breathe();
    }
    this.#lanes--;
  };

  async #fill(): Promise<boolean> {
    this.#again = false;
    this.#urgent = false;
    try {
      const free = this.#host.concurrency - (this.#lanes - this.#idle);
      const claims = await this.#host.claim(free);
      for (const claim of claims) this.#buffer.add(claim);
      return claims.length > 0;
    } finally {
      this.#refill = null;
    }
  }

  /** One breath for all lanes, so that they go on together: outcomes of one turn are stored together. */
  #breathe(): Promise<void> {
    this.#breath ??= new Promise((resolve) =>
      setImmediate(() => {
        this.#breathed = performance.now();
        this.#breath = null;
        resolve();
      }),
    );
    return this.#breath;
  }
}

/** Claimed and not started, the most urgent first, equals in the order they came. */
class Buffer {
  #claims: Claimed[] = [];
  #head = 0;

  get length(): number {
    return this.#claims.length - this.#head;
  }

  /** Infinity when empty: whatever comes is found anyway. */
  get lowest(): number {
    return this.length === 0 ? Number.POSITIVE_INFINITY : (this.#claims.at(-1)?.task.priority ?? 0);
  }

  add(claim: Claimed): void {
    let at = this.#claims.length;
    while (at > this.#head && (this.#claims[at - 1]?.task.priority ?? 0) < claim.task.priority) at--;
    if (at === this.#claims.length) this.#claims.push(claim);
    else this.#claims.splice(at, 0, claim);
  }

  shift(): Claimed | undefined {
    const claim = this.#claims[this.#head];
    if (claim === undefined) return undefined;
    if (++this.#head === this.#claims.length) this.clear();
    return claim;
  }

  clear(): void {
    this.#claims = [];
    this.#head = 0;
  }
}
