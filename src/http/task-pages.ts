import type { ListQuery, Page, Queries } from '../queries.ts';
import { leadsBackward } from '../task/cursor.ts';
import type { TaskRecord } from '../task/record.ts';
import type { Scope } from './scope.ts';

/** Tasks that are read at once: each may be of several MiB. */
const AT_ONCE = 100;
/** Characters of JSON after which an answer with many tasks is cut. */
export const MAX_CHARACTERS = 16_777_216;

/** Part of a list, written down. */
export interface WrittenPage<T> {
  readonly items: readonly T[];
  readonly next: string | null;
  readonly previous: string | null;
  readonly truncated: boolean;
}

/**
 * A page of a list, read in steps, and shorter than it was asked for where it would be too large to be answered: `next` and
 * `previous` lead on from there.
 * @param write what stands for a task, and how many characters it will be; null: it is left out
 */
export async function writePage<T>(
  queries: Queries,
  query: ListQuery & { readonly limit: number },
  scope: Scope,
  write: (task: TaskRecord) => { readonly item: T; readonly size: number } | null,
): Promise<WrittenPage<T>> {
  const backward = query.cursor !== undefined && leadsBackward(query.cursor);
  const items: T[] = [];
  let { cursor, limit: left } = query;
  let first: Page<TaskRecord> | null = null;
  for (let size = 0; ; ) {
    const page: Page<TaskRecord> = await queries.list({ ...query, cursor, limit: Math.min(left, AT_ONCE) }, scope);
    first ??= page;
    left -= page.items.length;
    const written = page.items.map(write).filter((one) => one !== null);
    for (const one of written) size += one.size;
    const step = written.map(({ item }) => item);
    if (backward) items.unshift(...step);
    else items.push(...step);
    const onward = backward ? page.previous : page.next;
    if (left <= 0 || onward === null || page.truncated || size >= MAX_CHARACTERS) {
      const [next, previous] = backward ? [first.next, page.previous] : [page.next, first.previous];
      return { items, next, previous, truncated: page.truncated === true };
    }
    cursor = onward;
  }
}
