import { afterEnd, type OnFailure, released } from '../../flow/rules.ts';
import { isFinal } from '../../task/status.ts';
import type { InsertAnswer, TaskDraft } from '../storage.ts';
import type { RowEdge } from './edges.ts';
import { follow, followedBy } from './follow.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** A dependency that had ended when its dependent was made. */
type Ended = readonly [Row, OnFailure];

/** The edges of one insert. Drafts may name each other in any order, so edges are stored once all drafts are. */
export class InsertEdges {
  readonly #tasks: Tasks;
  /** Ids of the drafts that others may name. */
  readonly #drafts = new Set<string>();
  /** The earlier task that stands for a draft. */
  readonly #standIn = new Map<string, string>();
  readonly #made: { readonly index: number; readonly row: Row; readonly draft: TaskDraft }[] = [];

  constructor(tasks: Tasks, drafts: readonly TaskDraft[], atomic: boolean) {
    this.#tasks = tasks;
    if (atomic) for (const { record } of drafts) this.#drafts.add(record.id);
  }

  /** A child of a draft for which an earlier task stands is not made. */
  ofParent({ record }: TaskDraft): InsertAnswer | null {
    const taskId = record.parentId === null ? undefined : this.#standIn.get(record.parentId);
    return taskId === undefined ? null : { made: false, matched: 'parent', taskId };
  }

  /** An earlier task stands for a draft. */
  matched({ record }: TaskDraft, taskId: string): void {
    this.#standIn.set(record.id, taskId);
  }

  /** Whether a draft depends on what is not there. */
  missing({ dependsOn = [] }: TaskDraft): InsertAnswer | null {
    const missing = dependsOn.find(({ id }) => !this.#drafts.has(id) && !this.#tasks.byId.has(id));
    return missing === undefined ? null : { made: false, refused: 'dependency_missing', taskId: missing.id };
  }

  /** A draft was made. */
  made(index: number, row: Row, draft: TaskDraft): void {
    if (draft.dependsOn !== undefined && draft.dependsOn.length > 0) this.#made.push({ index, row, draft });
  }

  /** Stores the edges, and does what dependencies that have ended ask for. */
  store(answers: InsertAnswer[], now: number): void {
    const linked = this.#made.map(({ index, row, draft }) => ({ index, row, ended: this.#link(row, draft) }));
    for (const { index, row, ended } of linked) {
      const changed = this.#decide(row, ended, now);
      if (changed)
        answers[index] = { ...answers[index], made: true, ...followedBy([row, ...follow(this.#tasks, now)]) };
    }
  }

  #link(row: Row, { dependsOn = [] }: TaskDraft): readonly Ended[] {
    const { byId, edges } = this.#tasks;
    const ended: Ended[] = [];
    const added: RowEdge[] = [];
    for (const { id, onFailure } of dependsOn) {
      const dependency = byId.get(this.#standIn.get(id) ?? id);
      if (dependency === undefined) continue;
      const open = !isFinal(dependency.status);
      if (!open) ended.push([dependency, onFailure]);
      added.push({ dependent: row, dependency, onFailure, own: this.#drafts.has(dependency.id), open });
    }
    edges.add(added);
    return ended;
  }

  #decide(row: Row, ended: readonly Ended[], now: number): boolean {
    if (row.status !== 'waiting') return false;
    const step = ended.map(([dependency, onFailure]) => afterEnd(dependency, onFailure)).find((each) => each !== null);
    if (step === undefined && this.#tasks.edges.waits(row)) return false;
    this.#tasks.step(row, step ?? released(row, now), now);
    return true;
  }
}
