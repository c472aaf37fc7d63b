import { defineTask, OptionError, UnknownHandlerError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

/** A handler that counts how many of its runs there are at once. */
function counting(name: string, count: { now: number; most: number }, concurrency?: number) {
  return defineTask({
    name,
    concurrency,
    async run(_input: number) {
      count.now++;
      count.most = Math.max(count.most, count.now);
      await turns(2);
      count.now--;
    },
  });
}

onEachStorage('concurrency', (world) => {
  test('never more handlers at once than the manager allows, and as many where there is work', async () => {
    const count = { now: 0, most: 0 };
    const work = counting('work', count);
    const manager = await world.start({ handlers: [work], concurrency: 3 });
    await Promise.all(Array.from({ length: 100 }, (_, input) => manager.submit(work, input)));
    await manager.onIdle();
    expect(count).toEqual({ now: 0, most: 3 });
    expect(await manager.count({ status: 'succeeded' })).toBe(100);
  });

  test('10 by default', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.submitMany(Array.from({ length: 15 }, () => ({ handler: 'work' })));
    for (let run = 0; run < 10; run++) await work.next();
    await turns();
    expect(work.runs).toHaveLength(10);
    expect(await manager.count({ status: 'running' })).toBe(10);
  });

  test('never more of a handler than it allows, whatever else runs', async () => {
    const counts = { narrow: { now: 0, most: 0 }, wide: { now: 0, most: 0 } };
    const narrow = counting('narrow', counts.narrow, 2);
    const wide = counting('wide', counts.wide);
    const manager = await world.start({ handlers: [narrow, wide], concurrency: 6 });
    const both = Array.from({ length: 40 }, (_, input) => [
      { handler: 'narrow' as const, input },
      { handler: 'wide' as const, input },
    ]);
    await manager.submitMany(both.flat());
    await manager.onIdle();
    expect(counts.narrow.most).toBe(2);
    expect(counts.wide.most).toBeGreaterThan(2);
    expect(counts.wide.most).toBeLessThanOrEqual(6);
    expect(await manager.count({ status: 'succeeded' })).toBe(80);
  });

  test('fast handlers, which are claimed ahead, keep to the limits too', async () => {
    let [now, most] = [0, 0];
    const quick = defineTask({
      name: 'quick',
      async run(_input: number) {
        most = Math.max(most, ++now);
        await undefined;
        now--;
      },
    });
    const manager = await world.start({ handlers: [quick], concurrency: 2 });
    await manager.submitMany(Array.from({ length: 500 }, (_, input) => ({ handler: quick, input })));
    await manager.onIdle();
    expect(most).toBeLessThanOrEqual(2);
    expect(await manager.count({ status: 'succeeded' })).toBe(500);
  });

  describe('setConcurrency', () => {
    test('a larger limit opens slots at once', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 1 });
      await manager.submitMany(Array.from({ length: 5 }, () => ({ handler: 'work' })));
      await work.next();
      await turns();
      expect(work.runs).toHaveLength(1);
      manager.setConcurrency(3);
      await work.next();
      await work.next();
      await turns();
      expect(work.runs).toHaveLength(3);
    });

    test('a smaller limit holds once what runs has ended', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 3 });
      await manager.submitMany(Array.from({ length: 6 }, () => ({ handler: 'work' })));
      const first = [await work.next(), await work.next(), await work.next()];
      manager.setConcurrency(1);
      for (const { finish } of first) finish();
      const next = await work.next();
      await turns();
      expect(work.runs).toHaveLength(4);
      next.finish();
      await work.next();
      await turns();
      expect(work.runs).toHaveLength(5);
    });

    test('of one handler: larger and smaller, the others as before', async () => {
      const narrow = controlled('narrow', { concurrency: 1 });
      const wide = controlled('wide');
      const manager = await world.start({ handlers: [narrow, wide], concurrency: 10 });
      await manager.submitMany(Array.from({ length: 4 }, () => ({ handler: 'narrow' as const })));
      const first = await narrow.next();
      manager.setConcurrency('narrow', 2);
      const second = await narrow.next();
      await turns();
      expect(narrow.runs).toHaveLength(2);
      manager.setConcurrency('narrow', 1);
      first.finish();
      await turns();
      expect(narrow.runs).toHaveLength(2);
      second.finish();
      await narrow.next();
      await turns();
      expect(narrow.runs).toHaveLength(3);
      await manager.submit('wide');
      await wide.next();
    });

    test('what was claimed ahead and has no slot any more goes back, at no cost', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work], concurrency: 1 });
      for (let input = 0; input < 5; input++) await manager.submit('work', input);
      const runs = [await work.next()];
      manager.setConcurrency('work', 1);
      runs[0]?.finish();
      for (let more = 1; more < 5; more++) {
        const run = await work.next();
        runs.push(run);
        run.finish();
      }
      await manager.onIdle();
      expect(runs.map(({ input }) => input)).toEqual([0, 1, 2, 3, 4]);
      const { items } = await manager.list({ sort: 'id' });
      expect(
        items.every(({ status, attempt, interrupted }) => status === 'succeeded' && attempt - interrupted === 1),
      ).toBe(true);
    });

    test.each([[0], [-1], [1.5], [Number.NaN], [Number.POSITIVE_INFINITY], [null]])('%j: OptionError', (limit) => {
      const manager = world.manager({ handlers: [controlled('work')] });
      expect(() => manager.setConcurrency(limit as number)).toThrow(OptionError);
      expect(() => manager.setConcurrency('work', limit as number)).toThrow(OptionError);
    });

    test('of an unknown handler: UnknownHandlerError', () => {
      expect(() => world.manager({}).setConcurrency('none', 1)).toThrow(UnknownHandlerError);
    });
  });
});
