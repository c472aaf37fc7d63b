import type { ProgressReport } from '../handler/context.ts';
import type { TaskProgress } from '../task/record.ts';

/** The estimate looks back at least this long, in ms, and at a fifth of the run when that is longer. */
const MEMORY_MS = 10_000;
const MEMORY_SHARE = 0.2;

/**
 * Turns what a handler reports into progress with rate and remaining time. The rate is the steps of the recent past over its
 * time, where the past fades exponentially: over 10 s at first, over a fifth of the run later. So bursts even out, and work
 * that slows down is believed after a fifth of the run.
 */
export class ProgressMeter {
  #progress: TaskProgress | null = null;
  #startedAt: number;
  #measuredAt: number;
  #done = 0;
  #steps = 0;
  #elapsed = 0;

  /** @param startedAt epoch ms */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
    this.#measuredAt = startedAt;
  }

  /** What was reported last. */
  get message(): string | null {
    return this.#progress?.message ?? null;
  }

  /** @param now epoch ms. @returns what is known now; keys that a report leaves out keep their value */
  read(report: ProgressReport, now: number): TaskProgress {
    const before = this.#progress;
    const processed = numberOf(report.processed) ?? before?.processed ?? null;
    const total = numberOf(report.total) ?? before?.total ?? null;
    const message = typeof report.message === 'string' ? report.message : (before?.message ?? null);
    let fraction = numberOf(report.fraction);
    if (fraction === null && processed !== null && total !== null && total > 0) fraction = processed / total;
    fraction = fraction === null ? (before?.fraction ?? null) : Math.min(1, Math.max(0, fraction));
    this.#measure(processed ?? fraction ?? 0, now);
    const pace = this.#elapsed > 0 ? this.#steps / this.#elapsed : 0;
    const left = processed !== null && total !== null ? total - processed : fraction === null ? null : 1 - fraction;
    // Where only a fraction is known, steps are fractions: good for the time left, but no rate.
    const countsSteps = processed !== null;
    const known = pace > 0 && left !== null && (total !== null || !countsSteps);
    this.#progress = {
      processed,
      total,
      fraction,
      message,
      rate: countsSteps && pace > 0 ? pace * 1_000 : null,
      remainingMs: known ? Math.max(0, Math.round(left / pace)) : null,
      at: now,
    };
    return this.#progress;
  }

  #measure(done: number, now: number): void {
    const elapsed = now - this.#measuredAt;
    if (elapsed <= 0) return;
    const memory = Math.max(MEMORY_MS, (now - this.#startedAt) * MEMORY_SHARE);
    const fade = Math.exp(-elapsed / memory);
    this.#steps = this.#steps * fade + Math.max(0, done - this.#done);
    this.#elapsed = this.#elapsed * fade + elapsed;
    this.#done = done;
    this.#measuredAt = now;
  }
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
