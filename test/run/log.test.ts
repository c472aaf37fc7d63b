import { OptionError, TaskNotFoundError } from 'tasklane';
import { expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { onEachStorage } from '../support/world.ts';

onEachStorage('log', (world) => {
  async function running(options = {}) {
    const work = controlled('work', { retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 10, jitter: 0 } } });
    const manager = await world.start({ handlers: [work], ...options });
    const task = await manager.submit('work');
    return { manager, task, work, run: await work.next() };
  }

  test('lines are kept in order, with their time and level', async () => {
    const { manager, task, run } = await running();
    const started = world.clock.now();
    run.context.log('plain');
    await world.clock.advance(5);
    run.context.log('careful', { level: 'warn' });
    run.context.log('odd', { level: 'loud' as 'info' });
    run.context.log('none', { level: undefined });
    run.finish();
    await task.result();
    expect(await manager.log(task.id)).toEqual([
      { seq: 1, at: started, level: 'info', message: 'plain' },
      { seq: 2, at: started + 5, level: 'warn', message: 'careful' },
      { seq: 3, at: started + 5, level: 'info', message: 'odd' },
      { seq: 4, at: started + 5, level: 'info', message: 'none' },
    ]);
  });

  test('are told to listeners once they are stored', async () => {
    const { manager, task, run } = await running();
    const heard: unknown[] = [];
    manager.on('task:log', ({ type, handler, taskId, level, message }) =>
      heard.push({ type, handler, taskId, level, message }),
    );
    run.context.log('read a.md', { level: 'debug' });
    run.finish();
    await task.result();
    expect(heard).toEqual([
      { type: 'task:log', handler: 'work', taskId: task.id, level: 'debug', message: 'read a.md' },
    ]);
  });

  test('go on over the attempts of a task', async () => {
    const { manager, task, work, run } = await running();
    run.context.log('first');
    run.fail('once');
    await world.clock.advance(100);
    const second = await work.next();
    second.context.log('second');
    second.finish();
    await task.result();
    expect((await manager.log(task.id)).map(({ seq, message }) => [seq, message])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ]);
  });

  test('are read in pages', async () => {
    const { manager, task, run } = await running();
    for (let line = 1; line <= 10; line++) run.context.log(`line ${line}`);
    run.finish();
    await task.result();
    const page = await manager.log(task.id, { after: 3, limit: 4 });
    expect(page.map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
    expect(await manager.log(task.id, { after: 10 })).toEqual([]);
  });

  test('are bounded by lines: the oldest go', async () => {
    const { manager, task, run } = await running({ logLimit: { lines: 3 } });
    for (let line = 1; line <= 10; line++) {
      run.context.log(`line ${line}`);
      if (line % 4 === 0) await world.clock.advance('1s');
    }
    run.finish();
    await task.result();
    expect((await manager.log(task.id)).map(({ seq }) => seq)).toEqual([8, 9, 10]);
  });

  test('are bounded by bytes: the oldest go', async () => {
    const { manager, task, run } = await running({ logLimit: { bytes: 10 } });
    for (const message of ['aaaa', 'bbbb', 'éé', 'cccc']) run.context.log(message);
    run.finish();
    await task.result();
    expect((await manager.log(task.id)).map(({ message }) => message)).toEqual(['éé', 'cccc']);
  });

  test('are 1,000 by default', async () => {
    const { manager, task, run } = await running();
    for (let line = 1; line <= 1_500; line++) run.context.log('x');
    run.finish();
    await task.result();
    const lines = await manager.log(task.id);
    expect([lines.length, lines[0]?.seq]).toEqual([1_000, 501]);
  });

  test('never throws, whatever it is given', async () => {
    const { manager, task, run } = await running();
    const odd = [null, undefined, 5, 1n, Symbol('s'), { a: 1 }, Object.create(null), { toString: () => 5n }, '\ud800'];
    for (const message of odd) expect(() => run.context.log(message as string)).not.toThrow();
    expect(() => run.context.log('last', null as never)).not.toThrow();
    run.finish('done');
    expect(await task.result()).toBe('done');
    const lines = await manager.log(task.id);
    expect(lines.length).toBe(odd.length + 1);
    expect(lines.map(({ message }) => message)).toEqual(expect.arrayContaining(['null', '5', 'Symbol(s)', 'last']));
  });

  test('of a task that said nothing is empty', async () => {
    const { manager, task } = await running();
    expect(await manager.log(task.id)).toEqual([]);
  });

  test('of an unknown id: TaskNotFoundError', async () => {
    const { manager } = await running();
    expect(await errorOf(manager.log('task_none'))).toBeInstanceOf(TaskNotFoundError);
  });

  test.each([[{ limit: 0 }], [{ limit: 1_001 }], [{ limit: 1.5 }], [{ after: -1 }], [{ after: Number.NaN }]])(
    'a page of %j: OptionError',
    async (page) => {
      const { manager, task } = await running();
      expect(await errorOf(manager.log(task.id, page))).toBeInstanceOf(OptionError);
    },
  );
});
