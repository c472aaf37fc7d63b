import { ScheduleNotFoundError, TasklaneError } from '../errors.ts';
import type { AnyTask, Optional, RecordOf } from '../handler/define.ts';
import type { WireTask } from '../http/wire.ts';
import type { SchedulePage, ScheduleQuery } from '../schedule/list.ts';
import type { PreviewSpec } from '../schedule/preview.ts';
import type { ScheduleSpec } from '../schedule/spec.ts';
import type { ScheduleRecord } from '../schedule/stored-schedule.ts';
import { toJson } from '../task/json.ts';
import { timeText } from './list-parameters.ts';
import { fromWire } from './record.ts';
import type { Call, HeaderMap, Transport } from './transport.ts';

type Signalled = Optional<{ signal: AbortSignal }>;
/** `ifVersion`: only while the record's `version` is this one. */
type Changing = Signalled & Optional<{ ifVersion: number }>;

/** The keys of a schedule that hold a time. */
const TIMES = ['start', 'end', 'createdAt', 'updatedAt', 'pausedAt', 'nextRunAt', 'lastTick'] as const;

/** A schedule on the wire: its times are text. */
type WireSchedule = Readonly<Record<string, unknown>>;

/** The schedules of a server: as `manager.schedules`, with records as in the library. */
export class ClientSchedules<Tasks extends AnyTask = AnyTask> {
  readonly #transport: Transport;

  /** Each client makes its own, `client.schedules`. */
  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Not repeated where nobody knows whether it was made. @throws {ScheduleExistsError} and as `manager.schedules.create` */
  async create<N extends Tasks['name']>(
    spec: ScheduleSpec<Tasks, N>,
    { signal }: Signalled = {},
  ): Promise<ScheduleRecord> {
    const call = { method: 'POST', path: '/schedules', body: bodyOf(spec), signal, repeatable: false } as const;
    return fromWireSchedule(await this.#json(call));
  }

  /** Null where there is none, or none that the caller may know of. */
  async get(key: string, { signal }: Signalled = {}): Promise<ScheduleRecord | null> {
    try {
      return fromWireSchedule(await this.#json({ method: 'GET', path: pathOf(key), signal }));
    } catch (error) {
      if (error instanceof ScheduleNotFoundError) return null;
      throw error;
    }
  }

  /** A page of those that match, by key. */
  async list({ filter = {}, limit, cursor, signal }: ScheduleQuery & Signalled = {}): Promise<SchedulePage> {
    const { tags = {}, text, ...rest } = filter;
    const query = { ...rest, q: text, limit, cursor };
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
    for (const [name, value] of Object.entries(tags)) parameters.set(`tag.${name}`, String(value));
    const page = await this.#json<{ items: readonly WireSchedule[]; next: string | null }>({
      method: 'GET',
      path: `/schedules?${parameters}`,
      signal,
    });
    return { items: page.items.map(fromWireSchedule), next: page.next };
  }

  /**
   * With `ifVersion` it is not repeated where nobody knows whether it was done: it could be told of its own change.
   * @throws {ScheduleNotFoundError} @throws {VersionConflictError} and as `manager.schedules.replace`
   */
  async replace<N extends Tasks['name']>(
    key: string,
    spec: Omit<ScheduleSpec<Tasks, N>, 'key'> & Optional<{ key: string }>,
    options: Changing = {},
  ): Promise<ScheduleRecord> {
    return this.#change({ method: 'PUT', path: pathOf(key), body: bodyOf(spec) }, options);
  }

  /** @throws {ScheduleNotFoundError} @throws {VersionConflictError} */
  async delete(key: string, { signal, ifVersion }: Changing = {}): Promise<void> {
    const call = { method: 'DELETE', path: pathOf(key), signal, doneCode: 'schedule_not_found' } as const;
    await this.#transport.send({ ...call, headers: ifMatch(ifVersion) }, async () => undefined);
  }

