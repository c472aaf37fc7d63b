import { chmodSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test, vi } from 'vitest';
import {
  OptionError,
  StorageCorruptError,
  StorageError,
  StorageFullError,
  StorageLockedError,
  StorageNewerError,
} from '../../src/errors.ts';
import { Database } from '../../src/storage/sqlite/database.ts';
import { SqliteStorage, type SqliteStorageOptions } from '../../src/storage/sqlite/index.ts';
import type { Hint } from '../../src/storage/storage.ts';
import { archive, succeed } from '../../src/task/transition.ts';
import { type Clock, systemClock } from '../../src/time/clock.ts';
import { Child, draftOf, joinAs, LOG_LIMIT, withFile } from './sqlite/support.ts';

/** The lock's 10 s are over after 50 ms. */
const hasty: Clock = { ...systemClock, monotonic: () => performance.now() * 200 };

async function opened(path: string, clock: Clock = systemClock): Promise<SqliteStorage> {
  const storage = new SqliteStorage(path);
  await storage.open({ clock });
  return storage;
}

function manyDrafts(count: number): ReturnType<typeof draftOf>[] {
  return Array.from({ length: count }, (_, at) => draftOf(`task_${at}`, { input: 'x'.repeat(500) }));
}

describe('options', () => {
  test('a path that is none, or an option that is unknown, is refused', () => {
    expect(() => new SqliteStorage('')).toThrow(OptionError);
    expect(() => new SqliteStorage('file:tasks.db')).toThrow(OptionError);
    const wrong: unknown[] = [{ synchronous: 'off' }, { sync: 'full' }];
    for (const options of wrong) {
      expect(() => new SqliteStorage('tasks.db', options as SqliteStorageOptions)).toThrow(OptionError);
    }
  });

  test('`full` is what SQLite is told', () =>
    withFile(async (path) => {
      const exec = vi.spyOn(Database.prototype, 'exec');
      const storage = new SqliteStorage(path, { synchronous: 'full' });
      await storage.open();
      expect((exec.mock.contexts[0] as Database).get('pragma synchronous')).toEqual([2]);
      await storage.close();
      exec.mockRestore();
    }));
});

describe('life', () => {
  test('nothing works before it was opened, nor after it was closed; the rest is finished first', () =>
    withFile(async (path) => {
      const storage = new SqliteStorage(path);
      await expect(storage.get(['x'])).rejects.toThrow(StorageError);
      await storage.open();
      const inserted = storage.insert([draftOf('task_1')]);
      await storage.close();
      expect(await inserted).toEqual([{ made: true }]);
      await expect(storage.insert([draftOf('task_2')])).rejects.toThrow(StorageError);
      await storage.open();
      expect((await storage.get(['task_1', 'task_2'])).map((task) => task?.id)).toEqual(['task_1', undefined]);
      await storage.close();
      await storage.close();
    }));

  test('a file that could not be opened can be opened later', () =>
    withFile(async (path) => {
      const storage = new SqliteStorage(`${path}/nowhere/tasks.db`);
      await expect(storage.open()).rejects.toThrow(StorageError);
      await expect(storage.open()).rejects.toThrow(StorageError);
    }));

  test("the app's own tables and its version of them are left alone", () =>
    withFile(async (path) => {
      const app = new DatabaseSync(path);
      app.exec("pragma user_version = 7; create table task(id text); insert into task values('mine')");
      const storage = await opened(path);
      await storage.insert([draftOf('task_1')]);
      await storage.close();
      expect(app.prepare('select id from task').all()).toEqual([{ id: 'mine' }]);
      expect(app.prepare('pragma user_version').get()).toEqual({ user_version: 7 });
      const names = app.prepare("select name from sqlite_master where name not like 'sqlite_%'").all();
      expect(names.map(({ name }) => name).filter((name) => !String(name).startsWith('tasklane_'))).toEqual(['task']);
      app.close();
    }));

  test('texts that SQLite cannot hold survive', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      const odd = ['a\0b', '\ud800', '\u0001"', '😀', ''];
      for (const [at, text] of odd.entries()) {
        await storage.insert([draftOf(`task_${at}`, { submittedBy: text, description: text, tags: { [text]: text } })]);
      }
      const tasks = await storage.get(odd.map((_, at) => `task_${at}`));
      expect(tasks.map((task) => [task?.submittedBy, task?.description, task?.tags])).toEqual(
        odd.map((text) => [text, text, { [text]: text }]),
      );
      for (const text of odd) {
        expect(await storage.count([[{ archived: false, submittedBy: text, tags: [[text, [text]]] }]])).toBe(1);
      }
      await storage.close();
    }));
});

