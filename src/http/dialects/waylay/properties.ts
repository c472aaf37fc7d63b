import type { InputIssue } from '../../../errors.ts';
import { isTag } from '../../../task/query.ts';
import type { Tag, TaskRecord } from '../../../task/record.ts';
import { settingsOf } from './entity.ts';
import { isObject, type JsonObject, type Specification } from './specification.ts';

/** What `updateProperties` changes. Null in `variables` or `tags` takes one away; what is undefined stays. */
export interface Properties {
  readonly name?: string;
  readonly resource?: string;
  readonly variables?: JsonObject;
  readonly tags?: Readonly<Record<string, Tag | null>>;
  /** `parallel`, `resetObservations` and `gatesNeedFullObservation`. */
  readonly flags: Readonly<Record<string, boolean>>;
}

const FLAGS = ['gatesNeedFullObservation', 'resetObservations', 'parallel'] as const;

/** What is wrong with the parameters of an action that takes some. */
export function parameterIssues(action: unknown, parameters: JsonObject): readonly InputIssue[] {
  const issues: InputIssue[] = [];
  const add = (path: string, message: string) => issues.push({ path: `actionParameters${path}`, message });
  if (action === 'updateProperties') {
    const { name, resource, variables, tags } = parameters;
    for (const [key, value] of Object.entries({ name, resource })) {
      if (value !== undefined && (typeof value !== 'string' || value === '')) add(`.${key}`, 'must be text');
    }
    for (const [key, value] of Object.entries({ variables, tags })) {
      if (value !== undefined && !isObject(value)) add(`.${key}`, 'must be an object');
    }
    for (const [key, tag] of Object.entries(isObject(tags) ? tags : {})) {
      if (tag !== null && !isTag(tag)) add(`.tags.${key}`, 'must be text, a number, a boolean or null');
    }
    for (const key of FLAGS) {
      if (parameters[key] !== undefined && typeof parameters[key] !== 'boolean')
        add(`.${key}`, 'must be true or false');
    }
    const known = ['name', 'resource', 'variables', 'tags', ...FLAGS];
    if (!known.some((key) => parameters[key] !== undefined)) add('', `must have one of ${known.join(', ')}`);
  }
  if (action === 'updatePlugins') {
    const updates = parameters.updates === undefined ? [parameters] : parameters.updates;
    const isUpdate = (one: unknown): boolean =>
      isObject(one) && ['name', 'fromVersion', 'toVersion'].every((key) => typeof one[key] === 'string');
    if (!Array.isArray(updates) || !updates.every(isUpdate)) {
      add('.updates', 'must be a list of { name, fromVersion, toVersion }');
    }
  }
  return issues;
}

/** Parameters that were found in order. */
export function propertiesOf(parameters: JsonObject): Properties {
  const { name, resource, variables, tags } = parameters as Partial<Properties>;
  return {
    ...(name === undefined ? undefined : { name }),
    ...(resource === undefined ? undefined : { resource }),
    ...(variables === undefined ? undefined : { variables }),
    ...(tags === undefined ? undefined : { tags }),
    flags: Object.fromEntries(FLAGS.flatMap((key) => (key in parameters ? [[key, parameters[key] as boolean]] : []))),
  };
}

/** The keys of both, those that are null left out. */
function merged<Value>(
  before: Readonly<Record<string, Value>>,
  changes: Readonly<Record<string, Value | null>> = {},
): Readonly<Record<string, Value>> {
  const all = Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null);
  return Object.fromEntries(all) as Readonly<Record<string, Value>>;
}

/** The input with other variables, and of a rule of its own with all else that it says of itself. */
function changedInput(
  { input, metadata }: { readonly input: unknown; readonly metadata: unknown },
  properties: Properties,
): unknown {
  const { variables, flags, tags, name, resource } = properties;
  const before = isObject(input) ? input : {};
  if (settingsOf({ metadata }).rule !== true) return variables === undefined ? input : merged(before, variables);
  const task = isObject(before.task) ? before.task : {};
  const changed = {
    ...task,
    ...(name === undefined ? undefined : { name }),
    ...(resource === undefined ? undefined : { resource }),
    ...(variables === undefined
      ? undefined
      : { variables: merged(isObject(task.variables) ? task.variables : {}, variables) }),
    ...(tags === undefined
      ? undefined
      : { tags: merged((isObject(task.tags) ? task.tags : {}) as Record<string, Tag>, tags) }),
    ...flags,
  };
  return { ...before, task: changed };
}

/** A task, or what a schedule makes, as it would be. */
export function changedTask(task: TaskRecord, properties: Properties): TaskRecord {
  const { name, resource, tags, flags } = properties;
  const own = settingsOf(task);
  const metadata = isObject(task.metadata) ? task.metadata : {};
  return {
    ...task,
    input: changedInput(task, properties),
    description: name ?? task.description,
    entityId: resource ?? task.entityId,
    tags: merged(task.tags, tags),
    metadata: Object.keys(flags).length === 0 ? task.metadata : { ...metadata, waylay: { ...own, ...flags } },
  };
}

/**
 * What a schedule is made of that is to take the place of a task: what the task is, whatever its metadata, which whoever submits
 * it writes, says of that.
 */
export function specificationFor(task: TaskRecord, start: boolean): Specification {
  const { handler, input, description, entityId, tags, metadata } = task;
  const own = isObject(metadata) ? metadata : {};
  return {
    handler,
    input,
    name: description ?? handler,
    type: 'onetime',
    start,
    resource: entityId,
    tags,
    metadata: { ...own, waylay: { ...settingsOf(task), type: 'onetime' } },
    frequency: null,
    cron: null,
    rrule: null,
    timeZone: null,
  };
}
