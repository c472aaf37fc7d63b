import { defineTask, MemoryStorage, StaleLeaseError, TaskManager } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf, turns } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('a flow as it runs', (world) => {
  test('each task starts once what it depends on has ended, and reads what became of it', async () => {
    const order: unknown[] = [];
    const step = defineTask({
      name: 'step',
      run: async (input: string, { dependencies }) => {
        order.push(input);
        const before = await dependencies();
        return [input, ...before.map(({ result }) => result)];
      },
    });
    const manager = await world.start({ handlers: [step] });
    const [, , , last] = await manager.submitMany([
      { handler: step, input: 'a', ref: 'a' },
      { handler: step, input: 'b', ref: 'b', dependsOn: ['a'] },
      { handler: step, input: 'c', ref: 'c', dependsOn: ['a'] },
      { handler: step, input: 'd', dependsOn: ['c', 'b'] },
    ]);
    expect(await last.result()).toEqual(['d', ['b', ['a']], ['c', ['a']]]);
    expect(order[0]).toBe('a');
    expect(order[3]).toBe('d');
  });

  test('of what failed, its error is read where the edge says run', async () => {
    const bad = defineTask({ name: 'bad', run: () => Promise.reject(new Error('boom')) });
    const after = defineTask({ name: 'after', run: (_input: unknown, { dependencies }) => dependencies() });
    const manager = await world.start({ handlers: [bad, after] });
    const [first, second] = await manager.submitMany([
      { handler: bad, ref: 'bad' },
      { handler: after, dependsOn: [{ id: 'bad', onFailure: 'run' }] },
    ]);
    expect(await second.result()).toMatchObject([
      { id: first.id, handler: 'bad', status: 'failed', result: null, error: { message: 'boom' } },
    ]);
  });

  test('a dependency that is restarted while its dependent waits for another is waited for again, and read anew', async () => {
    const part = controlled('part');
    const after = defineTask({
      name: 'after',
      run: async (_input: undefined, { dependencies }) => (await dependencies()).map(({ result }) => result),
    });
    const manager = await world.start({ handlers: [part, after] });
    const [first, second, last] = await manager.submitMany([
      { handler: 'part', ref: 'a' },
      { handler: 'part', ref: 'b' },
      { handler: after, dependsOn: ['a', 'b'] },
    ]);
    const [a, b] = [await part.next(), await part.next()];
    a.finish('wrong');
    await first.result();
    await manager.restart(first.id);
    const again = await part.next();
    b.finish('b');
    await second.result();
    await turns();
    expect((await manager.get(last.id))?.status).toBe('waiting');
    again.finish('right');
    expect(await last.result()).toEqual(['right', 'b']);
  });

  test('retention removes no result that a task still waits to read', async () => {
    const part = controlled('part');
    const after = defineTask({
      name: 'after',
      run: async (_input: undefined, { dependencies }) => (await dependencies()).map(({ result }) => result),
    });
    const manager = await world.start({ handlers: [part, after], retention: { age: '1s' } });
    const [first, , last, alone] = await manager.submitMany([
      { handler: 'part', ref: 'a' },
      { handler: 'part', ref: 'b' },
      { handler: after, dependsOn: ['a', 'b'] },
      { handler: 'part' },
    ]);
    const [a, b, c] = [await part.next(), await part.next(), await part.next()];
    a.finish('a');
    c.finish('c');
    await Promise.all([first.result(), alone.result()]);
    while ((await manager.get(alone.id)) !== null) {
      await world.clock.advance('1s');
      await turns();
    }
    expect((await manager.get(first.id))?.result).toBe('a');
    b.finish('b');
    expect(await last.result()).toEqual(['a', 'b']);
  });

  test('it may read only what became of some definitions', async () => {
    const first = defineTask({ name: 'first', run: (input: number) => input });
    const second = defineTask({ name: 'second', run: (input: string) => input });
    const after = defineTask({
      name: 'after',
      run: async (_input: undefined, { dependencies }) => {
        const numbers: readonly (number | null)[] = (await dependencies(first)).map(({ result }) => result);
        const wrong = await errorOf(dependencies('first' as never));
        return { numbers, both: (await dependencies(second, first)).length, wrong: String(wrong) };
      },
    });
    const manager = await world.start({ handlers: [first, second, after] });
    const children = [1, 2].flatMap(
      (n) =>
        [
          { handler: first, input: n },
          { handler: second, input: `${n}` },
        ] as const,
    );
    const task = await manager.submit(after, undefined, { children });
    const { wrong, ...found } = await task.result();
    expect(found).toEqual({ numbers: [1, 2], both: 4 });
    expect(wrong).toContain('must be definitions');
  });

  test('a handler submits children, and waits for them', async () => {
    const part = defineTask({ name: 'part', run: (input: number) => input * 2 });
    const whole = defineTask({
      name: 'whole',
      run: async (_input: unknown, { submit, task }) => {
        const parts = await Promise.all([1, 2].map((n) => submit(part, n, { tags: { of: task.id } })));
        return Promise.all(parts.map((each) => each.result()));
      },
    });
    const manager = await world.start({ handlers: [part, whole] });
    const { id, result } = await manager.submit(whole, null, { submittedBy: 'ada' }).then((task) => ({
      id: task.id,
      result: task.result(),
    }));
    expect(await result).toEqual([2, 4]);
    const { items } = await manager.list({ filter: { parentId: id } });
    expect(items).toMatchObject([{ submittedBy: 'ada' }, { submittedBy: 'ada' }]);
  });

  test('a parent that ends leaves what it submitted alone; another attempt submits it again, or finds it by its key', async () => {
    const part = controlled('part');
    const parent = controlled('parent', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 0 } } });
    const manager = await world.start({ handlers: [part, parent] });
    const { id } = await manager.submit('parent');
    const submitBoth = async ({ context }: Awaited<ReturnType<typeof parent.next>>) => {
      await context.submit('part', 'plain', { hold: true });
      return context.submit('part', 'keyed', { hold: true, idempotencyKey: `${id} keyed` });
    };
    const first = await parent.next();
    expect((await submitBoth(first)).created).toBe(true);
    first.fail(new Error('boom'));
    await turns();
    await world.clock.advance('1s');
    const second = await parent.next();
    expect((await submitBoth(second)).created).toBe(false);
    second.fail(new Error('boom again'));
    await turns();
    expect(await manager.get(id)).toMatchObject({ status: 'failed' });
    const { children } = await manager.related(id);
    expect(children.map(({ input, status }) => [input, status])).toEqual([
      ['plain', 'scheduled'],
      ['keyed', 'scheduled'],
      ['plain', 'scheduled'],
    ]);
  });

  test('once it is to stop, a handler submits nothing more', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const { id } = await manager.submit('work');
    const run = await work.next();
    await manager.cancel(id);
    await turns();
    expect(await errorOf(run.context.submit('work'))).toBeInstanceOf(StaleLeaseError);
    run.finish();
    await turns();
    expect(await errorOf(run.context.submit('work'))).toBeInstanceOf(StaleLeaseError);
    expect(await manager.count()).toBe(1);
  });

  test('also when it does not know yet: the storage refuses', async () => {
    const work = controlled('work');
    const link = world.mute({ deaf: true });
    const manager = world.manager({ handlers: [work], storage: link.storage });
    await manager.start();
    const { id } = await manager.submit('work');
    const run = await work.next();
    await world.manager({ handlers: [] }).cancel(id);
    expect(run.context.signal.aborted).toBe(false);
    expect(await errorOf(run.context.submit('work'))).toBeInstanceOf(StaleLeaseError);
    const children = [{ handler: 'work' }];
    expect(await errorOf(run.context.submit('work', null, { children }))).toBeInstanceOf(StaleLeaseError);
    run.finish();
    expect(await manager.count()).toBe(1);
  });

  test('a cancel of a parent reaches what runs, what waits, and theirs', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const parent = await manager.submit('work', 'parent');
    const run = await work.next();
    const child = await run.context.submit('work', 'child');
    const childRun = await work.next();
    const held = await childRun.context.submit('work', 'grandchild', { hold: true });
    await manager.cancel(parent.id, 'enough');
    await turns();
    for (const { context } of [run, childRun]) {
      expect(context.signal.reason).toMatchObject({ code: 'cancelled', message: expect.stringContaining('enough') });
    }
    expect(await manager.get(held.id)).toMatchObject({ status: 'cancelled', cancelReason: 'enough' });
    for (const each of [run, childRun]) each.fail(new Error('stopped'));
    await turns();
    expect(await manager.get(child.id)).toMatchObject({ status: 'cancelled', cancelReason: 'enough' });
  });

  test('a cancel in one process reaches children that run in another', async () => {
    const child = controlled('child');
    await world.start({ handlers: [child] });
    const manager = world.manager({ handlers: [controlled('parent'), defineTask({ name: 'child' })] });
    const parent = await manager.submit('parent', null, {
      children: [{ handler: 'child' }, { handler: 'child', hold: true }],
    });
    const run = await child.next();
    await manager.cancel(parent.id, 'enough');
    await world.clock.advance('1s');
    expect(run.context.signal.reason).toMatchObject({ code: 'cancelled' });
    run.fail(new Error('stopped'));
    await turns();
    const { children } = await manager.related(parent.id);
    expect(children.map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
  });

  test('what follows is told, by the process that wrote the end', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    const told: string[] = [];
    for (const name of ['task:created', 'task:queued', 'task:scheduled', 'task:failed', 'task:cancelled'] as const) {
      manager.on(name, ({ task }) => told.push(`${name.slice(5)} ${task.input}`));
    }
    await manager.submitMany([
      { handler: 'work', input: 'first', ref: 'first', priority: 1 },
      { handler: 'work', input: 'beside', ref: 'beside' },
      { handler: 'work', input: 'fails', dependsOn: ['first', 'beside'] },
      { handler: 'work', input: 'skips', dependsOn: [{ id: 'first', onFailure: 'skip' }] },
      { handler: 'work', input: 'later', delay: '1h', dependsOn: [{ id: 'first', onFailure: 'run' }] },
      { handler: 'work', input: 'runs', dependsOn: [{ id: 'first', onFailure: 'run' }] },
    ]);
    expect(told).toEqual([
      'created first',
      'queued first',
      'created beside',
      'queued beside',
      'created fails',
      'created skips',
      'created later',
      'created runs',
    ]);
    told.length = 0;
    (await work.next()).fail(new Error('boom'));
    const next = await work.next();
    expect(next.input).toBe('runs');
    expect(told).toEqual([
      'failed first',
      'failed fails',
      'cancelled skips',
      'scheduled later',
      'queued runs',
      'cancelled beside',
    ]);
  });

  test('a watch of a task that waits sees it released, and elsewhere too', async () => {
    const work = controlled('work');
    await world.start({ handlers: [work] });
    const manager = world.manager({ handlers: [defineTask({ name: 'work' })] });
    const [, second] = await manager.submitMany([
      { handler: 'work', ref: 'a' },
      { handler: 'work', dependsOn: ['a'] },
    ]);
    const seen: string[] = [];
    const watching = (async () => {
      for await (const news of second.events()) if (news.type === 'status') seen.push(news.task.status);
    })();
    await turns();
    (await work.next()).finish();
    const run = await work.next();
    await world.clock.advance('2s');
    run.finish();
    await world.clock.advance('2s');
    await watching;
    expect(seen[0]).toBe('waiting');
    expect(seen.slice(-2)).toEqual(['running', 'succeeded']);
  });

  test('explain names what it waits for', async () => {
    const manager = world.manager({ handlers: [controlled('work')] });
    const [first, second] = await manager.submitMany([
      { handler: 'work', ref: 'a' },
      { handler: 'work', dependsOn: ['a'] },
    ]);
    const { reasons } = await manager.explain(second.id);
    expect(reasons).toEqual([{ code: 'waits_for', taskIds: [first.id], message: `It waits for ${first.id} to end.` }]);
  });

  test('what waits may expire, and may be changed, but for its time', async () => {
    const part = controlled('part');
    const after = defineTask({ name: 'after', run: () => {} });
    const manager = await world.start({ handlers: [part, after] });
    const first = await manager.submit('part');
    const run = await part.next();
    const waiting = await manager.submit(after, undefined, { dependsOn: [first.id], startBy: '5s' });
    const last = await manager.submit(after, undefined, { dependsOn: [{ id: waiting.id, onFailure: 'skip' }] });
    expect(await manager.update(last.id, { priority: 5, tags: { a: 1 } })).toMatchObject({
      priority: 5,
      tags: { a: 1 },
    });
    expect(await errorOf(manager.update(last.id, { runAt: 5 }))).toMatchObject({ code: 'transition_refused' });
    await world.clock.advance('10s');
    await turns();
    expect(await manager.get(waiting.id)).toMatchObject({ status: 'cancelled', error: { code: 'expired' } });
    expect(await manager.get(last.id)).toMatchObject({ status: 'cancelled', error: null });
    run.finish();
    await first.result();
  });

  test('runNow does not wait any longer', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work], concurrency: 1 });
    const [, second] = await manager.submitMany([
      { handler: 'work', input: 'a', ref: 'a', hold: true },
      { handler: 'work', input: 'b', dependsOn: ['a'] },
    ]);
    await manager.runNow(second.id);
    expect((await work.next()).input).toBe('b');
  });

  test('a restart waits for what is restarted before it', async () => {
    const work = controlled('work');
    const manager = await world.start({ handlers: [work] });
    const [first, second] = await manager.submitMany([
      { handler: 'work', input: 'a', ref: 'a' },
      { handler: 'work', input: 'b', dependsOn: ['a'] },
    ]);
    (await work.next()).fail(new Error('boom'));
    await turns();
    expect(await manager.get(second.id)).toMatchObject({ status: 'failed', error: { code: 'dependency_failed' } });
    await manager.restart(first.id);
    expect(await manager.restart(second.id)).toMatchObject({ status: 'waiting', error: null });
    (await work.next()).finish();
    expect((await work.next()).input).toBe('b');
  });
});

test('inline: a flow that can run now has run', async () => {
  const step = defineTask({ name: 'step', run: (input: string) => input });
  const manager = new TaskManager({ handlers: [step], inline: true, storage: new MemoryStorage() });
  await manager.start();
  const parent = await manager.submit(step, 'top', {
    children: [
      { handler: step, input: 'a' },
      { handler: step, input: 'b' },
    ],
  });
  expect(await manager.get(parent.id)).toMatchObject({ status: 'succeeded' });
  await manager.close();
});
