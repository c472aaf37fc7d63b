import type { z } from 'zod';
import { type BodyLimits, readJson } from './body.ts';
import type { Caller } from './caller.ts';
import { issuesOf } from './issues.ts';
import { BodyInvalidProblem, HttpProblem, type ProblemCode } from './problem.ts';
import { badParameter, listKeys, readQuery } from './query.ts';
import { together } from './turn.ts';

/** The methods that routes have. HEAD comes with GET (RFC 9110, section 9.3.2). */
type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request as it came from the router. */
interface RawCall {
  readonly request: Request;
  readonly caller: Caller;
  readonly search: URLSearchParams;
  /** Segments of the path, as they were written. */
  readonly params: Readonly<Record<string, string>>;
  /** Makes a path under our own routes one that the client can follow. */
  readonly link: (path: string) => string;
}

/** A request that was checked against its route. */
interface Call<Params, Query, Body> {
  readonly request: Request;
  readonly caller: Caller;
  readonly search: URLSearchParams;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly link: (path: string) => string;
}

/** The groups that routes are shown in. */
type Tag = 'tasks' | 'schedules' | 'events' | 'service';

/** An answer with a body that is no JSON, or with none; `type`: its media type. */
export interface PlainAnswer {
  readonly type: string | null;
  readonly description: string;
}

/** What documents say of a route. */
export interface RouteFacts {
  readonly method: Method;
  /** Below the path of our own routes, with `:name` for a segment. */
  readonly path: string;
  /** Unique; the name of the operation in OpenAPI. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  /** Needs no credential. */
  readonly open?: boolean | undefined;
  readonly params?: z.ZodObject | undefined;
  readonly query?: z.ZodObject | undefined;
  readonly body?: z.ZodType | undefined;
  /** Request headers beside those of HTTP itself, and what they do. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The schema of each success. */
  readonly answers: Readonly<Record<number, z.ZodType | PlainAnswer>>;
  /** Beside those of every route. */
  readonly problems: readonly ProblemCode[];
}

/** A row of the route table. Router, validator and documents read it. */
export interface Route extends RouteFacts {
  /** Checks a request and answers it. @throws {HttpProblem} and the errors of the library */
  serve(raw: RawCall, limits: BodyLimits & { readonly queryParameters: number }): Promise<Response>;
}

/** A route as it is written down: {@link Route}, with `handle` in place of `serve`. */
export type RouteDefinition<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
> = RouteFacts & {
  readonly params?: Params;
  /** Unknown parameters are refused when it is strict. */
  readonly query?: Query;
  /** Of JSON; one that takes `undefined` may be left out by the client. */
  readonly body?: Body;
  /** Runs before anything is read. @throws {HttpProblem} */
  guard?(caller: Caller): Promise<void> | undefined;
  handle(call: Call<z.output<Params>, z.output<Query>, z.output<Body>>): Response | Promise<Response>;
};

/** Makes a row of the route table; the schemas type what `handle` is given. */
export function route<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
>(definition: RouteDefinition<Params, Query, Body>): Route {
  const { handle, guard, ...facts } = definition;
  const { params: paramsSchema, query: querySchema, body: bodySchema } = definition;
  const lists = querySchema === undefined ? new Set<string>() : listKeys(querySchema);
  return {
    ...facts,
    async serve({ request, caller, search, params, link }, limits) {
      await guard?.(caller);
      const call = {
        request,
        caller,
        search,
        link,
        params: paramsSchema === undefined ? params : parseParams(paramsSchema, params),
        query:
          querySchema === undefined ? {} : parseQuery(querySchema, readQuery(search, lists, limits.queryParameters)),
        body: bodySchema === undefined ? undefined : parseBody(bodySchema, await readJson(request, limits)),
      };
      await together();
      return handle(call as Call<z.output<Params>, z.output<Query>, z.output<Body>>);
    },
  };
}

function parseParams(schema: z.ZodObject, raw: Readonly<Record<string, string>>): unknown {
  const params: Record<string, string> = {};
  for (const name in raw) params[name] = decodeURIComponent(raw[name] ?? '');
  const parsed = schema.safeParse(params);
  // a path that cannot name anything names nothing
  if (!parsed.success) {
    if ('key' in schema.shape) throw new HttpProblem('schedule_not_found', 'No schedule has a key of this form.');
    throw new HttpProblem('task_not_found', 'No task has an id of this form.');
  }
  return parsed.data;
}

function parseQuery(schema: z.ZodObject, raw: Record<string, unknown>): unknown {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const [first = { path: '', message: 'Invalid' }] = issuesOf(parsed.error);
  const [name = ''] = first.path.split('.');
  const tag = name === 'tag' && first.path.length > name.length;
  throw badParameter(tag ? first.path : name, first.message === 'Unknown key' ? 'It is not known here' : first.message);
}

function parseBody(schema: z.ZodType, value: unknown): unknown {
  const hidden = prototypeKey(value);
  if (hidden !== null) throw new BodyInvalidProblem([{ path: hidden, message: 'Unknown key' }]);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  if (value === undefined) throw new HttpProblem('malformed', 'A body of JSON is needed.');
  throw new BodyInvalidProblem(issuesOf(parsed.error));
}

/** Of a body, what is taken as it is, wherever schemas have it: it may have any keys. */
const FREE: readonly string[] = ['input', 'metadata', 'payload'];

/** The path of a key `__proto__`, which schemas pass over in silence; null: there is none. */
function prototypeKey(value: unknown, path: readonly string[] = []): string | null {
  if (value === null || typeof value !== 'object') return null;
  for (const key in value) {
    if (key === '__proto__') return [...path, key].join('.');
    const held = (value as Record<string, unknown>)[key];
    if (held === null || typeof held !== 'object' || FREE.includes(key)) continue;
    const found = prototypeKey(held, [...path, key]);
    if (found !== null) return found;
  }
  return null;
}
