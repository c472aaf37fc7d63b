import type { TaskRecord } from '../../../task/record.ts';
import { isFinal } from '../../../task/status.ts';
import { fractionOf, reasonOf } from '../progress.ts';

/** Clients read the counts as integers of 32 bits. */
const MAX_COUNT = 2_147_483_647;

/** A task as text of JSON, with its keys in their order and a fraction that has its decimal: `1.0`. */
export function documentOf(task: TaskRecord, id: string, self: string): string {
  const { progress, createdAt, startedAt, finishedAt } = task;
  const reason = reasonOf(task);
  const before = {
    Complete: isFinal(task.status),
    TotalElements: countOf(progress?.total),
    ProcessedElements: countOf(progress?.processed),
    StartedAt: secondsOf(startedAt ?? createdAt),
    ...(finishedAt === null ? undefined : { FinishedAt: secondsOf(finishedAt) }),
  };
  const after = {
    Id: id,
    Message: reason ?? messageOf(task),
    Self: self,
    ...(reason === null ? undefined : { Error: reason }),
  };
  const fraction = decimal(fractionOf(task));
  return `${JSON.stringify(before).slice(0, -1)},"ProgressInPercent":${fraction},${JSON.stringify(after).slice(1)}`;
}

function messageOf({ progress, status, description, handler }: TaskRecord): string {
  return progress?.message ?? (status === 'succeeded' ? 'Task Completed' : (description ?? handler));
}

function countOf(count: number | null | undefined): number {
  return Math.min(Math.max(Math.floor(count ?? 0), 0), MAX_COUNT);
}

function secondsOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -5)}Z`;
}

function decimal(value: number): string {
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}
