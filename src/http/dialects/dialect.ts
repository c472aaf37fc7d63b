import type { HeaderFields } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import type { HttpProblem } from '../problem.ts';

/** A published task API, spoken over a manager: give it to `createHandler({ dialects })`. Its inside is not public. */
export interface Dialect {
  readonly name: string;
}

/** A request to a dialect, whose caller is known. */
export interface DialectCall {
  readonly request: Request;
  readonly caller: Caller;
  /** Of the request, without what a framework took off it. */
  readonly url: URL;
  /** Segments of the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
  /** The absolute URL of a published path, as this client can follow it. */
  readonly link: (path: string) => string;
  /**
   * The body as JSON; undefined: there is none, whatever its media type.
   * @throws {HttpProblem} 413, 415, or 400 for what is no JSON
   */
  readonly body: () => Promise<unknown>;
}

/**
 * A row of a dialect's routes. GET serves HEAD too; the body of such an answer is dropped, so it may be left out. With and
 * without a slash at its end is the same path: what makes a difference of it looks at `url.pathname`.
 */
export interface DialectRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As published, with `:name` for a segment. */
  readonly path: string;
  /** @throws what {@link DialectSurface.refuse} then answers */
  readonly handle: (call: DialectCall) => Response | Promise<Response>;
}

/** How an error is answered: the status, what becomes the body, as JSON, and header fields by name, in lower case. */
export interface Refusal {
  readonly status: number;
  readonly body: unknown;
  /** Left out: those that the error has anyway. */
  readonly headers?: HeaderFields;
}

/** What a dialect serves. It has no state: all that it tells is the manager's. */
export interface DialectSurface {
  /** Published paths that are wholly the dialect's own, such as `/v2/task`: what has no route below them it answers too. */
  readonly roots: readonly string[];
  /** The path that all that is published lies below, such as `/v2`: what nobody serves there is refused in this form too. */
  readonly prefix: string;
  readonly routes: readonly DialectRoute[];
  /** The request that `authenticate` is asked about, where credentials are sent in a way of the dialect's own. */
  readonly identified?: (request: Request, url: URL) => Request;
  /** `WWW-Authenticate` of a 401, where clients send another credential than a bearer token. */
  readonly challenge?: string;
  /** Of errors; default `application/json`. */
  readonly errorType?: string;
  /** What whatever goes wrong is answered with, in the dialect's own form. */
  readonly refuse: (problem: HttpProblem) => Refusal;
}

/** What a dialect is made of. */
export interface DialectDefinition {
  readonly name: string;
  /** In front of the published paths; without a slash at its end. */
  readonly basePath: string;
  /** Where absolute URLs start, such as `https://tasks.example.com`; null: where the request went. */
  readonly origin: string | null;
  /** Changes how an error is answered. */
  readonly refuse: ((refusal: Refusal, code: string) => Refusal) | null;
  /** Called once by each handler. */
  readonly surface: (context: HttpContext) => DialectSurface;
}

const definitions = new WeakMap<object, DialectDefinition>();

/** Makes what an app gives to `createHandler`. */
export function defineDialect(definition: DialectDefinition): Dialect {
  const dialect: Dialect = Object.freeze({ name: definition.name });
  definitions.set(dialect, definition);
  return dialect;
}

/** Null for what none of the functions of `tasklane/dialects` made. */
export function definitionOf(dialect: unknown): DialectDefinition | null {
  return (typeof dialect === 'object' && dialect !== null && definitions.get(dialect)) || null;
}
