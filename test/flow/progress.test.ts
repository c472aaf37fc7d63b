import { defineTask, OptionError, type TaskManager, type TaskNews, type TaskProgress } from 'tasklane';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Stage } from '../faults/support/child.ts';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

/** Ended children, all children and the fraction. */
function sums(progress: TaskProgress | null | undefined): readonly unknown[] | null {
  return progress ? [progress.processed, progress.total, progress.fraction] : null;
}

async function shown(manager: TaskManager, id: string): Promise<readonly unknown[] | null> {
  return sums((await manager.get(id))?.progress);
}

/** Reads news of a task until its progress is so. */
async function until(news: AsyncIterator<TaskNews>, fraction: number): Promise<readonly (readonly unknown[] | null)[]> {
  const seen: (readonly unknown[] | null)[] = [];
  for (;;) {
    const { value, done } = await news.next();
    if (done) throw new Error(`It ended; seen: ${JSON.stringify(seen)}`);
    if (value.type !== 'progress') continue;
    seen.push(sums(value.task.progress));
    if (value.task.progress?.fraction === fraction) return seen;
  }
}

onEachStorage('the progress of children', (world) => {
  test('is that of the parent, by weight, told to whoever listens or watches, here and elsewhere', async () => {
    const part = controlled('part');
    const whole = controlled('whole');
    const manager = await world.start({ handlers: [part, whole] });
    const other = world.manager({ handlers: [part, whole] });
    await other.start({ run: false });
    const told: unknown[] = [];
    manager.on('task:progress', ({ handler, progress }) => {
      if (handler === 'whole') told.push(sums(progress));
    });
    const parent = await manager.submit('whole', null, {
      progress: 'children',
      children: [
        { handler: 'part', weight: 3 },
        { handler: 'part', onFailure: 'run' },
      ],
    });
    expect(await shown(manager, parent.id)).toEqual([0, 2, 0]);
    const here = manager.task(parent.id).events();
    const elsewhere = other.task(parent.id).events();
    /** The clock goes on, as another process looks at the file by it. */
    const both = async (fraction: number): Promise<void> => {
      let seen = false;
      const reading = Promise.all([until(here, fraction), until(elsewhere, fraction)]).then(() => {
        seen = true;
      });
      while (!seen) {
        await world.clock.advance('150ms');
        await turns();
      }
      await reading;
    };
    await both(0);
    const [first, second] = [await part.next(), await part.next()];
    first.context.progress({ fraction: 0.5 });
    await world.clock.advance('1s');
    await both(0.375);
    first.finish();
    await both(0.75);
    second.fail(new Error('boom'));
    await both(1);
    (await whole.next()).finish();
    await parent.result();
    expect(told).toEqual([
      [0, 2, 0.375],
      [1, 2, 0.75],
      [2, 2, 1],
    ]);
    expect(await shown(manager, parent.id)).toEqual([2, 2, 1]);
  });

  test('goes up through all levels', async () => {
    const part = controlled('part');
    const manager = await world.start({ handlers: [part] });
    const top = await manager.submit('part', null, {
      progress: 'children',
      children: [
        { handler: 'part', progress: 'children', children: [{ handler: 'part' }, { handler: 'part' }] },
        { handler: 'part', runAt: world.clock.now() + 60_000 },
      ],
    });
    (await part.next()).finish();
    await until(manager.task(top.id).events(), 0.25);
    expect(await shown(manager, top.id)).toEqual([0, 2, 0.25]);
  });

  test('a handler that submits children shows theirs, until it reports its own', async () => {
    const part = controlled('part');
    const whole = controlled('whole');
    const manager = await world.start({ handlers: [part, whole] });
    const { id } = await manager.submit('whole', null, { progress: 'children' });
    const { context, finish } = await whole.next();
    expect(await shown(manager, id)).toBeNull();
    const told: unknown[] = [];
    manager.on('task:progress', ({ taskId, progress }) => {
      if (taskId === id) told.push(sums(progress));
    });
    await context.submit('part', null, { weight: 2 });
    await context.submit('part', null, { weight: 2 });
    (await part.next()).finish();
    const news = manager.task(id).events();
    await until(news, 0.5);
    context.log('half');
    await world.clock.advance('1s');
    context.progress({ processed: 9, total: 10 });
    await world.clock.advance('1s');
    await until(news, 0.9);
    (await part.next()).finish();
    finish();
    await manager.task(id).result();
    expect(await shown(manager, id)).toEqual([9, 10, 0.9]);
    expect(told).toEqual([
      [0, 1, 0],
      [0, 2, 0],
      [1, 2, 0.5],
      [9, 10, 0.9],
    ]);
  });

  test('a restarted child is to be done again; a deleted one was done', async () => {
    const part = controlled('part');
    const manager = await world.start({ handlers: [part] });
    const parent = await manager.submit('part', 'parent', { progress: 'children', hold: true });
    const [a, b] = await manager.submitMany([
      { handler: 'part', input: 'a', parentId: parent.id },
      { handler: 'part', input: 'b', parentId: parent.id },
    ]);
    (await part.next()).finish();
    await a.result();
    expect(await shown(manager, parent.id)).toEqual([1, 2, 0.5]);
    await manager.pause();
    await manager.restart(a.id);
    expect(await shown(manager, parent.id)).toEqual([0, 2, 0]);
    await manager.delete(a.id, { cancel: true, purge: true });
    expect(await shown(manager, parent.id)).toEqual([1, 2, 0.5]);
    await manager.cancel(b.id);
    for (const run of part.runs) run.finish();
  });

  test('who does not ask for it shows nothing', async () => {
    const part = controlled('part');
    const manager = await world.start({ handlers: [part] });
    const parent = await manager.submit('part', null, { children: [{ handler: 'part' }] });
    (await part.next()).finish();
    await part.next();
    expect(await shown(manager, parent.id)).toBeNull();
    for (const run of part.runs) run.finish();
  });

  test('a definition may say it for all of its tasks, those of a schedule of another process, too', async () => {
    const part = controlled('part');
    const whole = defineTask({ name: 'whole', progress: 'children', on: 'go', run: () => {} });
    const manager = world.manager({ handlers: [part, whole] });
    const parent = await manager.submit(whole, undefined, { children: [{ handler: 'part', weight: 2 }] });
    expect(await shown(manager, parent.id)).toEqual([0, 1, 0]);
    const later = await manager.submit('part', null, { parentId: parent.id, weight: 3 });
    expect([later.warnings, await shown(manager, parent.id)]).toEqual([[], [0, 2, 0]]);
    const plain = await manager.submit(whole);
    await manager.submit('part', null, { parentId: plain.id });
    expect(await shown(manager, plain.id)).toEqual([0, 1, 0]);
    await manager.schedules.create({ key: 'of-whole', handler: whole, on: 'elsewhere' });
    const other = world.manager({ handlers: [part] });
    const [started] = await other.publish('elsewhere');
    await other.submit('part', null, { parentId: started?.id, weight: 2 });
    expect(await shown(other, started?.id ?? '')).toEqual([0, 1, 0]);
    expect(() => defineTask({ name: 'wrong', progress: 'own' as 'children' })).toThrow(OptionError);
  });

  test('a weight that counts for nothing is refused where that shows at once', async () => {
    const manager = world.manager({ handlers: [controlled('part')] });
    const above = { handler: 'part', children: [{ handler: 'part', weight: 2 }] } as const;
    const wrong: readonly (readonly [Promise<unknown>, string])[] = [
      [manager.submit('part', null, { weight: 2 }), 'weight'],
      [manager.submit('part', null, { weight: 2, children: [{ handler: 'part' }] }), 'weight'],
      [manager.submitMany([{ handler: 'part' }, { handler: 'part', weight: 2 }]), 'items.1.weight'],
      [manager.submitMany([above]), 'items.0.children.0.weight'],
      [manager.submit('part', null, { progress: 'children', children: [above] }), 'children.0.children.0.weight'],
    ];
    for (const [submitted, option] of wrong) {
      const error = await errorOf(submitted);
      expect(error).toBeInstanceOf(OptionError);
      expect(error).toMatchObject({ option });
    }
    expect(await manager.count()).toBe(0);
  });

  test('and warned of where the parent was there before', async () => {
    const part = controlled('part');
    const manager = await world.start({ handlers: [part] });
    const { id: parentId } = await manager.submit('part');
    const { context } = await part.next();
    const warned = [{ code: 'weight_uncounted' }];
    expect(await manager.submit('part', null, { parentId, weight: 2 })).toMatchObject({ warnings: warned });
    expect(await manager.submit('part', null, { parentId: 'nobody', weight: 2 })).toMatchObject({ warnings: warned });
    expect(await context.submit('part', null, { weight: 2 })).toMatchObject({ warnings: warned });
    const many = await manager.submitMany([
      { handler: 'part', parentId },
      { handler: 'part', parentId, weight: 2, dependsOn: [parentId] },
    ]);
    expect(many).toMatchObject([{ warnings: [] }, { warnings: warned }]);
    const before = await manager.count();
    const strict = { weight: 2, failOnWarning: true };
    const items = [{ handler: 'part' }, { handler: 'part', parentId, ...strict }] as const;
    for (const refused of [
      manager.submit('part', null, { parentId, ...strict }),
      context.submit('part', null, strict),
      manager.submitMany(items),
    ]) {
      expect(await errorOf(refused)).toMatchObject({
        code: 'input_invalid',
        issues: [{ path: expect.stringMatching(/weight$/) }],
      });
    }
    expect(await manager.count()).toBe(before);
    for (const run of part.runs) run.finish();
  });

  test.each([
    ['weight', { weight: 0 }],
    ['weight', { weight: -1 }],
    ['weight', { weight: Number.NaN }],
    ['weight', { weight: Number.POSITIVE_INFINITY }],
    ['weight', { weight: 2e15 }],
    ['weight', { weight: '1' as unknown as number }],
    ['progress', { progress: 'own' as 'children' }],
  ] as const)('%s is refused: %j', async (option, options) => {
    const manager = world.manager({ handlers: [controlled('part')] });
    const plain = await errorOf(manager.submit('part', null, options));
    expect(plain).toBeInstanceOf(OptionError);
    expect(plain).toMatchObject({ option });
    const child = await errorOf(manager.submit('part', null, { children: [{ handler: 'part', ...options }] }));
    expect(child).toBeInstanceOf(OptionError);
    expect(await manager.count()).toBe(0);
  });

  test('a thousand children that end together are few changes of their parent', async () => {
    const part = defineTask({ name: 'part', run: async (_input: unknown) => {} });
    const manager = world.manager({ handlers: [part], concurrency: 200 });
    const { id } = await manager.submit('part', null, {
      progress: 'children',
      children: Array.from({ length: 1_000 }, () => ({ handler: 'part' as const, weight: 0.1 })),
    });
    await manager.start();
    await manager.task(id).result();
    const { version, progress } = (await manager.get(id)) ?? {};
    expect(sums(progress)).toEqual([1_000, 1_000, 1]);
    expect(version).toBeLessThan(300);
  });
});

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.clear());

test('two processes run the children, one of them is killed: nothing counts twice, and nothing is left out', async () => {
  const [one, two] = [stage.child(), stage.child()];
  const handles = await one.ask('submitMany', [
    { handler: 'noop', progress: 'children', ref: 'parent', children: family(60) },
  ]);
  await two.kill();
  const three = stage.child();
  const ended = await three.ask('ended', handles[0]?.id ?? '');
  expect([ended.status, sums(ended.progress)]).toEqual(['succeeded', [60, 60, 1]]);
  await Promise.all([one.close(), three.close()]);
});

function family(count: number): { handler: string; weight: number }[] {
  return Array.from({ length: count }, (_, at) => ({ handler: 'noop', weight: 0.1 + at }));
}
