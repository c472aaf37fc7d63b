import { BodyInvalidProblem } from '../../problem.ts';
import { type Asked, askedOf } from './asked.ts';
import { isObject, type JsonObject, withoutNulls } from './specification.ts';

const ACTIONS = [
  'delete',
  'start',
  'restart',
  'stop',
  'reload',
  'stopAndDelete',
  'updatePlugins',
  'updateProperties',
] as const;
export type BatchAction = (typeof ACTIONS)[number];

/** What a batch shall do. */
export interface BatchRequest {
  readonly action: BatchAction;
  /** Named one by one; null: those that are asked for. */
  readonly ids: readonly string[] | null;
  readonly asked: Asked;
  readonly parameters: JsonObject;
}

const QUERY_KEYS: Readonly<Record<string, string>> = {
  ids: 'ids',
  name: 'name',
  resource: 'resource',
  type: 'type',
  status: 'status',
  template: 'template',
  plugin: 'plugin',
  user: 'user',
  finishedBefore: 'finishedBefore',
  createdAfter: 'createdAfter',
  createdBefore: 'createdBefore',
};

/** Reads the body of a batch. @throws {BodyInvalidProblem} */
export function batchRequestOf(body: unknown): BatchRequest {
  if (!isObject(body)) throw new BodyInvalidProblem([{ path: '', message: 'must be an object' }]);
  const { entity, action, query, actionParameters } = withoutNulls(body);
  const issues = [
    ...(entity === 'task' ? [] : [{ path: 'entity', message: 'must be task' }]),
    ...(ACTIONS.includes(action as BatchAction)
      ? []
      : [{ path: 'action', message: `must be one of ${ACTIONS.join(', ')}` }]),
    ...(isObject(query) ? [] : [{ path: 'query', message: 'must be an object' }]),
    ...(actionParameters === undefined || isObject(actionParameters)
      ? []
      : [{ path: 'actionParameters', message: 'must be an object' }]),
    ...(isObject(query)
      ? Object.keys(query).filter((key) => key !== 'tags' && !Object.hasOwn(QUERY_KEYS, key))
      : []
    ).map((key) => ({ path: `query.${key}`, message: 'is not known' })),
  ];
  if (issues.length > 0) throw new BodyInvalidProblem(issues);
  const fields = withoutNulls(query as JsonObject);
  const values = (name: string): readonly string[] => (Object.hasOwn(fields, name) ? textsOf(fields[name]) : []);
  const tags = isObject(fields.tags)
    ? Object.entries(fields.tags).map(([key, value]) => [key, textsOf(value)] as const)
    : [];
  const commas = (name: string): readonly string[] => (name === 'tags' ? [] : values(name));
  return {
    action: action as BatchAction,
    ids: Array.isArray(fields.ids) && Object.keys(fields).length === 1 ? [...new Set(textsOf(fields.ids))] : null,
    asked: askedOf(commas, new Map(tags)),
    parameters: (actionParameters ?? {}) as JsonObject,
  };
}

/** A tag without a value means any. */
function textsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [''];
  return (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}
