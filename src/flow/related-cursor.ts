import { CursorError } from '../errors.ts';
import type { Position } from '../storage/storage.ts';
import { decodeCursor, encodeCursor, fingerprintOf, parsePlace } from '../task/cursor.ts';

/** How far each list of what is related was read: undefined: not at all; null: to its end. */
export interface RelatedPlaces {
  readonly children?: Position | null | undefined;
  readonly dependencies?: number | null | undefined;
  readonly dependents?: number | null | undefined;
  /** How many were walked over, and the last of them. */
  readonly below?: readonly [count: number, id: string] | null | undefined;
}

/** @returns null: nothing is left to read */
export function encodePlaces(
  taskId: string,
  places: RelatedPlaces,
  lists: readonly (keyof RelatedPlaces)[],
): string | null {
  if (lists.every((list) => places[list] === null)) return null;
  return encodeCursor(fingerprintOf(['related', taskId, lists]), false, [JSON.stringify(places), 0]);
}

/** @throws {CursorError} when it was changed, or belongs to another task */
export function decodePlaces(taskId: string, cursor: string, lists: readonly (keyof RelatedPlaces)[]): RelatedPlaces {
  const { from } = decodeCursor(cursor, fingerprintOf(['related', taskId, lists]));
  const places: unknown = parsePlace(String(from[0]));
  // the digest keeps out mistakes; whoever computes one may still not hand the storage what it cannot compare
  if (!arePlaces(places)) throw new CursorError('it was made by hand');
  return places;
}

function arePlaces(value: unknown): value is RelatedPlaces {
  if (value === null || typeof value !== 'object') return false;
  const { children, dependencies, dependents, below } = value as { readonly [K in keyof RelatedPlaces]: unknown };
  const fits = (place: unknown, isPlace: (place: unknown) => boolean): boolean =>
    place === undefined || place === null || isPlace(place);
  return (
    fits(children, isPosition) &&
    fits(dependencies, Number.isSafeInteger) &&
    fits(dependents, Number.isSafeInteger) &&
    fits(below, (place) => isPair(place) && Number.isSafeInteger(place[0]) && typeof place[1] === 'string')
  );
}

function isPosition(place: unknown): boolean {
  if (!isPair(place) || !Number.isSafeInteger(place[1])) return false;
  const [value] = place;
  return value === null || typeof value === 'string' || Number.isFinite(value);
}

function isPair(value: unknown): value is readonly [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}
