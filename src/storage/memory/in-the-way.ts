import { replacement, successor } from '../../task/replace.ts';
import { isFinal } from '../../task/status.ts';
import type { InsertAnswer, TaskDraft, UniqueRule } from '../storage.ts';
import { recordOf } from './record-of.ts';
import { neverStarted, type Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** What earlier tasks have to say about the drafts of one insert. What is replaced changes only once all of it is stored. */
export class InTheWay {
  readonly #tasks: Tasks;
  readonly #now: number;
  readonly #replaced: {
    readonly index: number;
    readonly row: Row;
    readonly draft: TaskDraft;
    readonly unique: UniqueRule;
  }[] = [];

  constructor(tasks: Tasks, now: number) {
    this.#tasks = tasks;
    this.#now = now;
  }

  /** @returns the answer of an earlier task, or the draft as it is to be made */
  check(draft: TaskDraft, index: number): InsertAnswer | TaskDraft {
    const { idempotency, unique } = draft;
    if (idempotency === undefined && unique === undefined) return draft;
    const { keys } = this.#tasks;
    const known = keys.byIdempotency(draft, this.#now);
    if (known !== null) return known;
    const row = unique && keys.inTheWay(draft, unique, this.#now);
    if (row === undefined || unique === undefined) return draft;
    if (unique.onConflict === 'skip') return { made: false, matched: 'unique', taskId: row.id };
    if (unique.onConflict === 'error') return { made: false, refused: 'unique_conflict', taskId: row.id };
    if (unique.onConflict === 'replace' || neverStarted(row)) return this.#take(row, draft, unique, index);
    const waiting = keys.inTheWay(draft, { scope: 'unstarted', onConflict: 'replace' }, this.#now);
    if (waiting !== undefined) return this.#take(waiting, draft, unique, index);
    return !isFinal(row.status) && row.submittedBy === draft.record.submittedBy
      ? successor(draft, row.id)
      : { made: false, refused: 'unique_conflict', taskId: row.id };
  }

  #take(row: Row, draft: TaskDraft, unique: UniqueRule, index: number): InsertAnswer {
    const { record, idempotency } = draft;
    if (!neverStarted(row) || row.submittedBy !== record.submittedBy) {
      return { made: false, refused: 'unique_conflict', taskId: row.id };
    }
    this.#tasks.keys.answer(row, record.idempotencyKey, idempotency);
    this.#replaced.push({ index, row, draft, unique });
    return { made: false, matched: 'unique', taskId: row.id };
  }

  /** All of it is stored. */
  replace(answers: InsertAnswer[]): void {
    for (const { index, row, draft, unique } of this.#replaced) {
      this.#tasks.apply(row, replacement(row, draft.record, unique, this.#now), this.#now);
      answers[index] = { made: false, matched: 'unique', taskId: row.id, replaced: recordOf(row) };
    }
  }

  /** Nothing of it is stored. */
  discard(): void {
    for (const { row, draft } of this.#replaced) this.#tasks.keys.answerNoMore(row, draft.record.idempotencyKey);
  }
}
