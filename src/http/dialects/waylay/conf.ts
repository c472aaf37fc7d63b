import type { Tag } from '../../../task/record.ts';
import { settingsOf } from './entity.ts';
import { isObject, type JsonObject } from './specification.ts';

/** What of ours a specification is made of. */
interface Source {
  readonly handler: string;
  readonly description: string | null;
  readonly entityId: string | null;
  readonly tags: Readonly<Record<string, Tag>>;
  readonly metadata: unknown;
  /** As the caller may see it. */
  readonly input: unknown;
}

/**
 * The `TaskSpecification` of a task: what was submitted, as far as it was not changed since. One that came another way is
 * shown as if it were from a template; an input that is no object has no place in it, as clients take only objects there.
 * @param type of a task that came another way, with what goes with it
 */
export function confOf(task: Source, type: JsonObject): JsonObject {
  const own = settingsOf(task);
  const { handler, description, entityId, tags, input } = task;
  if (own.rule === true && isObject(input) && input.template === undefined && isObject(input.task)) return input;
  // whoever submits may write what he likes into metadata: what a task has itself is not told by that
  const { rule: _rule, template: _template, name: _name, resource: _resource, ...others } = own;
  const { tags: _tags, variables: _variables, ...settings } = others;
  return {
    template: handler,
    name: description ?? handler,
    ...(own.type === undefined ? type : undefined),
    ...settings,
    ...(entityId === null ? undefined : { resource: entityId }),
    ...(Object.keys(tags).length === 0 ? undefined : { tags }),
    ...(isObject(input) ? { variables: input } : undefined),
  };
}
