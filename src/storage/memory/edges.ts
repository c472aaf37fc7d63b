import type { OnFailure } from '../../flow/rules.ts';
import { isFinal } from '../../task/status.ts';
import type { Edge, EdgeQuery } from '../storage.ts';
import type { Row } from './row.ts';

/** One row depends on another. */
export interface RowEdge {
  readonly dependent: Row;
  readonly dependency: Row;
  readonly onFailure: OnFailure;
  /** Both were made by the same call. */
  readonly own: boolean;
  /** The dependent waits for it. */
  open: boolean;
}

/** The edges of a row. */
interface Node {
  /** By the sequence of the other end, as lists want them. */
  readonly dependencies: RowEdge[];
  readonly dependents: RowEdge[];
  /** How many of its dependencies are open. */
  waitsFor: number;
  /** How many wait for it. */
  awaitedBy: number;
}

/** Which rows depend on which. Nothing is kept for rows without edges. */
export class Edges {
  readonly #nodes = new Map<Row, Node>();

  /** Whether a row has edges. */
  has(row: Row): boolean {
    return this.#nodes.size > 0 && this.#nodes.has(row);
  }

  /** Adds edges of a new row, which come in any order. A second one to the same row is left out. */
  add(edges: readonly RowEdge[]): void {
    for (const edge of edges) {
      const node = this.#node(edge.dependent);
      const other = this.#node(edge.dependency);
      // The dependent is new, so it is the last of those that depend on the same row.
      if (other.dependents.at(-1)?.dependent === edge.dependent) continue;
      node.dependencies.push(edge);
      other.dependents.push(edge);
      if (edge.open) this.#count(edge, 1);
    }
    const first = edges[0];
    if (first !== undefined) {
      this.#node(first.dependent).dependencies.sort((a, b) => a.dependency.sequence - b.dependency.sequence);
    }
  }

  /** Whether a row waits for anything. */
  waits(row: Row): boolean {
    return (this.#nodes.get(row)?.waitsFor ?? 0) > 0;
  }

  /** Whether anything waits for a row. */
  isAwaited(row: Row): boolean {
    return (this.#nodes.get(row)?.awaitedBy ?? 0) > 0;
  }

  /** Whether an unfinished row depends on a row. */
  isNeeded(row: Row): boolean {
    if (!this.has(row)) return false;
    return this.#nodes.get(row)?.dependents.some(({ dependent }) => !isFinal(dependent.status)) === true;
  }

  /** A row waits no more. @returns the edges that were open */
  leave(row: Row): readonly RowEdge[] {
    return this.#close(this.waits(row) ? this.#nodes.get(row)?.dependencies : undefined);
  }

  /** Nothing waits for a row any more. @returns the edges that were open */
  end(row: Row): readonly RowEdge[] {
    return this.#close(this.isAwaited(row) ? this.#nodes.get(row)?.dependents : undefined);
  }

  /**
   * A row is restarted: it waits for what of its dependencies has not ended, and is waited for by what still waits for others.
   * @returns whether it waits
   */
  reopen(row: Row): boolean {
    const { dependencies = [], dependents = [] } = this.#nodes.get(row) ?? {};
    this.#open(dependencies.filter(({ dependency }) => !isFinal(dependency.status)));
    this.#open(dependents.filter(({ dependent }) => dependent.status === 'waiting'));
    return this.waits(row);
  }

  /** A row was removed. */
  remove(row: Row): void {
    const node = this.#nodes.get(row);
    if (node === undefined) return;
    for (const { dependency } of node.dependencies) this.#drop(dependency, (edge) => edge.dependent === row);
    for (const { dependent } of node.dependents) this.#drop(dependent, (edge) => edge.dependency === row);
    this.#nodes.delete(row);
  }

  /** See `TasksOutside.edges` of the contract. */
  list(row: Row, { side, after = -1, limit, open = false }: EdgeQuery): readonly Edge[] {
    const other = side === 'dependencies' ? 'dependency' : 'dependent';
    const fitting = (this.#nodes.get(row)?.[side] ?? []).filter(
      (edge) => edge[other].sequence > after && (edge.open || !open),
    );
    return fitting.slice(0, limit).map((edge) => {
      const { id, sequence } = edge[other];
      return { id, onFailure: edge.onFailure, open: edge.open, place: sequence };
    });
  }

  #close(edges: readonly RowEdge[] = []): readonly RowEdge[] {
    const closed = edges.filter(({ open }) => open);
    for (const edge of closed) {
      edge.open = false;
      this.#count(edge, -1);
    }
    return closed;
  }

  #open(edges: readonly RowEdge[]): void {
    for (const edge of edges) {
      if (edge.open) continue;
      edge.open = true;
      this.#count(edge, 1);
    }
  }

  #count({ dependent, dependency }: RowEdge, by: 1 | -1): void {
    this.#node(dependent).waitsFor += by;
    this.#node(dependency).awaitedBy += by;
  }

  #drop(row: Row, gone: (edge: RowEdge) => boolean): void {
    const node = this.#nodes.get(row);
    if (node === undefined) return;
    for (const edges of [node.dependencies, node.dependents]) {
      const at = edges.findIndex(gone);
      if (at >= 0) edges.splice(at, 1);
    }
    if (node.dependencies.length + node.dependents.length === 0) this.#nodes.delete(row);
  }

  #node(row: Row): Node {
    let node = this.#nodes.get(row);
    if (node === undefined) {
      node = { dependencies: [], dependents: [], waitsFor: 0, awaitedBy: 0 };
      this.#nodes.set(row, node);
    }
    return node;
  }
}
