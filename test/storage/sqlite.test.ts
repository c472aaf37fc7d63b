import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteStorage } from '../../src/storage/sqlite/index.ts';
import { checkStorage } from './cases.ts';

checkStorage('SqliteStorage', new SqliteStorage('any.db').capabilities, async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'tasklane-'));
  const path = join(folder, 'tasks.db');
  const opened: SqliteStorage[] = [];
  const connect = async (): Promise<SqliteStorage> => {
    const storage = new SqliteStorage(path);
    await storage.open(context);
    opened.push(storage);
    return storage;
  };
  return {
    storage: await connect(),
    connect,
    async close() {
      for (const storage of opened) await storage.close();
      rmSync(folder, { recursive: true });
    },
  };
});

checkStorage('SqliteStorage in memory', new SqliteStorage(':memory:').capabilities, async (context) => {
  const storage = new SqliteStorage(':memory:');
  await storage.open(context);
  return {
    storage,
    async connect() {
      await storage.open(context);
      return storage;
    },
    close: () => storage.close(),
  };
});
