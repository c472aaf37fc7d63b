import { replacement } from '../../task/replace.ts';
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

  /** Null: nothing stands in the way. */
  check(draft: TaskDraft, index: number): InsertAnswer | null {
    const { record, idempotency, unique } = draft;
    if (idempotency === undefined && unique === undefined) return null;
    const { keys } = this.#tasks;
    const known = keys.byIdempotency(draft, this.#now);
    if (known !== null) return known;
    const row = keys.inTheWay(draft, this.#now);
    if (row === undefined || unique === undefined) return null;
    const { onConflict } = unique;
    if (onConflict === 'skip') return { made: false, matched: 'unique', taskId: row.id };
    const replaces = onConflict === 'replace' && neverStarted(row) && row.submittedBy === record.submittedBy;
    if (!replaces) return { made: false, refused: 'unique_conflict', taskId: row.id };
    keys.answer(row, record.idempotencyKey, idempotency);
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
