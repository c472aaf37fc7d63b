import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/** What a handler did. `seen`: the checkpoint it was given; `stored`: one that was acknowledged; `proof`: part of the result. */
export type Happening =
  | { readonly phase: 'start'; readonly seen: unknown }
  | { readonly phase: 'checkpoint'; readonly stored: unknown }
  | { readonly phase: 'end'; readonly how: 'returned' | 'threw' | 'snoozed' | 'aborted'; readonly proof: string };

/** A line of the journal. */
export type Line = Happening & {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string | null;
  readonly pid: number;
  /** By the machine's monotonic clock, which all processes share; ms. */
  readonly at: number;
};

/** The machine's monotonic clock, ms. */
export function monotonic(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * What handlers did, in a file beside the database: it proves what ran, where and when, without believing the database. Each
 * line is one write in append mode, so that those of several processes never mix and a killed process leaves what it wrote.
 */
export class Journal {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, 'a');
  }

  write(run: Pick<Line, 'taskId' | 'attempt' | 'workerId'>, happening: Happening): void {
    const line: Line = { ...run, ...happening, pid: process.pid, at: monotonic() };
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** All lines, in the order they were written. */
export function readJournal(path: string): readonly Line[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return []; // no handler ran
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** One run of a handler. */
export interface Run {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string | null;
  readonly pid: number;
  readonly startedAt: number;
  readonly seen: unknown;
  /** Checkpoints that were acknowledged, in order. */
  readonly stored: readonly unknown[];
  /** Null: its process died first. */
  readonly end: (Line & { readonly phase: 'end' }) | null;
}

/** The runs of each task, in the order they started. */
export function runsOf(lines: readonly Line[]): ReadonlyMap<string, readonly Run[]> {
  const byTask = new Map<string, (Run & { stored: unknown[]; end: Run['end'] })[]>();
  for (const line of lines) {
    const runs = byTask.get(line.taskId) ?? [];
    byTask.set(line.taskId, runs);
    if (line.phase === 'start') {
      const { taskId, attempt, workerId, pid, at: startedAt, seen } = line;
      runs.push({ taskId, attempt, workerId, pid, startedAt, seen, stored: [], end: null });
      continue;
    }
    const run = runs.findLast(({ attempt, pid }) => attempt === line.attempt && pid === line.pid);
    if (run === undefined)
      throw new Error(`The journal has a line of a run that never started: ${JSON.stringify(line)}`);
    if (line.phase === 'end') run.end = line;
    else run.stored.push(line.stored);
  }
  return byTask;
}
