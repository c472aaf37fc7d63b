import type { Progressed } from '../storage.ts';
import { recordOf } from './record-of.ts';
import type { Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** Shows with parents, once for all that happened, how far their children came; and so on upwards. */
export function showProgress(tasks: Tasks, now: number): Progressed {
  let rows = tasks.shares.show(now);
  if (rows.length === 0) return NONE;
  const shown = new Set<Row>();
  for (; rows.length > 0; rows = tasks.shares.show(now)) {
    for (const row of rows) {
      tasks.touch(row, now);
      shown.add(row);
    }
  }
  return { progressed: [...shown].map((row) => recordOf(row)) };
}

const NONE: Progressed = Object.freeze({});
