import { RelatedTasksError } from '../../../errors.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { keepHeaderCase } from '../../adapters/header-case.ts';
import { answer, json, jsonText } from '../../answer.ts';
import type { Caller } from '../../caller.ts';
import type { HttpContext } from '../../context.ts';
import { idempotencyKeyOf } from '../../headers.ts';
import { HttpProblem } from '../../problem.ts';
import { requireChange } from '../../task-change.ts';
import { MAX_CHARACTERS, tasksOf } from '../../task-pages.ts';
import { withoutStrangers } from '../../tasks.ts';
import { withBearer } from '../credential.ts';
import type { DialectCall, DialectRoute, DialectSurface } from '../dialect.ts';
import { findTask, type Sight } from '../find.ts';
import { type Show, told } from '../options.ts';
import { type CreateSettings, wantedOf } from './create.ts';
import { refuse } from './errors.ts';
import { badField, fieldsOf } from './fields.ts';
import { flagField, type IndexSettings, indexQueryOf } from './index-query.ts';
import { documentOf, type TaskV2 } from './task.ts';
import { changedFields, changesOf, type UpdateSettings } from './update.ts';

/** The options of `taskV2`, checked. */
export interface Settings extends Omit<IndexSettings, 'pageSize' | 'hides'>, CreateSettings, UpdateSettings, Sight {
  readonly show: Show | null;
  readonly created: 200 | 201;
  readonly deleted: 200 | 204;
  readonly linked: (tasks: readonly TaskV2[]) => unknown;
  readonly beyondEnd: 'last' | 'empty';
  readonly links: boolean;
  readonly accessToken: boolean;
  readonly idempotency: boolean;
}

const ROOT = '/v2/task';
/** As clients look for them, letter by letter. */
const PAGINATION = [
  'X-Pagination-Current-Page',
  'X-Pagination-Page-Count',
  'X-Pagination-Per-Page',
  'X-Pagination-Total-Count',
] as const;
/** Likewise, as Yii 2 writes them. */
const OTHERS = ['Link', 'Location'] as const;
/** Characters of a page: nothing can be left out of one that has a number. */
const MAX_SIZE = 4 * MAX_CHARACTERS;
/** The most tasks that a refused delete tells of. */
const MAX_LINKED = 1_000;

