import { withProgress } from '../../flow/shares.ts';
import type { LogLimit, SettleAnswer, Settlement } from '../storage.ts';
import { follow, followedBy } from './follow.ts';
import { endLeak, isHeld, said } from './report.ts';
import { recordOf } from './rows.ts';
import { showProgress } from './shares.ts';
import { Successes } from './successes.ts';
import type { Transaction } from './transaction.ts';
import { readStored, takeStep } from './write.ts';

const REFUSED: SettleAnswer = { settled: false };
const SUCCEEDED: SettleAnswer = { settled: true, repeated: false, status: 'succeeded', record: null };

/** Writes the ends of attempts; see `TasksRun.settle`. */
export function settleTasks(
  transaction: Transaction,
  settlements: readonly Settlement[],
  { logLimit, records }: { readonly logLimit: LogLimit; readonly records: boolean },
): readonly SettleAnswer[] {
  const answers: SettleAnswer[] = [];
  const successes = records ? null : new Successes(transaction, settlements);
  while (answers.length < settlements.length) {
    const written = successes?.write(answers.length) ?? 0;
    for (let one = 0; one < written; one++) answers.push(SUCCEEDED);
    const settlement = settlements[answers.length];
    if (written === 0 && settlement !== undefined) answers.push(settle(transaction, settlement, logLimit, records));
  }
  const progressed = showProgress(transaction, records);
  return records ? withProgress(answers, progressed, ({ settled }) => settled) : answers;
}

function settle(transaction: Transaction, settlement: Settlement, logLimit: LogLimit, records: boolean): SettleAnswer {
  const { taskId, token } = settlement.lease;
  let stored = readStored(transaction, taskId, records);
  if (stored === null || stored.task.token !== token) return REFUSED;
  const repeated = !isHeld(stored.task.status);
  if (!repeated) {
    const step = settlement.steps[stored.task.status];
    if (step === undefined) return REFUSED;
    stored = takeStep(transaction, stored, step, said(transaction, stored, settlement, logLimit) ?? {});
  }
  if (settlement.leakEnded === true && stored.task.leakedBy !== null) stored = endLeak(transaction, stored);
  const followed = follow(transaction, records);
  const { status } = stored.task;
  if (!records) return { settled: true, repeated, status, record: null };
  return { settled: true, repeated, status, record: recordOf(stored.task), ...followedBy(followed) };
}