  /** `ifVersion` as of `replace`. @throws {ScheduleNotFoundError} @throws {VersionConflictError} */
  pause(key: string, options: Changing = {}): Promise<ScheduleRecord> {
    return this.#change({ method: 'POST', path: `${pathOf(key)}/pause` }, options);
  }

  /** `ifVersion` as of `replace`. @throws {ScheduleNotFoundError} @throws {VersionConflictError} */
  resume(key: string, options: Changing = {}): Promise<ScheduleRecord> {
    return this.#change({ method: 'POST', path: `${pathOf(key)}/resume` }, options);
  }

  /** Not repeated where nobody knows whether it was done. @returns the task @throws {ScheduleNotFoundError} */
  async trigger(key: string, { signal }: Signalled = {}): Promise<RecordOf<Tasks>> {
    const call = { method: 'POST', path: `${pathOf(key)}/trigger`, signal, repeatable: false } as const;
    return fromWire<Tasks>(await this.#json<WireTask>(call));
  }

  /** The next ticks of a schedule, by its key, or of a rule; epoch ms. @throws {ScheduleNotFoundError} @throws {OptionError} */
  async preview(what: string | PreviewSpec, count?: number, { signal }: Signalled = {}): Promise<readonly number[]> {
    const { items } = await this.#json<{ items: readonly string[] }>(
      typeof what === 'string' ? stored(what, count, signal) : unstored(what, count, signal),
    );
    return items.map((time) => Date.parse(time));
  }

  async #change(call: Call, { signal, ifVersion }: Changing): Promise<ScheduleRecord> {
    const more = { signal, headers: ifMatch(ifVersion), repeatable: ifVersion === undefined };
    return fromWireSchedule(await this.#json({ ...call, ...more }));
  }

  async #json<T = WireSchedule>(call: Call): Promise<T> {
    const value = await this.#transport.send(call, async (response) => (await response.json()) as T);
    if (value === null) throw new TasklaneError('internal', 'The answer is empty.');
    return value;
  }
}

function fromWireSchedule(schedule: WireSchedule): ScheduleRecord {
  const ms = (time: unknown): number | null => (typeof time === 'string' ? Date.parse(time) : null);
  const times = Object.fromEntries(TIMES.map((key) => [key, ms(schedule[key])]));
  const list = schedule.times as readonly string[] | null;
  return { ...schedule, ...times, times: list?.map((time) => Date.parse(time)) ?? null } as unknown as ScheduleRecord;
}

/** Times as text, and whatever JSON cannot hold refused. */
function bodyOf(spec: object): Record<string, unknown> {
  const { handler, input, metadata, start, end, times, ...rest } = spec as Readonly<Record<string, unknown>>;
  const text = (option: string, time: unknown): unknown =>
    time === undefined || time === null ? undefined : timeText(option, time as Date | number);
  const name = (handler as AnyTask | undefined)?.name ?? handler;
  return {
    ...rest,
    ...(name === undefined ? {} : { handler: name }),
    ...(input === undefined ? {} : { input: toJson(input, 'input') }),
    ...(metadata === undefined ? {} : { metadata: toJson(metadata, 'metadata') }),
    start: text('start', start),
    end: text('end', end),
    times: (times as readonly (Date | number)[] | null | undefined)?.map((time) => text('times', time)),
  };
}

function stored(key: string, count: number | undefined, signal: AbortSignal | undefined): Call {
  return { method: 'GET', path: `${pathOf(key)}/preview${count === undefined ? '' : `?count=${count}`}`, signal };
}

function unstored(
  { from, maxRuns, ...rule }: PreviewSpec,
  count: number | undefined,
  signal: AbortSignal | undefined,
): Call {
  const asked = { maxRuns, count, ...(from === undefined ? {} : { from: timeText('from', from) }) };
  return { method: 'POST', path: '/schedules/preview', body: { ...bodyOf(rule), ...asked }, signal };
}

function ifMatch(version: number | undefined): HeaderMap {
  return version === undefined ? {} : { 'if-match': `"${version}"` };
}

function pathOf(key: string): string {
  return `/schedules/${encodeURIComponent(key)}`;
}
