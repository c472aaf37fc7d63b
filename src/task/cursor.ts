import { createHash } from 'node:crypto';
import { CursorError } from '../errors.ts';

/** A place in an order: the value it is sorted by, and the sequence that breaks ties. */
export type CursorPosition = readonly [value: string | number | null, sequence: number];

const DIGEST_LENGTH = 16;

/** Names a filter and an order, so that a cursor of another one is refused. */
export function fingerprintOf(query: unknown): string {
  return digest(JSON.stringify(query));
}

/** @param backward the page in front of the position */
export function encodeCursor(fingerprint: string, backward: boolean, from: CursorPosition): string {
  const text = JSON.stringify([backward ? 1 : 0, ...from]);
  return Buffer.from(digest(fingerprint + text) + text).toString('base64url');
}

/** @throws {CursorError} when it was changed, or belongs to another filter or order */
export function decodeCursor(
  cursor: string,
  fingerprint: string,
): { readonly backward: boolean; readonly from: CursorPosition } {
  const plain = Buffer.from(cursor, 'base64url').toString();
  const text = plain.slice(DIGEST_LENGTH);
  if (plain.slice(0, DIGEST_LENGTH) !== digest(fingerprint + text)) {
    throw new CursorError('it was changed, or belongs to another filter or sort');
  }
  const place = parsePlace(text);
  const [backward, value, sequence] = (Array.isArray(place) ? place : []) as [number, string | number | null, number];
  // the digest keeps out mistakes; whoever computes one may still not hand the storage what it cannot compare
  if (!(value === null || typeof value === 'string' || Number.isFinite(value)) || !Number.isSafeInteger(sequence)) {
    throw new CursorError('it was made by hand');
  }
  return { backward: backward === 1, from: [value, sequence] };
}

/** What a cursor says; null where it is no JSON, as of one that was made by hand. */
export function parsePlace(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, DIGEST_LENGTH);
}
