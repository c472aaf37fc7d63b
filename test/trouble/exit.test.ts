import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { expect, test } from 'vitest';
import { errorOf } from '../support/gate.ts';

/** Starts a process that runs until its handler ends it. @returns its exit code */
async function lifeOf(file: string, runs: string): Promise<unknown> {
  const child = fork(join(import.meta.dirname, 'support', 'exiting.ts'), [file, runs], {
    execArgv: ['--conditions=tasklane-source', '--disable-warning=ExperimentalWarning'],
  });
  const [code] = await once(child, 'exit');
  return code;
}

test('a handler that calls process.exit > it is lost and runs again in the next process; too often: failed with code lost', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tasklane-exit-'));
  const file = join(folder, 'tasks.db');
  const runs = join(folder, 'runs');
  const manager = new TaskManager({
    storage: new SqliteStorage(file),
    handlers: [{ name: 'exits' }, { name: 'here', run: () => 'done' }],
    sweep: 100,
    maxLost: 1,
  });
  const errors: unknown[] = [];
  const lost: number[] = [];
  manager.on('error', ({ error }) => errors.push(error));
  manager.on('task:lost', ({ task }) => lost.push(task.lost));
  try {
    await manager.start();
    const task = await manager.submit('exits');
    expect(await lifeOf(file, runs)).toBe(7);
    // Its process is known to be dead: nobody waits for its lease of 30 s.
    expect(await lifeOf(file, runs)).toBe(7);
    expect(await errorOf(task.result())).toMatchObject({
      code: 'task_failed',
      task: { lost: 2, error: { code: 'lost' } },
    });
    expect(await manager.get(task.id)).toMatchObject({ attempt: 2, lost: 2, checkpoint: { at: 2 } });
    expect(readFileSync(runs, 'utf8').trim().split('\n')).toEqual([`${task.id} 1`, `${task.id} 2`]);
    expect((await manager.attempts(task.id)).map(({ outcome }) => outcome)).toEqual(['lost', 'failed']);
    expect(await (await manager.submit('here')).result()).toBe('done');
    expect(errors).toEqual([]);
    expect(lost).toEqual(expect.arrayContaining([2]));
  } finally {
    await manager.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
