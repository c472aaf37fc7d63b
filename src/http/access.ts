import type { Principal } from '../handler/rights.ts';
import { Caller, type Rules } from './caller.ts';
import { isCrossSite } from './cross-site.ts';
import { HttpProblem } from './problem.ts';

/** Gives the principal of a request; null: nobody. */
export type Authenticate<P extends Principal = Principal> = (request: Request) => P | null | Promise<P | null>;

/** Finds out who a request comes from. */
export class Access {
  readonly #authenticate: Authenticate | null;
  readonly #origins: readonly string[];
  readonly #rules: Rules;
  /** Whoever it is: for what needs no credential. */
  readonly anybody: Caller;

  /** @param origins that may send credentials from other sites */
  constructor(authenticate: Authenticate | null, origins: readonly string[], rules: Rules) {
    this.#authenticate = authenticate;
    this.#origins = origins;
    this.#rules = rules;
    this.anybody = new Caller(null, rules);
  }

  /** Whether callers can be told apart. */
  get asks(): boolean {
    return this.#authenticate !== null;
  }

  /** @throws {HttpProblem} 401, or 403 for a request from another site */
  callerOf(request: Request): Caller | Promise<Caller> {
    if (isCrossSite(request, this.#origins)) {
      throw new HttpProblem('forbidden', 'A browser sent this for a page of another site.');
    }
    return this.#authenticate === null ? this.anybody : this.#identify(request, this.#authenticate);
  }

  /** The caller of a request whose answer lasts, asked for again. Null: he is nobody any more. */
  async renew(request: Request): Promise<Caller | null> {
    if (this.#authenticate === null) return this.anybody;
    try {
      return await this.#identify(request, this.#authenticate);
    } catch {
      return null; // when in doubt: he asks again, and is told why
    }
  }

  async #identify(request: Request, authenticate: Authenticate): Promise<Caller> {
    const principal: unknown = await authenticate(request);
    if (principal === null || principal === undefined) {
      throw new HttpProblem(
        'unauthenticated',
        'A valid credential is needed.',
        {},
        { 'www-authenticate': 'Bearer' }, // RFC 9110, section 15.5.2, asks for one; this one opens no dialog
      );
    }
    if (!isPrincipal(principal))
      throw new TypeError('`authenticate` must give null or { id: text of 1 to 1,000 characters }.');
    return new Caller(principal, this.#rules);
  }
}

/** An id is stored as `submittedBy`, whose bounds it has. */
function isPrincipal(value: unknown): value is Principal {
  if (typeof value !== 'object') return false;
  const { id } = value as { readonly id?: unknown };
  return typeof id === 'string' && id.length >= 1 && id.length <= 1_000 && id.isWellFormed();
}
