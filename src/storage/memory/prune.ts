import { FINAL_STATUSES } from '../../task/status.ts';
import type { RetentionRule } from '../storage.ts';
import type { Finished } from './finished.ts';
import { Heap } from './heap.ts';
import type { Row } from './row.ts';
import type { Shelf } from './shelf.ts';
import type { Tasks } from './tasks.ts';

/** A line of final tasks, and before when its tasks must have ended to be removed. */
interface Line {
  readonly finished: Finished;
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
      const finished = shelf.finished[status];
      const oldest = finished.peek();
      if (oldest === undefined) continue;
      const line = { finished, before: before(shelf, status), oldest };
      if (endOf(oldest) < line.before) lines.push(line);
    }
  }
  let removed = 0;
  for (let line = lines.peek(); line !== undefined && removed < limit; line = lines.peek()) {
    tasks.remove(line.oldest);
    removed++;
    const next = line.finished.peek();
    if (next === undefined || endOf(next) >= line.before) lines.pop();
    else {
      line.oldest = next;
      lines.replace(line);
    }
  }
  return removed;
}

function concerns({ handlers, except }: RetentionRule, { handler }: Shelf): boolean {
  return (handlers === null || handlers.includes(handler)) && !except.includes(handler);
}

function endOf(row: Row): number {
  return row.finishedAt ?? 0;
}
