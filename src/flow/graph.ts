import { OptionError } from '../errors.ts';
import type { AnyTask } from '../handler/define.ts';
import type { DraftEdge } from '../storage/storage.ts';
import type { SubmitOptions } from '../submit/options.ts';
import type { ChildOptions } from './children.ts';
import { parseOnFailure, parseRef } from './dependencies.ts';

/**
 * One task of what is submitted together. `ref`: what the others call it in their `dependsOn`. `onFailure`, of a child: what
 * becomes of its parent when it fails or is cancelled; default `fail`.
 */
export interface FlowItem extends SubmitOptions<readonly FlowItem[]>, ChildOptions {
  readonly handler: AnyTask | string;
  readonly input?: unknown;
}

/** What an item may say beside the options of a submit. */
export const ITEM_KEYS: readonly string[] = ['handler', 'input', 'ref', 'onFailure'];

/** One task of a flow. */
export interface FlowNode {
  readonly item: FlowItem;
  /** Its place in the list it was found in. */
  readonly index: number;
  /** The place of its parent among the nodes; null: it is at the top. */
  readonly parent: number | null;
}

/** Tasks that are submitted together: who is whose child, and what they call each other. */
export class FlowGraph {
  /** Parents before their children, and otherwise as they were submitted. */
  readonly nodes: readonly FlowNode[];
  /** Where the items were found; null: there is one, and it is what was submitted. */
  readonly #path: string | null;
  readonly #refs = new Map<string, number>();
  #families = false;

  /** @throws {OptionError} that names the item */
  constructor(items: readonly FlowItem[], path: string | null) {
    const nodes: FlowNode[] = [];
    this.nodes = nodes;
    this.#path = path;
    const left: FlowNode[] = [];
    // No recursion: a flow may be as deep as it likes.
    const add = (list: readonly FlowItem[], parent: number | null): void => {
      for (let index = list.length - 1; index >= 0; index--)
        left.push({ item: list[index] as FlowItem, index, parent });
    };
    add(items, null);
    for (let node = left.pop(); node !== undefined; node = left.pop()) {
      const place = nodes.push(node) - 1;
      const children = this.#check(node, place);
      if (children === undefined) continue;
      this.#families = true;
      add(children, place);
    }
  }

