import type { TaskRecord } from 'tasklane';
import type { Dialect, HandlerOptions } from 'tasklane/http';
import { afterEach, describe, expect, test } from 'vitest';
import { DialectWorld, ORIGIN, type State } from './world.ts';

/** What a row's `{words}` stand for, of its task and its world. */
type Words = Readonly<Record<string, string | number>>;

/** What a 401 asks for, where clients of the dialect send basic credentials too. */
export const CHALLENGE = 'Basic realm="tasklane", charset="UTF-8", Bearer';

/** A request, and all of its answer: one line of a dialect's table. */
export interface Exchange {
  readonly title: string;
  /** Of the owner's task that `{id}` names. */
  readonly task: State;
  /** Method and path. */
  readonly request: string;
  /** Who asks: default `owner`; null: nobody. */
  readonly as?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What the dialect is made with, and the handler. */
  readonly options?: object;
  readonly http?: HandlerOptions;
  readonly status: number;
  /** Header fields of the answer beside `content-type`. */
  readonly answered?: Readonly<Record<string, string>>;
  /** Of the answer, where it is another. */
  readonly contentType?: string;
  /** The answer to its last character: so keys, their order and the types of values are checked. Left out: none. */
  readonly text?: string;
  /** The task's status afterwards, or `deleted`. */
  readonly after?: string;
}

/** A table of a dialect. */
export interface Contract<Options extends object> {
  readonly dialect: (options: Options) => Dialect;
  readonly contentType: string;
  readonly exchanges: readonly Exchange[];
  /** What else `{words}` stand for. */
  readonly words?: (task: TaskRecord, now: number) => Words;
}

/** Plays a dialect's table, line by line. */
export function playContract<Options extends object>(contract: Contract<Options>): void {
  let world: DialectWorld | null = null;
  afterEach(async () => {
    await world?.close();
    world = null;
  });

  const play = async (exchange: Exchange): Promise<void> => {
    const { task: state, request, as, headers, body, options, http, status, answered = {}, text, after } = exchange;
    const { contentType } = exchange;
    const current = await DialectWorld.open([contract.dialect((options ?? {}) as Options)], http);
    world = current;
    const task = state === 'none' ? null : await current.seed(state);
    const words: Record<string, string | number> = {
      ...wordsOf(task, current.clock.now()),
      ...(task && contract.words?.(task, current.clock.now())),
    };
    const [method = '', path = ''] = fill(request, words).split(' ');
    const asked = { method, as, headers, body: body === undefined ? undefined : fill(body, words) };
    const response = await current.ask(path, asked as Parameters<DialectWorld['ask']>[1]);
    const [newest] = (await current.manager.list({ limit: 1 })).items;
    if (newest !== undefined && newest.id !== task?.id) words.made = newest.id;
    expect(await response.text()).toBe(text === undefined ? '' : fill(text, words));
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe(
      contentType ?? (text === undefined ? null : contract.contentType),
    );
    expect(response.headers.get('cache-control')).toBe(response.headers.has('content-type') ? 'no-store' : null);
    for (const [name, value] of Object.entries(answered)) {
      expect([name, response.headers.get(name)]).toEqual([name, fill(value, words)]);
    }
    if (task !== null) expect((await current.manager.get(task.id))?.status ?? 'deleted').toBe(after ?? task.status);
  };

  const titles = contract.exchanges.map(({ title }) => title);
  test('no two lines have the same title', () => expect(new Set(titles).size).toBe(titles.length));
  describe('exchanges', () => {
    for (const exchange of contract.exchanges) test(exchange.title, () => play(exchange));
  });
}

/** Replaces each `{word}`; what is none of them is left, as `{"key"` of JSON. */
function fill(text: string, words: Words): string {
  return text.replace(/\{(\w+)\}/g, (whole, word: string) => String(words[word] ?? whole));
}

/** Of a task, its own keys; times as they are stored, in milliseconds, in seconds and as days. `made`: the id of a new task. */
function wordsOf(task: TaskRecord | null, now: number): Words {
  const common = { origin: ORIGIN, now, today: dayOf(now) };
  if (task === null) return common;
  const { id, createdAt, startedAt, finishedAt, updatedAt } = task;
  const times = { createdAt, startedAt: startedAt ?? 0, finishedAt: finishedAt ?? 0, updatedAt };
  const text = Object.entries(times).flatMap(([key, ms]) => {
    const iso = new Date(ms).toISOString();
    return [
      [`${key}Text`, iso],
      [`${key}Seconds`, `${iso.slice(0, 19)}Z`],
      [`${key}Day`, dayOf(ms)],
    ];
  });
  return { ...common, id, tail: id.slice(-27), ...times, ...Object.fromEntries(text) };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
