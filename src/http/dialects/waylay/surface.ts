import type { TaskRecord } from '../../../task/record.ts';
import { answer, json } from '../../answer.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { idempotencyKeyOf } from '../../headers.ts';
import { BodyInvalidProblem, HttpProblem } from '../../problem.ts';
import type { DialectCall, DialectRoute, DialectSurface } from '../dialect.ts';
import { findTask, type Sight } from '../find.ts';
import { TaskActions } from './actions.ts';
import { type Asked, type AskedSettings, questionOf } from './asked.ts';
import { Batches, batchRequestOf } from './batch.ts';
import { confOf } from './conf.ts';
import { entityOf, healthOf, type TaskEntity } from './entity.ts';
import { checkFormat, flagOf, listQueryOf, PAGED, wantsPage } from './list-query.ts';
import { refuse } from './refuse.ts';
import { isSameWork, replace } from './replace.ts';
import { specificationOf, wantedOf } from './specification.ts';

/** The options of `waylay`, checked. */
export interface Settings extends AskedSettings, Sight {
  readonly ruleHandler: string | null;
  readonly aliases: boolean;
  readonly idempotency: boolean;
}

const TASKS = '/rules/v1/tasks';
const BATCH = '/rules/v1/batch';
/** Where older clients look for the same. */
const ALIASES: Readonly<Record<string, string>> = { [TASKS]: '/api/tasks', [BATCH]: '/api/batch' };
/** Tasks of a batch that are looked up at once. */
const AT_ONCE = 1_000;

