import { checkBag } from '../bag.ts';
import { OptionError } from '../errors.ts';
import type { Optional } from '../handler/define.ts';
import { MAX_TEXT, parseText } from '../task/text.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import { KEY_PREFIXES } from './coalesce.ts';
import type { KeyRule } from './options.ts';

/**
 * One task at a time for a key of a handler. `scope`: an earlier task counts until it has started, until it has ended (the
 * default), or for a time after its submit. `onConflict`: that task answers (`skip`, the default); or an error; or (`replace`)
 * that task becomes what is submitted now, as long as no handler has started it, and an error after that; or (`runAfter`) that,
 * and, once it has started, one more task that waits for its end, however it ends: the last input is the one that runs then.
 */
export type Unique = { readonly key: string } & Optional<{
  scope: 'unstarted' | 'unfinished' | { readonly window: Duration };
  onConflict: OnConflict;
}>;

const ON_CONFLICT = ['skip', 'error', 'replace', 'runAfter'] as const;
type OnConflict = (typeof ON_CONFLICT)[number];

/** @throws {OptionError} */
export function parseUnique(unique: Unique): KeyRule {
  checkBag('unique', unique, { key: null, scope: null, onConflict: null });
  const key = parseText('unique.key', unique.key, MAX_TEXT);
  if (key === null) throw new OptionError('unique.key', 'text', key);
  if (KEY_PREFIXES.some((prefix) => key.startsWith(prefix))) {
    throw new OptionError('unique.key', `text that does not begin with ${KEY_PREFIXES.join(' or ')}`, key);
  }
  const { scope = 'unfinished', onConflict = 'skip' } = unique;
  if (!ON_CONFLICT.includes(onConflict)) {
    throw new OptionError('unique.onConflict', ON_CONFLICT.map((each) => `'${each}'`).join(' or '), onConflict);
  }
  if (onConflict === 'runAfter' && scope !== 'unfinished') {
    throw new OptionError('unique.scope', "'unfinished', or left out, with onConflict 'runAfter'", scope);
  }
  const by = 'unique';
  if (scope === 'unstarted' || scope === 'unfinished') return { key, by, rule: { scope, onConflict } };
  if (scope === null || typeof scope !== 'object') {
    throw new OptionError('unique.scope', "'unstarted', 'unfinished' or { window }", scope);
  }
  checkBag('unique.scope', scope, { window: null });
  return { key, by, rule: { scope: { windowMs: parseDuration('unique.scope.window', scope.window, 1) }, onConflict } };
}
