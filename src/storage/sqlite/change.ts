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
import { COLUMNS, LIGHT_COLUMNS, recordOf, toStored } from './rows.ts';
import { showProgress } from './shares.ts';
import type { Transaction } from './transaction.ts';
import { readStored, takeStep } from './write.ts';

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

/** Takes the same steps with all that is below a task, level by level. @returns what changed, where somebody wants it */
function changeDescendants(
  transaction: Transaction,
  { taskId, steps }: Change,
  payloads: boolean,
): readonly TaskRecord[] {
  const changed: TaskRecord[] = [];
  const seen = new Set([taskId]);
  for (let level = [taskId]; level.length > 0; ) {
    const rows = transaction.database.all(payloads ? CHILDREN : CHILDREN_LIGHT, JSON.stringify(level));
    level = [];
    for (const row of rows) {
      const stored = toStored(row);
      const { id, status, archivedAt } = stored.task;
      if (seen.has(id)) continue;
      seen.add(id);
      level.push(id);
      const step = archivedAt === null ? steps[status] : undefined;
      if (step === undefined || step.reason === 'unchanged') continue;
      const next = takeStep(transaction, stored, step);
      if (payloads) changed.push(recordOf(next.task));
    }
  }
  return changed;
}

const CHILDREN = childrenOf(COLUMNS);
const CHILDREN_LIGHT = childrenOf(LIGHT_COLUMNS);

/** Of all tasks of a level, in their order. */
function childrenOf(columns: string): string {
  return (
    `select ${columns} from (select key place, value parent from json_each(?)) cross join tasklane_task ` +
    'indexed by tasklane_task_parent on parent_id = parent and parent_id is not null order by place, seq'
  );
}

/** The step, with the tags and the metadata as they will be. */
function merged(task: StoredTask, step: Step, { tags, metadata }: Change): Step {
  if (tags === undefined && metadata === undefined) return step;
  const set: { -readonly [K in keyof Settable]: Settable[K] } = { ...step.set };
  if (tags !== undefined) set.tags = mergePatch(task.tags, tags) as Readonly<Record<string, Tag>>;
  if (metadata !== undefined) set.metadata = mergePatch(task.metadata as JsonValue, metadata);
  return { ...step, set };
}
