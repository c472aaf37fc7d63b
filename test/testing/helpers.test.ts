import { AssertionError } from 'node:assert';
import { defineTask, Snooze, UnknownHandlerError } from 'tasklane';
import { assertNotSubmitted, assertSubmitted, failNext, runUntilIdle, waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { onEachStorage } from '../support/world.ts';

const mail = defineTask({
  name: 'mail',
  retry: { maxAttempts: 3, backoff: { type: 'fixed', delay: '10s', jitter: 0 } },
  run: (input: { to: string; copies?: string[]; more?: { html: boolean } }) => input.to,
});

onEachStorage('the testing helpers', (world) => {
  describe('schedules and the fake clock', () => {
    test('advance runs the ticks on the way', async () => {
      const manager = await world.start({ handlers: [mail] });
      await manager.schedules.create({ key: 'k', handler: mail, input: { to: 'a' }, cron: '*/10 * * * * *' });
      await world.clock.advance('25s');
      expect(await manager.count({ scheduleId: 'k', status: 'succeeded' })).toBe(2);
    });
  });

  describe('runUntilIdle', () => {
    test('skips delays, retries and snoozes, and waits for no tick', async () => {
      let snoozed = false;
      const nap = defineTask({
        name: 'nap',
        run() {
          if (snoozed) return;
          snoozed = true;
          throw new Snooze('20s');
        },
      });
      const manager = await world.start({ handlers: [mail, nap] });
      const begun = world.clock.now();
      await manager.schedules.create({ key: 'k', handler: mail, input: { to: 's' }, every: '15s' });
      failNext(manager, mail, 1);
      const tasks = [await manager.submit(mail, { to: 'a' }), await manager.submit(nap, null, { delay: '5s' })];
      await runUntilIdle(manager, world.clock);
      for (const { id } of tasks) expect((await manager.get(id))?.status).toBe('succeeded');
      expect(world.clock.now() - begun).toBe(25_000);
      expect(await manager.count({ scheduleId: 'k' })).toBe(1);
    });

    test('gives time to a handler that waits for the clock, and leaves what is held', async () => {
      const slow = defineTask({
        name: 'slow',
        timeout: '3s',
        run: (_input: unknown, { signal }) => new Promise((resolve) => signal.addEventListener('abort', resolve)),
      });
      const manager = await world.start({ handlers: [slow, mail] });
      const [task, held] = [await manager.submit(slow, null), await manager.submit(mail, { to: 'a' }, { hold: true })];
      await runUntilIdle(manager, world.clock);
      expect(await manager.get(task.id)).toMatchObject({ status: 'failed', error: { code: 'timeout' } });
      expect((await manager.get(held.id))?.status).toBe('scheduled');
    });

    test('gives more and more time to one that waits long, and no more than a tenth too much', async () => {
      const slow = defineTask({
        name: 'slow',
        run: () => new Promise<string>((resolve) => void world.clock.after(20 * 60_000, () => resolve('done'))),
      });
      const manager = await world.start({ handlers: [slow] });
      const begun = world.clock.now();
      const task = await manager.submit(slow, null);
      await runUntilIdle(manager, world.clock);
      expect(await manager.get(task.id)).toMatchObject({ status: 'succeeded', result: 'done' });
      expect(world.clock.now() - begun).toBeLessThan(22.5 * 60_000);
    });

    test('goes no further than it may', async () => {
      const manager = await world.start({ handlers: [mail] });
      await manager.submit(mail, { to: 'a' }, { delay: '2h' });
      await expect(runUntilIdle(manager, world.clock, { within: '1h' })).rejects.toThrow('within 1h');
    });
  });

  describe('assertSubmitted', () => {
    test('finds a task by a part of its input, and gives it', async () => {
      const manager = world.manager({ handlers: [mail] });
      await manager.submit(mail, { to: 'a', copies: ['b', 'c'], more: { html: true } });
      const newest = await manager.submit('mail', { to: 'a' });
      expect((await assertSubmitted(manager, mail)).id).toBe(newest.id);
      expect((await assertSubmitted(manager, 'mail', { more: { html: true } })).input.to).toBe('a');
      await assertSubmitted(manager, mail, { copies: ['b', 'c'] });
      await assertNotSubmitted(manager, mail, { to: 'z' });
      const refused = [
        assertSubmitted(manager, mail, { to: 'z' }),
        assertSubmitted(manager, mail, { copies: ['b'] }),
        assertSubmitted(manager, mail, { more: { html: false } }),
        assertNotSubmitted(manager, mail, { to: 'a' }),
        assertNotSubmitted(manager, mail),
      ];
      for (const one of await Promise.allSettled(refused)) {
        expect((one as PromiseRejectedResult).reason).toBeInstanceOf(AssertionError);
      }
      const error: unknown = await assertSubmitted(manager, mail, { to: 'z' }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ actual: [{ to: 'a' }, { to: 'a', copies: ['b', 'c'] }], expected: { to: 'z' } });
    });
  });

  describe('failNext', () => {
    test('lets so many attempts fail, with the error, and then the handler runs', async () => {
      const manager = await world.start({ handlers: [mail] });
      failNext(manager, 'mail', 2, Object.assign(new Error('no'), { code: 'smtp' }));
      const task = await manager.submit(mail, { to: 'a' });
      const failed = await waitFor(manager, task.id, 'scheduled');
      expect(failed).toMatchObject({ attempt: 1, error: { message: 'no', code: 'smtp' } });
      await world.clock.advance('30s');
      expect(await manager.get(task.id)).toMatchObject({ status: 'succeeded', attempt: 3, result: 'a' });
      manager.register(mail);
      expect(() => failNext(manager, 'gone' as 'mail')).toThrow(UnknownHandlerError);
      expect(() => failNext(manager, mail, 0)).toThrow('`count`');
    });
  });
});
