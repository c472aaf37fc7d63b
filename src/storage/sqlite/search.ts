import type { SQLOutputValue } from 'node:sqlite';
import { decodeText } from './text.ts';

/** Name of {@link hasText} in SQL. */
export const HAS_TEXT = 'tasklane_has_text';

/** How many texts were looked through since the process started: what a search has cost is a difference of two. */
let searched = 0;

/** Reads the count of rows that {@link hasText} looked through. */
export function rowsSearched(): number {
  return searched;
}

/**
 * Whether one of the later arguments contains the first, which is in lower case. SQLite's own `like` knows the letters of
 * ASCII only, and a search must find what `matches` of the other storages finds.
 */
export function hasText(text: SQLOutputValue = '', ...columns: SQLOutputValue[]): number {
  searched++;
  const wanted = decodeText(text as string);
  for (const column of columns) {
    if (typeof column === 'string' && decodeText(column).toLowerCase().includes(wanted)) return 1;
  }
  return 0;
}
