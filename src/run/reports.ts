import type { ProgressReport } from '../handler/context.ts';
import type { Lease, NewLogLine, Report } from '../storage/storage.ts';
import type { JsonValue } from '../task/json.ts';
import type { LogLevel, TaskProgress } from '../task/record.ts';
import { ProgressMeter } from './progress.ts';

/** Something listeners are told once it is stored, in the order it happened. */
export type Note =
  | { readonly kind: 'progress'; readonly progress: TaskProgress }
  | { readonly kind: 'log'; readonly line: NewLogLine };

/** A checkpoint that somebody waits for. */
export interface PendingCheckpoint {
  readonly value: JsonValue;
  readonly stored: () => void;
  readonly refused: (error: unknown) => void;
}

/** What an attempt had to say at one time, to be told to listeners or said again. */
export interface Said {
  readonly report: Report;
  readonly notes: readonly Note[];
  readonly checkpoints: readonly PendingCheckpoint[];
}

/** A handler that reports in a tight loop keeps no more than this; the oldest go. */
const MAX_NOTES = 5_000;
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'];

/**
 * Collects what one attempt reports until it is written: progress merges into the newest, except that each change of its
 * message is kept; log lines and checkpoints all are.
 */
export class Reports {
  readonly #startedAt: number;
  readonly #resumed: boolean;
  #meter: ProgressMeter | null = null;
  #notes: Note[] = [];
  #latest: { -readonly [K in keyof ProgressReport]: ProgressReport[K] } | null = null;
  #latestAt = 0;
  #checkpoints: PendingCheckpoint[] = [];

  /** @param startedAt epoch ms. @param resumed an earlier attempt left a checkpoint */
  constructor(startedAt: number, resumed: boolean) {
    this.#startedAt = startedAt;
    this.#resumed = resumed;
  }

  /** Whether there is anything to write. */
  get pending(): boolean {
    return this.#notes.length > 0 || this.#latest !== null || this.#checkpoints.length > 0;
  }

  progress(report: ProgressReport, now: number): void {
    const { processed, total, fraction, message } = report;
    this.#meter ??= new ProgressMeter(this.#startedAt, this.#resumed);
    if (this.#latest !== null && typeof message === 'string') {
      const before = this.#latest.message ?? this.#meter.message;
      if (before !== message) this.#settleLatest();
    }
    // What says nothing must not hide what was said before.
    this.#latest ??= {};
    if (Number.isFinite(processed)) this.#latest.processed = processed;
    if (Number.isFinite(total)) this.#latest.total = total;
    if (Number.isFinite(fraction)) this.#latest.fraction = fraction;
    if (typeof message === 'string') this.#latest.message = message;
    this.#latestAt = now;
  }

  log(message: string, level: LogLevel | undefined, now: number): void {
    this.#settleLatest();
    const known = level !== undefined && LOG_LEVELS.includes(level) ? level : 'info';
    this.#note({ kind: 'log', line: { at: now, level: known, message } });
  }

  checkpoint(value: JsonValue): Promise<void> {
    return new Promise((stored, refused) => this.#checkpoints.push({ value, stored, refused }));
  }

  /** Takes all there is to say. @param startedAt to be told as well */
  take(lease: Lease, startedAt: number | undefined): Said {
    this.#settleLatest();
    const notes = this.#notes;
    const checkpoints = this.#checkpoints;
    const log = notes.flatMap((note) => (note.kind === 'log' ? [note.line] : []));
    const progress = notes.findLast((note) => note.kind === 'progress')?.progress;
    this.#notes = [];
    this.#checkpoints = [];
    return {
      report: { lease, startedAt, progress, checkpoint: checkpoints.at(-1)?.value, log },
      notes,
      checkpoints,
    };
  }

  /** The write failed: what was said is to be said again, but for checkpoints, whose callers are told. */
  restore({ notes, checkpoints }: Said, error: unknown): void {
    this.#notes = [...notes, ...this.#notes];
    for (const { refused } of checkpoints) refused(error);
  }

  #settleLatest(): void {
    if (this.#latest === null || this.#meter === null) return;
    this.#note({ kind: 'progress', progress: this.#meter.read(this.#latest, this.#latestAt) });
    this.#latest = null;
  }

  #note(note: Note): void {
    const last = this.#notes.at(-1);
    const merges =
      note.kind === 'progress' && last?.kind === 'progress' && last.progress.message === note.progress.message;
    if (merges) this.#notes.pop();
    this.#notes.push(note);
    if (this.#notes.length > MAX_NOTES) this.#notes.shift();
  }
}

const NO_NOTES: readonly Note[] = [];
const NO_CHECKPOINTS: readonly PendingCheckpoint[] = [];

/** What an attempt says that reported nothing: that it holds its lease, and when it started, where that is to be told. */
export function sayBare(lease: Lease, startedAt: number | undefined): Said {
  return { report: { lease, startedAt }, notes: NO_NOTES, checkpoints: NO_CHECKPOINTS };
}
