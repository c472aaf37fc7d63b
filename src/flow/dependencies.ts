import { checkKeys } from '../bag.ts';
import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import type { DraftEdge } from '../storage/storage.ts';
import { ON_FAILURE, type OnFailure } from './rules.ts';

/**
 * A task that another one waits for: its id, or, among what is submitted together, its `ref`. `onFailure`, default `fail`:
 * what becomes of the other one when it fails or is cancelled.
 */
export type Dependency = string | ({ readonly id: string } & Optional<{ onFailure: OnFailure }>);

/** What most tasks depend on. */
export const NO_DEPENDENCIES: readonly DraftEdge[] = Object.freeze([]);

/** Characters of an id or a `ref`. */
const MAX_ID = 200;
/** More are better made children. */
export const MAX_DEPENDENCIES = 10_000;

/** @throws {OptionError} that names the dependency */
export function parseDependencies(dependsOn: readonly Dependency[]): readonly DraftEdge[] {
  if (!Array.isArray(dependsOn)) throw new OptionError('dependsOn', 'an array', dependsOn);
  if (dependsOn.length > MAX_DEPENDENCIES) {
    throw new OptionError('dependsOn', `at most ${MAX_DEPENDENCIES} tasks`, dependsOn.length);
  }
  const seen = new Set<string>();
  return dependsOn.map((dependency: Dependency, index) => {
    const option = `dependsOn.${index}`;
    const edge = parseDependency(option, dependency);
    if (seen.has(edge.id)) throw new OptionError(option, 'another task than those before it', edge.id);
    seen.add(edge.id);
    return edge;
  });
}

function parseDependency(option: string, dependency: Dependency): DraftEdge {
  if (typeof dependency === 'string') return { id: parseRef(option, dependency), onFailure: 'fail' };
  if (dependency === null || typeof dependency !== 'object') {
    throw new OptionError(option, 'an id, or { id, onFailure }', dependency);
  }
  checkKeys(option, dependency, ['id', 'onFailure']);
  const { id, onFailure } = dependency;
  return { id: parseRef(`${option}.id`, id), onFailure: parseOnFailure(`${option}.onFailure`, onFailure) };
}

/** An id, or the name of a task among what is submitted together. @throws {OptionError} */
export function parseRef(option: string, ref: unknown): string {
  if (typeof ref === 'string' && ref.length > 0 && ref.length <= MAX_ID && ref.isWellFormed()) return ref;
  throw new OptionError(option, `well-formed text of 1 to ${MAX_ID} characters`, ref);
}

/** @throws {OptionError} */
export function parseOnFailure(option: string, onFailure: OnFailure | undefined): OnFailure {
  if (onFailure === undefined) return 'fail';
  if (ON_FAILURE.includes(onFailure)) return onFailure;
  throw new OptionError(option, "'fail', 'skip' or 'run'", onFailure);
}
