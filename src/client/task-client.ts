import type { DeleteOptions } from '../controls.ts';
import { TasklaneError, TaskNotFoundError, TransitionError } from '../errors.ts';
import type { PayloadOf, StartedBy } from '../event/types.ts';
import type { TaskWarning } from '../events.ts';
import type { Children, ItemShape } from '../flow/children.ts';
import type { RelatedQuery } from '../flow/relations.ts';
import type { AnyTask, InputOf, Optional, RecordOf, Resolve, TasksOf } from '../handler/define.ts';
import type { WireTask } from '../http/wire.ts';
import type { ListQuery } from '../queries.ts';
import type { Rest } from '../submit/options.ts';
import type { TaskFilter } from '../task/query.ts';
import { isFinal, TRANSITIONS } from '../task/status.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import { backoffMs, pause } from './backoff.ts';
import { follow } from './follow.ts';
import { filterParameters, listParameters } from './list-parameters.ts';
import { type ClientNews, NewsMaker } from './news.ts';
import { fromWire, type Listed, listedFromWire } from './record.ts';
import { type ClientRelated, relatedFromWire, type WireRelated } from './related.ts';
import { ClientSchedules } from './schedules.ts';
import {
  type ClientPublishOptions,
  type ClientSubmitOptions,
  keyField,
  publishBody,
  submitBody,
} from './submit-body.ts';
import { type Call, type TaskClientOptions, Transport } from './transport.ts';

/** What every method may be told: the signal gives it up. */
type Signalled = Optional<{ signal: AbortSignal }>;

/** How long a server is asked to hold a request; common proxies give up after a minute, or half of one. */
const POLL = '25s';
/** A poll that was answered sooner was not held, and the next one waits. */
const HELD_MS = 1_000;

/**
 * A client of the HTTP API, for browsers, Node and edge runtimes. Records are as in the library, times in epoch ms, and errors
 * of the same classes; where there is no answer, the `TypeError` of `fetch` comes through. `Handlers` types it:
 * `new TaskClient<typeof handlers>({ baseUrl })`.
 */
export class TaskClient<
  const Handlers extends readonly AnyTask[] = readonly AnyTask[],
  Tasks extends AnyTask = TasksOf<Handlers>,
