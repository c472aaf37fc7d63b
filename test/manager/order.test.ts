import fc from 'fast-check';
import { defineTask } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { gate } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('order', (world) => {
  test('larger priority first, then in submit order', async () => {
    const ran: string[] = [];
    const work = defineTask({ name: 'work', run: (input: string) => void ran.push(input) });
    const manager = world.manager({ handlers: [work], concurrency: 1 });
    await manager.submit(work, 'a');
    await manager.submit(work, 'b', { priority: 5 });
    await manager.submit(work, 'c', { priority: -5 });
    await manager.submit(work, 'd', { priority: 5 });
    await manager.submit(work, 'e');
    await manager.start();
    await manager.onIdle();
    expect(ran).toEqual(['b', 'd', 'a', 'e', 'c']);
  });

  test('of any priorities, in one call or many', async () => {
    const priorities =
      fc.sample(fc.array(fc.integer({ min: -3, max: 3 }), { minLength: 300, maxLength: 300 }), 1)[0] ?? [];
    const ran: number[] = [];
    const work = defineTask({ name: 'work', run: (input: number) => void ran.push(input) });
    const manager = world.manager({ handlers: [work], concurrency: 1 });
    const first = priorities.slice(0, 150).map((priority, input) => manager.submit(work, input, { priority }));
    await Promise.all(first);
    const rest = priorities.slice(150).map((priority, index) => ({ handler: work, input: 150 + index, priority }));
    await manager.submitMany(rest);
    await manager.start();
    await manager.onIdle();
    const order = priorities.map((_, index) => index);
    expect(ran).toEqual(order.sort((a, b) => (priorities[b] ?? 0) - (priorities[a] ?? 0) || a - b));
  });

  test('a more urgent task overtakes those claimed ahead', async () => {
    const ran: string[] = [];
    const held = gate();
    const work = defineTask({
      name: 'work',
      run: async (input: string) => {
        ran.push(input);
        if (input === 'hold') await held.opened;
      },
    });
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    await manager.submitMany(Array.from({ length: 10 }, () => ({ handler: work, input: 'warm up' })));
    await manager.onIdle();
    ran.length = 0;
    const plain = Array.from({ length: 5 }, () => ({ handler: work, input: 'plain' }));
    await manager.submitMany([{ handler: work, input: 'hold', priority: 1 }, ...plain]);
    await manager.submit(work, 'urgent', { priority: 9 });
    held.open();
    await manager.onIdle();
    expect(ran).toEqual(['hold', 'urgent', ...Array.from({ length: 5 }, () => 'plain')]);
  });

  test('a retried task keeps its place', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: '1s', jitter: 0 } } });
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    await manager.submit('work', 'first');
    (await work.next()).fail('once');
    await manager.submit('work', 'hold');
    const hold = await work.next();
    await manager.submit('work', 'later');
    await world.clock.advance('2s');
    hold.finish();
    expect((await work.next()).input).toBe('first');
  });

  test('a task that runNow queues comes by its priority and its id', async () => {
    const ran: string[] = [];
    const work = defineTask({ name: 'work', run: (input: string) => void ran.push(input) });
    const manager = world.manager({ handlers: [work], concurrency: 1 });
    const held = await manager.submit(work, 'held', { hold: true });
    await manager.submit(work, 'queued');
    await manager.runNow(held.id);
    await manager.start();
    await manager.onIdle();
    expect(ran).toEqual(['held', 'queued']);
  });

  test('a saturated handler holds nobody else up', async () => {
    const slow = controlled('slow', { concurrency: 1 });
    const quick = controlled('quick');
    const manager = await world.start({ handlers: [slow, quick], concurrency: 2 });
    await manager.submitMany(Array.from({ length: 50 }, () => ({ handler: 'slow' as const, priority: 9 })));
    await slow.next();
    const task = await manager.submit('quick');
    (await quick.next()).finish('done');
    expect(await task.result()).toBe('done');
    expect(slow.runs).toHaveLength(1);
  });
});
