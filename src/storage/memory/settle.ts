import type { StoredPatch } from '../../task/transition.ts';
import type { Beat, BeatAnswer, LogLimit, Report, ReportAnswer, SettleAnswer, Settlement } from '../storage.ts';
import { Log } from './log.ts';
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
  return settlements.map((settlement): SettleAnswer => {
    const row = tasks.byId.get(settlement.lease.taskId);
    if (row === undefined || row.token !== settlement.lease.token) return REFUSED;
    const repeated = !isRunning(row);
    if (!repeated) {
      const step = settlement.steps[row.status];
      if (step === undefined) return REFUSED;
      Object.assign(row, reported(row, settlement, logLimit)); // one version for both
      tasks.step(row, step, now);
    }
    if (settlement.leakEnded === true && row.leakedBy !== null) tasks.apply(row, { leakedBy: null }, now);
    return { settled: true, repeated, status: row.status, record: records ? recordOf(row) : null };
  });
}

/** See `TasksRun.beat` of the contract. */
export function beat(tasks: Tasks, { workerId, join, reports, logLimit, records }: Beat): BeatAnswer {
  const now = tasks.now();
  if (join !== undefined) tasks.workers.get(workerId).info = { ...join, handlers: [...join.handlers] };
  const worker = tasks.workers.find(workerId);
  const known = worker !== undefined && worker.info !== null;
  if (known) worker.beats++;
  return {
    known,
    reports: reports.map((report): ReportAnswer => {
      const row = tasks.byId.get(report.lease.taskId);
      if (row === undefined) return { held: false, status: null };
      if (report.leakEnded === true && row.leakedBy === workerId) tasks.apply(row, { leakedBy: null }, now);
      if (!known || row.token !== report.lease.token || !isRunning(row)) return { held: false, status: row.status };
      const patch = reported(row, report, logLimit);
      if (patch !== null) tasks.apply(row, { ...patch, version: row.version + 1, updatedAt: now }, now);
      const { status, cancelReason } = row as { status: 'running' | 'cancelling'; cancelReason: string | null };
      return { held: true, status, cancelReason, record: records ? recordOf(row) : null };
    }),
  };
}

/** Stores a report's log lines and start; what else it changes, or null. */
function reported(row: Row, { startedAt, progress, checkpoint, log }: Report, limit: LogLimit): StoredPatch | null {
  if (log !== undefined && log.length > 0) {
    const more = row.own();
    more.log ??= new Log();
    more.log.add(log, limit);
  } else if (startedAt === undefined && progress === undefined && checkpoint === undefined) return null;
  const patch: StoredPatch = {};
  if (startedAt !== undefined) patch.startedAt = startedAt;
  if (progress !== undefined) patch.progress = progress;
  if (checkpoint !== undefined) patch.checkpoint = checkpoint;
  return patch;
}
