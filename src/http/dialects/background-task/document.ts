import type { TaskRecord } from '../../../task/record.ts';
import { isFinal } from '../../../task/status.ts';
import { fractionOf, reasonOf } from '../progress.ts';

/** Clients read the counts as integers of 32 bits. */
const MAX_COUNT = 2_147_483_647;

/** What Enterprise Tester says of a task, with its keys in their order. */
interface BackgroundTaskDocument {
  readonly Complete: boolean;
  readonly TotalElements: number;
  readonly ProcessedElements: number;
  readonly StartedAt: string;
  readonly FinishedAt?: string;
  /** A fraction. */
  readonly ProgressInPercent: number;
  readonly Id: string;
  readonly Message: string;
  readonly Self: string;
  readonly Error?: string;
}

/** A task as Enterprise Tester answers it. */
export function documentOf(task: TaskRecord, id: string, self: string): BackgroundTaskDocument {
  const { progress, createdAt, startedAt, finishedAt } = task;
  const reason = reasonOf(task);
  return {
    Complete: isFinal(task.status),
    TotalElements: countOf(progress?.total),
    ProcessedElements: countOf(progress?.processed),
    StartedAt: secondsOf(startedAt ?? createdAt),
    ...(finishedAt === null ? undefined : { FinishedAt: secondsOf(finishedAt) }),
    ProgressInPercent: fractionOf(task),
    Id: id,
    Message: reason ?? messageOf(task),
    Self: self,
    ...(reason === null ? undefined : { Error: reason }),
  };
}

/** As text of JSON, in which the fraction has its decimal: `1.0`. */
export function textOf(document: object): string {
  const { ProgressInPercent: fraction } = document as Partial<BackgroundTaskDocument>;
  const text = JSON.stringify(document);
  if (!Number.isInteger(fraction)) return text;
  const plain = `"ProgressInPercent":${fraction}`;
  return text.replace(plain, () => `${plain}.0`); // in front of all that a task says for itself
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
