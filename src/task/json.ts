import { InputInvalidError, type InputIssue, PayloadTooLargeError } from '../errors.ts';

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Deeper values are refused, which also finds cycles. */
const MAX_DEPTH = 100;

/** A UTF-16 unit becomes at most six bytes of JSON text (`\u0000`), or three of UTF-8. */
const MAX_BYTES_PER_UNIT = 6;

/** Why a value is refused, and where. Thrown inside this file only. */
class Refusal {
  readonly keys: (string | number)[] = [];
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

const TOO_DEEP = `nested deeper than ${MAX_DEPTH}`;

/** Counts an upper bound of the JSON text's bytes while a value is copied. */
interface Tally {
  bytes: number;
}

/**
 * Copies a value as JSON would hold it: `toJSON` is honoured, properties that are `undefined` are left out.
 * @param what names the value in errors
 * @param maxBytes of its JSON text; Infinity: any size
 * @throws {InputInvalidError} with the path of what JSON cannot hold
 * @throws {PayloadTooLargeError}
 */
export function toJson(value: unknown, what: string, maxBytes = Number.POSITIVE_INFINITY): JsonValue {
  const tally = { bytes: 0 };
  let copied: JsonValue;
  try {
    copied = copy(value, 0, tally);
  } catch (error) {
    if (error instanceof Refusal) {
      const cycle = error.why === TOO_DEEP ? cycleIn(value, error.keys) : null;
      const issue = cycle ?? { path: pathOf(error.keys), message: error.why };
      throw new InputInvalidError(`${what} does not fit into JSON`, [issue]);
    }
    throw error; // a getter or a `toJSON` of the caller's
  }
  if (tally.bytes > maxBytes) {
    const bytes = Buffer.byteLength(JSON.stringify(copied));
    if (bytes > maxBytes) throw new PayloadTooLargeError(what, bytes, maxBytes);
  }
  return copied;
}

/** Whether what is too deep comes back to itself on the way there, and where; null: it is really that deep. */
function cycleIn(value: unknown, keys: readonly (string | number)[]): InputIssue | null {
  const passed = new Map<unknown, number>([[value, 0]]);
  let held = value;
  for (const [index, key] of keys.entries()) {
    held = (held as Record<string | number, unknown> | null | undefined)?.[key];
    if (held === null || typeof held !== 'object') return null; // a `toJSON` on the way
    const before = passed.get(held);
    if (before !== undefined) {
      const whole = before === 0 ? 'the whole' : pathOf(keys.slice(0, before));
      return { path: pathOf(keys.slice(0, index + 1)), message: `a cycle: the same as ${whole}` };
    }
    passed.set(held, index + 1);
  }
  return null;
}

/** A deep copy of what is JSON already. */
export function cloneJson<T>(value: T): T {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(cloneJson) as T;
  const result: Record<string, unknown> = {};
  for (const key of Object.keys(value)) setKey(result, key, cloneJson((value as Record<string, unknown>)[key]));
  return result as T;
}

/** JSON text in which keys are sorted, so that equal values have equal texts. */
export function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, held: unknown) => {
    if (held === null || typeof held !== 'object' || Array.isArray(held)) return held;
    const sorted: Record<string, unknown> = {};
    for (const key of Object.keys(held).sort()) setKey(sorted, key, (held as Record<string, unknown>)[key]);
    return sorted;
  });
}

function copy(value: unknown, depth: number, tally: Tally): JsonValue {
  switch (typeof value) {
    case 'string':
      tally.bytes += value.length * MAX_BYTES_PER_UNIT + 2;
      return value;
    case 'number':
      if (!Number.isFinite(value)) throw new Refusal(`${value} is not a JSON number`);
      tally.bytes += 25;
      return value === 0 ? 0 : value; // JSON has no -0
    case 'boolean':
      tally.bytes += 5;
      return value;
    case 'object':
      if (value === null) {
        tally.bytes += 4;
        return null;
      }
      if (depth >= MAX_DEPTH) throw new Refusal(TOO_DEEP);
      return Array.isArray(value) ? copyArray(value, depth, tally) : copyObject(value, depth, tally);
    default:
      throw new Refusal(`${typeof value === 'undefined' ? 'undefined' : `a ${typeof value}`} is not JSON`);
  }
}

function copyArray(value: readonly unknown[], depth: number, tally: Tally): JsonValue {
  const result: JsonValue[] = [];
  tally.bytes += 2 + value.length;
  for (let index = 0; index < value.length; index++) {
    try {
      result.push(copy(value[index], depth + 1, tally));
    } catch (error) {
      throw at(error, index);
    }
  }
  return result;
}

function copyObject(value: object, depth: number, tally: Tally): JsonValue {
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return copy(toJSON.call(value, ''), depth + 1, tally);
  const prototype = Object.getPrototypeOf(value) as unknown;
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = Object.prototype.toString.call(value).slice(8, -1);
    if (kind !== 'Object') throw new Refusal(`a ${kind} is not JSON`);
  }
  const result: Record<string, JsonValue> = {};
  tally.bytes += 2;
  for (const key of Object.keys(value)) {
    const held = (value as Record<string, unknown>)[key];
    if (held === undefined) continue;
    tally.bytes += key.length * MAX_BYTES_PER_UNIT + 4;
    try {
      setKey(result, key, copy(held, depth + 1, tally));
    } catch (error) {
      throw at(error, key);
    }
  }
  return result;
}

/** `__proto__` as a key is data, as `JSON.parse` has it, and never a prototype. */
function setKey<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
  } else {
    target[key] = value;
  }
}

function at(error: unknown, key: string | number): unknown {
  if (error instanceof Refusal) error.keys.unshift(key);
  return error;
}

function pathOf(keys: readonly (string | number)[]): string {
  return keys.join('.');
}
