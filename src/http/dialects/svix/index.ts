import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import type { TaskRecord } from '../../../task/record.ts';
import type { Duration } from '../../../time/duration.ts';
import { json, jsonText } from '../../answer.ts';
import type { HttpContext } from '../../context.ts';
import { writePage } from '../../task-pages.ts';
import { type Dialect, type DialectCall, type DialectSurface, defineDialect } from '../dialect.ts';
import { findTask } from '../find.ts';
import { dialectId, ownId } from '../ids.ts';
import { type DialectOptions, oneOf, parseAge, parseDialectOptions } from '../options.ts';
import { defaultData, ID_PREFIX, type ItemSettings, itemOf } from './item.ts';
import { type ListParameters, parseParameters } from './parameters.ts';
import { refuse } from './refuse.ts';
import { OLD_TASKS, STATUSES, type SvixTask, TASKS, taskOf } from './words.ts';

/** What `svix` is made with. */
export type SvixOptions = DialectOptions &
  Optional<{
    /** The word for `task` by handler, of Svix's closed set, such as `{ restore: 'endpoint.recover' }`. */
    tasks: Readonly<Record<string, SvixTask>>;
    /** The word for the handlers that `tasks` has not; default `endpoint.replay`. */
    otherTask: (typeof OLD_TASKS)[number];
    /** What `data` is; what is no object is wrapped in one. Default: the handler's name with result, error or progress. */
    data: (task: TaskRecord) => unknown;
    /** How old the tasks of a list may be; false: of any age. Default 90 days, as Svix has it. */
    listAge: Duration | false;
    /**
     * What `iterator` of an empty page is: `'null'`, the default, as Svix has it, or `'asked'`: the one that was asked for, `''`
     * where there was none, and `prevIterator` is left out, for clients that take no null: Svix's own for PHP, and Java ones that
     * OpenAPI Generator made before 6.3.
     */
    emptyIterator: 'null' | 'asked';
    /**
     * Changes what a list is asked for: gets a copy of the query, and gives the one that counts, such as without an `order` that
     * means something else to the app. Default: as it is.
     */
    query: (asked: URLSearchParams) => URLSearchParams;
  }>;

interface Settings extends ItemSettings {
  readonly listAgeMs: number;
  readonly emptyIterator: 'null' | 'asked';
  readonly query: ((asked: URLSearchParams) => URLSearchParams) | null;
}

const ROOT = '/api/v1/background-task';
const OPTIONS = ['tasks', 'otherTask', 'data', 'listAge', 'emptyIterator', 'query'];

/**
 * Svix's API of background tasks: `GET /api/v1/background-task` and `GET /api/v1/background-task/{task_id}`. With a slash at its
 * end a path is that of the OpenAPI document 1.4, whose keys are fewer. An idempotency key counts for POST only, so none does.
 * @throws {OptionError}
 */
export function svix(options: SvixOptions = {}): Dialect {
  const base = parseDialectOptions('svix', options, OPTIONS);
  const { tasks = {}, otherTask = 'endpoint.replay', data = defaultData, query = null } = options;
  if (tasks === null || typeof tasks !== 'object') throw new OptionError('svix.tasks', 'words by handler', tasks);
  if (typeof data !== 'function') throw new OptionError('svix.data', 'a function', data);
  if (query !== null && typeof query !== 'function') throw new OptionError('svix.query', 'a function', query);
  const words = Object.entries(tasks).map(
    ([handler, word]) => [handler, oneOf(`svix.tasks.${handler}`, word, TASKS)] as const,
  );
  const settings: Settings = {
    show: base.show,
    tasks: new Map(words),
    otherTask: oneOf('svix.otherTask', otherTask, OLD_TASKS),
    data,
    query,
    listAgeMs: parseAge('svix.listAge', options.listAge ?? '90d'),
    emptyIterator: oneOf('svix.emptyIterator', options.emptyIterator ?? 'null', ['null', 'asked']),
  };
  return defineDialect({ name: 'svix', ...base, surface: (context) => surfaceOf(context, settings) });
}

function surfaceOf(context: HttpContext, settings: Settings): DialectSurface {
  const { idPrefix } = context.inside;
  return {
    roots: [ROOT],
    prefix: '/api/v1',
    refuse,
    routes: [
      {
        method: 'GET',
        path: `${ROOT}/:id`,
        async handle({ caller, params: { id = '' }, url }) {
          const task = await findTask(context, caller, 'read', ownId(idPrefix, ID_PREFIX, id), {}, id);
          return json(200, itemOf(caller.redacted(task), settings, isOld(url)));
        },
      },
      { method: 'GET', path: ROOT, handle: (call) => list(context, settings, call) },
    ],
  };
}

async function list(context: HttpContext, settings: Settings, { caller, url }: DialectCall): Promise<Response> {
  const { inside } = context;
  const old = isOld(url);
  const search = settings.query === null ? url.searchParams : settings.query(new URLSearchParams(url.searchParams));
  const parameters = parseParameters(search, inside.idPrefix, old);
  const filter = {
    status: parameters.statuses.length > 0 ? parameters.statuses.flatMap((word) => STATUSES[word]) : undefined,
    handler: await handlersOf(context, settings, parameters, old),
    created: Number.isFinite(settings.listAgeMs) ? { after: inside.now() - settings.listAgeMs } : undefined,
  };
  const { limit, descending, place, backward } = parameters;
  const start = place === null ? {} : backward ? { before: place } : { after: place };
  const query = { filter, sort: descending ? '-id' : 'id', limit, ...start } as const;
  const { items, next, previous, first, last } = await writePage(inside.queries, query, caller, (task) => {
    const item = JSON.stringify(itemOf(caller.redacted(task), settings, old));
    return { item, size: item.length };
  });
  const done = (backward ? previous : next) === null;
  const isEmpty = done && items.length === 0;
  const iterators =
    isEmpty || first === null || last === null
      ? emptyIterators(settings, search)
      : { iterator: dialectId(ID_PREFIX, last), prevIterator: `-${dialectId(ID_PREFIX, first)}` };
  return jsonText(200, `{"data":[${items.join(',')}],${JSON.stringify({ done, ...iterators }).slice(1)}`);
}

function emptyIterators({ emptyIterator }: Settings, search: URLSearchParams): object {
  return emptyIterator === 'null' ? { iterator: null, prevIterator: null } : { iterator: search.get('iterator') ?? '' };
}

/** The handlers whose word is asked for; undefined: all. */
async function handlersOf(
  { manager }: HttpContext,
  settings: Settings,
  { tasks }: ListParameters,
  old: boolean,
): Promise<readonly string[] | undefined> {
  if (tasks.length === 0) return undefined;
  const { byHandler } = await manager.stats();
  return Object.keys(byHandler).filter((handler) => tasks.includes(taskOf(settings, handler, old)));
}

function isOld(url: URL): boolean {
  return url.pathname.endsWith('/');
}
