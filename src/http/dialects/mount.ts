import type { H3, H3Event } from 'h3';
import { OptionError } from '../../errors.ts';
import { answer, json } from '../answer.ts';
import { readJson } from '../body.ts';
import type { HttpContext } from '../context.ts';
import { HttpProblem, toProblem } from '../problem.ts';
import { together } from '../turn.ts';
import type { DialectCall, DialectDefinition, DialectRoute, DialectSurface, Refusal } from './dialect.ts';

/** A dialect with the paths it has here. */
interface Mounted {
  readonly definition: DialectDefinition;
  readonly surface: DialectSurface;
  /** Its roots below its base path. */
  readonly roots: readonly string[];
  /** Below it, what nobody serves is refused in its form. */
  readonly prefix: string;
}

/** The dialects of one handler. */
export class Dialects {
  readonly #context: HttpContext;
  readonly #mounted: readonly Mounted[];

  constructor(context: HttpContext) {
    this.#context = context;
    this.#mounted = context.settings.dialects.map((definition) => {
      const { basePath } = definition;
      const surface = definition.surface(context);
      const roots = surface.roots.map((root) => basePath + root);
      return { definition, surface, roots, prefix: basePath === '' ? surface.prefix : basePath };
    });
  }

  /** @param own paths of our own routes @throws {OptionError} when two want the same path */
  checkApart(own: readonly string[]): void {
    const all = this.#mounted.flatMap(({ definition, roots }) =>
      roots.map((root) => ({ name: definition.name, root })),
    );
    for (const [place, { name, root }] of all.entries()) {
      const other = all.find((one, at) => at !== place && isBelow(one.root, root));
      if (other !== undefined)
        throw new OptionError('dialects', `apart from each other at ${root}`, `${name}, ${other.name}`);
      const path = own.find((one) => isBelow(one, root));
      if (path !== undefined) throw new OptionError('dialects', `apart from our own ${path}: see \`api\``, name);
    }
  }

  /** Whether a path is one of a dialect. */
  matches(pathname: string): boolean {
    return this.#at(pathname) !== null;
  }

  /** Answers what was thrown in the form of the dialect whose path it is. @returns null: it is nobody's */
  refuse(pathname: string, error: unknown): Response | null {
    const mounted = this.#at(pathname);
    return mounted && refused(mounted, error);
  }

  /** Refuses a path that nobody has. @returns null: it is below none of theirs, or sooner below ours */
  refuseUnknown(pathname: string): Response | null {
    const { api } = this.#context.settings;
    const own = api !== null && isBelow(pathname, api) ? api.length : 0;
    const below = this.#mounted.filter(({ prefix }) => prefix.length > own && isBelow(pathname, prefix));
    const nearest = below.reduce<Mounted | null>((a, b) => (a && a.prefix.length >= b.prefix.length ? a : b), null);
    return nearest && refused(nearest, nothingAt(pathname));
  }

  /** Adds their routes to the router. */
  addTo(app: H3): void {
    for (const mounted of this.#mounted) {
      const { routes } = mounted.surface;
      const { basePath } = mounted.definition;
      for (const route of routes) {
        const handle = this.#serving(mounted, route);
        app.on(route.method, basePath + route.path, handle);
        if (route.method === 'GET') app.on('HEAD', basePath + route.path, handle);
      }
      for (const path of new Set(routes.map((route) => route.path))) {
        app.all(basePath + path, this.#refusingMethod(mounted, path));
      }
      for (const root of mounted.roots) {
        const unknown = async ({ url }: H3Event): Promise<Response> => refused(mounted, nothingAt(url.pathname));
        app.all(root, unknown);
        app.all(`${root}/**`, unknown);
      }
    }
  }

  #at(pathname: string): Mounted | null {
    return this.#mounted.find(({ roots }) => roots.some((root) => isBelow(pathname, root))) ?? null;
  }

  #serving(mounted: Mounted, { handle }: DialectRoute): (event: H3Event) => Promise<Response> {
    const { access, settings } = this.#context;
    const { queryParameters } = settings;
    const { definition, surface } = mounted;
    return async ({ req, url, context }) => {
      try {
        const caller = await access.callerOf(surface.identified?.(req, url) ?? req);
        if (url.search !== '' && url.searchParams.size > queryParameters) {
          throw new HttpProblem('malformed', `The query has more than the ${queryParameters} parameters allowed.`);
        }
        const call: DialectCall = {
          request: req,
          caller,
          url,
          params: decoded(context.params),
          link: (path) => (definition.origin ?? originOf(url)) + basePathOf(context) + definition.basePath + path,
          body: () => readJson(req, settings),
        };
        await together();
        return await handle(call);
      } catch (error) {
        return refused(mounted, error);
      }
    };
  }

  #refusingMethod(mounted: Mounted, path: string): (event: H3Event) => Promise<Response> {
    const methods = mounted.surface.routes.filter((route) => route.path === path).map(({ method }) => method);
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    return async ({ req }) => {
      if (req.method === 'OPTIONS') return answer(204, null, { allow });
      const detail = `${req.method} is not allowed here; allowed are ${allow}.`;
      return refused(mounted, new HttpProblem('method_not_allowed', detail, {}, { allow }));
    };
  }
}

/** Answers what was thrown as the dialect does, or as the app says. */
function refused({ definition, surface }: Mounted, error: unknown): Response {
  const problem = challenged(toProblem(error), surface);
  const type = surface.errorType === undefined ? undefined : { 'content-type': surface.errorType };
  const refusal: Refusal = { ...surface.refuse(problem), headers: { ...type, ...problem.headers } };
  try {
    const { status, body, headers = refusal.headers } = definition.refuse?.(refusal, problem.code) ?? refusal;
    if (!Number.isInteger(status) || status < 400 || status > 599)
      throw new TypeError('`refuse` of a dialect must give a status from 400 to 599.');
    if (headers !== refusal.headers) new Headers(headers); // throws for what can be none
    return json(status, body, headers);
  } catch (fault) {
    const { status, body } = surface.refuse(toProblem(fault)); // what the app says is no answer
    return json(status, body, type);
  }
}

/** What a path that nobody has is refused with. */
export function nothingAt(pathname: string): HttpProblem {
  return new HttpProblem('route_unknown', `There is nothing at ${pathname.slice(0, 200)}.`);
}

/** A 401 asks for the credential that clients of the dialect have. */
function challenged(problem: HttpProblem, { challenge }: DialectSurface): HttpProblem {
  const { code, message, members, headers } = problem;
  if (challenge === undefined || code !== 'unauthenticated') return problem;
  return new HttpProblem(code, message, members, { ...headers, 'www-authenticate': challenge });
}

function isBelow(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

/** `url.origin` would have the whole URL parsed. */
function originOf({ href }: URL): string {
  return href.slice(0, href.indexOf('/', href.indexOf('://') + 3));
}

function basePathOf(context: H3Event['context']): string {
  return String(context.basePath ?? '').replace(/\/$/, '');
}

function decoded(params: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const all: Record<string, string> = {};
  for (const name in params) all[name] = decodeURIComponent(params[name] ?? '');
  return all;
}