describe('a file that is not as it should be', () => {
  test('of a newer version: refused, and left as it is', () =>
    withFile(async (path) => {
      await (await opened(path)).close();
      const other = new DatabaseSync(path);
      other.exec("update tasklane_meta set value = '999' where key = 'schema'");
      await expect(opened(path)).rejects.toThrow(StorageNewerError);
      expect(other.prepare("select value from tasklane_meta where key = 'schema'").get()).toEqual({ value: '999' });
      other.close();
    }));

  test('no database', () =>
    withFile(async (path) => {
      writeFileSync(path, 'this is no database at all. '.repeat(1_000));
      await expect(opened(path)).rejects.toThrow(StorageCorruptError);
    }));

  test('cut off in the middle', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      await storage.insert(manyDrafts(2_000));
      await storage.close();
      truncateSync(path, Math.floor(statSync(path).size / 8_192) * 4_096);
      const damaged = new SqliteStorage(path);
      const use = async (): Promise<void> => {
        await damaged.open();
        await damaged.get(Array.from({ length: 2_000 }, (_, at) => `task_${at}`));
      };
      await expect(use()).rejects.toThrow(StorageCorruptError);
      await damaged.close();
    }));

  test('no folder, or a folder: the error says so', () =>
    withFile(async (path) => {
      const nowhere = join(dirname(path), 'missing', 'tasks.db');
      await expect(opened(nowhere)).rejects.toThrow(`there is no folder ${dirname(nowhere)}`);
      await expect(opened(dirname(path))).rejects.toThrow('it is a folder');
      await expect(opened(dirname(path))).rejects.toMatchObject({ code: 'storage_failed' });
    }));

  test('one that may only be read', () =>
    withFile(async (path) => {
      await (await opened(path)).close();
      const nobody = process.getuid?.() === 0 ? 65_534 : undefined; // root may write anywhere
      chmodSync(path, 0o444);
      chmodSync(dirname(path), 0o555);
      const child = new Child(path, nobody);
      const { error } = await child.ask({ kind: 'insert', ids: ['task_1'], idempotencyKey: null });
      await child.kill();
      chmodSync(dirname(path), 0o755);
      expect(error).toMatchObject({ code: 'storage_readonly', name: 'StorageReadonlyError' });
    }));
});

describe('trouble while writing', () => {
  test('another connection holds the lock for a while: the write waits, the event loop does not', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      let answered = false;
      const inserted = storage.insert([draftOf('task_1')]).finally(() => {
        answered = true;
      });
      const begun = performance.now();
      for (let tick = 0; tick < 10; tick++) await new Promise((resolve) => setTimeout(resolve, 5));
      expect(performance.now() - begun).toBeLessThan(1_000);
      expect(answered).toBe(false);
      expect(await storage.get(['task_1'])).toEqual([null]);
      other.exec('commit');
      expect(await inserted).toEqual([{ made: true }]);
      other.close();
      await storage.close();
    }));

  test('another connection holds the lock for too long', () =>
    withFile(async (path) => {
      const storage = await opened(path, hasty);
      const other = new DatabaseSync(path);
      other.exec('begin immediate');
      const error = await storage.insert([draftOf('task_1')]).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StorageLockedError);
      expect(error).toMatchObject({ retryable: true, ambiguous: false });
      other.exec('rollback');
      other.close();
      expect(await storage.insert([draftOf('task_1')])).toEqual([{ made: true }]);
      await storage.close();
    }));

  test('locked while it is to be opened', () =>
    withFile(async (path) => {
      const other = new DatabaseSync(path);
      other.exec('create table app(id text); begin exclusive');
      await expect(opened(path, hasty)).rejects.toThrow(StorageLockedError);
      const opening = opened(path);
      await new Promise((resolve) => setTimeout(resolve, 30));
      other.exec('commit');
      await (await opening).close();
      other.close();
    }));

  test('the disk is full: nothing was written, and it goes on when there is room', () =>
    withFile(async (path) => {
      const exec = vi.spyOn(Database.prototype, 'exec');
      const storage = await opened(path);
      const database = exec.mock.contexts[0] as Database;
      exec.mockRestore();
      const pages = Number(database.get('pragma page_count')?.[0]);
      database.exec(`pragma max_page_count = ${pages + 5}`);
      const error = await storage.insert(manyDrafts(1_000)).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StorageFullError);
      expect(error).toMatchObject({ retryable: true, ambiguous: false });
      expect(await storage.counts()).toEqual([]);
      database.exec('pragma max_page_count = 100000');
      expect((await storage.insert(manyDrafts(1_000))).every(({ made }) => made)).toBe(true);
      expect(await storage.counts()).toEqual([{ handler: 'work', status: 'queued', count: 1_000 }]);
      await storage.close();
    }));

  test('a call that fails fails alone', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      const answers = await Promise.allSettled([
        storage.insert([draftOf('task_1')]),
        storage.insert([draftOf('task_2'), draftOf('task_3', { input: 1n })]),
        storage.insert([draftOf('task_4')]),
        storage.putDocument('kind', 'key', 1),
      ]);
      expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
      const tasks = await storage.get(['task_1', 'task_2', 'task_3', 'task_4']);
      expect(tasks.map((task) => task?.id)).toEqual(['task_1', undefined, undefined, 'task_4']);
      expect(await storage.counts()).toEqual([{ handler: 'work', status: 'queued', count: 2 }]);
      await storage.close();
    }));
});

