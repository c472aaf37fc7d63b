import { defineTask, IdempotencyConflictError, InputInvalidError, OptionError, QueueFullError } from 'tasklane';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

const Paid = z.object({ id: z.string(), cents: z.number() });
const receipt = defineTask({ name: 'receipt', input: Paid, on: 'invoice.paid', run: ({ id }) => `receipt ${id}` });
const books = defineTask({
  name: 'books',
  on: ['invoice.paid', 'invoice.refunded'],
  fromEvent: ({ cents }: { cents: number }, event) => (event === 'invoice.paid' ? cents : -cents),
  run: (cents: number) => cents,
});
const other = defineTask({ name: 'other', on: 'invoice.sent', run: () => 'other' });

onEachStorage('publish', (world) => {
  const handlers = [receipt, books, other] as const;
  const open = (options = {}) => world.manager({ handlers, ...options });

  test('starts every definition that is bound to the event, and gives their handles', async () => {
    const manager = await world.start({ handlers });
    const handles = await manager.publish('invoice.paid', { id: 'a', cents: 5 }, { tags: { run: 1 }, entityId: 'a' });
    expect(handles.map(({ created, matched }) => [created, matched])).toEqual([
      [true, null],
      [true, null],
    ]);
    expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual(['receipt a', 5]);
    const tasks = await Promise.all(handles.map(({ id }) => manager.get(id)));
    expect(tasks.map((task) => [task?.handler, task?.input])).toEqual([
      ['receipt', { id: 'a', cents: 5 }],
      ['books', 5],
    ]);
    for (const task of tasks) expect(task).toMatchObject({ tags: { run: 1 }, entityId: 'a' });
    const [refund, ...none] = await manager.publish('invoice.refunded', { cents: 5 });
    expect([await refund?.result(), none]).toEqual([-5, []]);
    expect(await manager.count()).toBe(3);
  });

  test('an event that nothing is bound to starts nothing', async () => {
    const manager = open();
    expect(await manager.publish('invoice.lost', { id: 'a' })).toEqual([]);
    expect(await manager.publish('constructor')).toEqual([]);
    expect(await manager.count()).toBe(0);
  });

  test('what is registered later is bound, too, and the same definition only once', async () => {
    const manager = open();
    const late = defineTask({ name: 'late', on: ['invoice.sent', 'invoice.sent'] });
    manager.register(late);
    manager.register(late, other);
    const handles = await manager.publish('invoice.sent');
    const found = await Promise.all(handles.map(({ id }) => manager.get(id)));
    expect(found.map((task) => task?.handler as string)).toEqual(['other', 'late']);
  });

  test('a payload that one schema refuses starts nothing, and the error names the handler', async () => {
    const manager = open();
    const error = await errorOf(manager.publish('invoice.paid', { id: 7, cents: 5 } as never));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(error).toMatchObject({
      message: expect.stringContaining('Handler receipt does not take the event invoice.paid'),
      issues: [{ path: 'id' }],
    });
    expect(await manager.count()).toBe(0);
  });

  test('a payload that no input can be made of starts nothing', async () => {
    const manager = open();
    const error = await errorOf(manager.publish('invoice.refunded', null as never));
    expect(error).toBeInstanceOf(InputInvalidError);
    expect(error).toMatchObject({ message: expect.stringContaining('Handler books makes no input of the event') });
    expect(await manager.count()).toBe(0);
  });

  test('a schema that needs time refuses the whole event, too', async () => {
    const slow = defineTask({
      name: 'slow',
      on: 'invoice.sent',
      input: z.string().refine(async (text) => text !== 'bad'),
    });
    const manager = world.manager({ handlers: [other, slow] });
    expect(await errorOf(manager.publish('invoice.sent', 'bad'))).toMatchObject({
      message: expect.stringContaining('Handler slow'),
    });
    expect(await manager.count()).toBe(0);
    expect(await manager.publish('invoice.sent', 'good')).toHaveLength(2);
  });

  test('the same idempotency key and payload start nothing twice, another payload is refused', async () => {
    const manager = open();
    const paid = { id: 'a', cents: 5 };
    const options = { idempotencyKey: 'evt_1' };
    const first = await manager.publish('invoice.paid', paid, options);
    const [twice] = await Promise.all([
      manager.publish('invoice.paid', { cents: 5, id: 'a' }, options),
      manager.publish('invoice.paid', paid, options),
    ]);
    expect(twice.map(({ id, matched }) => [id, matched])).toEqual(first.map(({ id }) => [id, 'idempotency']));
    expect(await errorOf(manager.publish('invoice.paid', { id: 'b', cents: 6 }, options))).toBeInstanceOf(
      IdempotencyConflictError,
    );
    expect(await manager.count()).toBe(2);
    expect(await manager.publish('invoice.refunded', paid, options)).toMatchObject([{ created: true }]);
    expect(await manager.publish('invoice.paid', paid, { ...options, submittedBy: 'me' })).toMatchObject([
      { created: true },
      { created: true },
    ]);
  });

  test('the same event from two processes at once starts each binding once', async () => {
    const managers = [open(), open()];
    const published = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        managers[index % 2]?.publish('invoice.paid', { id: 'a', cents: 5 }, { idempotencyKey: 'evt_1' }),
      ),
    );
    expect(new Set(published.flatMap((handles) => handles?.map(({ id }) => id))).size).toBe(2);
    expect(await managers[0]?.count()).toBe(2);
  });

  test('a full queue refuses the whole event', async () => {
    const manager = open({ maxQueued: 1 });
    const error = await errorOf(manager.publish('invoice.paid', { id: 'a', cents: 5 }));
    expect(error).toBeInstanceOf(QueueFullError);
    expect(await manager.count()).toBe(0);
  });

  test('several events of one turn: each whole, in order', async () => {
    const manager = open();
    const published = await Promise.all(
      Array.from({ length: 1_200 }, (_, n) => manager.publish('invoice.paid', { id: `${n}`, cents: n })),
    );
    expect(published.every((handles) => handles.length === 2)).toBe(true);
    expect(await manager.count()).toBe(2_400);
    const { items } = await manager.list({ filter: { handler: 'books' }, sort: 'id', limit: 3 });
    expect(items.map(({ input }) => input)).toEqual([0, 1, 2]);
  });

  test('debounce of a definition: 100,000 events within a second are one task of each key, with the last input', async () => {
    const reindex = controlled('reindex', {
      on: 'file.changed',
      debounce: { wait: '1s', key: (input: unknown) => (input as { folder: string }).folder },
    });
    const manager = await world.start({ handlers: [reindex] });
    const ids = new Set<string>();
    for (let n = 0; n < 100_000; n += 1_000) {
      const storm = Array.from({ length: 1_000 }, (_, at) =>
        manager.publish('file.changed', { folder: `f${(n + at) % 4}`, n: n + at }),
      );
      for (const [handle] of await Promise.all(storm)) ids.add(handle?.id ?? '');
      await world.clock.advance(10);
    }
    expect([ids.size, await manager.count(), reindex.runs.length]).toEqual([4, 4, 0]);
    await world.clock.advance('1s');
    const inputs: unknown[] = [];
    for (let at = 0; at < 4; at++) {
      const run = await reindex.next();
      inputs.push((run.input as { n: number }).n);
      run.finish();
    }
    expect(inputs.sort()).toEqual([99_996, 99_997, 99_998, 99_999]);
  });

  test.each([
    ['event', '', {}],
    ['event', 'a b', {}],
    ['event', 'x'.repeat(201), {}],
    ['event', 7, {}],
    ['options', 'invoice.sent', { unique: { key: 'k' } }],
    ['options', 'invoice.sent', null],
    ['idempotencyKey', 'invoice.sent', { idempotencyKey: 'k'.repeat(501) }],
    ['priority', 'invoice.sent', { priority: 0.5 }],
  ])('%s is refused: %j, %j', async (option, event, options) => {
    const manager = open();
    const error = await errorOf(manager.publish(event as string, undefined, options as never));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
  });

  test.each([['a b'], [['a', '']], [7], [null]])('a definition on %j is refused', (on) => {
    expect(() => defineTask({ name: 'work', on: on as never })).toThrow(OptionError);
  });

  test('a key of any length that is allowed has room', async () => {
    const handler = 'h'.repeat(100);
    const event = 'e'.repeat(200);
    const manager = world.manager({ handlers: [defineTask({ name: handler, on: event })] });
    const idempotencyKey = 'k'.repeat(500);
    const [first] = await manager.publish(event, 1, { idempotencyKey });
    expect(await manager.publish(event, 1, { idempotencyKey })).toMatchObject([{ id: first?.id, created: false }]);
  });
});

