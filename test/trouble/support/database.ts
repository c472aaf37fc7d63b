import { vi } from 'vitest';
import { Database } from '../../../src/storage/sqlite/database.ts';

/** Opens a storage, and gets hold of the connection inside: SQLite can be told there what no product would tell it. */
export async function connectionOf(open: () => Promise<unknown>): Promise<Database> {
  const exec = vi.spyOn(Database.prototype, 'exec');
  try {
    await open();
    return exec.mock.contexts[0] as Database;
  } finally {
    exec.mockRestore();
  }
}
