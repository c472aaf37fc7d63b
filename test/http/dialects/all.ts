import type { Status, TaskRecord } from 'tasklane';
import { backgroundTask, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import type { Dialect } from 'tasklane/http';
import { CHALLENGE } from './contract.ts';
import type { State } from './world.ts';

/** What a dialect says of a task, in our words. */
interface View {
  /** Of ours, all that what it says may mean. */
  readonly statuses: readonly Status[];
  /** How far it is, 0 to 1, and how exactly that is told. */
  readonly fraction?: readonly [value: number, exactTo: number];
  /** Epoch ms, and how exactly that is told; null: it says that there is none. */
  readonly times: Readonly<Partial<Record<TimeKey, readonly [value: number | null, exactTo: number]>>>;
}
export type TimeKey = 'createdAt' | 'startedAt' | 'finishedAt' | 'updatedAt';

/** Who is answered what: nobody, a stranger, the owner of the task, an administrator, one who may only read all. */
type Rights = readonly [nobody: number, stranger: number, owner: number, admin: number, reader: number];

/** A route, with what the tests that run over all of them need. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  /** `{id}`: the task's, in the dialect's form. */
  readonly path: string;
  /** What the task is like with which it succeeds; the owner's. */
  readonly task: Exclude<State, 'none'>;
  readonly body?: unknown;
  /** Query parameters it reads, with values that are right. */
  readonly query?: Readonly<Record<string, readonly string[]>>;
  readonly rights: Rights;
}

/** A dialect, for the tests that run over all of them: rights, fuzz, agreement, adapters. */
export interface DialectFacts {
  readonly name: string;
  readonly make: () => Dialect;
  /** The dialect's id of a task. */
  readonly idOf: (task: TaskRecord) => string;
  readonly operations: readonly Operation[];
  /** Where the same operation is served beside its path; left out: nowhere else. */
  readonly alias?: (path: string) => string;
  /** The media type of errors, and whether a body is one in the dialect's form. */
  readonly errorType: string;
  /** What a 401 asks for. */
  readonly challenge: string;
  readonly isError: (body: unknown, status: number) => boolean;
  /** The path of a task, and the key of the answer that is its absolute URL; left out: there is none. */
  readonly self?: (id: string) => readonly [path: string, key: string];
  /** A path below its roots that has no route. */
  readonly lost: string;
  /** @param get answers the JSON of a path */
  readonly view: (get: (path: string) => Promise<unknown>, task: TaskRecord) => Promise<View>;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const hasOnly = (value: unknown, ...keys: readonly string[]): value is Record<string, unknown> =>
  isObject(value) && Object.keys(value).join() === keys.join();
const timeOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);

const dateOf = (value: unknown): number | null => (typeof value === 'string' ? Date.parse(value) : null);

const jiraFacts: DialectFacts = {
  name: 'jira',
  make: () => jira(),
  idOf: ({ id }) => id,
  self: (id) => [`/rest/api/3/task/${id}`, 'self'],
  lost: '/rest/api/3/task/1/log',
  alias: (path) => path.replace('/rest/api/3/', '/rest/api/2/'),
  operations: [
    {
      id: 'getTask',
      method: 'GET',
      path: '/rest/api/3/task/{id}',
      task: 'queued',
      rights: [401, 404, 200, 200, 200],
    },
    {
      id: 'cancelTask',
      method: 'POST',
      path: '/rest/api/3/task/{id}/cancel',
      task: 'queued',
      rights: [401, 404, 202, 202, 403],
    },
  ],
  errorType: 'application/json',
  challenge: CHALLENGE,
  isError: (body) =>
    hasOnly(body, 'errorMessages', 'errors') && Array.isArray(body.errorMessages) && isObject(body.errors),
  async view(get, { id, status, error }) {
    const bean = (await get(`/rest/api/3/task/${id}`)) as Record<string, unknown>;
    const isLost = status === 'failed' && error?.code === 'lost';
    if ((bean.status === 'DEAD') !== isLost) throw new Error('What is lost, and nothing else, is DEAD.');
    const statuses: Readonly<Record<string, readonly Status[]>> = {
      ENQUEUED: ['waiting', 'scheduled', 'queued'],
      RUNNING: ['running'],
      CANCEL_REQUESTED: ['cancelling'],
      COMPLETE: ['succeeded'],
      FAILED: ['failed'],
      DEAD: ['failed'],
      CANCELLED: ['cancelled'],
    };
    return {
      statuses: statuses[String(bean.status)] ?? [],
      fraction: [Number(bean.progress) / 100, 0.01],
      times: {
        createdAt: [timeOf(bean.submitted), 1],
        startedAt: [timeOf(bean.started), 1],
        finishedAt: [timeOf(bean.finished), 1],
        updatedAt: [timeOf(bean.lastUpdate), 1],
      },
    };
  },
};

