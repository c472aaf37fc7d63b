import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { waitFor } from 'tasklane/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventsOf, Gate, type SentEvent } from './support.ts';

let manager: TaskManager;
let handler: TaskHandler;
let steps: Gate[];

beforeEach(async () => {
  steps = Array.from({ length: 6 }, () => new Gate());
  const stepped = defineTask({
    name: 'stepped',
    async run(_input: unknown, { progress, log }) {
      for (const [index, gate] of steps.entries()) {
        await gate.opened;
        log(`line ${index}`);
        progress({ processed: index + 1, total: steps.length, message: `step ${index}` });
      }
    },
  });
  const quick = defineTask({ name: 'quick', run: () => 'done' });
  manager = new TaskManager({ handlers: [stepped, quick] as unknown as readonly AnyTask[], progressInterval: '1ms' });
  handler = createHandler(manager);
  await manager.start();
});
afterEach(async () => {
  for (const gate of steps) gate.open();
  await handler.close();
  await manager.close({ timeout: 0 });
});

/** A connection: what it has seen, and a way to break it. */
class Connection {
  readonly response: Response;
  readonly seen: SentEvent[] = [];
  readonly #events: AsyncGenerator<SentEvent>;

  private constructor(response: Response) {
    this.response = response;
    this.#events = eventsOf(response);
  }

  static async open(path: string, lastEventId?: string): Promise<Connection> {
    const headers: Record<string, string> = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
    return new Connection(await handler(new Request(`http://x${path}`, { headers })));
  }

  /** Reads until an event fits; undefined: the stream ended before. */
  async until(fits: (event: SentEvent) => boolean): Promise<SentEvent | undefined> {
    for (let read = await this.#events.next(); !read.done; read = await this.#events.next()) {
      this.seen.push(read.value);
      if (fits(read.value)) return read.value;
    }
    return undefined;
  }

  /** What `EventSource` would send. */
  get lastId(): string {
    return this.seen.findLast(({ id }) => id !== '')?.id ?? '';
  }

  async break(): Promise<void> {
    await this.#events.return(undefined);
  }
}

const isLine =
  (index: number) =>
  ({ event, data }: SentEvent): boolean =>
    event === 'log' && data.message === `line ${index}`;
const isFinal = ({ data }: SentEvent): boolean => data.status === 'succeeded';
const linesOf = (events: readonly SentEvent[]): readonly unknown[] =>
  events.filter(({ event }) => event === 'log').map(({ data }) => data.message);
const numberOf = ({ id }: SentEvent): number => Number(id.split('-')[1]);

describe('the stream of a task', () => {
  test('goes on where it broke: nothing is lost, nothing is repeated', async () => {
    const task = await manager.submit('stepped');
    const path = `/tasks/${task.id}/events`;
    const first = await Connection.open(path);
    steps[0]?.open();
    await first.until(isLine(0));
    await first.break();
    steps[1]?.open();
    steps[2]?.open();
    await expect.poll(async () => (await manager.log(task.id)).length).toBe(3); // while nobody reads
    const second = await Connection.open(path, first.lastId);
    await second.until(isLine(2));
    await second.break();
    for (const gate of steps) gate.open();
    await waitFor(manager, task.id, 'succeeded');
    const third = await Connection.open(path, second.lastId);
    expect(await third.until(() => false)).toBeUndefined();
    const all = [...first.seen, ...second.seen, ...third.seen];
    expect(linesOf(all)).toEqual(['line 0', 'line 1', 'line 2', 'line 3', 'line 4', 'line 5']);
    expect(all.filter(({ event }) => event === 'reset')).toEqual([]);
    expect(all.filter(isFinal)).toHaveLength(1);
    expect(all.at(-1)?.data.status).toBe('succeeded');
    const ids = all.filter(({ id }) => id !== '').map(numberOf);
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });

  test('204 to whoever has seen the end, so that a browser does not come back for ever', async () => {
    const task = await manager.submit('quick');
    await task.result();
    const path = `/tasks/${task.id}/events`;
    const first = await Connection.open(path);
    await first.until(() => false);
    expect(first.seen.map(({ data }) => data.status)).toEqual(['succeeded']);
    expect((await Connection.open(path, first.lastId)).response.status).toBe(204);
    await manager.restart(task.id);
    await waitFor(manager, task.id, 'succeeded');
    const again = await Connection.open(path, first.lastId);
    await again.until(() => false);
    expect(again.seen.map(({ event }) => event)).toEqual(['reset', 'status']);
    expect(again.seen.at(-1)?.data).toMatchObject({ status: 'succeeded', attempt: 2 });
  });

  test.each(['abc-7', 'no id of ours', `${'9'.repeat(40)}-1`, '-1'])(
    'an id that is not known here: `reset`, and how things stand: %s',
    async (id) => {
      const task = await manager.submit('stepped');
      steps[0]?.open();
      const stream = await Connection.open(`/tasks/${task.id}/events`, id);
      await stream.until(({ event }) => event === 'status');
      expect(stream.seen.map(({ event }) => event)).toEqual(['reset', 'status']);
      await stream.break();
    },
  );

  test('a reader who joins late is told the newest log lines, and can go on from there', async () => {
    const task = await manager.submit('stepped');
    const path = `/tasks/${task.id}/events`;
    const early = await Connection.open(path);
    steps[0]?.open();
    steps[1]?.open();
    await early.until(isLine(1));
    const late = await Connection.open(path);
    await late.until(isLine(1));
    expect(late.seen.map(({ event }) => event)).toEqual(['status', 'log', 'log']);
    expect(late.seen.slice(0, -1).map(({ id }) => id)).toEqual(['', '']); // who saw a part of it begins anew
    await late.break();
    for (const gate of steps) gate.open();
    const again = await Connection.open(path, late.lastId);
    await again.until(isFinal);
    expect(linesOf(again.seen)).toEqual(['line 2', 'line 3', 'line 4', 'line 5']);
    await early.break();
  });
});