/** The routes of Waylay's rules service that are about tasks. */
export function surfaceOf(context: HttpContext, settings: Settings): DialectSurface {
  const { inside, manager, submission } = context;
  const actions = new TaskActions(context, settings);
  const batches = new Batches(context, actions, settings);
  const find = (caller: Caller, { params }: Pick<DialectCall, 'params'>): Promise<TaskRecord> =>
    findTask(context, caller, 'read', params.taskId ?? '', settings);
  const show = (caller: Caller, task: TaskRecord): TaskEntity => entityOf(caller.redacted(task), settings);
  const showHealth = async (caller: Caller, task: TaskRecord): Promise<TaskEntity> =>
    entityOf(caller.redacted(task), settings, healthOf(await manager.attempts(task.id)));
  const userOf = ({ principal }: Caller): string => principal?.id ?? settings.noUser;

  const create = async ({ caller, request, url, link, body }: DialectCall): Promise<Response> => {
    await submission.take(caller);
    const failOnWarning = flagOf('failOnWarning', url.searchParams);
    const returnWarnings = flagOf('returnWarnings', url.searchParams);
    const specification = specificationOf(await body(), settings.ruleHandler);
    const key = settings.idempotency ? idempotencyKeyOf(request.headers) : null;
    const { record, warnings } = await submission
      .submit(caller, wantedOf(specification), { key, failOnWarning })
      .catch((error: unknown) => {
        throw failOnWarning ? warned(error) : error;
      });
    const issues = warnings.map(({ code, message }) => ({ severity: 'WARNING', type: code, message }));
    const shown = { ID: record.id, ...(returnWarnings ? { warnings: issues } : undefined) };
    return json(201, shown, { location: link(`${rootOf(url)}/${encodeURIComponent(record.id)}`) });
  };

  /** What fits; of HEAD, how many. */
  const list = async ({ caller, request, url }: DialectCall): Promise<Response> => {
    checkFormat(url.searchParams);
    const { asked, startIndex, health, ...query } = listQueryOf(url.searchParams);
    const hits = request.method === 'HEAD' ? 0 : Math.min(query.hits, context.settings.pageSize);
    const question = questionOf(asked, settings);
    const total = question === null ? 0 : await inside.queries.count(question.filter, caller.scope, question.groups);
    const values: TaskEntity[] = [];
    if (question !== null && hits > 0 && startIndex < total) {
      const place = { limit: hits, offset: startIndex };
      const { items } = await inside.queries.list({ filter: question.filter, ...place }, caller.scope, question.groups);
      for (const task of items) {
        if (caller.may('read', task)) values.push(health ? await showHealth(caller, task) : show(caller, task));
      }
    }
    const headers = { 'x-count': String(total) };
    if (!wantsPage(request.headers.get('accept'))) return json(200, values, headers);
    return json(200, { skip: startIndex, limit: hits, total, values }, { ...headers, 'content-type': PAGED });
  };

  const get = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    checkFormat(url.searchParams);
    const task = await find(caller, call);
    return json(200, flagOf('includeHealth', url.searchParams) ? await showHealth(caller, task) : show(caller, task));
  };

  const conf = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    checkFormat(url.searchParams);
    return json(200, confOf(caller.redacted(await find(caller, call)), { type: 'onetime' }));
  };

  const update = async ({ caller, body, ...call }: DialectCall): Promise<Response> => {
    const task = await find(caller, call);
    caller.check('update', task, task.id);
    const specification = specificationOf(await body(), settings.ruleHandler);
    if (!isSameWork(task, specification)) {
      throw new BodyInvalidProblem([{ path: 'variables', message: 'cannot be changed' }]);
    }
    return json(200, show(caller, await replace(manager, task, specification)));
  };

  const remove = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    await actions.remove(caller, await find(caller, call), flagOf('forceStop', url.searchParams));
    return answer(204, null);
  };

  /** All that are named, or none. */
  const removeMany = async ({ caller, url }: DialectCall): Promise<Response> => {
    const ids = [...new Set(url.searchParams.getAll('id'))];
    if (ids.length === 0) throw new HttpProblem('malformed', 'The query parameter "id" is needed.');
    const force = flagOf('forceStop', url.searchParams);
    const tasks = await Promise.all(ids.map((taskId) => find(caller, { params: { taskId } })));
    for (const task of tasks) actions.checkRemove(caller, task, force);
    for (const task of tasks) await actions.remove(caller, task, force);
    return answer(204, null);
  };

  const start = async ({ caller, ...call }: DialectCall): Promise<Response> =>
    json(200, show(caller, await actions.start(caller, await find(caller, call))));

  const stop = async ({ caller, ...call }: DialectCall): Promise<Response> =>
    json(200, show(caller, await actions.stop(caller, await find(caller, call))));

  /** The tasks that a batch is about; those named are, whether or not they are there. */
  const idsOf = async (caller: Caller, asked: Asked): Promise<readonly string[]> => {
    const question = questionOf(asked, settings);
    const found: string[] = [];
    for (let cursor: string | undefined, more = question !== null; more; ) {
      const filter = question?.filter;
      const page = await inside.queries.list(
        { filter, sort: 'id', limit: AT_ONCE, ...(cursor === undefined ? undefined : { cursor }) },
        caller.scope,
        question?.groups,
      );
      found.push(...page.items.map(({ id }) => id));
      cursor = page.next ?? undefined;
      more = cursor !== undefined;
    }
    return found;
  };

  const batch = async ({ caller, url, link, body }: DialectCall): Promise<Response> => {
    const asked = batchRequestOf(await body());
    const ids = asked.ids ?? (await idsOf(caller, asked.asked));
    const entity = await batches.begin(caller, userOf(caller), asked, ids);
    const uri = link(`${rootOf(url)}/${entity.id}`);
    return json(202, { statusCode: 202, uri, entity }, { location: uri });
  };

  const batchState = async ({ caller, params }: DialectCall): Promise<Response> =>
    json(200, await batches.get(caller, userOf(caller), params.batchId ?? ''));

  const routes: readonly DialectRoute[] = [
    { method: 'POST', path: TASKS, handle: create },
    { method: 'GET', path: TASKS, handle: list },
    { method: 'DELETE', path: TASKS, handle: removeMany },
    { method: 'GET', path: `${TASKS}/:taskId`, handle: get },
    { method: 'PUT', path: `${TASKS}/:taskId`, handle: update },
    { method: 'DELETE', path: `${TASKS}/:taskId`, handle: remove },
    { method: 'GET', path: `${TASKS}/:taskId/conf`, handle: conf },
    { method: 'POST', path: `${TASKS}/:taskId/command/start`, handle: start },
    { method: 'POST', path: `${TASKS}/:taskId/command/stop`, handle: stop },
    { method: 'POST', path: BATCH, handle: batch },
    { method: 'GET', path: `${BATCH}/:batchId`, handle: batchState },
  ];
  const roots = Object.keys(ALIASES);
  if (!settings.aliases) return { roots, refuse, routes };
  const aliases = routes.map((route) => ({
    ...route,
    path: route.path.replace(/^\/rules\/v1\/\w+/, (root) => ALIASES[root] ?? root),
  }));
  return { roots: [...roots, ...Object.values(ALIASES)], refuse, routes: [...routes, ...aliases] };
}

/** The published path that a request went to, old or new. */
function rootOf({ pathname }: URL): string {
  const [root = TASKS] = /\/(rules\/v1|api)\/(tasks|batch)(?=\/?$)/.exec(pathname) ?? [];
  return root;
}

/** What a submit would have been warned of has no place in its body. */
function warned(error: unknown): unknown {
  const { errors } = (error instanceof BodyInvalidProblem ? error.members : {}) as {
    errors?: readonly { path: string; message: string }[];
  };
  if (
    !(error instanceof BodyInvalidProblem) ||
    errors === undefined ||
    errors.some(({ path }) => path.startsWith('input'))
  )
    return error;
  const warnings = errors.map(({ message }) => ({ severity: 'WARNING', type: 'VALIDATION', message }));
  return new HttpProblem('input_invalid', errors.map(({ message }) => message).join(' '), { warnings });
}