const backgroundTaskFacts: DialectFacts = {
  name: 'backgroundTask',
  make: () => backgroundTask(),
  idOf: ({ id, handler }) => `${handler}-${id.slice(-27)}`,
  self: (id) => [`/api/backgroundtask/${id}`, 'Self'],
  lost: '/api/backgroundtask',
  operations: [
    {
      id: 'get',
      method: 'GET',
      path: '/api/backgroundtask/{id}',
      task: 'queued',
      rights: [401, 404, 200, 200, 200],
    },
  ],
  errorType: 'application/json; charset=utf-8',
  challenge: CHALLENGE,
  isError: (body) => hasOnly(body, 'Message') && typeof body.Message === 'string',
  async view(get, { id, startedAt }) {
    const document = (await get(`/api/backgroundtask/${id}`)) as Record<string, unknown>;
    const { Complete, Error: reason, StartedAt, FinishedAt, ProgressInPercent } = document;
    const ended: readonly Status[] = reason === undefined ? ['succeeded'] : ['failed', 'cancelled'];
    return {
      statuses: Complete ? ended : ['waiting', 'scheduled', 'queued', 'running', 'cancelling'],
      fraction: [Number(ProgressInPercent), 1e-9],
      times: {
        [startedAt === null ? 'createdAt' : 'startedAt']: [dateOf(StartedAt), 1_000],
        finishedAt: [dateOf(FinishedAt), 1_000],
      },
    };
  },
};

const QUERY = {
  limit: ['1', '50', '250', '0', '251', 'ten', ''],
  order: ['ascending', 'descending', 'up'],
  iterator: ['', '-', `qtask_${'0'.repeat(27)}`, `-qtask_${'z'.repeat(27)}`, `task_${'A'.repeat(27)}`, 'x'],
  status: ['running', 'finished,failed', 'queued'],
  task: ['endpoint.replay', 'application.stats', 'reindex'],
};

const svixFacts: DialectFacts = {
  name: 'svix',
  make: () => svix(),
  idOf: ({ id }) => `qtask_${id.slice(-27)}`,
  lost: '/api/v1/background-task/1/2',
  operations: [
    {
      id: 'list',
      method: 'GET',
      path: '/api/v1/background-task',
      task: 'queued',
      query: QUERY,
      rights: [401, 200, 200, 200, 200],
    },
    {
      id: 'list, 1.4',
      method: 'GET',
      path: '/api/v1/background-task/',
      task: 'queued',
      query: QUERY,
      rights: [401, 200, 200, 200, 200],
    },
    {
      id: 'get',
      method: 'GET',
      path: '/api/v1/background-task/{id}',
      task: 'queued',
      rights: [401, 404, 200, 200, 200],
    },
    {
      id: 'get, 1.4',
      method: 'GET',
      path: '/api/v1/background-task/{id}/',
      task: 'queued',
      rights: [401, 404, 200, 200, 200],
    },
  ],
  errorType: 'application/json',
  challenge: 'Bearer',
  isError: (body, status) =>
    status === 422
      ? hasOnly(body, 'detail') &&
        Array.isArray(body.detail) &&
        body.detail.every((one: unknown) => hasOnly(one, 'loc', 'msg', 'type'))
      : hasOnly(body, 'code', 'detail') && typeof body.code === 'string' && typeof body.detail === 'string',
  async view(get, { id, handler }) {
    const item = (await get(`/api/v1/background-task/${id}`)) as Record<string, unknown>;
    const list = (await get('/api/v1/background-task?limit=250')) as { readonly data: readonly unknown[] };
    const listed = list.data.find((one) => isObject(one) && one.id === item.id);
    if (JSON.stringify(listed) !== JSON.stringify(item)) throw new Error('The list says something else.');
    const data = item.data as Record<string, unknown>;
    if (data.handler !== handler) throw new Error('`data` does not name the handler.');
    const statuses: Readonly<Record<string, readonly Status[]>> = {
      running: ['waiting', 'scheduled', 'queued', 'running', 'cancelling'],
      finished: ['succeeded'],
      failed: ['failed', 'cancelled'],
    };
    const { fraction } = (data.progress ?? { fraction: 0 }) as { readonly fraction: number | null };
    return {
      statuses: statuses[String(item.status)] ?? [],
      ...(item.status === 'running' ? { fraction: [fraction ?? 0, 1e-9] as const } : undefined),
      times: { updatedAt: [dateOf(item.updatedAt), 1] },
    };
  },
};

