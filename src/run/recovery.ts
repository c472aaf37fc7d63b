import type { Environment } from '../environment.ts';
import type { Followed, WorkerInfo } from '../storage/storage.ts';
import type { TaskRecord } from '../task/record.ts';
import { isKnownDead, thisPlace } from './host.ts';

const BATCH = 100;

interface Watched {
  beats: number;
  /** When the last new beat was seen, by our own monotonic clock. */
  seenAt: number;
}

/**
 * Finds workers that died and takes their tasks back. Repeating and idempotent: any process does it, any number of times. A
 * worker is dead when no new beat was seen for its lease by our own monotonic clock, or when its process is known to be gone.
 * No wall clock is compared, so skew, suspend and a jumped clock lose nothing.
 */
export class Recovery {
  readonly #environment: Environment;
  readonly #place = thisPlace();
  readonly #watched = new Map<string, Watched>();
  #sweptAt: number | null = null;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /**
   * One pass.
   * @param self the worker that is not looked at
   * @param onTaken is told of each task as it is now
   * @param onFollowed is told of what the end of those did
   * @throws {StorageError}
   */
  async sweep(
    self: string,
    onTaken: (task: TaskRecord) => void,
    onFollowed: (others: Followed) => void,
  ): Promise<void> {
    const { storage } = this.#environment;
    const workers = await storage.workers();
    const known = new Set(workers.map(({ id }) => id));
    for (const id of this.#watched.keys()) if (!known.has(id)) this.#watched.delete(id);
    this.#leaveOutOwnSleep();
    for (const { id, beats, info } of workers) {
      if (id === self || !this.#isDead(id, beats, info)) continue;
      let expect: { readonly beats: number } | undefined = info === null ? undefined : { beats };
      for (;;) {
        const { taken, ...others } = await storage.takeBack(id, BATCH, expect);
        for (const task of taken) onTaken(task);
        onFollowed(others);
        if (taken.length < BATCH) break;
        expect = undefined; // its row is gone by now
      }
      this.#watched.delete(id);
    }
  }

  /** Since a new beat of a worker was seen, in ms; null: it is not watched. */
  silenceOf(workerId: string): number | null {
    const watched = this.#watched.get(workerId);
    return watched === undefined ? null : this.#environment.clock.monotonic() - watched.seenAt;
  }

  /**
   * Silence counts only while we were awake to hear: where the monotonic clock goes on while the machine sleeps, all of its
   * processes have been silent.
   */
  #leaveOutOwnSleep(): void {
    const { clock, settings } = this.#environment;
    const now = clock.monotonic();
    const asleep = now - (this.#sweptAt ?? now) - settings.sweepMs;
    this.#sweptAt = now;
    if (asleep > 0) for (const watched of this.#watched.values()) watched.seenAt += asleep;
  }

  #isDead(id: string, beats: number, info: WorkerInfo | null): boolean {
    if (info === null) return true;
    const now = this.#environment.clock.monotonic();
    const watched = this.#watched.get(id);
    if (watched?.beats !== beats) {
      this.#watched.set(id, { beats, seenAt: now });
      return isKnownDead(info, this.#place);
    }
    return now - watched.seenAt >= info.leaseMs || isKnownDead(info, this.#place);
  }
}
