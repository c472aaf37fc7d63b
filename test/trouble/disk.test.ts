import { fork } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  StorageCorruptError,
  StorageFullError,
  StorageLockedError,
  StorageReadonlyError,
  type TaskManager,
} from 'tasklane';
import { describe, expect, test } from 'vitest';
import { controlled } from '../support/controlled.ts';
import { errorOf } from '../support/gate.ts';
import { connectionOf } from './support/database.ts';
import { isLinuxRoot, withSmallDisk } from './support/disk.ts';
import { inTime, type Place, withPlace } from './support/place.ts';

const HEALTHY = { ready: true, problems: [] };

/** What there is to lose while a disk is in trouble: a task that runs, one that is queued, one that is due soon. */
async function busy({ clock, start }: Place) {
  const work = controlled('work', { concurrency: 1 });
  const manager = await start({ handlers: [work] });
  const tasks = [
    await inTime(clock, manager.submit('work', 'runs')),
    await inTime(clock, manager.submit('work', 'queued')),
    await inTime(clock, manager.submit('work', 'due', { delay: '20s' })),
  ] as const;
  const run = await work.next();
  await clock.advance(1_000); // its start is stored
  return {
    manager,
    work,
    run,
    tasks,
    /** The trouble is over: all of them end, and the manager is well. */
    async end(): Promise<void> {
      for (const value of ['queued', 'due']) {
        const next = work.next();
        await clock.advance(60_000);
        (await next).finish(value);
      }
      const results = await inTime(clock, Promise.all(tasks.map((task) => task.result())));
      expect(results).toEqual(['runs', 'queued', 'due']);
      for (const { id } of tasks) expect(await manager.get(id)).toMatchObject({ lost: 0, status: 'succeeded' });
      expect(work.runs.map(({ input }) => input)).toEqual(['runs', 'queued', 'due']);
      expect(await manager.health()).toEqual(HEALTHY);
    },
  };
}

/** Nothing can be written: a submit is refused, and an outcome waits. */
async function expectStuck(place: Place, manager: TaskManager, finish: () => void, error: unknown): Promise<void> {
  expect(await errorOf(inTime(place.clock, manager.submit('work', 'refused')))).toBeInstanceOf(error);
  finish();
  await place.clock.advance(30_000);
  const { ready, problems } = await manager.health();
  expect(ready).toBe(false);
  expect(problems.length).toBeGreaterThan(0);
}

describe('a disk that fills while a manager runs', () => {
  test('a real one > submits are refused, outcomes wait, health is red; with room again all ends', async () => {
    const mounted = await withSmallDisk((disk) =>
      withPlace(
        async (place) => {
          const { manager, run, end } = await busy(place);
          disk.fill();
          await expectStuck(place, manager as unknown as TaskManager, () => run.finish('runs'), StorageFullError);
          expect((await manager.health()).problems).toContain('outcomes cannot be stored');
          expect(new Set(place.errors)).toEqual(new Set(['storage_full']));
          expect(await manager.list({ filter: { status: 'running' } })).toMatchObject({ items: [{ input: 'runs' }] });
          disk.free();
          await end();
        },
        { folder: disk.folder },
      ),
    );
    expect(mounted || !isLinuxRoot, 'root on Linux can mount a tmpfs').toBe(true);
  });

  test('as SQLite sees it > what needs no new page goes on, a submit is refused with nothing half written', () =>
    withPlace(async (place) => {
      let opened: Awaited<ReturnType<typeof busy>> | undefined;
      const database = await connectionOf(async () => {
        opened = await busy(place);
      });
      if (opened === undefined) throw new Error('not open');
      const { manager, run, end } = opened;
      const pages = Number(database.get('pragma page_count')?.[0]);
      database.exec(`pragma max_page_count = ${pages}`);
      const items = Array.from({ length: 50 }, () => ({ handler: 'work' as const, input: 'x'.repeat(10_000) }));
      expect(await errorOf(inTime(place.clock, manager.submitMany(items)))).toBeInstanceOf(StorageFullError);
      expect(await manager.count()).toBe(3);
      run.finish('runs');
      await place.clock.advance(30_000);
      database.exec('pragma max_page_count = 1000000');
      await end();
    }));
});

test('a file that may only be read from now on > typed errors, red; writable again, all ends', () =>
  withPlace(async (place) => {
    let opened: Awaited<ReturnType<typeof busy>> | undefined;
    const database = await connectionOf(async () => {
      opened = await busy(place);
    });
    if (opened === undefined) throw new Error('not open');
    const { manager, run, end } = opened;
    database.exec('pragma query_only = on');
    await expectStuck(place, manager as unknown as TaskManager, () => run.finish('runs'), StorageReadonlyError);
    expect(new Set(place.errors)).toEqual(new Set(['storage_readonly']));
    database.exec('pragma query_only = off');
    await end();
  }));

test('a file that is damaged > typed errors, red, the process lives and closes; with the file put right, the next one ends all', () =>
  withPlace(async (place) => {
    const { manager, run, tasks } = await busy(place);
    // All that was stored is in the file itself, and the manager has to read it anew.
    const other = new DatabaseSync(place.file);
    other.exec('create table app(x); pragma wal_checkpoint(truncate)');
    other.close();
    const copy = `${place.file}.copy`;
    copyFileSync(place.file, copy);
    expect(statSync(`${place.file}-wal`).size).toBe(0);
    writeFileSync(place.file, Buffer.alloc(statSync(place.file).size, 'damaged '), { flag: 'r+' });
    await expectStuck(place, manager as unknown as TaskManager, () => run.finish('runs'), StorageCorruptError);
    expect((await manager.health()).problems.join()).toMatch(/damaged/);
    expect(new Set(place.errors)).toEqual(new Set(['storage_corrupt']));
    // SQLite keeps what it read, so whoever puts the file right starts anew.
    await inTime(place.clock, manager.close({ timeout: 0 }));
    copyFileSync(copy, place.file);
    const again = controlled('work');
    const next = await place.start({ handlers: [again] });
    const ended = Promise.all(tasks.map(({ id }) => next.task(id).result()));
    for (const _ of tasks) {
      const started = again.next();
      await place.clock.advance(40_000); // the lease of the old one is over
      (await started).finish('again');
    }
    expect(await inTime(place.clock, ended)).toEqual(['again', 'again', 'again']);
    expect(await next.get(tasks[0].id)).toMatchObject({ attempt: 2, lost: 1 });
    expect(await next.health()).toEqual(HEALTHY);
  }));

test('another process holds the lock for 30 s > submits are refused after 10 s, outcomes wait; let go, all ends', () =>
  withPlace(async (place) => {
    const { manager, run, end } = await busy(place);
    const holder = fork(join(import.meta.dirname, 'support', 'locker.ts'), [place.file], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    expect((await once(holder, 'message'))[0]).toBe('locked');
    await expectStuck(place, manager as unknown as TaskManager, () => run.finish('runs'), StorageLockedError);
    expect(new Set(place.errors)).toEqual(new Set(['storage_locked']));
    expect(await manager.get((await manager.list()).items[0]?.id ?? '')).not.toBeNull(); // reads go on
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await end();
  }));
