import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runScript } from '../support/script.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tasklane-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = `
  import { defineTask, TaskManager } from 'tasklane';
  import { SqliteStorage } from 'tasklane/sqlite';
`;

describe('a process whose handler', () => {
  test('calls process.exit: the next one runs the task again, at once', async () => {
    const file = join(folder, 'tasks.db');
    const { code, lines } = await runScript(`${HEAD}
      const work = defineTask({
        name: 'work',
        run: async (_, { checkpoint }) => { await checkpoint('on the way'); process.exit(3); },
      });
      const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(${JSON.stringify(file)}) });
      await manager.start();
      const { id } = await manager.submit(work);
      console.log(id);
    `).ended;
    expect(code).toBe(3);
    const work = defineTask({ name: 'work', run: (_input, { task: { checkpoint, lost } }) => ({ checkpoint, lost }) });
    const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(file) });
    await manager.start();
    expect(await manager.task(lines[0] ?? '').result()).toEqual({ checkpoint: 'on the way', lost: 1 });
    const attempts = await manager.attempts(lines[0] ?? '');
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['lost', 'succeeded']);
    await manager.close();
  });

  test('blocks the event loop for half its lease: a warning says so, and the task goes on', async () => {
    const { code, lines, errors } = await runScript(`${HEAD}
      const work = defineTask({
        name: 'work',
        run: () => {
          const until = performance.now() + 900;
          while (performance.now() < until);
          return 'done';
        },
      });
      const manager = new TaskManager({ handlers: [work], lease: '1s' });
      const warned = new Promise((resolve) => manager.on('warning', ({ code }) => resolve(code)));
      await manager.start();
      await new Promise((resolve) => setTimeout(resolve, 100));
      const task = await manager.submit(work);
      console.log(await task.result());
      console.log(await warned);
      await manager.close();
    `).ended;
    expect({ code, lines, errors }).toEqual({ code: 0, lines: ['done', 'loop_blocked'], errors: '' });
  });

  test.each([
    ['throws in a callback of its own', "setTimeout(() => { throw new Error('mine'); }, 1)"],
    ['leaves a promise unheard', "Promise.reject(new Error('mine'))"],
  ])('%s: that is the process’s own death, and the task is run again', async (_what, harm) => {
    const file = join(folder, 'tasks.db');
    const { code, errors } = await runScript(`${HEAD}
      const work = defineTask({ name: 'work', run: () => new Promise(() => { ${harm}; }) });
      const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(${JSON.stringify(file)}) });
      await manager.submit(work);
      await manager.start();
    `).ended;
    expect(code).toBe(1);
    expect(errors).toContain('mine');
    const work = defineTask({ name: 'work', run: () => 'done' });
    const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(file) });
    await manager.start();
    const { items } = await manager.list();
    expect(await manager.task(items[0]?.id ?? '').result()).toBe('done');
    await manager.close();
  });
});
