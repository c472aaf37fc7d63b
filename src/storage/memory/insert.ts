import { withProgress } from '../../flow/shares.ts';
import type { DocumentPut, InsertAnswer, TaskDraft } from '../storage.ts';
import type { DocumentTable } from './documents.ts';
import { InTheWay } from './in-the-way.ts';
import { InsertEdges } from './insert-edges.ts';
import { showProgress } from './progress.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

type Made = Extract<InsertAnswer, { readonly made: true }>;

const MADE: Made = Object.freeze({ made: true });
const FULL: InsertAnswer = Object.freeze({ made: false, refused: 'queue_full' });
const CONFLICT: InsertAnswer = Object.freeze({ made: false, refused: 'document_conflict' });
const STALE: InsertAnswer = Object.freeze({ made: false, refused: 'lease_stale' });
const UNCOUNTED: InsertAnswer = Object.freeze({ made: false, refused: 'uncounted' });
const NOT_ALONE: InsertAnswer = Object.freeze({ made: false, refused: 'not_alone' });

/** What bounds an insert, and goes with it. */
export interface InsertOptions {
  readonly atomic?: boolean;
  readonly maxUnfinished?: number;
  readonly documents?: readonly DocumentPut[];
}

/** See `TasksIn.insert` of the contract. */
export function insert(
  tasks: Tasks,
  papers: DocumentTable,
  drafts: readonly TaskDraft[],
  options: InsertOptions = {},
): readonly InsertAnswer[] {
  const { documents } = options;
  if (documents === undefined) return insertTasks(tasks, drafts, options);
  const now = tasks.now();
  if (drafts.some(({ record }) => tasks.byId.has(record.id))) return drafts.map(() => MADE);
  const isCurrent = ({ kind, key, ifVersion }: DocumentPut): boolean => papers.versionOf(kind, key, now) === ifVersion;
  if (drafts.length === 0 || !documents.every(isCurrent)) return drafts.map(() => CONFLICT);
  const answers = insertTasks(tasks, drafts, { ...options, atomic: true });
  if (answers.some((answer) => 'refused' in answer)) return answers;
  for (const { kind, key, value, dueAt } of documents) papers.put(kind, key, value, { dueAt }, now);
  tasks.hints.control();
  return answers;
}

function insertTasks(tasks: Tasks, drafts: readonly TaskDraft[], options: InsertOptions): readonly InsertAnswer[] {
  const now = tasks.now();
  const most = options.maxUnfinished ?? Number.POSITIVE_INFINITY;
  const atomic = options.atomic === true;
  const made: Row[] = [];
  const sharing: (readonly [Row, TaskDraft])[] = [];
  const showing = new Set<Row>();
  const isShown = (id: string | null): boolean => {
    const parent = id === null ? undefined : tasks.byId.get(id);
    return parent !== undefined && (showing.has(parent) || tasks.shares.isShown(parent));
  };
  let refused = false;
  const edges = drafts.some(mayWait) ? new InsertEdges(tasks, drafts, atomic) : null;
  const inTheWay = new InTheWay(tasks, now);
  const answers = drafts.map((asked, index): InsertAnswer => {
    if (tasks.byId.has(asked.record.id)) return MADE;
    const found = staleness(tasks, asked) ?? edges?.ofParent(asked) ?? inTheWay.check(asked, index);
    if ('matched' in found) edges?.matched(asked, found.taskId);
    // `unfinished` counts what was just made, as it can be found already.
    const full = tasks.unfinished >= most ? FULL : null;
    const counts = !('record' in found) || found.weight === undefined || isShown(found.record.parentId);
    const uncounted = !counts && asked.mustCount ? UNCOUNTED : null;
    const answer = 'record' in found ? (full ?? edges?.missing(found) ?? uncounted) : found;
    if (answer !== null && 'refused' in answer) refused = true;
    if (answer !== null || !('record' in found)) return answer ?? MADE;
    const row = tasks.make(found);
    made.push(row);
    if (mayShare(found)) sharing.push([row, found]);
    if (found.showsChildren) showing.add(row);
    edges?.made(index, row, found);
    const done: Made = found === asked ? MADE : { made: true, after: found.dependsOn?.[0]?.id };
    return counts ? done : { ...done, uncounted: true };
  });
  if (atomic && refused) {
    tasks.discard(made);
    inTheWay.discard();
    return answers.map((answer) => ('refused' in answer ? answer : NOT_ALONE));
  }
  for (const row of made) tasks.enter(row, now);
  for (const [row, draft] of sharing) tasks.shares.add(row, draft, tasks.byId.get(draft.record.parentId ?? ''));
  tasks.shares.made(made, now);
  inTheWay.replace(answers);
  edges?.store(answers, now);
  return withProgress(answers, showProgress(tasks, now), (answer) => answer.made);
}

/** Whether a draft has edges, or may be given one. */
function mayWait({ dependsOn, unique }: TaskDraft): boolean {
  return dependsOn !== undefined || unique?.onConflict === 'runAfter';
}

/** Whether a draft may show the progress of its children, or be one whose parent does. */
function mayShare({ record, showsChildren }: TaskDraft): boolean {
  return showsChildren === true || record.parentId !== null;
}

/** Whether the attempt that makes a draft may do so no more. */
function staleness({ byId }: Tasks, { by }: TaskDraft): InsertAnswer | null {
  if (by === undefined) return null;
  const maker = byId.get(by.taskId);
  return maker?.token === by.token && maker.status === 'running' ? null : STALE;
}
