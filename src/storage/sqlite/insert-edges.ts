import type { TaskRecord } from '../../task/record.ts';
import type { InsertAnswer, TaskDraft } from '../storage.ts';
import { link, type Verdict, verdict } from './edges.ts';
import { follow, followedBy } from './follow.ts';
import { AWAITED, DEPENDS, recordOf } from './rows.ts';
import type { Transaction } from './transaction.ts';
import { takeStep } from './write.ts';

interface Made {
  readonly index: number;
  readonly seq: number;
  readonly dependsOn: NonNullable<TaskDraft['dependsOn']>;
}

/** The edges of one insert. Drafts may name each other in any order, so edges are stored once all drafts are. */
export class InsertEdges {
  readonly #transaction: Transaction;
  /** Ids of the drafts that others may name. */
  readonly #drafts = new Set<string>();
  readonly #awaited = new Set<string>();
  /** The earlier task that stands for a draft. */
  readonly #standIn = new Map<string, string>();
  readonly #made: Made[] = [];
  /** By id, of those drafts that others may name. */
  readonly #places = new Map<string, number>();

  constructor(transaction: Transaction, drafts: readonly TaskDraft[], atomic: boolean) {
    this.#transaction = transaction;
    for (const { record, dependsOn = [] } of drafts) {
      if (atomic) this.#drafts.add(record.id);
      for (const { id } of dependsOn) this.#awaited.add(id);
    }
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
    const { database } = this.#transaction;
    for (const { id } of dependsOn) {
      if (this.#drafts.has(id) || database.get('select 1 from tasklane_task where id = ?', id) !== undefined) continue;
      return { made: false, refused: 'dependency_missing', taskId: id };
    }
    return null;
  }

  /** The bits of a row that is about to be made. */
  bitsOf({ record, dependsOn = [] }: TaskDraft): number {
    return (
      (this.#drafts.has(record.id) && this.#awaited.has(record.id) ? AWAITED : 0) | (dependsOn.length > 0 ? DEPENDS : 0)
    );
  }

  /** A draft was made. */
  made(index: number, seq: number, { record: { id }, dependsOn = [] }: TaskDraft): void {
    if (this.#drafts.has(id)) this.#places.set(id, seq);
    if (dependsOn.length > 0) this.#made.push({ index, seq, dependsOn });
  }

  /** Stores the edges, and does what dependencies that have ended ask for. */
  store(answers: InsertAnswer[]): void {
    const verdicts: (Verdict & { index: number })[] = this.#made.map((made) => ({
      index: made.index,
      ...link(this.#transaction, made, this.#standIn, this.#places),
    }));
    for (const each of verdicts) {
      const followed = this.#decide(each);
      if (followed.length > 0) answers[each.index] = { ...answers[each.index], made: true, ...followedBy(followed) };
    }
  }

  #decide(each: Verdict): readonly TaskRecord[] {
    const decided = verdict(this.#transaction, each);
    if (decided === null) return [];
    const [stored, step] = decided;
    const changed = takeStep(this.#transaction, stored, step);
    return [recordOf(changed.task), ...follow(this.#transaction)];
  }
}
