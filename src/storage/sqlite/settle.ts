import type { JsonValue } from '../../task/json.ts';
import type { LogLimit, SettleAnswer, Settlement } from '../storage.ts';
import { follow, followedBy } from './follow.ts';
import { endLeak, isHeld, said } from './report.ts';
import { recordOf } from './rows.ts';
import { decodeText, encodeJson } from './text.ts';
import type { Transaction } from './transaction.ts';
import { readStored, takeStep } from './write.ts';

const REFUSED: SettleAnswer = { settled: false };
const SUCCEEDED: SettleAnswer = { settled: true, repeated: false, status: 'succeeded', record: null };

// Two statements are faster than one with `returning`, which fills a table of its own.
const HELD = 'select seq, handler, version, edges from tasklane_task where id = ? and token = ? and status = 3';
const SUCCEED =
  'update tasklane_task set status = 5, result = ?, error = null, run_at = null, finished_at = ?, updated_at = ?, ' +
  'version = ? where seq = ?';
const SUCCEED_STARTED =
  'update tasklane_task set status = 5, result = ?, error = null, run_at = null, finished_at = ?, updated_at = ?, ' +
  'version = ?, started_at = ?, started = 1 where seq = ?';

/** Writes the ends of attempts; see `TasksRun.settle`. */
export function settleTasks(
  transaction: Transaction,
  settlements: readonly Settlement[],
  { logLimit, records }: { readonly logLimit: LogLimit; readonly records: boolean },
): readonly SettleAnswer[] {
  return settlements.map((settlement) => {
    if (!records && isPlainSuccess(settlement) && succeed(transaction, settlement)) return SUCCEEDED;
    return settle(transaction, settlement, logLimit, records);
  });
}

function settle(transaction: Transaction, settlement: Settlement, logLimit: LogLimit, records: boolean): SettleAnswer {
  const { taskId, token } = settlement.lease;
  let stored = readStored(transaction, taskId, records);
  if (stored === null || stored.task.token !== token) return REFUSED;
  const repeated = !isHeld(stored.task.status);
  if (!repeated) {
    const step = settlement.steps[stored.task.status];
    if (step === undefined) return REFUSED;
    stored = takeStep(transaction, stored, step, said(transaction, stored.seq, settlement, logLimit) ?? {});
  }
  if (settlement.leakEnded === true && stored.task.leakedBy !== null) stored = endLeak(transaction, stored);
  const followed = follow(transaction, records);
  const { status } = stored.task;
  if (!records) return { settled: true, repeated, status, record: null };
  return { settled: true, repeated, status, record: recordOf(stored.task), ...followedBy(followed) };
}

/** Whether a settlement is what nearly all are: the handler returned, and there is nothing more to say. */
function isPlainSuccess({ steps, progress, checkpoint, log, leakEnded }: Settlement): boolean {
  const step = steps.running;
  if (step?.reason !== 'succeeded' || step.to !== 'succeeded' || step.set === undefined) return false;
  if (step.count !== undefined || step.delayMs !== undefined || step.revoke || step.leakedBy !== undefined)
    return false;
  if (progress !== undefined || checkpoint !== undefined || (log !== undefined && log.length > 0) || leakEnded) {
    return false;
  }
  for (const key in step.set) if (key !== 'result' && key !== 'error') return false;
  return step.set.error === null && step.set.result !== undefined;
}

/** The same as {@link settle} does for it, by two short statements. @returns false when there is more to it */
function succeed(transaction: Transaction, { lease, steps, startedAt }: Settlement): boolean {
  const { database, counts, happened, now } = transaction;
  const row = database.get(HELD, lease.taskId, lease.token);
  if (row === undefined) return false;
  const [seq, name, before, edges] = row as readonly [number, string, number, number];
  const handler = decodeText(name);
  const result = encodeJson(steps.running?.set?.result as JsonValue);
  const version = before + 1;
  if (startedAt === undefined) database.run(SUCCEED, result, now, now, version, seq);
  else database.run(SUCCEED_STARTED, result, now, now, version, startedAt, seq);
  counts.add(handler, 'running', false, -1);
  counts.add(handler, 'succeeded', false, 1);
  happened.changed(lease.taskId);
  if (edges !== 0) {
    const task = { id: lease.taskId, status: 'succeeded', error: null } as const;
    transaction.moved.push({ stored: { seq, edges, task }, from: 'running' });
    follow(transaction, false);
  }
  return true;
}
