import type { InputIssue } from '../../../errors.ts';
import { BodyInvalidProblem } from '../../problem.ts';
import { type Asked, type Asking, askedFor } from './asked.ts';
import { parameterIssues } from './properties.ts';
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
/** What may be done with many tasks. */
export type BatchAction = (typeof ACTIONS)[number];

/** What a batch shall do. */
export interface BatchRequest {
  readonly action: BatchAction;
  /** Named one by one; null: those that are asked for. */
  readonly ids: readonly string[] | null;
  readonly asked: Asked;
  readonly parameters: JsonObject;
}

/** What a query may have beside `tags`. */
const QUERY_KEYS: readonly string[] = [
  'ids',
  'name',
  'resource',
  'type',
  'status',
  'template',
  'plugin',
  'user',
  'finishedBefore',
  'createdAfter',
  'createdBefore',
];

/** Reads the body of a batch. @throws {BodyInvalidProblem} */
export async function batchRequestOf(body: unknown, asking: Asking): Promise<BatchRequest> {
  if (!isObject(body)) throw new BodyInvalidProblem([{ path: '', message: 'must be an object' }]);
  const { entity, action, query, actionParameters } = withoutNulls(body);
  const issues = [
    ...(entity === 'task' ? [] : [{ path: 'entity', message: 'must be task' }]),
    ...(ACTIONS.includes(action as BatchAction)
      ? []
      : [{ path: 'action', message: `must be one of ${ACTIONS.join(', ')}` }]),
    ...(isObject(query) ? [] : [{ path: 'query', message: 'must be an object' }]),
    ...(actionParameters === undefined || isObject(actionParameters)
      ? parameterIssues(action, (actionParameters ?? {}) as JsonObject)
      : [{ path: 'actionParameters', message: 'must be an object' }]),
    ...(isObject(query) ? queryIssues(withoutNulls(query), Object.keys(query)) : []),
  ];
  if (issues.length > 0) throw new BodyInvalidProblem(issues);
  const { tags = {}, ids, ...fields } = withoutNulls(query as JsonObject);
  const texts = Object.entries(fields).map(([key, value]) => [key, textsOf(value)] as const);
  const wantedTags = Object.entries(tags as JsonObject).map(([key, value]) => [key, textsOf(value)] as const);
  // an empty list names none: it must not mean all
  const named = ids === undefined ? null : [...new Set(ids as readonly string[])];
  const isAlone = texts.length === 0 && wantedTags.length === 0;
  const asked = await askedFor(new Map(texts), new Map(wantedTags), asking);
  return {
    action: action as BatchAction,
    ids: isAlone || named?.length === 0 ? named : null,
    asked: { ...asked, ids: named },
    parameters: (actionParameters ?? {}) as JsonObject,
  };
}

function queryIssues(query: JsonObject, keys: readonly string[]): readonly InputIssue[] {
  const { ids, tags } = query;
  const isIds = ids === undefined || (Array.isArray(ids) && ids.every((id) => typeof id === 'string'));
  return [
    ...keys
      .filter((key) => key !== 'tags' && !QUERY_KEYS.includes(key))
      .map((key) => ({ path: `query.${key}`, message: 'is not known' })),
    ...(isIds ? [] : [{ path: 'query.ids', message: 'must be a list of text' }]),
    ...(tags === undefined || isObject(tags) ? [] : [{ path: 'query.tags', message: 'must be an object' }]),
  ];
}

/** A tag without a value means any. */
function textsOf(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [''];
  return (Array.isArray(value) ? value : [value]).map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}
