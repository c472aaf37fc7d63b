import type { JsonValue } from '../../task/json.ts';
import { mergePatch } from '../../task/merge-patch.ts';
import type { Tag } from '../../task/record.ts';
import type { Settable, Step } from '../../task/transition.ts';
import type { Change, ChangeAnswer } from '../storage.ts';
import { recordOf } from './record-of.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** See `TasksOutside.change` of the contract. */
export function change(tasks: Tasks, changes: readonly Change[]): readonly ChangeAnswer[] {
  const now = tasks.now();
  return changes.map((each): ChangeAnswer => {
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
    tasks.step(row, merged(row, step, each), now);
    return { changed: true, from, record: recordOf(row) };
  });
}

/** The step with the row's tags and metadata, merged. */
function merged(row: Row, step: Step, { tags, metadata }: Change): Step {
  if (tags === undefined && metadata === undefined) return step;
  const set: { -readonly [K in keyof Settable]: Settable[K] } = { ...step.set };
  if (tags !== undefined) set.tags = mergePatch(row.tags, tags) as Readonly<Record<string, Tag>>;
  if (metadata !== undefined) set.metadata = mergePatch(row.metadata as JsonValue, metadata);
  return { ...step, set };
}
