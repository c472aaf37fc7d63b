import type { Principal } from '../handler/rights.ts';

/** Numbers of principals that only their identity tells apart. */
const numbers = new WeakMap<object, number>();
let last = 0;
/** Deeper ones are taken as they are, as one that holds itself would be endless. */
const MAX_DEPTH = 10;

/**
 * Equal for principals that a policy cannot tell apart: by what they hold where JSON keeps all of it, else by which object it
 * is. A `Set` of roles, say, is `{}` in JSON, whatever is in it.
 */
export function principalKey(principal: Principal | null): string {
  if (isPlain(principal, MAX_DEPTH)) return JSON.stringify(principal);
  const object = principal as object;
  const number = numbers.get(object) ?? ++last;
  numbers.set(object, number);
  return `#${number}`;
}

function isPlain(value: unknown, depth: number): boolean {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth === 0 || Object.getOwnPropertySymbols(value).length > 0) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !Array.isArray(value)) return false;
  return Object.values(value).every((held) => isPlain(held, depth - 1));
}
