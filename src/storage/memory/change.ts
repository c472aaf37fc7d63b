import { waitAgain } from '../../flow/rules.ts';
import { withProgress } from '../../flow/shares.ts';
import type { JsonValue } from '../../task/json.ts';
import { mergePatch } from '../../task/merge-patch.ts';
import type { Tag } from '../../task/record.ts';
import type { Settable, Step } from '../../task/transition.ts';
import type { Change, ChangeAnswer } from '../storage.ts';
import type { DocumentTable } from './documents.ts';
import { follow, followedBy } from './follow.ts';
import { showProgress } from './progress.ts';
import { recordOf } from './record-of.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** See `TasksOutside.change` of the contract. */
export function change(
  tasks: Tasks,
  papers: DocumentTable,
  changes: readonly Change[],
  { followed = true }: { readonly followed?: boolean } = {},
): readonly ChangeAnswer[] {
  const now = tasks.now();
  const answers = changes.map((each): ChangeAnswer => {
    const answer = changeOne(tasks, papers, each, now);
    if (!('record' in answer) || 'refused' in answer) return answer;
    const below = each.descendants ? changeDescendants(tasks, each, now) : [];
    const others = follow(tasks, now);
    return followed ? { ...answer, ...followedBy([...below, ...others]) } : answer;
  });
  const progressed = showProgress(tasks, now);
  return followed ? withProgress(answers, progressed, (answer) => 'changed' in answer) : answers;
}

function changeOne(tasks: Tasks, papers: DocumentTable, each: Change, now: number): ChangeAnswer {
  const row = tasks.byId.get(each.taskId);
  if (row === undefined || row.archivedAt !== null) return { refused: 'missing' };
  if (each.ifVersion !== undefined && each.ifVersion !== row.version) {
    return { refused: 'version', record: recordOf(row) };
  }
  const from = row.status;
  const step = each.steps[from];
  if (step === undefined) return { refused: 'status', record: recordOf(row) };
  if (step.reason === 'unchanged') return { changed: false, from, record: recordOf(row) };
  if (step.reason === 'restarted') {
    const holder = tasks.keys.holder(row);
    if (holder !== undefined) return { refused: 'unique', taskId: holder.id };
  }
  const { put } = each;
  if (put !== undefined && papers.versionOf(put.kind, put.key, now) !== put.ifVersion) return { refused: 'document' };
  const waits = step.reason === 'restarted' && tasks.edges.reopen(row);
  tasks.step(row, waits ? waitAgain(step) : merged(row, step, each), now);
  if (put !== undefined) {
    papers.put(put.kind, put.key, put.value, { dueAt: put.dueAt }, now);
    tasks.hints.control();
  }
  return { changed: true, from, record: recordOf(row) };
}

/** Takes the same steps with all that is below a task, level by level. @returns what changed */
function changeDescendants(tasks: Tasks, { taskId, steps }: Change, now: number): readonly Row[] {
  const changed: Row[] = [];
  const seen = new Set([taskId]);
  for (const parentId of seen) {
    for (const row of tasks.families.childrenOf(parentId)) {
      if (seen.has(row.id)) continue;
      seen.add(row.id); // the loop comes to it, too
      const step = row.archivedAt === null ? steps[row.status] : undefined;
      if (step === undefined || step.reason === 'unchanged') continue;
      tasks.step(row, step, now);
      changed.push(row);
    }
  }
  return changed;
}

/** The step with the row's tags and metadata, merged. */
function merged(row: Row, step: Step, { tags, metadata }: Change): Step {
  if (tags === undefined && metadata === undefined) return step;
  const set: { -readonly [K in keyof Settable]: Settable[K] } = { ...step.set };
  if (tags !== undefined) set.tags = mergePatch(row.tags, tags) as Readonly<Record<string, Tag>>;
  if (metadata !== undefined) set.metadata = mergePatch(row.metadata as JsonValue, metadata);
  return { ...step, set };
}
