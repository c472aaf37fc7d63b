import { RelatedTasksError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('what is deleted from a flow', (world) => {
  /** first -> middle -> last; middle has a child that it waits for. */
  async function line() {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    const [first, middle, last] = await manager.submitMany([
      { handler: 'work', input: 'first', ref: 'first', priority: 1 },
      {
        handler: 'work',
        input: 'middle',
        ref: 'middle',
        dependsOn: ['first'],
        children: [{ handler: 'work', hold: true }],
      },
      { handler: 'work', input: 'last', dependsOn: ['middle'] },
    ]);
    const [child] = (await manager.related(middle.id)).children;
    return { work, manager, first: first.id, middle: middle.id, last: last.id, child: child?.id ?? '' };
  }

  test('a task that others depend on is refused with all that is below it', async () => {
    const { manager, first, middle, last, child } = await line();
    const error = await errorOf(manager.delete(first));
    expect(error).toBeInstanceOf(RelatedTasksError);
    expect((error as RelatedTasksError).related.toSorted()).toEqual([middle, last, child].toSorted());
    expect(await manager.count()).toBe(4);
  });

  test('a child is deleted without the parent that waits for it', async () => {
    const { manager, middle, last, child } = await line();
    await manager.delete(child, { cancel: true, purge: true });
    expect(await manager.get(middle)).toMatchObject({ status: 'failed', error: { code: 'dependency_failed' } });
    expect(await manager.get(last)).toMatchObject({ status: 'failed' });
  });

  test('the middle, for good: nothing waits for what is gone', async () => {
    const { work, manager, first, middle, last, child } = await line();
    await manager.delete(middle, { related: true, cancel: true, purge: true });
    for (const id of [middle, last, child]) expect(await manager.get(id, { archived: true })).toBeNull();
    (await work.next()).finish();
    await turns();
    expect(await manager.get(first)).toMatchObject({ status: 'succeeded' });
    expect((await manager.related(first)).dependents).toEqual([]);
  });

  test('the middle, once it has ended, without what comes after: that goes on', async () => {
    const { manager, middle, last } = await line();
    await manager.cancel(middle);
    expect(await manager.get(last)).toMatchObject({ status: 'failed' });
    await manager.delete(last);
    await manager.delete(middle, { related: true });
    expect((await manager.related(last)).dependencies).toMatchObject([{ task: { id: middle }, waiting: false }]);
  });
});
