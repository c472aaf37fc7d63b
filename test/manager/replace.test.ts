import { UniqueConflictError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage("unique with onConflict 'replace'", (world) => {
  const open = () => world.manager({ handlers: [controlled('work', { priority: 2 })] });
  const unique = { key: 'docs', onConflict: 'replace' } as const;

  test('the earlier task becomes what was asked for last', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, {
      unique,
      priority: 9,
      tags: { a: 1 },
      delay: '1h',
      description: 'old',
    });
    const second = await manager.submit('work', 2, { unique, tags: { b: 2 }, entityId: 'e', metadata: { n: 1 } });
    expect(second).toMatchObject({ id: first.id, created: false, matched: 'unique' });
    expect(await manager.get(first.id)).toMatchObject({
      input: 2,
      priority: 2, // that of the handler, as the last submit names none
      tags: { b: 2 },
      status: 'queued',
      description: null,
      entityId: 'e',
      metadata: { n: 1 },
      version: 2,
    });
    expect(await manager.count()).toBe(1);
  });

  test('a task that has started is left alone: UniqueConflictError', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const first = await manager.submit('work', 1, { unique });
    const run = await work.next();
    const error = await errorOf(manager.submit('work', 2, { unique }));
    expect(error).toBeInstanceOf(UniqueConflictError);
    expect(error).toMatchObject({ taskId: first.id });
    const next = await manager.submit('work', 3, { unique: { ...unique, scope: 'unstarted' } });
    expect(next).toMatchObject({ created: true });
    run.finish();
    const again = await work.next();
    expect(again.input).toBe(3);
    again.finish();
    await next.result();
  });

  test("another's task is left alone: UniqueConflictError", async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { unique, submittedBy: 'a' });
    expect(await errorOf(manager.submit('work', 2, { unique, submittedBy: 'b' }))).toMatchObject({ taskId: first.id });
    expect(await manager.get(first.id)).toMatchObject({ input: 1, version: 1 });
  });

  test('listeners hear of an update', async () => {
    const manager = open();
    const heard: unknown[] = [];
    for (const name of ['task:created', 'task:updated'] as const) {
      manager.on(name, ({ task: { input } }) => heard.push([name, input]));
    }
    await manager.submit('work', 1, { unique });
    await manager.submit('work', 2, { unique });
    expect(heard).toEqual([
      ['task:created', 1],
      ['task:updated', 2],
    ]);
  });

  test('submitMany that is refused has replaced nothing', async () => {
    const manager = open();
    const first = await manager.submit('work', 1, { unique });
    const other = { key: 'other', onConflict: 'error' } as const;
    await manager.submit('work', 1, { unique: other });
    const many = manager.submitMany([
      { handler: 'work', input: 2, unique },
      { handler: 'work', input: 2, unique: other },
    ]);
    expect(await errorOf(many)).toBeInstanceOf(UniqueConflictError);
    expect(await manager.get(first.id)).toMatchObject({ input: 1, version: 1 });
  });

  test('200 at once, over two managers: one task, with the input of one of them', async () => {
    const managers = [open(), open()];
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) => managers[index % 2]?.submit('work', index, { unique })),
    );
    expect(new Set(answers.map((task) => task?.id)).size).toBe(1);
    expect(answers.filter((task) => task?.created)).toHaveLength(1);
    expect(await managers[0]?.get(answers[0]?.id ?? '')).toMatchObject({ version: 200 });
  });
});
