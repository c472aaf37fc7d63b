import { withProgress } from '../../flow/shares.ts';
import type { Beat, BeatAnswer, LogLimit, Report, ReportAnswer, SettleAnswer, Settlement } from '../storage.ts';
import { follow, followedBy } from './follow.ts';
import { Log } from './log.ts';
import { showProgress } from './progress.ts';
import { recordOf } from './record-of.ts';
import { isRunning, type Row } from './row.ts';
import type { Tasks } from './tasks.ts';

const REFUSED: SettleAnswer = Object.freeze({ settled: false });

/** See `TasksRun.settle` of the contract. */
export function settle(
  tasks: Tasks,
  settlements: readonly Settlement[],
  { logLimit, records }: { readonly logLimit: LogLimit; readonly records: boolean },
): readonly SettleAnswer[] {
  const now = tasks.now();
  const answers = settlements.map((settlement): SettleAnswer => {
    const row = tasks.byId.get(settlement.lease.taskId);
    if (row === undefined || row.token !== settlement.lease.token) return REFUSED;
    const repeated = !isRunning(row);
    if (!repeated) {
      const step = settlement.steps[row.status];
      if (step === undefined) return REFUSED;
      report(tasks, row, settlement, logLimit); // the step moves the version for both
      tasks.step(row, step, now);
    }
    if (settlement.leakEnded === true && row.leakedBy !== null) tasks.apply(row, { leakedBy: null }, now);
    const followed = follow(tasks, now);
    const { status } = row;
    if (!records) return { settled: true, repeated, status, record: null };
    return { settled: true, repeated, status, record: recordOf(row), ...followedBy(followed) };
  });
  const progressed = showProgress(tasks, now);
  return records ? withProgress(answers, progressed, ({ settled }) => settled) : answers;
}

/** See `TasksRun.beat` of the contract. */
export function beat(tasks: Tasks, { workerId, join, reports, logLimit, records }: Beat): BeatAnswer {
  const now = tasks.now();
  if (join !== undefined) tasks.workers.get(workerId).info = { ...join, handlers: [...join.handlers] };
  const worker = tasks.workers.find(workerId);
  const known = worker !== undefined && worker.info !== null;
  if (known) worker.beats++;
  const answers = reports.map((each): ReportAnswer => {
    const row = tasks.byId.get(each.lease.taskId);
    if (row === undefined) return { held: false, status: null };
    if (each.leakEnded === true && row.leakedBy === workerId) tasks.apply(row, { leakedBy: null }, now);
    if (!known || row.token !== each.lease.token || !isRunning(row)) return { held: false, status: row.status };
    if (report(tasks, row, each, logLimit)) tasks.touch(row, now);
    const { status, cancelReason } = row as { status: 'running' | 'cancelling'; cancelReason: string | null };
    return { held: true, status, cancelReason, record: records ? recordOf(row) : null };
  });
  const progressed = showProgress(tasks, now);
  return { known, reports: answers, ...(records ? progressed : {}) };
}

/** Stores what an attempt has to say. @returns whether it said anything */
function report(tasks: Tasks, row: Row, { startedAt, progress, checkpoint, log }: Report, limit: LogLimit): boolean {
  if (startedAt !== undefined) row.startedAt = startedAt;
  if (progress !== undefined) {
    row.progress = progress;
    tasks.shares.showOwn(row, true);
  }
  if (checkpoint !== undefined) row.checkpoint = checkpoint;
  const wrote = log !== undefined && log.length > 0;
  if (wrote) {
    const more = row.own();
    more.log ??= new Log();
    more.log.add(log, limit);
  }
  return wrote || startedAt !== undefined || progress !== undefined || checkpoint !== undefined;
}
