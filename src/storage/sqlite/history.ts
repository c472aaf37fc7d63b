import type { LogLine, TaskAttempt, TaskErrorInfo } from '../../task/record.ts';
import { currentAttempt } from '../../task/transition.ts';
import type { Database } from './database.ts';
import { readLog } from './log.ts';
import { LIGHT_COLUMNS, toRecord } from './rows.ts';
import { decodeJson } from './text.ts';

/** All attempts of a task, oldest first; null: no such task. */
export function readAttempts(database: Database, taskId: string): readonly TaskAttempt[] | null {
  const row = database.get(`select ${LIGHT_COLUMNS} from tasklane_task where id = ?`, taskId);
  if (row === undefined) return null;
  const sql =
    'select attempt, worker_id, started_at, finished_at, outcome, error from tasklane_attempt where task = ? ' +
    'order by attempt';
  const attempts = database.all(sql, row[0] as number).map(
    ([attempt, workerId, startedAt, finishedAt, outcome, error]): TaskAttempt => ({
      attempt: attempt as number,
      workerId: workerId as string,
      startedAt: startedAt as number | null,
      finishedAt: finishedAt as number | null,
      outcome: outcome as TaskAttempt['outcome'],
      error: decodeJson(error as string | null) as TaskErrorInfo | null,
    }),
  );
  const newest = currentAttempt(toRecord(row));
  // A task that ended while it waited for another attempt shows the one before, which is there already.
  if (newest !== null && newest.attempt !== attempts.at(-1)?.attempt) attempts.push(newest);
  return attempts;
}

/** Log lines of a task; null: no such task. */
export function readTaskLog(
  database: Database,
  taskId: string,
  page: { readonly after: number; readonly limit: number },
): readonly LogLine[] | null {
  const row = database.get('select seq from tasklane_task where id = ?', taskId);
  return row === undefined ? null : readLog(database, row[0] as number, page.after, page.limit);
}
