import type { InsertAnswer, TaskDraft } from '../storage.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

const MADE: InsertAnswer = Object.freeze({ made: true });
const FULL: InsertAnswer = Object.freeze({ made: false, refused: 'queue_full' });
const NOT_ALONE: InsertAnswer = Object.freeze({ made: false, refused: 'not_alone' });

/** See `TasksIn.insert` of the contract. */
export function insert(
  tasks: Tasks,
  drafts: readonly TaskDraft[],
  options: { readonly atomic?: boolean; readonly maxUnfinished?: number } = {},
): readonly InsertAnswer[] {
  const now = tasks.now();
  const most = options.maxUnfinished ?? Number.POSITIVE_INFINITY;
  const made: Row[] = [];
  let refused = false;
  const answers = drafts.map((draft): InsertAnswer => {
    if (tasks.byId.has(draft.record.id)) return MADE;
    // `unfinished` counts what was just made, as it can be found already.
    const answer = tasks.keys.check(draft, now) ?? (tasks.unfinished >= most ? FULL : null);
    if (answer === null) {
      made.push(tasks.make(draft));
      return MADE;
    }
    if ('refused' in answer) refused = true;
    return answer;
  });
  if (options.atomic === true && refused) {
    tasks.discard(made);
    return answers.map((answer) => ('refused' in answer ? answer : NOT_ALONE));
  }
  for (const row of made) tasks.enter(row, now);
  return answers;
}
