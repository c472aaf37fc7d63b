import { parseDictionary, parseItem, Token } from 'structured-headers';
import { HttpProblem } from './problem.ts';

const MAX_KEY = 255;

/**
 * The `Idempotency-Key` of a request (draft-ietf-httpapi-idempotency-key-header): a structured string (RFC 9651), or bare
 * text, as many clients send it. `"abc"` and `abc` are the same key.
 * @returns null without the header
 * @throws {HttpProblem} 400
 */
export function idempotencyKeyOf(headers: Headers): string | null {
  const value = headers.get('idempotency-key');
  if (value === null) return null;
  const key = structuredText(value) ?? value.trim();
  if (/^[\x21\x23-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(key) && key.length <= MAX_KEY) return key;
  throw new HttpProblem(
    'malformed',
    `The Idempotency-Key must be 1 to ${MAX_KEY} visible ASCII characters, quoted or bare.`,
  );
}

function structuredText(value: string): string | null {
  try {
    const [item] = parseItem(value);
    if (typeof item === 'string') return item;
    return item instanceof Token ? item.toString() : null;
  } catch {
    return null; // bare text such as a UUID that starts with a digit
  }
}

/**
 * How long a client would like to be kept waiting: `Prefer: wait=30` (RFC 7240, section 4.3), in ms. A preference that cannot
 * be read is ignored, as section 2 has it.
 */
export function preferredWaitOf(headers: Headers): number | null {
  const value = headers.get('prefer');
  if (value === null) return null;
  try {
    const wait = parseDictionary(value.toLowerCase()).get('wait')?.[0];
    return typeof wait === 'number' && wait >= 0 ? wait * 1_000 : null;
  } catch {
    return null;
  }
}

/** The entity tag of a version (RFC 9110, section 8.8.3). */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** Whether `If-None-Match` names this tag, by weak comparison (RFC 9110, section 13.1.2). */
export function noneMatches(headers: Headers, etag: string): boolean {
  const value = headers.get('if-none-match');
  if (value === null) return false;
  return value.trim() === '*' || value.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

/** What documents say of `If-Match`. */
export const IF_MATCH = { 'If-Match': 'the `ETag` that it must have; 412 when it has another one' };

/**
 * Holds a change to `If-Match` (RFC 9110, section 13.1.1), by strong comparison: a weak tag never matches.
 * @param name says what is to be changed
 * @throws {HttpProblem} 412
 */
export function requireMatch(headers: Headers, { version }: { readonly version: number }, name: string): void {
  const value = headers.get('if-match');
  if (value === null || value.trim() === '*') return;
  const etag = etagOf(version);
  if (value.split(',').some((tag) => tag.trim() === etag)) return;
  throw new HttpProblem('version_conflict', `${name} has the entity tag ${etag}, which If-Match does not name.`);
}

/** The answer to an `If-Match` that held when it was looked at, and no more when the change was made. @param name as above */
export function changedMeanwhile(name: string): HttpProblem {
  return new HttpProblem('version_conflict', `${name} was changed meanwhile.`);
}
