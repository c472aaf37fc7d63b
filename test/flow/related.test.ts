import { CursorError, defineTask, OptionError, type RelatedTasks, TaskManager } from 'tasklane';
import { expect, test } from 'vitest';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

const held = defineTask({ name: 'held', run: (input: unknown) => input });

/** All pages of what is related to a task. */
async function pages(manager: TaskManager, id: string, limit: number): Promise<readonly RelatedTasks[]> {
  const found: RelatedTasks[] = [];
  for (let cursor: string | undefined, more = true; more; ) {
    const page = await manager.related(id, { limit, cursor });
    found.push(page);
    expect(page.truncated).toBe(page.next !== null);
    cursor = page.next ?? undefined;
    more = page.next !== null;
  }
  return found;
}

/** A task in the middle: 250 children, 120 of which it depends on, and one that depends on it. */
async function middle(manager: TaskManager): Promise<string> {
  const { id: before } = await manager.submit(held, 'before', { hold: true });
  const { id } = await manager.submit(held, 'middle', {
    parentId: before,
    children: Array.from({ length: 120 }, (_, input) => ({ handler: held, input, runAt: Date.UTC(2099, 0) })),
  });
  const later = Array.from({ length: 130 }, (_, n) => ({ handler: held, input: 120 + n, parentId: id }) as const);
  await manager.submitMany(later);
  await manager.submit(held, 'after', { dependsOn: [{ id, onFailure: 'skip' }] });
  return id;
}

onEachStorage('what is related to a task', (world) => {
  test('comes in pages: each list goes on where it was, and is whole in the end', async () => {
    const manager = world.manager({ handlers: [held] });
    const id = await middle(manager);
    const found = await pages(manager, id, 100);
    const sizes = found.map(({ children, dependencies, dependents }) => [
      children.length,
      dependencies.length,
      dependents.length,
    ]);
    expect(sizes).toEqual([
      [100, 100, 1],
      [100, 20, 0],
      [50, 0, 0],
    ]);
    const numbers = Array.from({ length: 250 }, (_, n) => n);
    expect(found.flatMap(({ children }) => children.map(({ input }) => input))).toEqual(numbers);
    const dependencies = found.flatMap((page) => page.dependencies.map(({ task }) => task.input));
    expect(dependencies).toEqual(numbers.slice(0, 120));
    expect(found.map(({ parent }) => parent?.input)).toEqual(['before', 'before', 'before']);
    expect(found[0]?.dependents).toMatchObject([{ task: { input: 'after' }, onFailure: 'skip', waiting: true }]);
  });

  test('a list that fits exactly has no further page; what is added or removed meanwhile repeats and skips none', async () => {
    const manager = world.manager({ handlers: [held] });
    const id = await middle(manager);
    expect((await pages(manager, id, 250)).length).toBe(1);
    expect((await pages(manager, id, 125)).length).toBe(2);
    const first = await manager.related(id, { limit: 100 });
    await manager.delete(first.children[99]?.id ?? '', { cancel: true, purge: true, related: true });
    await manager.submit(held, 250, { parentId: id });
    const second = await manager.related(id, { limit: 1_000, cursor: first.next ?? '' });
    expect(second.children.map(({ input }) => input)).toEqual(Array.from({ length: 151 }, (_, n) => 100 + n));
    expect(second.dependencies.map(({ task }) => task.input)).toEqual(Array.from({ length: 20 }, (_, n) => 100 + n));
  });

  test('a cursor of another task, one that was changed, and wrong options are refused', async () => {
    const manager = world.manager({ handlers: [held] });
    const id = await middle(manager);
    const { next, parent } = await manager.related(id, { limit: 1 });
    expect(next).not.toBeNull();
    for (const [of, cursor] of [
      [parent?.id ?? '', next ?? ''],
      [id, `${next?.slice(0, -2)}AA`],
      [id, 'nonsense'],
      [id, ''],
    ] as const) {
      expect(await errorOf(manager.related(of, { cursor }))).toBeInstanceOf(CursorError);
    }
    for (const wrong of [{ limit: 0 }, { limit: 1_001 }, { limit: '5' }, { cursor: 5 }, { page: 2 }]) {
      expect(await errorOf(manager.related(id, wrong as object))).toBeInstanceOf(OptionError);
    }
  });
});

test('a walk over thousands of tasks lets others have their turns', async () => {
  const idle = defineTask({ name: 'idle' });
  const manager = new TaskManager({ handlers: [idle] });
  await manager.start();
  const children = Array.from({ length: 2_000 }, () => ({ handler: 'idle' as const }));
  const { id } = await manager.submit('idle', undefined, { children });
  let turns = 0;
  const count = (): void => {
    turns++;
    counting = setImmediate(count);
  };
  let counting = setImmediate(count);
  await expect(manager.delete(id)).rejects.toMatchObject({ code: 'related_tasks' });
  clearImmediate(counting);
  expect(turns).toBeGreaterThanOrEqual(10);
  await manager.close();
});