/** The routes of Task v2. */
export function surfaceOf(context: HttpContext, settings: Settings): DialectSurface {
  const { manager, inside, submission } = context;
  const show = (caller: Caller, task: TaskRecord): object => {
    const seen = caller.redacted(task);
    return told(settings.show, documentOf(seen, settings), seen);
  };

  /** Pages in the way of Yii 2. */
  const index = async ({ caller, url, link, body }: DialectCall): Promise<Response> => {
    const limits = { pageSize: context.settings.pageSize, hides: context.settings.redact !== null };
    const query = indexQueryOf(await body(), url.searchParams, { ...settings, ...limits });
    const { filter, groups, sort, statusOrder, perPage } = query;
    const total = await inside.queries.count(filter, caller.scope, groups);
    const pages = Math.ceil(total / perPage);
    const page = settings.beyondEnd === 'last' ? Math.min(query.page, Math.max(1, pages)) : query.page;
    const place = { limit: perPage, offset: (page - 1) * perPage };
    const beyond = total === 0 || page > pages;
    const items: string[] = [];
    let size = 0;
    const asked = { filter, sort, statusOrder, ...place };
    for await (const task of beyond ? [] : tasksOf(inside.queries, asked, caller.scope, groups)) {
      if (!caller.may('read', task)) continue;
      const item = JSON.stringify(show(caller, task));
      size += item.length;
      if (size > MAX_SIZE && items.length > 0)
        throw badField('per-page', 'must be smaller: the page has too much in it');
      items.push(item);
    }
    const counts = [page, pages, perPage, total];
    const headers = Object.fromEntries(PAGINATION.map((name, at) => [name.toLowerCase(), String(counts[at])]));
    if (settings.links) headers.link = linksOf(link(`${ROOT}/index`), url.searchParams, { page, pages, perPage });
    return keepHeaderCase(jsonText(200, `[${items.join(',')}]`, headers), [...PAGINATION, ...OTHERS]);
  };

  const create = async ({ caller, request, link, body }: DialectCall): Promise<Response> => {
    await submission.take(caller);
    const wanted = wantedOf(fieldsOf(await body(), 'body'), settings);
    const key = settings.idempotency ? idempotencyKeyOf(request.headers) : null;
    const { record, earlier } = await submission.submit(caller, wanted, { key });
    const status = earlier ? 200 : settings.created;
    const location = link(`${ROOT}/view/${encodeURIComponent(record.id)}`);
    return keepHeaderCase(json(status, show(caller, record), { location }), OTHERS);
  };

  const view = async ({ caller, ...call }: DialectCall): Promise<Response> => {
    return json(200, show(caller, await findTask(context, caller, 'read', idOf(call), settings)));
  };

  const update = async ({ caller, body, ...call }: DialectCall): Promise<Response> => {
    let task = await findTask(context, caller, 'read', idOf(call), settings);
    const fields = changedFields(fieldsOf(await body(), 'body'), show(caller, task));
    const changes = changesOf(fields, documentOf(caller.redacted(task), settings), settings);
    for (const { action, patch } of changes) {
      caller.check(action, task, task.id);
      if (patch !== undefined) requireChange(caller, task, patch);
    }
    for (const { make } of changes) {
      task = await make(manager, task.id).catch(async (error: unknown) => {
        throw await withoutStrangers(manager, caller, error);
      });
    }
    return json(200, show(caller, task));
  };

  /** What it takes along goes only with `force`; what has not ended is cancelled first. */
  const remove = async ({ caller, ...call }: DialectCall): Promise<Response> => {
    const related = flagField('force', call.url.searchParams.get('force'));
    const task = await findTask(context, caller, 'delete', idOf(call), settings);
    const sees = (one: TaskRecord): boolean => {
      if (!caller.sees(one)) return false;
      if (related) caller.check('delete', one, one.id);
      return true;
    };
    try {
      await inside.controls.delete(task.id, { related, cancel: true }, sees);
    } catch (error) {
      if (!(error instanceof RelatedTasksError)) throw error;
      const filter = { ids: error.related.slice(0, MAX_LINKED) };
      const { items } = await inside.queries.list({ filter, sort: 'id', limit: MAX_LINKED }, caller.scope);
      const readable = items.filter((one) => caller.may('read', one));
      return json(400, settings.linked(readable.map((one) => show(caller, one) as TaskV2)));
    }
    return settings.deleted === 204 ? answer(204, null) : json(200, {});
  };

  return {
    roots: [ROOT],
    prefix: '/v2',
    refuse,
    ...(settings.accessToken
      ? { identified: (request: Request, url: URL) => withBearer(request, url.searchParams.get('access-token')) }
      : undefined),
    routes: [
      { method: 'POST', path: `${ROOT}/index`, handle: index },
      { method: 'POST', path: `${ROOT}/create`, handle: create },
      ...twice({ method: 'GET', path: `${ROOT}/view`, handle: view }),
      ...twice({ method: 'PUT', path: `${ROOT}/update`, handle: update }),
      ...twice({ method: 'DELETE', path: `${ROOT}/delete`, handle: remove }),
    ],
  };
}

/** With the id in the path, and with `?id=`. */
function twice(route: DialectRoute): readonly DialectRoute[] {
  return [{ ...route, path: `${route.path}/:id` }, route];
}

function idOf({ params, url }: Pick<DialectCall, 'params' | 'url'>): string {
  const id = params.id ?? url.searchParams.get('id');
  if (id === null || id === '') throw new HttpProblem('malformed', 'Missing required parameters: id');
  return id;
}

/** The pages around one (RFC 8288). */
function linksOf(
  path: string,
  search: URLSearchParams,
  { page, pages, perPage }: { readonly page: number; readonly pages: number; readonly perPage: number },
): string {
  const places: readonly (readonly [relation: string, page: number])[] = [
    ['self', page],
    ['first', 1],
    ['prev', page - 1],
    ['next', page + 1],
    ['last', pages],
  ];
  const there = places.filter(([relation, at]) => relation === 'self' || (at >= 1 && at <= pages));
  const sort = search.get('sort');
  const order = sort === null ? '' : `&sort=${encodeURIComponent(sort)}`;
  return there.map(([relation, at]) => `<${path}?page=${at}&per-page=${perPage}${order}>; rel=${relation}`).join(', ');
}
