import { defineTask, type Overlap, type TaskRecord } from 'tasklane';
import { expect, test } from 'vitest';
import { gate } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';
import { held, tasksOf, warnings } from './support.ts';

onEachStorage('overlap', (world) => {
  /** A schedule of a tick a minute, whose tasks run until `open`; after three of them. */
  async function afterThree(overlap: Overlap, spec: object = {}) {
    const { task, open } = held();
    const manager = await world.start({ handlers: [task] });
    const codes = warnings(manager);
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap, ...spec });
    await world.clock.advance('3m');
    const statuses = async () => (await tasksOf(manager, 'k')).map(({ status }: TaskRecord) => status);
    return { manager, codes, open, statuses };
  }

  test('allow: each tick has a task, beside the others', async () => {
    const { statuses, codes } = await afterThree('allow');
    expect(await statuses()).toEqual(['running', 'running', 'running']);
    expect(codes).toEqual([]);
  });

  test('skip: none until the earlier one has ended', async () => {
    const { statuses, codes, open, manager } = await afterThree('skip');
    expect(await statuses()).toEqual(['running']);
    expect(codes).toEqual(['schedule_skipped', 'schedule_skipped']);
    expect(await manager.schedules.get('k')).toMatchObject({ runs: 1, lastTick: world.clock.now() });
    open();
    await world.clock.advance('1m');
    expect(await statuses()).toEqual(['succeeded', 'succeeded']);
  });

  test('queue: each waits for the one before', async () => {
    const { statuses, open } = await afterThree('queue');
    expect(await statuses()).toEqual(['running', 'waiting', 'waiting']);
    open();
    await world.clock.advance('1s');
    expect(await statuses()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  test('queue: goes on although the one before failed or was cancelled', async () => {
    const { statuses, manager, open } = await afterThree('queue');
    const [first, second] = await tasksOf(manager, 'k');
    await manager.cancel(second?.id ?? '');
    await world.clock.advance(1);
    expect(await statuses()).toEqual(
      ['running', 'cancelled', 'waiting'].map((status) => expect.stringMatching(status)),
    );
    await manager.fail(first?.id ?? '', new Error('no'));
    await world.clock.advance('1s');
    expect((await statuses()).slice(0, 2)).toEqual(['failed', 'cancelled']);
    open();
    await world.clock.advance('1s');
    expect(await statuses()).toEqual(['failed', 'cancelled', 'succeeded']);
  });

  test('queueOne: one waits, further ones are skipped', async () => {
    const { statuses, codes, open } = await afterThree('queueOne');
    expect(await statuses()).toEqual(['running', 'waiting']);
    expect(codes).toEqual(['schedule_skipped']);
    open();
    await world.clock.advance('1m');
    expect(await statuses()).toEqual(['succeeded', 'succeeded', 'succeeded']);
  });

  test('queueOne: what has not started is the one', async () => {
    const { task, open } = held();
    const manager = await world.start({ handlers: [task], concurrency: 1 });
    const other = await manager.submit(task, null);
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap: 'queueOne' });
    await world.clock.advance('3m');
    expect((await tasksOf(manager, 'k')).map(({ status }) => status)).toEqual(['queued']);
    open();
    await other.result();
  });

  test('cancelPrevious: the earlier one is cancelled, and the next starts at its end', async () => {
    const { statuses, manager } = await afterThree('cancelPrevious');
    await world.clock.advance(1);
    expect(await statuses()).toEqual(['cancelled', 'cancelled', 'running']);
    const [first] = await tasksOf(manager, 'k');
    expect(first?.cancelReason).toBe('superseded');
  });

  test.each<Overlap>(['skip', 'queueOne'])('%s: what is left out is no run of maxRuns', async (overlap) => {
    const { task, open } = held();
    const manager = await world.start({ handlers: [task] });
    const waits = overlap === 'queueOne' ? 1 : 0;
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap, maxRuns: waits + 1 });
    await manager.schedules.trigger('k');
    await world.clock.advance('3m');
    expect(await manager.schedules.get('k')).toMatchObject({ runs: waits, nextRunAt: world.clock.now() + 60_000 });
    open();
    await world.clock.advance('5m');
    expect(await manager.schedules.get('k')).toMatchObject({ runs: waits + 1, nextRunAt: null });
    expect(await tasksOf(manager, 'k')).toHaveLength(waits + 2);
  });

  test('queue: hundreds that were missed run in turn, one at a time, although most are cancelled; none has an edge to each', async () => {
    const first = gate();
    const order: (number | null)[] = [];
    let running = 0;
    const task = defineTask({
      name: 'one-by-one',
      async run(_input: unknown, { task: { tick } }) {
        expect(++running).toBe(1);
        if (tick === null) await first.opened;
        order.push(tick);
        await undefined;
        running--;
      },
    });
    const before = world.manager({ handlers: [task] });
    await before.schedules.create({
      key: 'k',
      handler: task,
      every: '1s',
      overlap: 'queue',
      missed: 'all',
      missedMax: 500,
    });
    await before.schedules.trigger('k');
    await before.close();
    await world.clock.advance('1h');
    const manager = await world.start({ handlers: [task] });
    await world.clock.advance('1500ms');
    const made = await tasksOf(manager, 'k');
    expect(made.map(({ status }) => status)).toEqual(['running', ...Array.from({ length: 501 }, () => 'waiting')]);
    const { dependencies } = await manager.related(made.at(-2)?.id ?? '');
    expect(dependencies.length).toBeLessThan(50);
    await Promise.all(made.slice(3, 450).map(({ id }) => manager.cancel(id)));
    await world.clock.advance('100ms');
    expect(order).toEqual([]);
    first.open();
    await manager.schedules.pause('k');
    await world.clock.advance('1m');
    expect(order).toEqual([...made.slice(0, 3), ...made.slice(450)].map(({ tick }) => tick));
  });

  test.each<[Overlap, readonly string[]]>([
    ['allow', ['scheduled', 'scheduled', 'scheduled']],
    ['skip', ['scheduled']],
    ['queueOne', ['scheduled', 'waiting']],
    ['queue', ['scheduled', 'waiting', 'waiting']],
    ['cancelPrevious', ['cancelled', 'cancelled', 'scheduled']],
  ])('%s: what waits for its retry has not ended', async (overlap, expected) => {
    const task = defineTask({
      name: 'flaky',
      retry: { maxAttempts: 10, backoff: { type: 'fixed', delay: '50s', jitter: 0 } },
      run: () => Promise.reject(new Error('no')),
    });
    const manager = await world.start({ handlers: [task] });
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap });
    await world.clock.advance('190s');
    expect((await tasksOf(manager, 'k')).map(({ status }) => status)).toEqual(expected);
  });

  test('a triggered task counts as the earlier one', async () => {
    const { task } = held();
    const manager = await world.start({ handlers: [task] });
    await manager.schedules.create({ key: 'k', handler: task, every: '1m', overlap: 'skip' });
    await manager.schedules.trigger('k');
    await world.clock.advance('2m');
    expect(await tasksOf(manager, 'k')).toHaveLength(1);
  });

  test('one that was deleted stands in nobody’s way', async () => {
    const { manager, statuses } = await afterThree('skip');
    const [first] = await tasksOf(manager, 'k');
    const deleting = manager.delete(first?.id ?? '', { cancel: true, purge: true });
    await world.clock.advance('1s');
    await deleting;
    await world.clock.advance('1m');
    expect(await statuses()).toEqual(['running']);
  });

  test('missed ones take their turn, too', async () => {
    const { task, open } = held();
    const first = world.manager({ handlers: [task] });
    for (const overlap of ['skip', 'queueOne', 'queue', 'cancelPrevious'] as const) {
      await first.schedules.create({ key: overlap, handler: task, every: '1m', overlap, missed: 'all' });
    }
    await first.close();
    await world.clock.advance('4m');
    const second = await world.start({ handlers: [task] });
    await world.clock.advance('1s');
    const statuses = async (key: string) => (await tasksOf(second, key)).map(({ status }) => status);
    expect(await statuses('skip')).toEqual(['running']);
    expect(await statuses('queueOne')).toEqual(['running', 'waiting']);
    expect(await statuses('queue')).toEqual(['running', 'waiting', 'waiting', 'waiting']);
    expect(await statuses('cancelPrevious')).toEqual(['running']);
    open();
    await world.clock.advance('1s');
    expect(await statuses('queue')).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
  });
});
