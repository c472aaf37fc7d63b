import type { JsonValue } from '../../../task/json.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { BodyInvalidProblem, HttpProblem, toProblem } from '../../problem.ts';
import { type Asked, askedOf } from './asked.ts';
import type { Entities, Found } from './entities.ts';
import { statusCodeOf, textOf } from './refuse.ts';
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
type BatchAction = (typeof ACTIONS)[number];

/** What a batch shall do. */
export interface BatchRequest {
  readonly action: BatchAction;
  /** Named one by one; null: those that are asked for. */
  readonly ids: readonly string[] | null;
  readonly asked: Asked;
  readonly parameters: JsonObject;
}

/** How a batch stands, as it is stored and answered. */
export interface Batch {
  readonly id: string;
  readonly user: string;
  readonly operation: { readonly entity: 'task'; readonly action: string; readonly description: string };
  /** Epoch ms. */
  readonly queueTime: number;
  readonly finishedTime?: number;
  readonly results?: BatchResults;
}

interface BatchResults {
  readonly success: Readonly<Record<string, { readonly statusCode: number }>>;
  readonly failure: Readonly<Record<string, { readonly statusCode: number; readonly error: string }>>;
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

/** Does the same with many tasks, one after the other, and keeps what became of each. */
export class Batches {
  readonly #context: HttpContext;
  readonly #entities: Entities;

  constructor(context: HttpContext, entities: Entities) {
    this.#context = context;
    this.#entities = entities;
  }

  /** Begins one; it goes on by itself. @param ids what it is about */
  async begin(
    caller: Caller,
    user: string,
    { action, parameters }: BatchRequest,
    ids: readonly string[],
  ): Promise<Batch> {
    const { inside } = this.#context;
    const description = `${action} of ${ids.length} ${ids.length === 1 ? 'task' : 'tasks'}`;
    const operation = { entity: 'task', action: action === 'stopAndDelete' ? 'delete' : action, description } as const;
    const begun = { user, operation, queueTime: inside.now() };
    const id = await inside.bulks.put(stored(begun));
    this.#run(caller, action, parameters, ids)
      .then((results) => inside.bulks.put(stored({ ...begun, finishedTime: inside.now(), results }), id))
      .catch(() => {}); // the storage is closed: it is told of as one that goes on
    return { id, ...begun };
  }

  /** @throws {HttpProblem} 404 also for somebody else's */
  async get(caller: Caller, user: string, id: string): Promise<Batch> {
    const batch = (await this.#context.inside.bulks.get(id)) as Omit<Batch, 'id'> | null;
    if (batch === null || (caller.scope !== null && batch.user !== user)) {
      throw new HttpProblem('task_not_found', `No batch operation with id '${id.slice(0, 200)}'`);
    }
    return { id, ...batch };
  }

  async #run(
    caller: Caller,
    action: BatchAction,
    parameters: JsonObject,
    ids: readonly string[],
  ): Promise<BatchResults> {
    const success: [string, { statusCode: number }][] = [];
    const failure: [string, { statusCode: number; error: string }][] = [];
    for (const id of ids) {
      try {
        const task = await this.#entities.find(caller, id);
        success.push([id, { statusCode: await this.#do(caller, action, parameters, task) }]);
      } catch (error) {
        const problem = toProblem(error);
        failure.push([id, { statusCode: statusCodeOf(problem), error: textOf(problem) }]);
      }
    }
    return { success: Object.fromEntries(success), failure: Object.fromEntries(failure) };
  }

  /** @returns the status that the same would have by itself */
  async #do(caller: Caller, action: BatchAction, parameters: JsonObject, task: Found): Promise<number> {
    switch (action) {
      case 'start':
        await this.#entities.start(caller, task);
        return 200;
      case 'stop':
        await this.#entities.stop(caller, task);
        return 200;
      case 'restart':
      case 'reload':
        await this.#entities.restart(caller, task);
        return 200;
      case 'delete':
      case 'stopAndDelete':
        await this.#entities.remove(caller, task, action === 'stopAndDelete');
        return 204;
      default:
        await this.#entities.update(caller, task, parameters);
        return 200;
    }
  }
}

function stored(batch: Omit<Batch, 'id'>): JsonValue {
  return batch as unknown as JsonValue;
}
