import { DEFAULT_WEIGHT, fractionOf, progressOf, type Shares } from '../../flow/shares.ts';
import { isFinal } from '../../task/status.ts';
import type { TaskDraft } from '../storage.ts';
import type { Row } from './row.ts';

/** A row that shows the progress of its children. */
interface Shown extends Shares {
  /** Its handler has reported progress of its own. */
  own: boolean;
}

/** A child of such a row. */
interface Share {
  readonly parent: Row;
  readonly weight: number;
  fraction: number;
  ended: boolean;
}

/** How far the children of rows are. Nothing is kept for rows that do not show it, nor for their children. */
export class ShareTable {
  readonly #shown = new Map<Row, Shown>();
  readonly #shares = new Map<Row, Share>();
  /** Rows in whose parent's progress something changed; it is still to be shown. */
  readonly #touched = new Set<Row>();
  /** Rows whose progress is to be shown anew. */
  readonly #grown = new Set<Row>();

  /** A row was made. */
  add(row: Row, { showsChildren, weight = DEFAULT_WEIGHT }: TaskDraft, parent: Row | undefined): void {
    if (showsChildren) this.#shown.set(row, { weight: 0, done: 0, total: 0, ended: 0, own: false });
    const shown = parent === undefined ? undefined : this.#shown.get(parent);
    if (parent === undefined || shown === undefined) return;
    shown.weight += weight;
    shown.total++;
    this.#shares.set(row, { parent, weight, fraction: 0, ended: false });
    this.#grown.add(parent);
  }

  /** Whether a row shows its children. */
  isShown(row: Row): boolean {
    return this.#shown.has(row);
  }

  /** The rows are all that an insert made: they show their children from the start, which is no news. */
  made(rows: readonly Row[], now: number): void {
    if (this.#grown.size === 0) return;
    for (const row of rows) {
      const shown = this.#grown.delete(row) ? this.#shown.get(row) : undefined;
      if (shown !== undefined) row.progress = progressOf(shown, now);
    }
  }

  /** A row changed. */
  touch(row: Row): void {
    if (this.#shares.size > 0 && this.#shares.has(row)) this.#touched.add(row);
  }

  /** A handler reports its own progress from now on, or its task begins anew. */
  showOwn(row: Row, own: boolean): void {
    const shown = this.#shown.get(row);
    if (shown === undefined) return;
    shown.own = own;
    if (!own) this.#grown.add(row);
  }

  /** A row was removed. */
  remove(row: Row): void {
    this.#shares.delete(row);
    this.#shown.delete(row);
    this.#touched.delete(row);
    this.#grown.delete(row);
  }

  /** Shows with parents, once for all that happened, how far their children came. @returns those that changed */
  show(now: number): readonly Row[] {
    if (this.#touched.size === 0 && this.#grown.size === 0) return NOTHING;
    const parents = new Set(this.#grown);
    for (const child of this.#touched) {
      const parent = this.#gather(child);
      if (parent !== null) parents.add(parent);
    }
    this.#touched.clear();
    this.#grown.clear();
    return [...parents].filter((parent) => {
      const shown = this.#shown.get(parent);
      const progress = shown === undefined || shown.own || isFinal(parent.status) ? null : progressOf(shown, now);
      if (progress !== null) parent.progress = progress;
      return progress !== null;
    });
  }

  /** What a child did since it was looked at last. @returns its parent, if that is news to it */
  #gather(child: Row): Row | null {
    const share = this.#shares.get(child);
    const shown = share && this.#shown.get(share.parent);
    if (share === undefined || shown === undefined) return null;
    const fraction = fractionOf(child);
    const ended = isFinal(child.status);
    if (fraction === share.fraction && ended === share.ended) return null;
    shown.done += share.weight * (fraction - share.fraction);
    shown.ended += Number(ended) - Number(share.ended);
    share.fraction = fraction;
    share.ended = ended;
    return share.parent;
  }
}

const NOTHING: readonly Row[] = [];
