import type { TaskRecord } from '../task/record.ts';
import type { Announcer } from '../watch/announcer.ts';
import type { Attempt } from './attempt.ts';
import type { Said } from './reports.ts';

/** Tells what an attempt reported, note by note, each with the progress there was then. */
export function tellNotes(announcer: Announcer, record: TaskRecord, attempt: Attempt, notes: Said['notes']): void {
  if (!announcer.wanted) return;
  if (notes.some(({ kind }) => kind === 'progress')) attempt.toldProgress ??= attempt.task.progress;
  for (const note of notes) {
    if (note.kind === 'progress') attempt.toldProgress = note.progress;
    const { toldProgress = record.progress } = attempt;
    const task = { ...record, progress: toldProgress };
    if (note.kind === 'log') announcer.log(task, note.line);
    else announcer.progress(task, note.progress);
  }
}

/** The record as it was while its attempt still reported. */
export function beforeItsEnd(task: TaskRecord): TaskRecord {
  const status = task.cancelRequestedAt === null ? 'running' : 'cancelling';
  return { ...task, status, result: null, finishedAt: null, runAt: null };
}
