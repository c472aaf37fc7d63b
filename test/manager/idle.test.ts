import { defineTask } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('onIdle', (world) => {
  test('resolves once nothing is queued or running', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    await manager.submitMany([{ handler: 'work' }, { handler: 'work' }]);
    let idle = false;
    const waiting = manager.onIdle().then(() => {
      idle = true;
    });
    (await work.next()).finish();
    const second = await work.next();
    await turns();
    expect(idle).toBe(false);
    second.finish();
    await waiting;
    expect(await manager.count({ status: 'succeeded' })).toBe(2);
  });

  test('at once where there is nothing to do', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    await manager.onIdle();
    await world.manager({}).onIdle();
  });

  test('counts what was submitted in the same turn', async () => {
    const ran: number[] = [];
    const work = defineTask({ name: 'work', run: (input: number) => void ran.push(input) });
    const manager = await world.start({ handlers: [work] });
    const submitted = manager.submit(work, 1);
    await manager.onIdle();
    await submitted;
    expect(ran).toEqual([1]);
  });

  test('counts what handlers submit', async () => {
    const ran: number[] = [];
    const manager = world.manager({});
    const chain = defineTask({
      name: 'chain',
      run: async (input: number) => {
        ran.push(input);
        if (input > 0) await manager.submit('chain', input - 1);
      },
    });
    manager.register(chain);
    await manager.start();
    await manager.submit(chain, 5);
    await manager.onIdle();
    expect(ran).toEqual([5, 4, 3, 2, 1, 0]);
  });

  test('does not wait for what is scheduled, held, paused, or without a handler here', async () => {
    const work = controlled('work');
    const paused = controlled('paused');
    const manager = await world.start({ handlers: [work, paused, defineTask({ name: 'elsewhere' })] });
    await manager.pause('paused');
    await manager.submit('work', 1, { delay: '1h' });
    await manager.submit('work', 1, { hold: true });
    await manager.submit('paused');
    await manager.submit('elsewhere');
    await manager.onIdle();
    expect([...work.runs, ...paused.runs]).toEqual([]);
  });

  test('does not wait for an attempt that waits for its backoff', async () => {
    const work = controlled('work', { retry: { maxAttempts: 2 } });
    const manager = await world.start({ handlers: [work] });
    const task = await manager.submit('work');
    (await work.next()).fail('once');
    await manager.onIdle();
    expect(await manager.get(task.id)).toMatchObject({ status: 'scheduled' });
  });

  test('what is stored by then is stored: results can be read', async () => {
    const work = defineTask({ name: 'work', run: (input: number) => input * 2 });
    const manager = await world.start({ handlers: [work] });
    const tasks = await manager.submitMany(Array.from({ length: 100 }, (_, input) => ({ handler: work, input })));
    await manager.onIdle();
    const { items } = await manager.list({ sort: 'id', limit: 100 });
    expect(items.map(({ result }) => result)).toEqual(tasks.map((_, input) => input * 2));
  });
});