describe('the counters', () => {
  test('agree with the rows after everything that moves a task', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      await joinAs(storage, 'w1');
      await storage.insert(manyDrafts(9));
      const handlers = [{ name: 'work', limit: 6 }];
      const { claims } = await storage.claim({ workerId: 'w1', token: 't1', handlers, limit: 6 });
      const ended = claims.slice(0, 4).map(({ task, token }) => ({
        lease: { taskId: task.id, token },
        steps: succeed(1),
      }));
      await storage.settle(ended, { logLimit: LOG_LIMIT, records: false });
      const ids = claims.map(({ task }) => task.id);
      await storage.change([{ taskId: ids[0] ?? '', steps: archive(1) }]);
      await storage.remove(ids.slice(0, 2));
      await storage.change([{ taskId: ids[2] ?? '', steps: archive(1) }]);
      await storage.takeBack('w1', 1);
      const counted = new Map((await storage.counts()).map(({ status, count }) => [status, count]));
      for (const status of ['queued', 'running', 'succeeded'] as const) {
        expect([status, counted.get(status)]).toEqual([
          status,
          await storage.count([[{ archived: false, status: [status] }]]),
        ]);
      }
      expect([...counted.values()].reduce((sum, count) => sum + count)).toBe(6);
      await storage.close();
    }));
});

describe('several processes', () => {
  test('two that find a new file at once, with one idempotency key, make one task', () =>
    withFile(async (path) => {
      const children = [new Child(path), new Child(path)];
      await Promise.all(children.map((child) => child.ready()));
      const answers = await Promise.all(
        children.map((child, at) => {
          const ids = Array.from({ length: 100 }, (_, nth) => `task_${at}_${nth}`);
          return child.ask({ kind: 'insert', ids, idempotencyKey: 'once' });
        }),
      );
      await Promise.all(children.map((child) => child.kill()));
      expect(answers.map(({ error }) => error)).toEqual([undefined, undefined]);
      const all = answers.flatMap(({ answer }) => answer as { made: boolean; matched?: string }[]);
      expect(all.filter(({ made }) => made)).toHaveLength(1);
      expect(all.filter(({ matched }) => matched === 'idempotency')).toHaveLength(199);
      const storage = await opened(path);
      expect(await storage.count([])).toBe(1);
      await storage.close();
    }));

  test('two that claim never share a task', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      await storage.insert(manyDrafts(700));
      const children = [new Child(path), new Child(path)];
      await Promise.all(children.map((child) => child.ready()));
      const answers = await Promise.all(children.map((child, at) => child.ask({ kind: 'claim', workerId: `w${at}` })));
      await Promise.all(children.map((child) => child.kill()));
      expect(answers.map(({ error }) => error)).toEqual([undefined, undefined]);
      const claimed = answers.flatMap(({ answer }) => answer as string[]);
      expect(claimed).toHaveLength(700);
      expect(new Set(claimed).size).toBe(700);
      await storage.close();
    }));

  test('what was acknowledged is there after a kill -9, and its news came by itself', () =>
    withFile(async (path) => {
      const storage = await opened(path);
      const hints: Hint[] = [];
      const stop = storage.watch((hint) => hints.push(hint), { changes: true });
      const child = new Child(path);
      const ids = Array.from({ length: 50 }, (_, nth) => `task_${nth}`);
      const { answer } = await child.ask({ kind: 'stay', ids });
      await child.kill();
      expect((answer as { made: boolean }[]).every(({ made }) => made)).toBe(true);
      expect((await storage.get(ids)).map((task) => task?.status)).toEqual(ids.map(() => 'queued'));
      await vi.waitFor(() => {
        const told = new Set(hints.map((hint) => (hint.kind === 'changed' ? hint.id : null)));
        expect(ids.every((id) => told.has(id))).toBe(true);
        expect(hints).toContainEqual({ kind: 'queued', priority: null });
      });
      stop();
      await storage.close();
    }));
});