> {
  /** What recurs: as `manager.schedules`. */
  readonly schedules: ClientSchedules<Tasks>;
  readonly #transport: Transport;

  /** @throws {OptionError} */
  constructor(options: TaskClientOptions) {
    this.#transport = new Transport(options);
    this.schedules = new ClientSchedules(this.#transport);
  }

  /**
   * Submits a task. It carries an idempotency key, drawn when none is given, and so is safe to repeat.
   * @returns the record as it is then; of an earlier task where a key finds one
   * @throws {InputInvalidError} @throws {UnknownHandlerError} and the other errors of `manager.submit`
   */
  async submit<N extends Tasks['name'], const Shapes extends readonly ItemShape<Tasks>[] = readonly ItemShape<Tasks>[]>(
    handler: N,
    ...[input, options = {}]: Rest<InputOf<Resolve<Tasks, N>>, ClientSubmitOptions<Children<Tasks, Shapes>>>
  ): Promise<RecordOf<Resolve<Tasks, N>> & { readonly warnings: readonly TaskWarning[] }> {
    const { idempotencyKey, failOnWarning, signal } = options as ClientSubmitOptions;
    const task = await this.#json<WireTask>({
      method: 'POST',
      path: failOnWarning ? '/tasks?failOnWarning=true' : '/tasks',
      headers: { 'idempotency-key': keyField(idempotencyKey) },
      body: submitBody(handler, input, options as ClientSubmitOptions),
      signal,
    });
    return fromWire(task) as RecordOf<Resolve<Tasks, N>> & { readonly warnings: readonly TaskWarning[] };
  }

  /**
   * Publishes an event, which starts whatever is bound to it. It carries an idempotency key, drawn when none is given, and so is
   * safe to repeat.
   * @returns the records, as they are then, of what it started and the caller may see
   * @throws {InputInvalidError} and the other errors of `manager.publish`
   */
  async publish<const E extends string>(
    event: E,
    ...[payload, options = {}]: Rest<PayloadOf<Tasks, E>, ClientPublishOptions>
  ): Promise<readonly (RecordOf<StartedBy<Tasks, E>> & { readonly warnings: readonly TaskWarning[] })[]> {
    const { idempotencyKey, signal } = options as ClientPublishOptions;
    const { items } = await this.#json<{ readonly items: readonly WireTask[] }>({
      method: 'POST',
      path: `/publish/${encodeURIComponent(event)}`,
      headers: { 'idempotency-key': keyField(idempotencyKey) },
      body: publishBody(payload, options as ClientPublishOptions),
      signal,
    });
    const records: unknown = items.map((task) => fromWire(task));
    return records as readonly (RecordOf<StartedBy<Tasks, E>> & { readonly warnings: readonly TaskWarning[] })[];
  }

  /** One task; null where there is none, or none that the caller may know of. */
  async get(id: string, { signal }: Signalled = {}): Promise<RecordOf<Tasks> | null> {
    try {
      return await this.#read(id, '', signal);
    } catch (error) {
      if (error instanceof TaskNotFoundError) return null;
      throw error;
    }
  }

  /**
   * All tasks that match, page after page. `limit` is the size of a page, default 50. `input` and `result` are left out unless
   * `include` names them. Of where to begin, HTTP knows `cursor` alone.
   * @throws {OptionError} @throws {CursorError}
   */
  async *list(
    query: ListQuery & Optional<{ include: readonly ('input' | 'result')[] }> & Signalled = {},
  ): AsyncGenerator<Listed<RecordOf<Tasks>>, undefined, undefined> {
    const { signal, ...rest } = query;
    const parameters = listParameters(rest);
    while (parameters !== null) {
      const page = await this.#json<{ readonly items: readonly WireTask[]; readonly next: string | null }>({
        method: 'GET',
        path: `/tasks?${parameters}`,
        signal,
      });
      for (const task of page.items) yield listedFromWire<Tasks>(task);
      if (page.next === null) return;
      for (const key of ['after', 'before', 'offset']) parameters.delete(key); // they said where to begin
      parameters.set('cursor', page.next);
    }
  }

  /**
   * Waits for the end of a task.
   * @param options `timeout`: none by default; after it the `DOMException` named `TimeoutError`, as of `AbortSignal.timeout`
   * @returns the final record, whatever its status
   * @throws {TaskNotFoundError} also when it is deleted meanwhile
   */
  async wait(id: string, options: Optional<{ timeout: Duration; signal: AbortSignal }> = {}): Promise<RecordOf<Tasks>> {
    const signals = options.signal === undefined ? [] : [options.signal];
    if (options.timeout !== undefined) signals.push(AbortSignal.timeout(parseDuration('timeout', options.timeout)));
    const signal = signals.length === 0 ? undefined : AbortSignal.any(signals);
    for (let polls = 0, unheld = 0; ; polls++) {
      const begun = Date.now();
      const task = await this.#read(id, `?wait=${POLL}`, signal, polls > 0);
      if (isFinal(task.status)) return task;
      unheld = Date.now() - begun < HELD_MS ? unheld + 1 : 0;
      if (unheld > 0) await pause(backoffMs(unheld), signal);
    }
  }

  /**
   * Cancels a task: at once where it does not run yet, else by telling its handler.
   * @throws {TaskNotFoundError} @throws {TransitionError} where it has ended
   */
  async cancel(id: string, reason?: string, { signal }: Signalled = {}): Promise<RecordOf<Tasks>> {
    const task = await this.#send<WireTask>({
      method: 'POST',
      path: `${pathOf(id)}/cancel`,
      body: reason === undefined ? {} : { reason },
      signal,
      doneCode: 'transition_refused',
    });
    if (task !== null) return fromWire<Tasks>(task);
    const now = await this.#read(id, '', signal);
    if (now.status === 'cancelled') return now;
    throw new TransitionError(id, 'cancel', now.status, TRANSITIONS[now.status]);
  }

  /**
   * Runs a task again that has ended. Not repeated where nobody knows whether it was done: it might have ended again.
   * @throws {TaskNotFoundError} @throws {TransitionError}
   */
  async restart(id: string, { signal }: Signalled = {}): Promise<RecordOf<Tasks>> {
    const call = { method: 'POST', path: `${pathOf(id)}/restart`, signal, repeatable: false } as const;
    return fromWire<Tasks>(await this.#json<WireTask>(call));
  }

  /**
   * Its parent and children, what it depends on and what depends on it, as far as the caller may see them, without input and
   * result: up to `limit` (1,000) of each; with `next` as `cursor` those that follow.
   * @throws {TaskNotFoundError} @throws {CursorError}
   */
  async related(
    id: string,
    { limit, cursor, signal }: RelatedQuery & Signalled = {},
  ): Promise<ClientRelated<RecordOf<Tasks>>> {
    const parameters = new URLSearchParams();
    if (limit !== undefined) parameters.set('limit', String(limit));
    if (cursor !== undefined) parameters.set('cursor', cursor);
    const query = parameters.size > 0 ? `?${parameters}` : '';
    const call = { method: 'GET', path: `${pathOf(id)}/related${query}`, signal } as const;
    return relatedFromWire<Tasks>(await this.#json<WireRelated>(call));
  }

  /** Deletes a task. @throws {TaskNotFoundError} @throws {RelatedTasksError} @throws {TransitionError} */
  async delete(id: string, { signal, ...options }: DeleteOptions & Signalled = {}): Promise<void> {
    const flags = Object.entries(options).filter(([, on]) => on === true);
    const query = flags.length === 0 ? '' : `?${flags.map(([name]) => `${name}=true`).join('&')}`;
    const call: Call = { method: 'DELETE', path: pathOf(id) + query, signal, doneCode: 'task_not_found' };
    await this.#transport.send(call, async () => undefined);
  }

  /**
   * What happens to a task, or to all that match a filter, as it happens. A connection that breaks is taken up again from where
   * it was, until the signal aborts. Of one task it starts with its status and ends after its final one.
   * @throws {TaskNotFoundError} and what the first connection is refused with
   */
  async *events(
    of: string | TaskFilter,
    { signal }: Signalled = {},
  ): AsyncGenerator<ClientNews<Tasks>, undefined, undefined> {
    const single = typeof of === 'string';
    const parameters = single ? new URLSearchParams() : filterParameters(of);
    if (parameters === null) return; // nothing matches
    const path = single ? `${pathOf(of)}/events` : `/events${parameters.size > 0 ? `?${parameters}` : ''}`;
    const maker = new NewsMaker<Tasks>(async (taskId) => {
      const task = await this.get(taskId, { signal });
      return task as Listed<RecordOf<Tasks>> | null;
    });
    yield* follow(this.#transport, { path, single, signal }, maker);
  }

  async #read(id: string, query: string, signal: AbortSignal | undefined, patient = false): Promise<RecordOf<Tasks>> {
    const call = { method: 'GET', path: pathOf(id) + query, signal, patient } as const;
    return fromWire<Tasks>(await this.#json<WireTask>(call));
  }

  async #json<T>(call: Call): Promise<T> {
    const value = await this.#send<T>(call);
    if (value === null) throw new TasklaneError('internal', 'The answer is empty.');
    return value;
  }

  #send<T>(call: Call): Promise<T | null> {
    return this.#transport.send(call, async (response) => {
      const text = await response.text();
      try {
        return JSON.parse(text) as T;
      } catch (cause) {
        throw new TasklaneError('internal', `${call.method} ${call.path} was answered with something else than JSON.`, {
          cause,
        });
      }
    });
  }
}

function pathOf(id: string): string {
  return `/tasks/${encodeURIComponent(id)}`;
}
