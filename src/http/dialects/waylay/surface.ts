import { TaskNotFoundError } from '../../../errors.ts';
import { keepHeaderCase } from '../../adapters/header-case.ts';
import { answer, json } from '../../answer.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { idempotencyKeyOf } from '../../headers.ts';
import { BodyInvalidProblem, HttpProblem } from '../../problem.ts';
import type { SubmitWay } from '../../submission.ts';
import { BASIC_TOO } from '../credential.ts';
import type { DialectCall, DialectRoute, DialectSurface } from '../dialect.ts';
import type { Asking } from './asked.ts';
import { batchRequestOf } from './batch.ts';
import { Batches } from './batches.ts';
import { Entities, type EntitiesSettings, type Found } from './entities.ts';
import { flagOf, formatOf, listQueryOf, PAGED, wantsPage } from './list-query.ts';
import { taskOnce } from './once.ts';
import { refuse, warned } from './refuse.ts';
import { type Specification, type SpecificationSettings, specificationOf, wantedOf } from './specification.ts';

/** The options of `waylay`, checked. */
export interface Settings extends EntitiesSettings, SpecificationSettings {
  readonly ruleHandler: string | null;
  readonly asking: Asking;
  readonly pages: 'preferred' | 'accepted';
  readonly deleteUnknown: 404 | 204;
  readonly aliases: boolean;
  readonly idempotency: boolean;
}

const TASKS = '/rules/v1/tasks';
const BATCH = '/rules/v1/batch';
/** Where older clients look for the same. */
const ALIASES: Readonly<Record<string, string>> = { [TASKS]: '/api/tasks', [BATCH]: '/api/batch' };

