import { type Duration, parseDuration } from '../time/duration.ts';

/** Why a handler's signal was aborted. */
export type AbortCode = 'cancelled' | 'timeout' | 'shutdown' | 'lease_lost' | 'superseded';

const WHY: Record<AbortCode, string> = {
  cancelled: 'The task was cancelled.',
  timeout: 'The attempt took longer than its timeout.',
  shutdown: 'The process is shutting down; the task will run again.',
  lease_lost: 'This process no longer holds the task.',
  superseded: 'The task was settled from outside.',
};

/** The reason of a handler's signal. `code` tells a cancel, a timeout and a shutdown apart. */
export class TaskAbort extends Error {
  override readonly name = 'TaskAbort';
  readonly code: AbortCode;
  /** @param reason what the canceller gave, if anything */
  constructor(code: AbortCode, reason?: string | null) {
    super(reason ? `${WHY[code]} ${reason}` : WHY[code]);
    this.code = code;
  }
}

/** Thrown by a handler: run me again after this delay, at no cost in attempts. */
export class Snooze extends Error {
  override readonly name = 'Snooze';
  readonly delayMs: number;
  /** @throws {OptionError} when it is not a duration */
  constructor(delay: Duration) {
    const delayMs = parseDuration('delay', delay);
    super(`Run again in ${delayMs} ms.`);
    this.delayMs = delayMs;
  }
}
