// The public contract as types, kept apart from the library on purpose: what this says, the library must go on saying.
// `types.test.ts` compares the two.

import type { Optional, TaskStorage } from './core.d.ts';
export interface SqliteStorage extends TaskStorage {}
export declare class SqliteStorage {
  constructor(path: string, options?: Optional<{ synchronous: 'normal' | 'full' }>);
}
