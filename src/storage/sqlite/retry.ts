import type { Clock } from '../../time/clock.ts';
import { isBusy, toStorageError } from './failures.ts';

/** How long a write waits for another connection's lock, by the monotonic clock. */
const LOCK_LIMIT_MS = 10_000;
const LONGEST_WAIT_MS = 8;

/**
 * Tries until no other connection holds the lock, without blocking the event loop. Jitter keeps two processes from
 * meeting again and again.
 * @throws {StorageLockedError} after 10 s; any other error of `attempt` as it is
 */
export async function whenUnlocked<T>(clock: Clock, file: string, attempt: () => T): Promise<T> {
  const begun = clock.monotonic();
  for (let wait = 1; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return attempt();
    } catch (error) {
      if (!isBusy(error)) throw error;
      if (clock.monotonic() - begun >= LOCK_LIMIT_MS) throw toStorageError(error, file);
    }
    await pause(clock, wait * (0.5 + Math.random()));
  }
}

/** Resolves after `ms`, and keeps the process alive until then. */
export function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve, true);
  });
}