describe('the stream of many tasks', () => {
  test('tells what happens from now on to what matches', async () => {
    await manager.submit('quick', null, { hold: true });
    const stream = await Connection.open('/events?handler=stepped');
    await manager.submit('quick');
    const task = await manager.submit('stepped');
    for (const gate of steps) gate.open();
    await stream.until(isFinal);
    expect(new Set(stream.seen.map(({ data }) => data.id ?? data.taskId))).toEqual(new Set([task.id]));
    expect(stream.seen[0]?.event).toBe('status');
    expect(stream.seen[0]?.data).not.toHaveProperty('input');
    await stream.break();
  });

  test('goes on where it broke', async () => {
    const first = await Connection.open('/events');
    const a = await manager.submit('quick', null, { hold: true });
    await first.until(({ data }) => data.id === a.id);
    await first.break();
    const b = await manager.submit('quick', null, { hold: true });
    const c = await manager.submit('quick', null, { hold: true });
    const second = await Connection.open('/events', first.lastId);
    await second.until(({ data }) => data.id === c.id);
    expect(second.seen.map(({ data }) => data.id)).toEqual([b.id, c.id]);
    await second.break();
  });

  test('behind what is remembered: `reset`, the tasks as they are, and then what happens', async () => {
    const held = await manager.submit('quick', null, { hold: true });
    const done = await manager.submit('quick');
    await done.result();
    const stream = await Connection.open('/events?handler=quick', 'abc-1');
    await manager.runNow(held.id);
    await stream.until(({ data }) => data.id === held.id && data.status === 'succeeded');
    const told = stream.seen.map(({ event, data }) => [event, data.id, data.status]);
    expect(told.slice(0, 3)).toEqual([
      ['reset', undefined, undefined],
      ['status', held.id, 'scheduled'],
      ['status', done.id, 'succeeded'],
    ]);
    expect(stream.seen[0]?.data).toEqual({ tasks: 2, complete: true }); // so many follow, and there are no more
    await stream.break();
    const later = await Connection.open('/events?handler=quick', stream.lastId);
    const next = await manager.submit('quick', null, { hold: true });
    await later.until(({ data }) => data.id === next.id);
    // a hint that came late may tell a state once more, but nothing that was seen comes again
    expect(later.seen.filter(({ event, data }) => event === 'reset' || data.id === held.id)).toEqual([]);
    await later.break();
  });

  test('behind what is remembered, of more than 1,000: the 1,000 that changed last, and that these are not all', async () => {
    const items = Array.from({ length: 500 }, () => ({ handler: 'quick', hold: true }));
    const oldest = await manager.submit('quick', null, { hold: true });
    const all: string[] = [];
    for (let n = 0; n < 2; n++) for (const { id } of await manager.submitMany(items)) all.push(id);
    const stream = await Connection.open('/events', 'abc-1');
    let left = 1_001;
    await stream.until(() => --left === 0);
    expect(stream.seen[0]).toMatchObject({ event: 'reset', data: { tasks: 1_000, complete: false } });
    const told = stream.seen.slice(1).map(({ data }) => data.id);
    expect(told).not.toContain(oldest.id);
    expect(told.toSorted()).toEqual(all.toSorted());
    await stream.break();
  });

  test('400 that names a parameter of lists that a stream has not', async () => {
    const { response } = await Connection.open('/events?limit=1');
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('limit');
  });
});