/** The routes of Waylay's rules service that are about tasks. */
export function surfaceOf(context: HttpContext, settings: Settings): DialectSurface {
  const { submission } = context;
  const entities = new Entities(context, settings);
  const batches = new Batches(context, entities);
  const find = (caller: Caller, { params }: Pick<DialectCall, 'params'>): Promise<Found> =>
    entities.find(caller, params.taskId ?? '');
  const userOf = ({ principal }: Caller): string => principal?.id ?? settings.noUser;

  const create = async ({ caller, request, url, link, body }: DialectCall): Promise<Response> => {
    await submission.take(caller);
    const failOnWarning = flagOf('failOnWarning', url.searchParams);
    const returnWarnings = flagOf('returnWarnings', url.searchParams);
    const specification = specificationOf(await body(), settings);
    const key = settings.idempotency ? idempotencyKeyOf(request.headers) : null;
    const { id, warnings } =
      specification.type === 'onetime'
        ? await submit(caller, specification, { key, failOnWarning })
        : await entities.createSchedule(caller, specification, { key, failOnWarning });
    const issues = warnings.map(({ code, message }) => ({ severity: 'WARNING', type: code, message }));
    const shown = { ID: id, ...(returnWarnings ? { warnings: issues } : undefined) };
    return cased(json(201, shown, { location: link(`${rootOf(url)}/${encodeURIComponent(id)}`) }));
  };

  const submit = async (caller: Caller, specification: Specification, way: SubmitWay) => {
    try {
      const key = way.key === null ? null : ([caller.principal?.id ?? null, way.key] as const);
      const { record, warnings } = await taskOnce(context.inside, key, () =>
        submission.submit(caller, wantedOf(specification), way),
      );
      return { id: record.id, warnings };
    } catch (error) {
      throw way.failOnWarning ? asWarned(error) : error;
    }
  };

  /** What fits; of HEAD, how many. */
  const list = async ({ caller, request, url }: DialectCall): Promise<Response> => {
    const format = formatOf(url.searchParams);
    const { asked, startIndex, health, ...query } = await listQueryOf(url.searchParams, settings.asking);
    const hits = request.method === 'HEAD' ? 0 : Math.min(query.hits, context.settings.pageSize);
    const { total, values } = await entities.list(caller, asked, { hits, startIndex, health, format });
    const headers = { 'x-count': String(total) };
    const isPage = wantsPage(request.headers.get('accept'), settings.pages);
    const body = isPage ? { skip: startIndex, limit: hits, total, values } : values;
    const type = isPage ? { 'content-type': PAGED } : undefined;
    if (request.method !== 'HEAD') return cased(json(200, body, { ...headers, ...type }));
    // a body that the router drops would take the case of the header with it
    return cased(
      answer(200, null, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers, ...type }),
    );
  };

  const get = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    const view = { format: formatOf(url.searchParams), health: flagOf('includeHealth', url.searchParams) };
    return json(200, await entities.show(caller, await find(caller, call), view));
  };

  const conf = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    formatOf(url.searchParams); // a specification has no graph, so both are the same
    return json(200, entities.conf(caller, await find(caller, call)));
  };

  const update = async ({ caller, body, ...call }: DialectCall): Promise<Response> => {
    const found = await find(caller, call);
    const specification = specificationOf(await body(), settings);
    return json(200, await entities.show(caller, await entities.replace(caller, found, specification)));
  };

  /** What is not there need not be deleted, where the app says so. */
  const leaveUnknown = (error: unknown): null => {
    if (settings.deleteUnknown === 204 && error instanceof TaskNotFoundError) return null;
    throw error;
  };

  const remove = async ({ caller, url, ...call }: DialectCall): Promise<Response> => {
    const force = flagOf('forceStop', url.searchParams);
    const found = await find(caller, call).catch(leaveUnknown);
    if (found !== null) await entities.remove(caller, found, force).catch(leaveUnknown);
    return answer(204, null);
  };

  /** All that are named, or none. */
  const removeMany = async ({ caller, url }: DialectCall): Promise<Response> => {
    const ids = [...new Set(url.searchParams.getAll('id'))];
    if (ids.length === 0) throw new HttpProblem('malformed', 'The query parameter "id" is needed.');
    const force = flagOf('forceStop', url.searchParams);
    const found = await Promise.all(ids.map((taskId) => find(caller, { params: { taskId } }).catch(leaveUnknown)));
    const all = found.filter((one) => one !== null);
    for (const found of all) await entities.checkRemove(caller, found, force);
    for (const found of all) await entities.remove(caller, found, force);
    return answer(204, null);
  };

  const start = async ({ caller, ...call }: DialectCall): Promise<Response> => {
    const found = await entities.start(caller, await find(caller, call));
    return json(200, await entities.show(caller, found));
  };

  const stop = async ({ caller, ...call }: DialectCall): Promise<Response> => {
    const found = await entities.stop(caller, await find(caller, call));
    return json(200, await entities.show(caller, found));
  };

  const batch = async ({ caller, url, link, body }: DialectCall): Promise<Response> => {
    await submission.take(caller);
    const wanted = await batchRequestOf(await body(), settings.asking);
    const ids = wanted.ids ?? (await entities.ids(caller, wanted.asked));
    entities.checkBatch(ids);
    const entity = await batches.begin(caller, userOf(caller), wanted, ids);
    const uri = link(`${rootOf(url)}/${entity.id}`);
    return cased(json(202, { statusCode: 202, uri, entity }, { location: uri }));
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
  const common = { prefix: '/rules/v1', refuse, challenge: BASIC_TOO };
  if (!settings.aliases) return { ...common, roots, routes };
  const aliases = routes.map((route) => ({
    ...route,
    path: route.path.replace(/^\/rules\/v1\/\w+/, (root) => ALIASES[root] ?? root),
  }));
  return { ...common, roots: [...roots, ...Object.values(ALIASES)], routes: [...routes, ...aliases] };
}

/** With its header fields as the documents write them. */
function cased(response: Response): Response {
  return keepHeaderCase(response, ['X-Count', 'Location']);
}

/** The published path that a request went to, old or new. */
function rootOf({ pathname }: URL): string {
  const [root = TASKS] = /\/(rules\/v1|api)\/(tasks|batch)(?=\/?$)/.exec(pathname) ?? [];
  return root;
}

/** What a submit would have been warned of has no place in its body. */
function asWarned(error: unknown): unknown {
  const { errors } = (error instanceof BodyInvalidProblem ? error.members : {}) as {
    errors?: readonly { path: string; message: string }[];
  };
  if (
    !(error instanceof BodyInvalidProblem) ||
    errors === undefined ||
    errors.some(({ path }) => path.startsWith('input'))
  )
    return error;
  return warned(errors.map(({ message }) => message));
}
