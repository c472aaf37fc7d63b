import { type JsonValue, toJson } from '../../../task/json.ts';
import { BodyInvalidProblem } from '../../problem.ts';

/** A value of a body of JSON. */
export type Fields = Readonly<Record<string, unknown>>;

/** 422 about one field. */
export function badField(field: string, message: string): BodyInvalidProblem {
  return new BodyInvalidProblem([{ path: field, message }]);
}

/**
 * A body, or a part of it, whose keys are fields. PHP writes an empty map as `[]`, and nothing at all means the same.
 * @param field names it in errors @throws {HttpProblem} 422
 */
export function fieldsOf(value: unknown, field: string): Fields {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return value as Fields;
  throw badField(field, 'must be an object');
}

/** A field of a body; undefined where there is none. */
export function fieldOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** @throws {HttpProblem} 422 */
export function textField(field: string, value: unknown): string {
  if (typeof value === 'string') return value;
  throw badField(field, 'must be a string');
}

/** How fields of JSON may be sent. */
export interface JsonSettings {
  /** As they are too, not only as text. */
  readonly rawJson: boolean;
}

/** What a field of JSON holds: its text read, or the value itself where it was sent as it is. @throws {HttpProblem} 422 */
export function jsonField(field: string, value: unknown, { rawJson }: JsonSettings): JsonValue {
  if (!rawJson && value !== null && typeof value !== 'string') throw badField(field, 'must be JSON, as text');
  try {
    // the copy refuses what is nested too deep for whoever looks at it next
    return toJson(typeof value === 'string' ? JSON.parse(value) : value, field);
  } catch (error) {
    throw badField(field, `must be JSON: ${(error as Error).message}`);
  }
}
