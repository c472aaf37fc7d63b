import { waitFor } from 'tasklane/testing';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('a hint that is lost costs only time', (world) => {
  /** A process that no hint reaches, and one that does things. */
  async function deaf() {
    const work = controlled('work');
    const { storage } = world.mute({ deaf: true });
    const manager = await world.start({ handlers: [work], storage });
    await world.clock.advance('1s');
    const other = world.manager({ handlers: [controlled('work')] });
    return { work, manager, other };
  }

  test('queued: a sweep finds it', async () => {
    const { work, other } = await deaf();
    await other.submit('work', 'theirs');
    await world.clock.advance('5s');
    expect((await work.next()).input).toBe('theirs');
  });

  test('due: a sweep finds it', async () => {
    const { work, other } = await deaf();
    await other.submit('work', 'theirs', { delay: '7s' });
    await world.clock.advance('12s');
    expect((await work.next()).input).toBe('theirs');
  });

  test('cancelling: the poll finds it within half a second', async () => {
    const { work, manager, other } = await deaf();
    const task = await manager.submit('work');
    const { context, fail } = await work.next();
    await world.clock.advance('1s'); // its start is stored: no beat is due for a while
    await other.cancel(task.id, 'from afar');
    await world.clock.advance('500ms');
    expect(context.signal.reason).toMatchObject({ code: 'cancelled' });
    fail('stopped');
    await waitFor(manager, task.id, 'cancelled');
  });

  test('control: the poll finds a pause and its end within half a second', async () => {
    const { work, manager, other } = await deaf();
    await other.pause('work');
    await world.clock.advance('500ms');
    await manager.submit('work');
    await turns();
    expect(work.runs).toHaveLength(0);
    await other.resume('work');
    await world.clock.advance('500ms');
    await work.next();
  });

  test('changed: whoever waits for a task reads it again within a second', async () => {
    const { manager, other } = await deaf();
    const task = await manager.submit('work', 1, { hold: true });
    const waiting = task.result();
    await turns();
    await other.complete(task.id, 'by hand');
    await world.clock.advance('1s');
    expect(await waiting).toBe('by hand');
  });

  if (world.storageName !== 'memory') {
    // within one process no hint is lost
    test('changed: whoever watches all tasks reads what changed within a second', async () => {
      const { manager, other } = await deaf();
      await other.submit('work', 'before', { hold: true });
      await world.clock.advance('5s');
      const news: [string, string][] = [];
      const watching = (async () => {
        for await (const { taskId, task } of manager.watch()) news.push([taskId, task.status]);
      })().catch(() => {});
      await world.clock.advance(10);
      const { id } = await other.submit('work', 1, { hold: true });
      await world.clock.advance('1s');
      await other.cancel(id);
      await world.clock.advance('3s');
      expect(news).toEqual([
        [id, 'scheduled'],
        [id, 'cancelled'],
      ]);
      await manager.close();
      await watching;
    });
  }
});
