import type { Scenario } from './harness.ts';
import { scenario as dialectGet } from './scenarios/dialect-get.ts';
import { scenario as eventsDebounce } from './scenarios/events-debounce.ts';
import { scenario as httpRequests } from './scenarios/http-requests.ts';
import { scenario as httpStreams } from './scenarios/http-streams.ts';
import { scenario as memory1m } from './scenarios/memory-1m.ts';
import { scenario as memory100k } from './scenarios/memory-100k.ts';
import { scenario as memoryBytes } from './scenarios/memory-bytes.ts';
import { scenario as memoryPriorities } from './scenarios/memory-priorities.ts';
import { scenario as offsetPages } from './scenarios/offset-pages.ts';
import { scenario as progress } from './scenarios/progress.ts';
import { scenario as sqliteAwaited } from './scenarios/sqlite-awaited.ts';
import { scenario as sqliteBeat } from './scenarios/sqlite-beat.ts';
import { scenario as sqliteBulk } from './scenarios/sqlite-bulk.ts';
import { scenario as sqliteColdStart } from './scenarios/sqlite-cold-start.ts';
import { scenario as sqliteFlow } from './scenarios/sqlite-flow.ts';
import { scenario as sqlitePages } from './scenarios/sqlite-pages.ts';
import { scenario as sqliteProcesses } from './scenarios/sqlite-processes.ts';
import { scenario as sqliteRetention } from './scenarios/sqlite-retention.ts';
import { scenario as sqliteSaturated } from './scenarios/sqlite-saturated.ts';
import { scenario as sqliteSchedules } from './scenarios/sqlite-schedules.ts';
import { scenario as sqliteSubmitters } from './scenarios/sqlite-submitters.ts';
import { scenario as svixPages } from './scenarios/svix-pages.ts';

/** In the order of the table. */
export const scenarios: readonly Scenario[] = [
  memory100k,
  memory1m,
  memoryPriorities,
  memoryBytes,
  progress,
  sqliteBulk,
  sqliteSubmitters,
  sqliteAwaited,
  sqliteProcesses,
  sqliteBeat,
  sqliteRetention,
  sqlitePages,
  sqliteColdStart,
  sqliteSaturated,
  sqliteSchedules,
  sqliteFlow,
  httpRequests,
  httpStreams,
  dialectGet,
  svixPages,
  offsetPages,
  eventsDebounce,
];
