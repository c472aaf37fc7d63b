import { defineTask } from 'tasklane';
import { expect, test } from 'vitest';
import { gate } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('many slots', (world) => {
  test('handlers start in order, also those that start together', async () => {
    const started: number[] = [];
    const held = gate();
    const work = defineTask({
      name: 'work',
      run: (input: number) => {
        started.push(input);
        return held.opened;
      },
    });
    const manager = world.manager({ handlers: [work], concurrency: 10 });
    const told: unknown[] = [];
    manager.on('task:started', ({ task: { input } }) => told.push(input));
    await manager.submitMany(Array.from({ length: 20 }, (_, input) => ({ handler: work, input, priority: input % 2 })));
    await manager.start();
    held.open();
    await manager.onIdle();
    const order = [1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18];
    expect(started).toEqual(order);
    expect(told).toEqual(order);
  });

  test('as many as one likes run at once', async () => {
    const slots = 5_000;
    let now = 0;
    const full = gate();
    const work = defineTask({
      name: 'work',
      run: () => {
        if (++now === slots) full.open();
        return full.opened;
      },
    });
    const manager = await world.start({ handlers: [work], concurrency: slots });
    await manager.submitMany(Array.from({ length: slots }, () => ({ handler: 'work' })));
    await full.opened;
    await manager.onIdle();
    expect(await manager.count({ status: 'succeeded' })).toBe(slots);
  });
});
