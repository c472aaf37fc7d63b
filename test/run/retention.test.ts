import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('retention', (world) => {
  /** One final task of each status, by its handler, made now. */
  async function each(handler: string) {
    const manager = world.manager({ handlers: [controlled(handler)] });
    const [succeeded, failed, cancelled] = await manager.submitMany([{ handler }, { handler }, { handler }]);
    await manager.complete(succeeded?.id ?? '');
    await manager.fail(failed?.id ?? '', 'no');
    await manager.cancel(cancelled?.id ?? '');
    await manager.close();
  }

  /** What is left once a manager with these options has swept; `handler status`. */
  async function left(options: object) {
    const manager = world.manager({ sweep: '1s', ...options });
    await manager.start();
    await world.clock.advance('3s');
    const { items } = await manager.list({ filter: { archived: 'both' }, sort: 'id' });
    await manager.close();
    return items.map(({ handler, status }) => `${handler} ${status}`);
  }

  test('90 days by default', async () => {
    await each('work');
    await world.clock.advance('89d');
    expect(await left({})).toHaveLength(3);
    await world.clock.advance('1d');
    expect(await left({})).toEqual([]);
  });

  test('by status, the rest by age', async () => {
    await each('work');
    await world.clock.advance('10d');
    expect(await left({ retention: { succeeded: '5d', age: '20d', cancelled: false } })).toEqual([
      'work failed',
      'work cancelled',
    ]);
    await world.clock.advance('20d');
    expect(await left({ retention: { succeeded: '5d', age: '20d', cancelled: false } })).toEqual(['work cancelled']);
  });

  test('by handler, the others by the manager’s', async () => {
    await each('brief');
    await each('long');
    await each('other');
    await world.clock.advance('10d');
    const handlers = [controlled('brief', { retention: { age: '1d' } }), controlled('long', { retention: false })];
    expect(await left({ handlers })).toEqual([
      'long succeeded',
      'long failed',
      'long cancelled',
      'other succeeded',
      'other failed',
      'other cancelled',
    ]);
    await world.clock.advance('90d');
    expect(await left({ handlers })).toEqual(['long succeeded', 'long failed', 'long cancelled']);
  });

  test('by count: the oldest ends go', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const tasks = await manager.submitMany(Array.from({ length: 5 }, (_, input) => ({ handler: 'work', input })));
    for (const { id } of [...tasks].reverse()) {
      await manager.complete(id);
      await world.clock.advance(1);
    }
    await manager.close();
    const sweeper = await world.start({ sweep: '1s', retention: { count: 2 } });
    await world.clock.advance('3s');
    const { items } = await sweeper.list({ sort: 'id' });
    expect(items.map(({ input }) => input)).toEqual([0, 1]);
  });

  test('false keeps all', async () => {
    await each('work');
    await world.clock.advance('3650d');
    expect(await left({ retention: false })).toHaveLength(3);
  });

  test('archived tasks go too, unfinished ones never', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const [archived, held] = await manager.submitMany([{ handler: 'work' }, { handler: 'work', hold: true }]);
    await manager.complete(archived?.id ?? '');
    await manager.delete(archived?.id ?? '');
    await manager.close();
    await world.clock.advance('3650d');
    expect(await left({ retention: { age: 0, count: 0 } })).toEqual(['work scheduled']);
    expect(held?.created).toBe(true);
  });

  test('more than one batch', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const tasks = await manager.submitMany(Array.from({ length: 1_050 }, () => ({ handler: 'work' })));
    await Promise.all(tasks.map(({ id }) => manager.cancel(id)));
    await manager.close();
    await world.clock.advance('1d');
    expect(await left({ retention: { age: '1h' } })).toEqual([]);
  });

  test('the log, the attempts and the keys of what went are gone', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const { id } = await manager.submit('work', 1, {
      idempotencyKey: 'k',
      unique: { key: 'u', scope: { window: '1w' } },
    });
    const run = await work.next();
    run.context.log('a line');
    run.finish();
    await manager.onIdle();
    await manager.close();
    await world.clock.advance('1h');
    const next = await world.start({ handlers: [controlled('work')], sweep: '1s', retention: { age: '10m' } });
    await world.clock.advance('3s');
    expect(await next.get(id, { archived: true })).toBeNull();
    for (const call of [() => next.log(id), () => next.attempts(id)]) {
      expect(await errorOf(call())).toMatchObject({ code: 'task_not_found' });
    }
    const again = { idempotencyKey: 'k', unique: { key: 'u', scope: { window: '1w' } }, hold: true } as const;
    expect(await next.submit('work', 2, again)).toMatchObject({ created: true });
  });

  describe('in a process that submits only', () => {
    test('nobody has to run tasks for it', async () => {
      await each('work');
      await world.clock.advance('100d');
      const manager = world.manager({ sweep: '1s' });
      await manager.start({ run: false });
      await world.clock.advance('3s');
      expect(await manager.count({ archived: 'both' })).toBe(0);
    });
  });
});
