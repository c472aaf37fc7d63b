import { defineTask } from 'tasklane';
import { expect, test } from 'vitest';
import { onEachStorage } from '../support/world.ts';

onEachStorage('inline', (world) => {
  test('submit resolves once the task has run', async () => {
    const ran: number[] = [];
    const work = defineTask({
      name: 'work',
      async run(input: number) {
        await undefined;
        ran.push(input);
        return input * 2;
      },
    });
    const manager = await world.start({ handlers: [work], inline: true });
    const task = await manager.submit(work, 1);
    expect(ran).toEqual([1]);
    expect(await manager.get(task.id)).toMatchObject({ status: 'succeeded', result: 2 });
    await manager.submitMany([
      { handler: work, input: 2 },
      { handler: work, input: 3 },
    ]);
    expect(ran).toEqual([1, 2, 3]);
  });

  test('a handler that fails does not make submit fail', async () => {
    const work = defineTask({ name: 'work', run: () => Promise.reject(new Error('no')) });
    const manager = await world.start({ handlers: [work], inline: true });
    const task = await manager.submit(work);
    expect(await manager.get(task.id)).toMatchObject({ status: 'failed', error: { message: 'no' } });
  });

  test('what cannot run now is not waited for', async () => {
    const work = defineTask({ name: 'work', run: () => {} });
    const elsewhere = defineTask({ name: 'elsewhere' });
    const manager = await world.start({ handlers: [work, elsewhere], inline: true });
    expect(await manager.get((await manager.submit(work, 1, { delay: '1h' })).id)).toMatchObject({
      status: 'scheduled',
    });
    expect(await manager.get((await manager.submit(work, 1, { hold: true })).id)).toMatchObject({
      status: 'scheduled',
    });
    expect(await manager.get((await manager.submit(elsewhere)).id)).toMatchObject({ status: 'queued' });
  });

  test('before start the task waits for it', async () => {
    const work = defineTask({ name: 'work', run: () => 'done' });
    const manager = world.manager({ handlers: [work], inline: true });
    const task = await manager.submit(work);
    expect(await manager.get(task.id)).toMatchObject({ status: 'queued' });
    await manager.start();
    expect(await task.result()).toBe('done');
  });

  test('handlers may submit', async () => {
    const manager = world.manager({ inline: true });
    const child = defineTask({ name: 'child', run: (input: number) => input + 1 });
    const parent = defineTask({
      name: 'parent',
      run: async (input: number) => (await manager.submit('child', input)).id,
    });
    manager.register(child, parent);
    await manager.start();
    const task = await manager.submit(parent, 1);
    const id = (await task.result()) as string;
    expect(await manager.task(id).result()).toBe(2);
  });
});