const taskV2Facts: DialectFacts = {
  name: 'taskV2',
  make: () => taskV2(),
  idOf: ({ id }) => id,
  lost: '/v2/task/restart/1',
  alias: (path) => path.replace('/{id}', '?id={id}'),
  operations: [
    {
      id: 'index',
      method: 'POST',
      path: '/v2/task/index',
      task: 'queued',
      body: {
        filter: {
          handler: 'reindex',
          user_id: 'owner',
          entity_id: null,
          status: 'pending',
          request: '{"folder":"docs"}',
          created_at: '2024-01-01',
        },
        'per-page': 10,
        page: 1,
        sort: '-created_at',
        history: true,
      },
      query: { page: ['1', '0'], 'per-page': ['7', 'x'], sort: ['status', '-request', 'owner'] },
      rights: [401, 200, 200, 200, 200],
    },
    {
      id: 'create',
      method: 'POST',
      path: '/v2/task/create',
      task: 'queued',
      body: { handler: 'reindex', entity_id: 'e-1', status: 'pending', request: '{"folder":"docs"}' },
      rights: [401, 201, 201, 201, 403],
    },
    { id: 'view', method: 'GET', path: '/v2/task/view/{id}', task: 'queued', rights: [401, 404, 200, 200, 200] },
    {
      id: 'view, ?id=',
      method: 'GET',
      path: '/v2/task/view?id={id}',
      task: 'queued',
      rights: [401, 404, 200, 200, 200],
    },
    {
      id: 'update',
      method: 'PUT',
      path: '/v2/task/update/{id}',
      task: 'queued',
      body: { entity_id: 'e-2', status: 'completed', response: '{"files":10}' },
      rights: [401, 404, 200, 200, 403],
    },
    {
      id: 'delete',
      method: 'DELETE',
      path: '/v2/task/delete/{id}',
      task: 'queued',
      query: { force: ['true', 'false', 'perhaps'] },
      rights: [401, 404, 204, 204, 403],
    },
  ],
  errorType: 'application/json',
  challenge: 'Bearer',
  isError: (body, status) =>
    status === 422
      ? Array.isArray(body) && body.length > 0 && body.every((one: unknown) => hasOnly(one, 'field', 'message'))
      : hasOnly(body, 'name', 'message', 'code', 'status', 'type') && body.status === status,
  async view(get, { id, handler, submittedBy, entityId }) {
    const document = (await get(`/v2/task/view/${id}`)) as Record<string, unknown>;
    if (document.handler !== handler || document.entity_id !== entityId || document.user_id !== (submittedBy ?? '')) {
      throw new Error('It is another task.');
    }
    const statuses: Readonly<Record<string, readonly Status[]>> = {
      pending: ['waiting', 'scheduled', 'queued'],
      running: ['running', 'cancelling'],
      completed: ['succeeded'],
      failed: ['failed'],
      cancelled: ['cancelled'],
    };
    return {
      statuses: statuses[String(document.status)] ?? [],
      times: {
        createdAt: [dateOf(document.created_at), 86_400_000],
        updatedAt: [dateOf(document.updated_at), 86_400_000],
      },
    };
  },
};

const SPECIFICATION = {
  template: 'reindex',
  name: 'Reindex',
  type: 'onetime',
  start: false,
  resource: 'docs',
  tags: { env: 'prod' },
  variables: { folder: 'docs' },
};

