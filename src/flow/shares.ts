import { OptionError } from '../errors.ts';
import type { TaskProgress, TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';

/** What a task whose progress is that of its children knows of them, added up. */
export interface Shares {
  /** Of all children. */
  weight: number;
  /** The part of it that is done. */
  done: number;
  total: number;
  /** Children that have ended. */
  ended: number;
}

/** How much of a child is done, 0 to 1: what has ended counts whole, however it ended, as nothing is left to do there. */
export function fractionOf({ status, progress }: Pick<TaskRecord, 'status' | 'progress'>): number {
  if (isFinal(status)) return 1;
  return Math.min(Math.max(progress?.fraction ?? 0, 0), 1);
}

/** The progress of a parent; null: it has no children. @param at epoch ms */
export function progressOf({ weight, done, total, ended }: Shares, at: number): TaskProgress | null {
  if (total === 0) return null;
  // Sums of fractions that are taken apart again are a little off.
  const fraction = ended === total ? 1 : Math.min(Math.max(Math.round((done / weight) * EXACT) / EXACT, 0), 1);
  return { processed: ended, total, fraction, message: null, rate: null, remainingMs: null, at };
}

const EXACT = 1e9;

/** Sums of larger ones would lose the small ones. */
export const MAX_WEIGHT = 1e15;

/** What a child counts for where nothing is said. */
export const DEFAULT_WEIGHT = 1;

/** Puts the progress that a call moved into the last of its answers that fits. */
export function withProgress<T>(
  answers: readonly T[],
  { progressed }: { readonly progressed?: readonly TaskRecord[] | undefined },
  fits: (answer: T) => boolean,
): readonly T[] {
  if (progressed === undefined) return answers;
  const last = answers.findLastIndex(fits);
  return answers.map((answer, index) => (index === last ? { ...answer, progressed } : answer));
}

/** Null: not given. @throws {OptionError} */
export function parseWeight(weight: unknown): number | null {
  if (weight === undefined) return null;
  if (typeof weight === 'number' && weight > 0 && weight <= MAX_WEIGHT) return weight;
  throw new OptionError('weight', 'a number larger than 0, up to 1e15', weight);
}

/** Whether a task shows the progress of its children. @throws {OptionError} */
export function parseProgressOf(progress: unknown): boolean {
  if (progress === undefined) return false;
  if (progress === 'children') return true;
  throw new OptionError('progress', "'children', or left out", progress);
}
