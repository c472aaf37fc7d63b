import { OptionError } from '../errors.ts';
import type { TaskWarning } from '../events.ts';
import type { FlowGraph } from '../flow/graph.ts';
import { DEFAULT_WEIGHT, type Shares } from '../flow/shares.ts';
import type { Checked } from './check.ts';
import { isShowing } from './draft.ts';

/** The parent was there before, and only the storage knew what it shows. */
export const UNCOUNTED: TaskWarning = {
  code: 'weight_uncounted',
  message: 'Its parent does not show the progress of its children: the `weight` counts for nothing.',
};

/**
 * A weight counts in the progress of a parent, or it is a mistake.
 * @param path of the option @throws {OptionError}
 */
export function requireParent(weight: number | undefined, hasParent: boolean, path = 'weight'): void {
  if (weight !== undefined && !hasParent) throw new OptionError(path, 'left out of what has no parent', weight);
}

/** The same of what is submitted together. @param hasParent a running task makes it @throws {OptionError} that names the item */
export function checkWeights(graph: FlowGraph, checked: readonly Checked[], hasParent: boolean): void {
  for (const [place, { item, parent }] of graph.nodes.entries()) {
    const { weight, parentId } = item;
    if (weight === undefined) continue;
    const path = graph.pathOf(place, 'weight');
    if (parent === null) requireParent(weight, hasParent || parentId !== undefined, path);
    const above = parent === null ? undefined : checked[parent];
    if (above !== undefined && !isShowing(above.handler, above.options)) {
      throw new OptionError(path, "left out, or the parent has `progress: 'children'`", weight);
    }
  }
}

/** Of children that are about to be made. */
export function sharesOf(places: readonly number[], checked: readonly Checked[]): Shares {
  const weights = places.map((place) => checked[place]?.options.weight ?? DEFAULT_WEIGHT);
  return { weight: weights.reduce((sum, each) => sum + each, 0), done: 0, total: weights.length, ended: 0 };
}
