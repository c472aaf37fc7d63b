import type { TaskAttempt, TaskRecord } from 'tasklane';
import { type Proven, placeOf } from './handlers.ts';
import type { Run } from './journal.ts';

/** A task as the database has it, and the runs that the journal knows. */
export interface Evidence {
  readonly task: TaskRecord;
  readonly attempts: readonly TaskAttempt[];
  readonly runs: readonly Run[];
}

/** Whatever about a final task does not add up; empty when all does. */
export function explain(evidence: Evidence): readonly string[] {
  const { id, handler } = evidence.task;
  const problems = [...counts(evidence), ...history(evidence), ...outcome(evidence), ...checkpoints(evidence)];
  return problems.map((problem) => `${id} (${handler}): ${problem}`);
}

/** `attempt` is the number of attempts, and each of them is counted in one place. */
function counts({ task, attempts }: Evidence): readonly string[] {
  const problems: string[] = [];
  const having = (...outcomes: readonly TaskAttempt['outcome'][]): number =>
    attempts.filter(({ outcome }) => outcomes.includes(outcome)).length;
  const expected = Array.from({ length: task.attempt }, (_, index) => index + 1).join();
  const numbers = attempts.map(({ attempt }) => attempt).join();
  if (numbers !== expected) problems.push(`attempt is ${task.attempt}, but the attempts are ${numbers}`);
  // The run that is lost once too often is counted, and is the one that failed.
  const failedAsLost = task.status === 'failed' && task.error?.code === 'lost' ? 1 : 0;
  for (const [name, counted, found] of [
    ['lost', task.lost, having('lost') + failedAsLost],
    ['interrupted', task.interrupted, having('interrupted')],
    ['snoozed', task.snoozed, having('snoozed')],
  ] as const) {
    if (counted !== found) problems.push(`${name} is ${counted}, but ${found} attempts were`);
  }
  const rest = task.attempt - task.lost - task.interrupted - task.snoozed;
  const ended = having('retrying', 'succeeded', 'failed', 'cancelled') - failedAsLost;
  if (rest !== ended) problems.push(`${rest} attempts count, but ${ended} ended by themselves`);
  return problems;
}

/** How a handler ends an attempt. */
const HOW: Readonly<Record<string, string>> = { succeeded: 'returned', retrying: 'threw', snoozed: 'snoozed' };

/** Each run is an attempt, and each attempt that its handler ended is a run that says so. */
function history({ attempts, runs }: Evidence): readonly string[] {
  const problems: string[] = [];
  for (const run of runs) {
    const attempt = attempts.find((one) => one.attempt === run.attempt);
    if (attempt === undefined) problems.push(`run ${run.attempt} is no attempt`);
    else if (attempt.workerId !== run.workerId) problems.push(`attempt ${run.attempt} ran in another process`);
  }
  for (const [index, { attempt, outcome }] of attempts.entries()) {
    const own = runs.filter((run) => run.attempt === attempt);
    if (own.length > 1) problems.push(`attempt ${attempt} ran ${own.length} times`);
    const how = own[0]?.end?.how ?? null;
    const asked = HOW[outcome ?? 'running'];
    if (asked !== undefined && how !== asked) problems.push(`attempt ${attempt} is ${outcome}, but its handler ${how}`);
    // Only a task that was lost or interrupted before gets its start stored before its handler runs.
    const suspect = attempts.slice(0, index).some((one) => one.outcome === 'lost' || one.outcome === 'interrupted');
    if (outcome === 'lost' && own.length === 0 && !suspect) problems.push(`attempt ${attempt} is lost, but never ran`);
  }
  return problems;
}

/** The record's outcome is that of its last attempt. */
function outcome({ task, attempts, runs }: Evidence): readonly string[] {
  const finals = attempts.filter(({ outcome }) => outcome === 'succeeded' || outcome === 'failed').length;
  if (finals > 1) return [`it has ${finals} outcomes`];
  if (task.status !== 'succeeded') return [];
  const { proof } = task.result as Proven;
  const end = runs.find(({ attempt }) => attempt === task.attempt)?.end ?? null;
  return end?.proof === proof ? [] : [`its result is not that of attempt ${task.attempt}, whose handler ${end?.how}`];
}

/** What was acknowledged as stored is what a later attempt was given, unless a newer one was stored and not acknowledged. */
function checkpoints({ runs }: Evidence): readonly string[] {
  let acknowledged = 0;
  const problems: string[] = [];
  for (const { attempt, seen, stored } of runs) {
    const given = placeOf(seen);
    if (given < acknowledged || given > acknowledged + 1) {
      problems.push(`attempt ${attempt} was given checkpoint ${given} after ${acknowledged} was acknowledged`);
    }
    acknowledged = Math.max(acknowledged, given, ...stored.map(placeOf));
  }
  return problems;
}
