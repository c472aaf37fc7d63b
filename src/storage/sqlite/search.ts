import type { SQLOutputValue } from 'node:sqlite';
import { canonicalJson, type JsonValue } from '../../task/json.ts';
import { hasMetadata } from '../../task/query.ts';
import { decodeText } from './text.ts';

/** Name of {@link hasText} in SQL. */
export const HAS_TEXT = 'tasklane_has_text';

/** Name of {@link isJson} in SQL. */
export const IS_JSON = 'tasklane_is_json';

/** Name of {@link hasKey} in SQL. */
export const HAS_METADATA = 'tasklane_has_metadata';

/** How many rows were looked through since the process started: what a search has cost is a difference of two. */
let searched = 0;

/** Reads the count of rows that were looked through. */
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

/** Whether a column holds this JSON value. @param wanted as canonical JSON */
export function isJson(wanted: SQLOutputValue = '', column: SQLOutputValue = null): number {
  searched++;
  return wanted === (column === null ? 'null' : canonicalJson(JSON.parse(column as string) as JsonValue)) ? 1 : 0;
}

/** Whether what is in the column `more` has metadata with this key and value. @param value as canonical JSON */
export function hasKey(key: SQLOutputValue = '', value: SQLOutputValue = '', more: SQLOutputValue = null): number {
  searched++;
  const { metadata } = (more === null ? {} : JSON.parse(more as string)) as { readonly metadata?: unknown };
  return hasMetadata(metadata ?? null, decodeText(key as string), value as string) ? 1 : 0;
}
