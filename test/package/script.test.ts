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

const file = () => join(folder, 'tasks.db');
const STORAGES: [name: string, storage: () => string][] = [
  ['memory', () => 'undefined'],
  ['sqlite', () => `new SqliteStorage(${JSON.stringify(file())})`],
];

const HEAD = `
  import { defineTask, TaskManager } from 'tasklane';
  import { SqliteStorage } from 'tasklane/sqlite';
`;

/** Closes, and writes for how many ms the process lived on. */
const TAIL = `
  await manager.close({ timeout: 0 });
  const closed = performance.now();
  process.on('exit', () => console.log('lived on', Math.round(performance.now() - closed)));
`;

async function livedOn(code: string): Promise<number> {
  const { code: exit, lines, errors } = await runScript(HEAD + code + TAIL).ended;
  expect(exit, errors).toBe(0);
  return Number(lines.at(-1)?.replace('lived on ', ''));
}

describe.each(STORAGES)('a script on %s ends within a second of close', (_name, storage) => {
  test('that has done its work', async () => {
    const ms = await livedOn(`
      const work = defineTask({ name: 'work', run: (input) => input * 2 });
      const manager = new TaskManager({ handlers: [work], storage: ${storage()} });
      await manager.start();
      const task = await manager.submit(work, 21);
      console.log(await task.result());
    `);
    expect(ms).toBeLessThan(1_000);
  });

  test('that leaves work for later, and watched', async () => {
    const ms = await livedOn(`
      const work = defineTask({ name: 'work', run: () => {} });
      const manager = new TaskManager({ handlers: [work], storage: ${storage()} });
      await manager.start();
      const task = await manager.submit(work, 1, { delay: '1h' });
      task.result().catch(() => {});
      manager.watch().next().catch(() => {});
      await task.events().next();
    `);
    expect(ms).toBeLessThan(1_000);
  });

  test('whose handler never settles and does not care', async () => {
    const ms = await livedOn(`
      const work = defineTask({ name: 'work', cancelGrace: 10, timeout: '1h', run: () => new Promise(() => {}) });
      const manager = new TaskManager({ handlers: [work], storage: ${storage()}, cancelGrace: 10 });
      const started = new Promise((resolve) => manager.on('task:started', resolve));
      await manager.start();
      await manager.submit(work);
      await started;
    `);
    expect(ms).toBeLessThan(1_000);
  });

  test('whose handler was told to stop from outside', async () => {
    const ms = await livedOn(`
      const work = defineTask({ name: 'work', run: () => new Promise(() => {}) });
      const manager = new TaskManager({ handlers: [work], storage: ${storage()} });
      const started = new Promise((resolve) => manager.on('task:started', resolve));
      await manager.start();
      const task = await manager.submit(work);
      await started;
      await task.cancel();
      await manager.complete(task.id);
    `);
    expect(ms).toBeLessThan(1_000);
  });

  test('that was never started', async () => {
    const ms = await livedOn(`
      const manager = new TaskManager({ handlers: [defineTask({ name: 'work' })], storage: ${storage()} });
      await manager.submit('work');
    `);
    expect(ms).toBeLessThan(1_000);
  });
});

describe('a script lives while it waits', () => {
  test('for tasks of other processes, once it was started to run them', async () => {
    const script = runScript(`
      import { TaskManager } from 'tasklane';
      const manager = new TaskManager({ sweep: '10ms' });
      await manager.start();
      setTimeout(async () => {
        console.log('still there');
        await manager.close();
      }, 200).unref();
    `);
    const { code, lines } = await script.ended;
    expect(code).toBe(0);
    expect(lines).toEqual(['still there']);
  });

  test('for the result of a task that is due later', async () => {
    const { code, lines, errors } = await runScript(`${HEAD}
      const work = defineTask({ name: 'work', run: () => 'done' });
      const manager = new TaskManager({ handlers: [work] });
      await manager.start();
      const task = await manager.submit(work, 1, { delay: 300 });
      console.log(await task.result());
      await manager.close();
    `).ended;
    expect({ code, lines, errors }).toEqual({ code: 0, lines: ['done'], errors: '' });
  });

  test('for the next attempt of a task', async () => {
    const { code, lines } = await runScript(`${HEAD}
      const work = defineTask({
        name: 'work',
        retry: { maxAttempts: 2, backoff: { type: 'fixed', delay: 200 } },
        run: (_, { task }) => { if (task.attempt === 1) throw new Error('once'); console.log('twice'); },
      });
      const manager = new TaskManager({ handlers: [work] });
      await manager.start();
      await manager.submit(work);
      manager.on('task:succeeded', () => manager.close());
    `).ended;
    expect({ code, lines }).toEqual({ code: 0, lines: ['twice'] });
  });

  test.each([
    ['events of a task', 'manager.task(process.argv.at(-1)).events()'],
    ['a watch', 'manager.watch()'],
  ])('for %s, by another process', async (_what, stream) => {
    const storage = new SqliteStorage(file());
    const manager = new TaskManager({ handlers: [defineTask({ name: 'work', run: () => {} })], storage });
    const { id } = await manager.submit('work', 1, { hold: true });
    const script = runScript(
      `${HEAD}
        const manager = new TaskManager({ storage: new SqliteStorage(${JSON.stringify(file())}) });
        await manager.start({ run: false });
        const stream = ${stream};
        setTimeout(() => console.log('watching'), 50);
        for await (const { task } of stream) {
          console.log(task.status);
          if (task.status === 'succeeded') break;
        }
        await manager.close();
      `,
      [id],
    );
    await script.line('watching');
    await new Promise((resolve) => setTimeout(resolve, 700)); // long enough for a process that nothing holds to end
    await manager.runNow(id);
    await manager.start();
    const { code, lines, errors } = await script.ended;
    await manager.close();
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(lines.at(-1)).toBe('succeeded');
  });
});
