import { InputInvalidError } from '../errors.ts';
import type { Coalescing } from '../handler/coalescing.ts';
import type { Handler } from '../handler/registry.ts';
import { toErrorInfo } from '../task/failure.ts';
import { cloneJson, type JsonValue } from '../task/json.ts';
import { MAX_TEXT, parseText } from '../task/text.ts';
import type { KeyRule } from './options.ts';

/** How the keys of each begin: `unique` keys must not. */
export const KEY_PREFIXES = ['debounce:', 'throttle:'] as const;

/**
 * The key and the rule under which a submit is stored.
 * @param said by the submit; where it says nothing, or no key, its definition's is taken
 * @param input as it will be stored
 * @throws {InputInvalidError} where the definition makes no key of it
 */
export function coalesce(handler: Handler, said: Coalescing | null, input: JsonValue): KeyRule | null {
  const coalescing = said ?? handler.coalescing;
  if (coalescing === null) return null;
  const { by } = coalescing;
  const key = `${by}:${coalescing.key ?? keyOf(handler, by, input)}`;
  if (coalescing.by === 'throttle') {
    return { key, by, rule: { scope: { windowMs: coalescing.windowMs }, onConflict: 'skip', ownOnly: true } };
  }
  const { waitMs, maxWaitMs } = coalescing;
  return { key, by, waitMs, rule: { scope: 'unstarted', onConflict: 'replace', ownOnly: true, maxWaitMs } };
}

function keyOf({ name, coalescing }: Handler, by: Coalescing['by'], input: JsonValue): string {
  if (coalescing === null || coalescing.by !== by || coalescing.keyOf === null) return '';
  try {
    // The copy: it will be stored, whatever the function does to it.
    return parseText(`${by}.key`, coalescing.keyOf(input === null ? undefined : cloneJson(input)), MAX_TEXT, 0) ?? '';
  } catch (error) {
    const { message } = toErrorInfo(error);
    throw new InputInvalidError(`Handler ${name} makes no ${by} key of it`, [{ path: '', message }]);
  }
}
