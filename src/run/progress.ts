import type { ProgressReport } from '../handler/context.ts';
import type { TaskProgress } from '../task/record.ts';

/** What a pace remembers best is this long ago, in ms, or a tenth of the run when that is longer. */
const MEMORY_MS = 5_000;
const MEMORY_SHARE = 0.1;

/**
 * Steps by time: a mean of the speeds that were measured, in which a speed of `age` ms ago weighs `age * exp(-age / memory)`.
 * So the newest counts little at first, most after one `memory`, and less and less later: a burst, or a rest, moves the pace
 * gently, and none stays in it for long. Being a mean it is exact for steady work, and never outside what was measured.
 */
class Pace {
  readonly #startedAt: number;
  #measuredAt: number;
  /** Null: what was there at first is no work of this attempt. */
  #done: number | null;
  /** Of the speeds, and of 1: their integrals weighed by `exp(-age / memory)`, and by `age` times that. */
  #speed = { fresh: 0, aged: 0 };
  #weight = { fresh: 0, aged: 0 };

  /** @param startedAt epoch ms */
  constructor(startedAt: number, done: number | null) {
    this.#startedAt = startedAt;
    this.#measuredAt = startedAt;
    this.#done = done;
  }

  /** Steps a ms; null: not known yet. */
  get value(): number | null {
    return this.#speed.aged > 0 ? this.#speed.aged / this.#weight.aged : null;
  }

  /** @param now epoch ms */
  measure(done: number, now: number): void {
    if (this.#done === null) {
      this.#done = done;
      this.#measuredAt = now;
      return;
    }
    const elapsed = now - this.#measuredAt;
    if (elapsed <= 0) return; // its steps go with those of the next report
    const memory = Math.max(MEMORY_MS, (now - this.#startedAt) * MEMORY_SHARE);
    const fade = Math.exp(-elapsed / memory);
    const fresh = memory * (1 - fade);
    const aged = Math.max(0, memory * (fresh - elapsed * fade));
    const speed = Math.max(0, done - this.#done) / elapsed;
    for (const [sum, value] of [
      [this.#speed, speed],
      [this.#weight, 1],
    ] as const) {
      sum.aged = (sum.aged + elapsed * sum.fresh) * fade + value * aged;
      sum.fresh = sum.fresh * fade + value * fresh;
    }
    this.#done = done;
    this.#measuredAt = now;
  }
}

/**
 * Turns what a handler reports into progress with rate and remaining time. Steps have a pace of their own, fractions another:
 * the time left is what is left of the steps where their total is known, else of the fraction. What an attempt that goes on
 * from a checkpoint reports first was done before it.
 */
export class ProgressMeter {
  #progress: TaskProgress | null = null;
  readonly #steps: Pace;
  readonly #fraction: Pace;

  /** @param startedAt epoch ms. @param resumed an earlier attempt left a checkpoint */
  constructor(startedAt: number, resumed: boolean) {
    const done = resumed ? null : 0;
    this.#steps = new Pace(startedAt, done);
    this.#fraction = new Pace(startedAt, done);
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
    if (processed !== null) this.#steps.measure(processed, now);
    if (fraction !== null) this.#fraction.measure(fraction, now);
    const rate = this.#steps.value;
    const remainingMs =
      processed !== null && total !== null
        ? timeOf(total - processed, rate)
        : fraction === null
          ? null
          : timeOf(1 - fraction, this.#fraction.value);
    this.#progress = {
      processed,
      total,
      fraction,
      message,
      rate: rate === null ? null : rate * 1_000,
      remainingMs,
      at: now,
    };
    return this.#progress;
  }
}

/** How long what is left takes; null: nobody knows. */
function timeOf(left: number, pace: number | null): number | null {
  if (left <= 0) return 0;
  return pace === null ? null : Math.round(left / pace);
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
