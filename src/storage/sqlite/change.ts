import type { JsonValue } from '../../task/json.ts';
import { mergePatch } from '../../task/merge-patch.ts';
import type { Tag } from '../../task/record.ts';
import type { Settable, Step, StoredTask } from '../../task/transition.ts';
import type { Change, ChangeAnswer } from '../storage.ts';
import { holderOf } from './insert.ts';
import { recordOf } from './rows.ts';
import type { Transaction } from './transaction.ts';
import { readStored, takeStep } from './write.ts';

/** Changes tasks from outside, each for itself; see `TasksOutside.change`. */
export function changeTasks(transaction: Transaction, changes: readonly Change[]): readonly ChangeAnswer[] {
  return changes.map((change) => changeOne(transaction, change));
}

function changeOne(transaction: Transaction, change: Change): ChangeAnswer {
  const stored = readStored(transaction, change.taskId, true);
  if (stored === null || stored.task.archivedAt !== null) return { refused: 'missing' };
  const { task } = stored;
  if (change.ifVersion !== undefined && change.ifVersion !== task.version) {
    return { refused: 'version', record: recordOf(task) };
  }
  const step = change.steps[task.status];
  if (step === undefined) return { refused: 'status', record: recordOf(task) };
  if (step.reason === 'unchanged') return { changed: false, from: task.status, record: recordOf(task) };
  if (step.reason === 'restarted' && task.uniqueKey !== null) {
    const taskId = holderOf(transaction, task.handler, task.uniqueKey, 'unfinished', task.id);
    if (taskId !== null) return { refused: 'unique', taskId };
  }
  const next = takeStep(transaction, stored, merged(task, step, change));
  return { changed: true, from: task.status, record: recordOf(next.task) };
}

/** The step, with the tags and the metadata as they will be. */
function merged(task: StoredTask, step: Step, { tags, metadata }: Change): Step {
  if (tags === undefined && metadata === undefined) return step;
  const set: { -readonly [K in keyof Settable]: Settable[K] } = { ...step.set };
  if (tags !== undefined) set.tags = mergePatch(task.tags, tags) as Readonly<Record<string, Tag>>;
  if (metadata !== undefined) set.metadata = mergePatch(task.metadata as JsonValue, metadata);
  return { ...step, set };
}
