import { H3, type HTTPError } from 'h3';
import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import type { Principal } from '../handler/rights.ts';
import type { TaskManager } from '../manager.ts';
import { answer } from './answer.ts';
import { type HttpContext, makeContext } from './context.ts';
import { answerPreflight, markCors } from './cors.ts';
import { Dialects, nothingAt } from './dialects/mount.ts';
import { Exposure } from './exposure.ts';
import { type HandlerOptions, parseHandlerOptions } from './options.ts';
import { HttpProblem, problem } from './problem.ts';
import type { Route } from './route.ts';
import { routeTable } from './table.ts';

/** What a request is handled with. */
export type ServeOptions = Optional<{
  /** The path that a framework took off the URL before the request came here, such as `/api`; goes into links. */
  basePath: string;
  /**
   * The address that the server listens on. A handler that asks nobody who he is warns when it is not of this machine. Found
   * out by itself where `tasklane/node` made the request.
   */
  address: string;
}>;

/** Of a URL without a query; to make one takes as long as to route the request. */
const NO_SEARCH = new URLSearchParams();

/** The HTTP surface of a manager, as a function of Fetch requests. It never rejects. */
export interface TaskHandler {
  (request: Request, options?: ServeOptions): Promise<Response>;
  /** Whether the path is one of ours, whatever the method: an adapter passes on what is not. */
  matches(request: Request): boolean;
  /** Ends event streams and answers what is held by `wait`, so that a server can close. The manager stays open. */
  close(): Promise<void>;
  /** Largest body that is read, in bytes. */
  readonly bodyBytes: number;
}

/**
 * Makes the HTTP surface of a manager: submit, list, watch, cancel and read tasks as JSON. Mount it with `tasklane/node`, or
 * call it wherever there is a Fetch `Request`.
 * @throws {OptionError} also for a `policy` without `authenticate`
 */
export function createHandler<P extends Principal = Principal>(
  manager: TaskManager,
  options: HandlerOptions<P> = {},
): TaskHandler {
  // What `authenticate` gives is what the policy is asked about, so their types need not be known from here on.
  if (manager === null || typeof manager !== 'object') throw new OptionError('manager', 'a TaskManager', manager);
  const settings = parseHandlerOptions(options as unknown as HandlerOptions, manager.maxInputBytes);
  const closing = new AbortController();
  const context = makeContext(manager, settings, closing.signal);
  const routes = settings.api === null ? [] : routeTable(context);
  const dialects = new Dialects(context);
  const own = pathsOf(routes).map((path) => (settings.api ?? '') + path);
  dialects.checkApart(own);
  const app = buildApp(context, routes, dialects);
  const paths = own.map(patternOf);
  const exposure = context.access.asks ? null : new Exposure();
  const serve = async (request: Request, { basePath = '', address }: ServeOptions = {}): Promise<Response> => {
    try {
      exposure?.look(request, address);
      return await app.request(request, undefined, { basePath });
    } catch (error) {
      return dialects.refuse(new URL(request.url).pathname, error) ?? problem(error);
    }
  };
  const { cors } = settings;
  const marked = async (request: Request, options?: ServeOptions): Promise<Response> => {
    const response = await serve(request, options);
    return cors === null ? response : markCors(request, response, cors);
  };
  return Object.assign(marked, {
    matches: (request: Request) => {
      const { pathname } = new URL(request.url);
      return paths.some((pattern) => pattern.test(pathname)) || dialects.matches(pathname);
    },
    close: async () => {
      closing.abort();
      context.hub.close();
    },
    bodyBytes: settings.bodyBytes,
  });
}

function buildApp({ settings, access }: HttpContext, routes: readonly Route[], dialects: Dialects): H3 {
  const api = settings.api ?? '';
  const app = new H3({
    silent: true,
    onError: (error, { url }) => dialects.refuse(url.pathname, problemOf(error)) ?? problem(problemOf(error)),
  });
  const { cors } = settings;
  if (cors !== null) app.use((event) => answerPreflight(event, cors));
  for (const route of routes) {
    const handle: Parameters<typeof app.on>[2] = async ({ req, url, context }) => {
      const basePath = String(context.basePath ?? '').replace(/\/$/, '');
      try {
        const caller = route.open === true ? access.anybody : await access.callerOf(req);
        return await route.serve(
          {
            request: req,
            caller,
            search: url.search === '' ? NO_SEARCH : url.searchParams,
            params: context.params ?? {},
            link: (path) => basePath + api + path,
          },
          settings,
        );
      } catch (error) {
        return problem(error);
      }
    };
    app.on(route.method, api + route.path, handle);
    if (route.method === 'GET') app.on('HEAD', api + route.path, handle);
  }
  const patterns = pathsOf(routes).map((path) => ({ path, pattern: patternOf(path) }));
  for (const { path } of patterns) {
    // A path such as `/schedules/preview` is also a value of `/schedules/:key`, which knows other methods.
    const isSpecial = patterns.some((other) => other.path !== path && other.pattern.test(path));
    if (!isSpecial) app.all(api + path, refuseMethod(api, routes));
  }
  dialects.addTo(app);
  app.all('/**', ({ url: { pathname } }) => dialects.refuseUnknown(pathname) ?? problem(nothingAt(pathname)));
  return app;
}

/** Answers the methods that a path has no route for: h3 alone says 404. */
function refuseMethod(api: string, routes: readonly Route[]): Parameters<H3['all']>[1] {
  return ({ req, url }) => {
    const asked = url.pathname.slice(api.length);
    const methods = routes.filter(({ path }) => patternOf(path).test(asked)).map(({ method }) => method);
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    if (req.method === 'OPTIONS') return answer(204, null, { allow });
    const detail = `${req.method} is not allowed here; allowed are ${allow}.`;
    return problem(new HttpProblem('method_not_allowed', detail, {}, { allow }));
  };
}

/** What h3 throws by itself is about the form of the URL; anything else is a fault of ours. */
function problemOf(error: HTTPError): unknown {
  if (error.unhandled || error.status >= 500) return error.cause ?? error;
  if (error.status === 404) return new HttpProblem('route_unknown', 'There is nothing at this path.');
  return new HttpProblem('malformed', 'The URL is not well-formed.');
}

function pathsOf(routes: readonly Route[]): readonly string[] {
  return [...new Set(routes.map(({ path }) => path))];
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.~]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+');
  return new RegExp(`^${escaped}/?$`);
}
