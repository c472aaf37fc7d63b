import { describe, test } from 'vitest';
import type { StorageCapabilities } from '../../src/storage/storage.ts';
import { type OpenStorage, storageCases } from '../../src/testing/storage-cases.ts';

/** Runs every case of the storage contract that the storage can be asked for. */
export function checkStorage(name: string, capabilities: StorageCapabilities, open: OpenStorage): void {
  describe(name, () => {
    for (const { name: promise, needs, run } of storageCases) {
      if (needs === undefined || capabilities[needs]) test(promise, () => run(open));
    }
  });
}
