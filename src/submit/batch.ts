import type { TaskRecord } from '../task/record.ts';
import type { Checked } from './check.ts';

/** Is given a copy of a task as it goes to the storage, which may refuse it, or answer with an earlier one. */
export type Keep = (record: TaskRecord) => void;

/** Where in a batch a submit is. */
export interface Place {
  readonly index: number;
  /** It shares the place of an earlier one. Null: it has the place to itself. */
  readonly matched: 'debounce' | 'throttle' | null;
}

/** A batch is stored when it has so many, or at the end of the turn. */
export const MOST = 1_000;

/**
 * A turn's submits, which share one insert. They become tasks only then: what waits for the end of the turn is to be small.
 * Those that would find each other by `debounce` or `throttle` become one here, so that thousands of them are one write.
 */
export class Batch {
  readonly checked: Checked[] = [];
  /** By the index of a submit; made when one wants it. */
  keeps: Map<number, Keep> | null = null;
  #shared: Map<string, number> | null = null;

  hasRoomFor(count: number): boolean {
    return this.checked.length + count <= MOST;
  }

  add(checked: Checked, keep: Keep | undefined): Place {
    const { unique } = checked.options;
    if (unique === null || unique.by === 'unique') return this.#append(checked, keep);
    const key = keyOf(checked);
    const index = key === null ? undefined : this.#shared?.get(key);
    const first = index === undefined ? undefined : this.checked[index];
    if (index === undefined || first === undefined) {
      const place = this.#append(checked, keep);
      if (key !== null) this.#shared = (this.#shared ?? new Map()).set(key, place.index);
      return place;
    }
    if (unique.by === 'debounce') this.checked[index] = replaced(first, checked);
    return { index, matched: unique.by };
  }

  #append(checked: Checked, keep: Keep | undefined): Place {
    const index = this.checked.push(checked) - 1;
    if (keep !== undefined) this.keeps = (this.keeps ?? new Map()).set(index, keep);
    return { index, matched: null };
  }
}

/** Null: it is stored for itself. An idempotency key has its own answers, and so has the parent of a child. */
function keyOf({ handler, options: { unique, idempotencyKey, submittedBy }, flow }: Checked): string | null {
  if (idempotencyKey !== null || flow !== undefined) return null;
  return JSON.stringify([handler.name, submittedBy, unique?.key]);
}

/** As a storage would replace the first by the last: what it belongs to stays. */
function replaced(first: Checked, last: Checked): Checked {
  return { ...last, scheduleId: first.scheduleId, options: { ...last.options, parentId: first.options.parentId } };
}