const waylayFacts: DialectFacts = {
  name: 'waylay',
  make: () => waylay(),
  idOf: ({ id }) => id,
  lost: '/rules/v1/tasks/1/nodes',
  alias: (path) => path.replace('/rules/v1/', '/api/'),
  operations: [
    {
      id: 'create',
      method: 'POST',
      path: '/rules/v1/tasks',
      task: 'queued',
      body: SPECIFICATION,
      query: { failOnWarning: ['true', 'no'], returnWarnings: ['true', 'false', ''] },
      rights: [401, 201, 201, 201, 403],
    },
    {
      id: 'list',
      method: 'GET',
      path: '/rules/v1/tasks',
      task: 'queued',
      query: {
        hits: ['0', '10', '2000', 'ten'],
        startIndex: ['0', '3', '-1'],
        format: ['bn', 'simplified', 'xml'],
        type: ['onetime', 'periodic', 'once'],
        status: ['running', 'stopped', 'failed', 'pending', 'done'],
        name: ['reindex'],
        resource: ['docs'],
        resourceType: ['folder'],
        plugin: ['reader'],
        template: ['reindex', 'import'],
        ids: ['a,b', ''],
        filter: ['EIN', ''],
        tags: ['env', ''],
        'tags.env': ['prod', ''],
        finishedBefore: ['0', '99999999999999', 'now'],
        createdAfter: ['0', ''],
        includeHealth: ['true', 'yes'],
      },
      rights: [401, 200, 200, 200, 200],
    },
    { id: 'count', method: 'HEAD', path: '/rules/v1/tasks', task: 'queued', rights: [401, 200, 200, 200, 200] },
    { id: 'get', method: 'GET', path: '/rules/v1/tasks/{id}', task: 'queued', rights: [401, 404, 200, 200, 200] },
    { id: 'get, older', method: 'GET', path: '/api/tasks/{id}', task: 'queued', rights: [401, 404, 200, 200, 200] },
    { id: 'conf', method: 'GET', path: '/rules/v1/tasks/{id}/conf', task: 'queued', rights: [401, 404, 200, 200, 200] },
    {
      id: 'replace',
      method: 'PUT',
      path: '/rules/v1/tasks/{id}',
      task: 'held',
      body: SPECIFICATION,
      rights: [401, 404, 200, 200, 403],
    },
    {
      id: 'delete',
      method: 'DELETE',
      path: '/rules/v1/tasks/{id}',
      task: 'held',
      query: { forceStop: ['true', 'false', ''] },
      rights: [401, 404, 204, 204, 403],
    },
    {
      id: 'delete several',
      method: 'DELETE',
      path: '/rules/v1/tasks?id={id}',
      task: 'held',
      rights: [401, 404, 204, 204, 403],
    },
    {
      id: 'start',
      method: 'POST',
      path: '/rules/v1/tasks/{id}/command/start',
      task: 'held',
      rights: [401, 404, 200, 200, 403],
    },
    {
      id: 'stop',
      method: 'POST',
      path: '/rules/v1/tasks/{id}/command/stop',
      task: 'queued',
      rights: [401, 404, 200, 200, 403],
    },
    {
      id: 'batch',
      method: 'POST',
      path: '/rules/v1/batch',
      task: 'queued',
      body: { entity: 'task', action: 'stop', query: { ids: ['task-1'], tags: { env: 'prod' } }, actionParameters: {} },
      rights: [401, 202, 202, 202, 202],
    },
    {
      id: 'batch state',
      method: 'GET',
      path: '/rules/v1/batch/{id}',
      task: 'queued',
      rights: [401, 404, 404, 404, 404],
    },
  ],
  errorType: 'application/json',
  challenge: CHALLENGE,
  isError: (body, status) =>
    (hasOnly(body, 'statusCode', 'error') || hasOnly(body, 'statusCode', 'error', 'code', 'details')) &&
    body.statusCode === status &&
    typeof body.error === 'string',
  async view(get, { id, handler, status, runAt }) {
    const isHeld = status === 'scheduled' && runAt === null;
    const task = (await get(`/rules/v1/tasks/${id}`)) as Record<string, unknown>;
    const [listed] = (await get(`/api/tasks?ids=${id}`)) as readonly unknown[];
    if (JSON.stringify(listed) !== JSON.stringify(task)) throw new Error('The list says something else.');
    if (task.template !== handler) throw new Error('`template` does not name the handler.');
    const byStatus = (await get(`/rules/v1/tasks?id=${id}&status=${String(task.status)}`)) as readonly unknown[];
    if (byStatus.length !== 1) throw new Error('It is not found by its status.');
    const statuses: Readonly<Record<string, readonly Status[]>> = {
      running: isHeld ? [] : ['waiting', 'scheduled', 'queued', 'running', 'cancelling'],
      stopped: isHeld ? ['scheduled'] : ['succeeded', 'cancelled'],
      failed: ['failed'],
    };
    return {
      statuses: statuses[String(task.status)] ?? [],
      times: {
        createdAt: [timeOf(task.createTime), 1],
        startedAt: [timeOf(task.lastExecutionTime), 1],
        finishedAt: [timeOf(task.finishedTime), 1],
      },
    };
  },
};

/** Each dialect there is. */
export const DIALECTS: readonly DialectFacts[] = [jiraFacts, backgroundTaskFacts, svixFacts, taskV2Facts, waylayFacts];

/** The operations of a dialect, each at every path where it is served. */
export function routesOf({ operations, alias }: DialectFacts): readonly Operation[] {
  const routes = new Map(operations.map((one) => [`${one.method} ${one.path}`, one]));
  for (const operation of operations) {
    const path = alias?.(operation.path) ?? operation.path;
    const route = `${operation.method} ${path}`;
    if (!routes.has(route)) routes.set(route, { ...operation, id: `${operation.id}, ${path}`, path });
  }
  return [...routes.values()];
}
