import { defineTask, UnknownHandlerError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, gate, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('pause', (world) => {
  test('nothing starts until resume; what runs goes on', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 5 });
    const first = await manager.submit('work', 'first');
    const run = await work.next();
    await manager.pause();
    await manager.submit('work', 'second');
    await world.clock.advance('10s');
    expect(work.runs).toHaveLength(1);
    run.finish('done');
    expect(await first.result()).toBe('done');
    await manager.resume();
    expect((await work.next()).input).toBe('second');
  });

  test('of one handler leaves the others alone', async () => {
    const [paused, other] = [controlled('paused'), controlled('other')];
    const manager = await world.start({ handlers: [paused, other] });
    await manager.pause('paused');
    await manager.submit('paused');
    await manager.submit('other');
    (await other.next()).finish();
    await world.clock.advance('10s');
    expect(paused.runs).toHaveLength(0);
    await manager.resume('paused');
    (await paused.next()).finish();
  });

  test('is stored: it survives restarts', async () => {
    const first = world.manager({ handlers: [controlled('work')] });
    await first.pause('work');
    await first.close();
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.submit('work');
    await world.clock.advance('10s');
    expect(work.runs).toHaveLength(0);
    await manager.resume('work');
    await work.next();
  });

  test('holds in other processes too, and ends there too', async () => {
    const work = controlled('work');
    await world.start({ handlers: [work] });
    const other = world.manager({ handlers: [controlled('work')] });
    await other.pause();
    await world.clock.advance('1s');
    await other.submit('work');
    await world.clock.advance('10s');
    expect(work.runs).toHaveLength(0);
    await other.resume();
    await world.clock.advance('1s');
    (await work.next()).finish();
  });

  test('a resume of all ends the pauses by name too', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.pause('work');
    await manager.pause();
    await manager.submit('work');
    await manager.resume();
    (await work.next()).finish();
  });

  test('a resume of one handler leaves a pause of all in place', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    await manager.pause();
    await manager.resume('work');
    await manager.submit('work');
    await world.clock.advance('1s');
    expect(work.runs).toHaveLength(0);
  });

  test('reaches into what was claimed ahead and has not started', async () => {
    const held = gate();
    const ran: number[] = [];
    const quick = defineTask({
      name: 'quick',
      run: async (input: number) => {
        ran.push(input);
        if (input === 0) await held.opened;
      },
    });
    const manager = await world.start({ handlers: [quick], concurrency: 1 });
    await manager.submitMany([1, 2, 3, 4, 5].map((input) => ({ handler: quick, input })));
    await manager.onIdle();
    await manager.submitMany([0, 6, 7, 8].map((input) => ({ handler: quick, input })));
    await turns();
    await manager.pause('quick');
    held.open();
    await turns();
    expect(ran).toEqual([1, 2, 3, 4, 5, 0]);
    const { items } = await manager.list({ sort: 'id', offset: 6 });
    expect(items.map(({ status, startedAt }) => [status, startedAt])).toEqual(Array(3).fill(['queued', null]));
    await manager.resume();
    await manager.onIdle();
    expect(ran.slice(6)).toEqual([6, 7, 8]);
  });

  test('twice, and a resume of what is not paused: no error', async () => {
    const manager = await world.start({ handlers: [controlled('work')] });
    await manager.resume();
    await manager.pause('work');
    await manager.pause('work');
    await manager.resume('work');
    await manager.resume('work');
  });

  test('of an unknown handler: UnknownHandlerError', async () => {
    const manager = world.manager({});
    expect(await errorOf(manager.pause('none'))).toBeInstanceOf(UnknownHandlerError);
    expect(await errorOf(manager.resume('none'))).toBeInstanceOf(UnknownHandlerError);
  });
});
