import type { Database } from './database.ts';
import { encodeText } from './text.ts';

/** Of each priority so many tasks are looked at, and no more priorities than these. */
const HEADS = 20;
const MAX_LEVELS = 100;

const HEADS_OF =
  'select priority, queued_at from tasklane_task indexed by tasklane_task_ready where status = 2 and handler = ? ' +
  `and priority < ? order by priority desc, seq limit ${HEADS}`;

/**
 * When the oldest queued task of these handlers was queued; null: none is. A million may be queued, so only those are
 * looked at that come first within their priority: of equals they wait the longest, but for the odd retry.
 */
export function oldestQueuedAt(database: Database, handlers: readonly string[]): number | null {
  let oldest: number | null = null;
  for (const handler of new Set(handlers)) {
    let below = Number.MAX_SAFE_INTEGER;
    for (let level = 0; level < MAX_LEVELS; level++) {
      const rows = database.all(HEADS_OF, encodeText(handler), below);
      for (const [priority, queuedAt] of rows) {
        below = priority as number;
        if (oldest === null || (queuedAt as number) < oldest) oldest = queuedAt as number;
      }
      if (rows.length === 0) break;
    }
  }
  return oldest;
}

/** When the next scheduled task is due; null: none is scheduled. */
export function nextRunAt(database: Database): number | null {
  const sql =
    'select run_at from tasklane_task indexed by tasklane_task_due where status = 1 and run_at is not null ' +
    'order by run_at limit 1';
  return (database.get(sql)?.[0] ?? null) as number | null;
}
