import { waitAgain } from '../../flow/rules.ts';
import { withProgress } from '../../flow/shares.ts';
import type { JsonValue } from '../../task/json.ts';
import { mergePatch } from '../../task/merge-patch.ts';
import type { Tag, TaskRecord } from '../../task/record.ts';
import type { Settable, Step, StoredTask } from '../../task/transition.ts';
import type { Change, ChangeAnswer } from '../storage.ts';
import { storeDocument, versionOf } from './documents.ts';
import { reopen } from './edges.ts';
import { follow, followedBy } from './follow.ts';
import { holderOf } from './in-the-way.ts';
import { recordOf } from './rows.ts';
import { showProgress } from './shares.ts';
import type { Transaction } from './transaction.ts';
import { readStored, readStoredAt, takeStep } from './write.ts';

/** Changes tasks from outside, each for itself; see `TasksOutside.change`. */
export function changeTasks(
  transaction: Transaction,
  changes: readonly Change[],
  { followed = true }: { readonly followed?: boolean } = {},
): readonly ChangeAnswer[] {
  const answers = changes.map((change) => {
    const answer = changeOne(transaction, change);
    if (!('record' in answer) || 'refused' in answer) return answer;
    const below = change.descendants ? changeDescendants(transaction, change, followed) : [];
    const others = follow(transaction, followed);
    return followed ? { ...answer, ...followedBy([...below, ...others]) } : answer;
  });
  const progressed = showProgress(transaction, followed);
  return followed ? withProgress(answers, progressed, (answer) => 'changed' in answer) : answers;
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
  const { put } = change;
  if (put !== undefined && versionOf(transaction, put.kind, put.key) !== put.ifVersion) return { refused: 'document' };
  const waits = step.reason === 'restarted' && reopen(transaction, stored);
  const next = takeStep(transaction, stored, waits ? waitAgain(step) : merged(task, step, change));
  if (put !== undefined) storeDocument(transaction, put);
  return { changed: true, from: task.status, record: recordOf(next.task) };
}

/** Takes the same steps with all that is below a task, level by level. @returns what changed */
function changeDescendants(
  transaction: Transaction,
  { taskId, steps }: Change,
  payloads: boolean,
): readonly TaskRecord[] {
  const changed: TaskRecord[] = [];
  const seen = new Set([taskId]);
  for (const parentId of seen) {
    for (const [seq, id] of transaction.database.all(CHILDREN, parentId)) {
      if (seen.has(id as string)) continue;
      seen.add(id as string); // the loop comes to it, too
      const stored = readStoredAt(transaction, seq as number, payloads);
      const step = stored?.task.archivedAt === null ? steps[stored.task.status] : undefined;
      if (stored === null || step === undefined || step.reason === 'unchanged') continue;
      changed.push(recordOf(takeStep(transaction, stored, step).task));
    }
  }
  return changed;
}

const CHILDREN =
  'select seq, id from tasklane_task indexed by tasklane_task_parent where parent_id = ? and parent_id is not null ' +
  'order by seq';

/** The step, with the tags and the metadata as they will be. */
function merged(task: StoredTask, step: Step, { tags, metadata }: Change): Step {
  if (tags === undefined && metadata === undefined) return step;
  const set: { -readonly [K in keyof Settable]: Settable[K] } = { ...step.set };
  if (tags !== undefined) set.tags = mergePatch(task.tags, tags) as Readonly<Record<string, Tag>>;
  if (metadata !== undefined) set.metadata = mergePatch(task.metadata as JsonValue, metadata);
  return { ...step, set };
}
