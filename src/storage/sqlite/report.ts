import type { Status } from '../../task/status.ts';
import type { StoredPatch } from '../../task/transition.ts';
import type { LogLimit, Report } from '../storage.ts';
import { writeLog } from './log.ts';
import { SHOWS, type Stored } from './rows.ts';
import type { Transaction } from './transaction.ts';
import { showOwn, writePatch } from './write.ts';

/** Whether an attempt may hold the lease of a task in this status. */
export function isHeld(status: Status): status is 'running' | 'cancelling' {
  return status === 'running' || status === 'cancelling';
}

/** Stores the log lines of a report. @returns what else it changes; null: it says nothing */
export function said(
  transaction: Transaction,
  { seq, edges }: Stored,
  { startedAt, progress, checkpoint, log }: Report,
  limit: LogLimit,
): StoredPatch | null {
  if (log !== undefined && log.length > 0) writeLog(transaction, seq, log, limit);
  else if (startedAt === undefined && progress === undefined && checkpoint === undefined) return null;
  const patch: StoredPatch = {};
  if (startedAt !== undefined) patch.startedAt = startedAt;
  if (progress !== undefined) {
    patch.progress = progress;
    if ((edges & SHOWS) !== 0) showOwn(transaction, seq, true);
  }
  if (checkpoint !== undefined) patch.checkpoint = checkpoint;
  return patch;
}

/** The handler that ran on has ended. It is not part of the record, so the version stays. */
export function endLeak(transaction: Transaction, stored: Stored): Stored {
  return writePatch(transaction, stored, { leakedBy: null });
}
