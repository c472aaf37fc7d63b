import { type ErrorCode, OptionError, TasklaneError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { backoffMs, pause, retryAfterMs } from './backoff.ts';
import { errorOf } from './problem.ts';

/** Header fields by name. */
export type HeaderMap = Readonly<Record<string, string>>;

/** What a client is made with. */
export type TaskClientOptions = {
  /** Where `createHandler` is mounted, such as `https://app.example/api`; in a browser also a path such as `/api`. */
  readonly baseUrl: string | URL;
} & Optional<{
  /** In place of the global one: for credentials, proxies or tests. */
  fetch: typeof globalThis.fetch;
  /** Sent with every request. A function is asked anew each time, so that a token may be renewed. */
  headers: HeaderMap | (() => HeaderMap | Promise<HeaderMap>);
  /**
   * How often a request is tried while there is no answer, or 429, 502, 503 or 504: `maxAttempts` includes the first and is 5
   * by default. False: once, and a stream that breaks is not taken up again.
   */
  retry: false | Optional<{ maxAttempts: number }>;
}>;

/** One request. */
export interface Call {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the base URL. */
  readonly path: string;
  readonly headers?: HeaderMap;
  /** Becomes JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  /** False: not tried again when nobody knows whether it was carried out. */
  readonly repeatable?: boolean;
  /** What is answered when it is repeated although it was carried out. */
  readonly doneCode?: ErrorCode;
  /** Tried until it is answered, however long that takes. */
  readonly patient?: boolean;
}

/** What one try came to. */
type Outcome<T> =
  | { readonly value: T }
  | {
      readonly failure: unknown;
      /** Another try may end otherwise. */
      readonly passing: boolean;
      /** It may have been carried out. */
      readonly uncertain: boolean;
      readonly waitMs: number | null;
    };

const MAX_ATTEMPTS = 5;
/** Busy, or something in between had no answer. */
const PASSING = [429, 502, 503, 504];
/** What only something in between says, which may have passed on the request. */
const UNCERTAIN = [502, 504];

/** Sends requests to one server, again where it helps. */
export class Transport {
  readonly maxAttempts: number;
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #headers: () => HeaderMap | Promise<HeaderMap>;

  /** @throws {OptionError} */
  constructor({ baseUrl, fetch, headers = {}, retry }: TaskClientOptions) {
    const base = String(baseUrl ?? '');
    const page = (globalThis as { readonly location?: { readonly href: string } }).location?.href;
    const protocol = URL.canParse(base, page) ? new URL(base, page).protocol : '';
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new OptionError('baseUrl', 'an http or https URL, or a path where there is a page', baseUrl);
    }
    const maxAttempts = retry === false ? 1 : (retry?.maxAttempts ?? MAX_ATTEMPTS);
    if (!Number.isInteger(maxAttempts) || maxAttempts < 1) {
      throw new OptionError('retry.maxAttempts', 'an integer >= 1', maxAttempts);
    }
    this.maxAttempts = maxAttempts;
    this.#base = base.replace(/\/+$/, '');
    this.#fetch = fetch ?? ((input, init) => globalThis.fetch(input, init)); // browsers want it called on the global
    this.#headers = typeof headers === 'function' ? headers : () => headers;
  }

  /**
   * Sends a request until it is answered: not beyond its attempts, and not for what another try cannot change.
   * @param read the answer; a connection that breaks meanwhile counts as none
   * @returns null where `doneCode` says that an earlier try had been carried out
   * @throws {TasklaneError} as in process; the `TypeError` of `fetch`; the signal's reason
   */
  async send<T>(call: Call, read: (response: Response) => Promise<T>): Promise<T | null> {
    let uncertain = false;
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#try(call, read);
      if ('value' in outcome) return outcome.value;
      const { failure } = outcome;
      if (uncertain && failure instanceof TasklaneError && failure.code === call.doneCode) return null;
      uncertain ||= outcome.uncertain;
      const useful = outcome.passing && !(outcome.uncertain && call.repeatable === false);
      const limit = call.patient && this.maxAttempts > 1 ? Number.POSITIVE_INFINITY : this.maxAttempts;
      if (!useful || attempt >= limit) throw failure;
      await pause(outcome.waitMs ?? backoffMs(attempt), call.signal);
    }
  }

  async #try<T>(call: Call, read: (response: Response) => Promise<T>): Promise<Outcome<T>> {
    const { method, path, body, signal } = call;
    signal?.throwIfAborted();
    const headers = new Headers(await this.#headers());
    for (const [name, value] of Object.entries(call.headers ?? {})) headers.set(name, value);
    if (body !== undefined) headers.set('content-type', 'application/json');
    try {
      const response = await this.#fetch(this.#base + path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (response.ok) return { value: await read(response) };
      return {
        failure: await errorOf(response, `${method} ${path.replace(/\?.*/, '')}`),
        passing: PASSING.includes(response.status),
        uncertain: UNCERTAIN.includes(response.status),
        waitMs: retryAfterMs(response.headers),
      };
    } catch (failure) {
      signal?.throwIfAborted();
      const passing = !(failure instanceof TasklaneError); // that one is about an answer
      return { failure, passing, uncertain: true, waitMs: null };
    }
  }
}
