import { FINAL_STATUSES } from '../../task/status.ts';
import type { RetentionRule } from '../storage.ts';
import { Heap } from './heap.ts';
import type { Row } from './row.ts';
import type { Shelf } from './shelf.ts';
import type { Tasks } from './tasks.ts';

/** A line of final tasks, and before when its tasks must have ended to be removed. */
interface Line {
  readonly left: Iterator<Row, undefined>;
  readonly before: number;
  oldest: Row;
}

/** Removes final tasks, the oldest first; see `TasksOutside.prune` of the contract. */
export function prune(
  tasks: Tasks,
  limit: number,
  { rules, count }: { readonly rules: readonly RetentionRule[]; readonly count: number },
): number {
  const now = tasks.now();
  const removed = removeOldest(tasks, limit, (shelf, status) => {
    const ages = rules
      .filter((rule) => rule.status.includes(status) && concerns(rule, shelf))
      .map((rule) => rule.ageMs);
    return now - Math.min(Number.POSITIVE_INFINITY, ...ages);
  });
  const spare = Math.min(limit - removed, tasks.final - count);
  return removed + (spare > 0 ? removeOldest(tasks, spare, () => Number.POSITIVE_INFINITY) : 0);
}

function removeOldest(
  tasks: Tasks,
  limit: number,
  before: (shelf: Shelf, status: (typeof FINAL_STATUSES)[number]) => number,
): number {
  const lines = new Heap<Line>((a, b) => endOf(a.oldest) < endOf(b.oldest));
  for (const shelf of tasks.shelves.values()) {
    for (const status of FINAL_STATUSES) {
      const left = shelf.finished[status].oldest();
      const line = { left, before: before(shelf, status) };
      const oldest = next(tasks, line);
      if (oldest !== undefined) lines.push({ ...line, oldest });
    }
  }
  const removed: Row[] = [];
  for (let line = lines.peek(); line !== undefined && removed.length < limit; line = lines.peek()) {
    removed.push(line.oldest);
    const oldest = next(tasks, line);
    if (oldest === undefined) lines.pop();
    else {
      line.oldest = oldest;
      lines.replace(line);
    }
  }
  for (const row of removed) tasks.remove(row);
  return removed.length;
}

/** The next of a line to be removed. What an unfinished task depends on stays, as that one will ask for its result. */
function next({ edges }: Tasks, { left, before }: Pick<Line, 'left' | 'before'>): Row | undefined {
  for (;;) {
    const { value: row } = left.next();
    if (row === undefined || endOf(row) >= before) return undefined;
    if (!edges.isNeeded(row)) return row;
  }
}

function concerns({ handlers, except }: RetentionRule, { handler }: Shelf): boolean {
  return (handlers === null || handlers.includes(handler)) && !except.includes(handler);
}

function endOf(row: Row): number {
  return row.finishedAt ?? 0;
}
