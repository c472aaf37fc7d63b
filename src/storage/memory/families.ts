import type { Row } from './row.ts';

const NONE: ReadonlySet<Row> = new Set();

/** Which rows are whose children. Nothing is kept for rows without a parent. */
export class Families {
  readonly #children = new Map<string, Set<Row>>();

  /** In submit order. */
  childrenOf(parentId: string): ReadonlySet<Row> {
    return this.#children.get(parentId) ?? NONE;
  }

  /** A row was made. */
  add(row: Row): void {
    const { parentId } = row.more;
    if (parentId === null) return;
    const siblings = this.#children.get(parentId);
    if (siblings === undefined) this.#children.set(parentId, new Set([row]));
    else siblings.add(row);
  }

  /** A row was removed. */
  remove(row: Row): void {
    const { parentId } = row.more;
    if (parentId === null) return;
    const siblings = this.#children.get(parentId);
    siblings?.delete(row);
    if (siblings?.size === 0) this.#children.delete(parentId);
  }
}