onEachStorage('schedules that events start', (world) => {
  const handlers = [receipt, books, other] as const;

  test('a schedule starts a task of each event, with its own options before those of the event', async () => {
    const manager = world.manager({ handlers });
    const own = { priority: 3, tags: { by: 'schedule' }, description: 'own' };
    await manager.schedules.create({ key: 'mail', handler: receipt, on: 'customer.paid', ...own });
    const payload = { id: 'a', cents: 1 };
    const [handle, ...none] = await manager.publish('customer.paid' as string, payload, {
      tags: { by: 'event', run: 7 },
      entityId: 'e',
      description: 'of the event',
    });
    expect(none).toEqual([]);
    expect(await manager.get(handle?.id ?? '')).toMatchObject({
      handler: 'receipt',
      input: payload,
      scheduleId: 'mail',
      tick: null,
      priority: 3,
      tags: { by: 'schedule', run: 7 },
      entityId: 'e',
      description: 'own',
    });
  });

  test('its own input goes before the payload', async () => {
    const manager = world.manager({ handlers });
    await manager.schedules.create({ key: 'k', handler: 'books', input: 42, on: 'day.closed' });
    const [handle] = await manager.publish('day.closed' as string, { any: 'thing' });
    expect(await manager.get(handle?.id ?? '')).toMatchObject({ input: 42 });
  });

  test('definitions and schedules of an event start together, or not at all', async () => {
    const manager = world.manager({ handlers });
    await manager.schedules.create({ key: 'b', handler: 'receipt', on: 'invoice.sent' });
    await manager.schedules.create({ key: 'a', handler: 'books', on: 'invoice.sent', input: 1 });
    const paid = { id: 'a', cents: 1 };
    const handles = await manager.publish('invoice.sent', paid as never);
    const tasks = await Promise.all(handles.map(({ id }) => manager.get(id)));
    expect(tasks.map((task) => task?.scheduleId)).toEqual([null, 'a', 'b']);
    const error = await errorOf(manager.publish('invoice.sent', { id: 1 } as never));
    expect(error).toMatchObject({ message: expect.stringContaining('Handler receipt does not take') });
    expect(await manager.count()).toBe(3);
  });

  test('a process that does not know the handler makes its task for others', async () => {
    const owner = world.manager({ handlers });
    await owner.schedules.create({ key: 'k', handler: receipt, on: 'customer.paid' });
    const web = world.manager({ handlers: [] });
    const [handle] = await web.publish('customer.paid', { id: 'a', cents: 1 });
    expect(handle?.warnings).toMatchObject([{ code: 'handler_unserved' }]);
    await owner.start();
    expect(await owner.task(handle?.id ?? '').result()).toBe('receipt a');
  });

  test('one that is paused, over, deleted or bound to another event starts nothing', async () => {
    const manager = world.manager({ handlers });
    const now = world.clock.now();
    const spec = { handler: 'books', input: 1, on: 'day.closed' } as const;
    await manager.schedules.create({ key: 'paused', ...spec });
    await manager.schedules.pause('paused');
    await manager.schedules.create({ key: 'over', ...spec, end: now + 1_000 });
    await manager.schedules.create({ key: 'later', ...spec, start: now + 60_000 });
    await manager.schedules.create({ key: 'deleted', ...spec });
    await manager.schedules.delete('deleted');
    await manager.schedules.create({ key: 'moved', ...spec });
    await manager.schedules.replace('moved', { ...spec, on: 'day.opened' });
    await world.clock.advance('2s');
    expect(await manager.publish('day.closed')).toEqual([]);
    expect(await manager.publish('day.opened')).toHaveLength(1);
    await manager.schedules.resume('paused');
    expect(await manager.publish('day.closed')).toHaveLength(1);
  });

  test("somebody's schedule hears of his own events, and of those of nobody in particular", async () => {
    const manager = world.manager({ handlers });
    for (const submittedBy of ['me', 'you', undefined]) {
      const key = submittedBy ?? 'nobody';
      await manager.schedules.create({ key, handler: 'books', input: 1, on: 'day.closed', submittedBy });
    }
    const started = async (options: object): Promise<readonly unknown[]> => {
      const handles = await manager.publish('day.closed', undefined, options);
      return Promise.all(handles.map(async ({ id }) => (await manager.get(id))?.scheduleId));
    };
    expect(await started({ submittedBy: 'me' })).toEqual(['me', 'nobody']);
    expect(await started({})).toEqual(['me', 'nobody', 'you']);
    const own = { handler: 'books' as const, input: 1, on: 'day.closed', submittedBy: 'you', ownEvents: true };
    await manager.schedules.replace('you', own);
    expect(await started({})).toEqual(['me', 'nobody']);
    expect(await started({ submittedBy: 'you' })).toEqual(['nobody', 'you']);
    const nobodys = { key: 'z', handler: 'books' as const, input: 1, on: 'day.closed', ownEvents: true };
    await expect(manager.schedules.create(nobodys)).rejects.toMatchObject({ code: 'option_invalid' });
  });

  test('with an idempotency key each schedule starts once', async () => {
    const manager = world.manager({ handlers });
    await manager.schedules.create({ key: 'a', handler: 'books', input: 1, on: 'day.closed' });
    await manager.schedules.create({ key: 'b', handler: 'books', input: 1, on: 'day.closed' });
    const options = { idempotencyKey: 'evt_1' };
    const first = await manager.publish('day.closed', undefined, options);
    const again = await manager.publish('day.closed', undefined, options);
    expect(new Set(first.map(({ id }) => id)).size).toBe(2);
    expect(again.map(({ id, matched }) => [id, matched])).toEqual(first.map(({ id }) => [id, 'idempotency']));
  });

  test.each([
    ['overlap', { overlap: 'skip' }],
    ['jitter', { jitter: '1s' }],
    ['maxRuns', { maxRuns: 1 }],
  ])('%s is refused with `on`', async (option, part) => {
    const manager = world.manager({ handlers });
    const spec = { key: 'k', handler: 'books', input: 1, on: 'day.closed', ...part };
    const error = await errorOf(manager.schedules.create(spec as never));
    expect(error).toBeInstanceOf(OptionError);
    expect(error).toMatchObject({ option });
  });
});
