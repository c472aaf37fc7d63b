import { RelatedTasksError, TaskNotFoundError } from 'tasklane';
import { waitFor } from 'tasklane/testing';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('delete', (world) => {
  async function finished() {
    const manager = world.manager({ handlers: [controlled('work')] });
    const { id } = await manager.submit('work');
    await manager.complete(id, 'done');
    return { manager, id };
  }

  test('moves a final task to the archive: out of lists and counts, still to be found when asked for', async () => {
    const { manager, id } = await finished();
    await world.clock.advance(5);
    await manager.delete(id);
    expect(await manager.get(id)).toBeNull();
    expect(await manager.list()).toMatchObject({ items: [] });
    expect(await manager.count()).toBe(0);
    expect((await manager.stats()).byStatus.succeeded).toBe(0);
    const archived = await manager.get(id, { archived: true });
    expect(archived).toMatchObject({ status: 'succeeded', result: 'done', archivedAt: world.clock.now() });
    expect((await manager.list({ filter: { archived: true } })).items).toEqual([archived]);
    expect(await manager.count({ archived: 'both' })).toBe(1);
  });

  test('an archived task can be changed no more', async () => {
    const { manager, id } = await finished();
    await manager.delete(id);
    for (const call of [
      () => manager.restart(id),
      () => manager.cancel(id),
      () => manager.update(id, { description: 'x' }),
      () => manager.complete(id),
      () => manager.delete(id),
    ]) {
      expect(await errorOf(call())).toBeInstanceOf(TaskNotFoundError);
    }
  });

  test('purge removes it for good, with its log and attempts', async () => {
    const { manager, id } = await finished();
    await manager.delete(id, { purge: true });
    expect(await manager.get(id, { archived: true })).toBeNull();
    expect(await manager.count({ archived: 'both' })).toBe(0);
    expect(await errorOf(manager.attempts(id))).toBeInstanceOf(TaskNotFoundError);
    expect(await errorOf(manager.log(id))).toBeInstanceOf(TaskNotFoundError);
    expect(await errorOf(manager.delete(id))).toBeInstanceOf(TaskNotFoundError);
  });

  test('purge of what is in the archive already', async () => {
    const { manager, id } = await finished();
    await manager.delete(id);
    await manager.delete(id, { purge: true });
    expect(await manager.get(id, { archived: true })).toBeNull();
  });

  describe('what has not ended', () => {
    test('is refused with its id, and nothing changes', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const { id } = await manager.submit('work');
      const error = await errorOf(manager.delete(id));
      expect(error).toBeInstanceOf(RelatedTasksError);
      expect(error).toMatchObject({ code: 'related_tasks', related: [id] });
      expect(await manager.get(id)).toMatchObject({ status: 'queued', version: 1 });
    });

    test('with cancel: cancelled first, then archived', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const { id } = await manager.submit('work');
      await manager.delete(id, { cancel: true });
      expect(await manager.get(id, { archived: true })).toMatchObject({ status: 'cancelled', cancelReason: 'deleted' });
    });

    test('with cancel: what runs is told, and waited for', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const { id } = await manager.submit('work');
      const run = await work.next();
      let deleted = false;
      const deleting = manager.delete(id, { cancel: true, purge: true }).then(() => {
        deleted = true;
      });
      await turns();
      expect(run.context.signal.reason).toMatchObject({ code: 'cancelled' });
      expect(deleted).toBe(false);
      run.fail('stopped');
      await deleting;
      expect(await manager.get(id, { archived: true })).toBeNull();
    });

    test('with cancel: a handler that ends well all the same is deleted too', async () => {
      const work = controlled('work');
      const manager = await world.start({ handlers: [work] });
      const { id } = await manager.submit('work');
      const run = await work.next();
      const deleting = manager.delete(id, { cancel: true });
      await turns();
      run.finish('done');
      await deleting;
      expect(await manager.get(id, { archived: true })).toMatchObject({
        status: 'succeeded',
        archivedAt: expect.any(Number),
      });
    });
  });

  describe('related tasks', () => {
    async function family() {
      const manager = world.manager({ handlers: [controlled('work')] });
      const parent = await manager.submit('work', 'parent');
      const child = await manager.submit('work', 'child', { parentId: parent.id });
      const grandchild = await manager.submit('work', 'grandchild', { parentId: child.id });
      const stranger = await manager.submit('work', 'stranger');
      for (const { id } of [parent, child, grandchild]) await manager.complete(id);
      return { manager, parent: parent.id, child: child.id, grandchild: grandchild.id, stranger: stranger.id };
    }

    test('are refused with their ids, and nothing changes', async () => {
      const { manager, parent, child, grandchild } = await family();
      const error = await errorOf(manager.delete(parent));
      expect(error).toBeInstanceOf(RelatedTasksError);
      expect(error).toMatchObject({ related: [child, grandchild] });
      expect(await manager.count()).toBe(4);
    });

    test('with related: they go too, the parent of a child does not', async () => {
      const { manager, parent, child, grandchild, stranger } = await family();
      await manager.delete(child, { related: true });
      expect(await manager.count({ archived: true })).toBe(2);
      expect((await manager.list({ sort: 'id' })).items.map(({ id }) => id)).toEqual([parent, stranger]);
      await manager.delete(parent, { related: true, purge: true });
      expect(await manager.get(grandchild, { archived: true })).not.toBeNull();
    });

    test('one of which has not ended: refused unless cancel', async () => {
      const { manager, parent, grandchild } = await family();
      await manager.restart(grandchild);
      expect(await errorOf(manager.delete(parent, { related: true }))).toMatchObject({ related: [grandchild] });
      await manager.delete(parent, { related: true, cancel: true });
      expect(await manager.get(grandchild, { archived: true })).toMatchObject({ status: 'cancelled' });
    });

    test('however many there are', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const parent = await manager.submit('work');
      const children = Array.from({ length: 1_500 }, () => ({ handler: 'work' as const, parentId: parent.id }));
      await manager.submitMany(children);
      await manager.delete(parent.id, { related: true, cancel: true, purge: true });
      expect(await manager.count({ archived: 'both' })).toBe(0);
    });

    test('that are parents of each other end the search', async () => {
      const manager = world.manager({ handlers: [controlled('work')] });
      const self = await manager.submit('work', 1, { parentId: 'task_self' });
      await manager.complete(self.id);
      await manager.delete(self.id);
      expect(await manager.count()).toBe(0);
    });
  });

  test('an unknown id: TaskNotFoundError', async () => {
    expect(await errorOf(world.manager({}).delete('task_none'))).toBeInstanceOf(TaskNotFoundError);
  });

  test('elsewhere, while somebody watches: the watcher is told of the end', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const { id } = await manager.submit('work');
    const waiting = waitFor(manager, id, 'cancelled');
    await turns();
    await world.manager({}).delete(id, { cancel: true });
    await world.clock.advance('2s');
    expect(await waiting).toMatchObject({ status: 'cancelled' });
  });
});
