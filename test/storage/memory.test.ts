import { MemoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { checkStorage } from './cases.ts';

checkStorage('MemoryStorage', new MemoryStorage().capabilities, async (context) => {
  const storage = new MemoryStorage();
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