  /** Of an option of a node, such as `items.2.children.0.ref`. */
  pathOf(place: number, option?: string): string {
    const parts = option === undefined ? [] : [option];
    for (let node = this.nodes[place]; node !== undefined; node = this.nodes[node.parent ?? -1]) {
      if (node.parent !== null) parts.unshift('children', String(node.index));
      else if (this.#path !== null) parts.unshift(this.#path, String(node.index));
    }
    return parts.join('.');
  }

  /**
   * What each node depends on, refs as ids, its children among it; empty: no node depends on any.
   * @param dependsOn by node, as it was submitted
   * @param ids by node
   * @param firstsOf by node: the one that answers for it, itself where it is made; asked for where there are edges
   * @throws {OptionError} that names the item whose dependencies lead back to it
   */
  edges(
    dependsOn: readonly (readonly DraftEdge[])[],
    ids: readonly string[],
    firstsOf: () => readonly number[],
  ): readonly (readonly DraftEdge[])[] {
    if (!this.#families && dependsOn.every((edges) => edges.length === 0)) return [];
    const locals = this.nodes.map((): number[] => []);
    const edges = this.nodes.map((): Map<string, DraftEdge> => new Map());
    for (const [place, { item, parent }] of this.nodes.entries()) {
      const id = ids[place] ?? '';
      if (parent !== null) {
        locals[parent]?.push(place);
        edges[parent]?.set(id, { id, onFailure: item.onFailure ?? 'fail' });
      }
    }
    for (const [place, named] of dependsOn.entries()) {
      for (const { id, onFailure } of named) {
        const target = this.#refs.get(id);
        if (target !== undefined) locals[place]?.push(target);
        const to = target === undefined ? id : (ids[target] ?? id);
        if (edges[place]?.has(to))
          throw new OptionError(this.pathOf(place, 'dependsOn'), 'without its own children', id);
        edges[place]?.set(to, { id: to, onFailure });
      }
    }
    this.#refuseCircles(locals);
    const firsts = firstsOf();
    if (firsts.some((first, place) => first !== place)) {
      // What another one answers for is not made, and waits for nothing.
      const made = locals.map((targets, place) =>
        firsts[place] === place ? targets.map((to) => firsts[to] ?? to) : [],
      );
      this.#refuseCircles(made);
    }
    return edges.map((of) => [...of.values()]);
  }

  /** The places of a node's children. */
  childrenOf(place: number): readonly number[] {
    return this.below(place)
      .filter(([depth]) => depth === 1)
      .map(([, at]) => at);
  }

  /** The nodes below one, with how deep they are: what the same submit has again. */
  below(place: number): readonly (readonly [depth: number, place: number])[] {
    const found: [number, number][] = [];
    const depths = new Map([[place, 0]]);
    for (let at = place + 1; at < this.nodes.length; at++) {
      const depth = depths.get(this.nodes[at]?.parent ?? -1);
      if (depth === undefined) break; // what is below a node follows it
      depths.set(at, depth + 1);
      found.push([depth + 1, at]);
    }
    return found;
  }

  /** @returns its children, if it has any */
  #check({ item, parent }: FlowNode, place: number): readonly FlowItem[] | undefined {
    if (item === null || typeof item !== 'object') throw new OptionError(this.pathOf(place), 'an object', item);
    const { ref, onFailure, children, parentId } = item;
    if (onFailure !== undefined) {
      if (parent === null)
        throw new OptionError(this.pathOf(place, 'onFailure'), 'left out of what is no child', onFailure);
      parseOnFailure(this.pathOf(place, 'onFailure'), onFailure);
    }
    if (parent !== null && parentId !== undefined) {
      throw new OptionError(this.pathOf(place, 'parentId'), 'left out of a child', parentId);
    }
    if (ref !== undefined) {
      const path = this.pathOf(place, 'ref');
      if (this.#refs.has(parseRef(path, ref))) throw new OptionError(path, 'a name that no other item has', ref);
      this.#refs.set(ref, place);
    }
    if (children === undefined) return undefined;
    if (!Array.isArray(children)) throw new OptionError(this.pathOf(place, 'children'), 'an array', children);
    return children.length === 0 ? undefined : children;
  }

  /** Walks along the dependencies: whoever comes back to where it is, waits for itself. */
  #refuseCircles(locals: readonly (readonly number[])[]): void {
    const done = new Set<number>();
    for (const start of locals.keys()) {
      if (done.has(start)) continue;
      const walk: { readonly place: number; next: number }[] = [{ place: start, next: 0 }];
      const onWay = new Set([start]);
      for (let top = walk.at(-1); top !== undefined; top = walk.at(-1)) {
        const to = locals[top.place]?.[top.next++];
        if (to === undefined) {
          walk.pop();
          onWay.delete(top.place);
          done.add(top.place);
        } else if (onWay.has(to)) {
          const circle = walk.slice(walk.findIndex(({ place }) => place === to)).map(({ place }) => place);
          throw this.#circle([...circle, to]);
        } else if (!done.has(to)) {
          walk.push({ place: to, next: 0 });
          onWay.add(to);
        }
      }
    }
  }

  #circle(places: readonly number[]): OptionError {
    const names = places
      .slice(0, MAX_NAMED)
      .map((place) => this.nodes[place]?.item.ref ?? (this.pathOf(place) || 'the task'));
    return new OptionError(this.pathOf(places[0] ?? 0, 'dependsOn'), 'free of circles', names.join(' -> '));
  }
}

/** Of a circle so many are named. */
const MAX_NAMED = 20;
