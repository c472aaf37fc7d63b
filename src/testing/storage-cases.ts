import { beatCases } from './cases/beat.ts';
import { changeCases } from './cases/change.ts';
import { claimCases } from './cases/claim.ts';
import { documentCases } from './cases/documents.ts';
import { edgeCases } from './cases/edges.ts';
import { followCases } from './cases/follow.ts';
import { hintCases } from './cases/hints.ts';
import { historyCases } from './cases/history.ts';
import { insertCases } from './cases/insert.ts';
import { lifeCases } from './cases/life.ts';
import { listCases } from './cases/list.ts';
import { manyCases } from './cases/many.ts';
import { orderCases } from './cases/order.ts';
import { pageCases } from './cases/pages.ts';
import { replaceCases } from './cases/replace.ts';
import { retentionCases } from './cases/retention.ts';
import { runAfterCases } from './cases/run-after.ts';
import { settleCases } from './cases/settle.ts';
import { sharedCases } from './cases/shared.ts';
import { sharesCases } from './cases/shares.ts';
import { uniqueCases } from './cases/unique.ts';
import { workerCases } from './cases/workers.ts';
import type { StorageCase } from './cases/world.ts';

export type { OpenStorage, StorageCase, StorageUnderTest } from './cases/world.ts';

/**
 * The storage contract as tests, over `node:assert` alone: any runner can call `run` of each. Every storage of this library
 * passes all of them whose `needs` it has.
 */
export const storageCases: readonly StorageCase[] = [
  ...lifeCases,
  ...insertCases,
  ...manyCases,
  ...uniqueCases,
  ...replaceCases,
  ...runAfterCases,
  ...claimCases,
  ...orderCases,
  ...beatCases,
  ...settleCases,
  ...changeCases,
  ...edgeCases,
  ...followCases,
  ...sharesCases,
  ...listCases,
  ...pageCases,
  ...retentionCases,
  ...workerCases,
  ...historyCases,
  ...documentCases,
  ...hintCases,
  ...sharedCases,
];
