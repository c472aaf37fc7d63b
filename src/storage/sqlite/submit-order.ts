import { PLACE_IDS } from '../../task/query.ts';
import type { Position } from '../storage.ts';
import type { Database } from './database.ts';
import { ANYWHERE, type Places } from './order.ts';
import { readSkew } from './skew.ts';

/** The first and the last place there is. Asked for in one `select`, they would have SQLite walk all rows. */
export const ENDS = 'select (select min(seq) from tasklane_task), (select max(seq) from tasklane_task)';
/** The index on ids holds all that this reads. */
const FIRST_BEHIND = 'select min(seq) from (select seq from tasklane_task where id > ? order by id limit ?)';
const LAST_BEFORE = 'select max(seq) from (select seq from tasklane_task where id < ? order by id desc limit ?)';
const FROM = 'select seq, created_at from tasklane_task where seq >= ? order by seq limit 1';

/**
 * Where in the submit order tasks were made after a time, and have any time before another; epoch ms or infinite. Clocks
 * that went back make it wider than it is: none is elsewhere.
 */
export function placesWithin(database: Database, after: number, before: number): Places {
  const skew = readSkew(database);
  return {
    after: after === ANYWHERE.after ? after : firstMadeAfter(database, after - skew) - 1,
    before: before === ANYWHERE.before ? before : firstMadeAfter(database, before + 2 * skew),
  };
}

/**
 * A place that splits the submit order: of the tasks before it none was made later than `time` and the skew, of those from
 * it on none sooner than `time` without it. Found by halving: an index would make every submit dearer.
 */
function firstMadeAfter(database: Database, time: number): number {
  const [first, last] = database.get(ENDS) ?? [];
  let low = (first as number | null) ?? 0;
  let high = ((last as number | null) ?? -1) + 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const [seq, madeAt] = (database.get(FROM, middle) ?? [high, Number.POSITIVE_INFINITY]) as readonly [number, number];
    if (madeAt > time) high = middle;
    else low = seq + 1;
  }
  return low;
}

/** Next to the first task on the way whose id lies beyond one that is gone. @param up by ascending place */
export function placeBeyond(database: Database, id: string, up: boolean): Position {
  const seq = database.get(up ? FIRST_BEHIND : LAST_BEFORE, id, PLACE_IDS)?.[0];
  if (typeof seq !== 'number') return [null, up ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER];
  return [null, up ? seq - 1 : seq + 1];
}
