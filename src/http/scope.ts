import type { Principal } from '../handler/rights.ts';
import { type Condition, parseFilter } from '../task/query.ts';
import type { Policy } from './policy.ts';

/** The tasks that exist for a caller: of these conditions, one holds; null: all tasks. */
export type Scope = readonly Condition[] | null;

/**
 * Asks a policy for the scope of a principal. What is no scope is an error, as it must not end up as one that matches more
 * than was meant: a promise would be an empty filter, and a key that is undefined none at all.
 * @throws {TypeError}
 */
export function scopeOf(policy: Policy, principal: Principal): Scope {
  const scope: unknown = policy.scope(principal);
  if (scope === 'all') return null;
  if (scope === 'none') return [];
  return (Array.isArray(scope) ? scope : [scope]).map((filter: unknown) => {
    if (!isPlain(filter))
      throw new TypeError("`scope` of the policy must give a filter, a list of filters, 'all' or 'none'.");
    const missing = Object.keys(filter).find((key) => filter[key] === undefined);
    if (missing !== undefined)
      throw new TypeError(`\`scope\` of the policy gave a filter whose ${missing} is undefined.`);
    try {
      return parseFilter({ archived: 'both', ...filter }, 'scope');
    } catch (error) {
      throw new TypeError('`scope` of the policy gave what is no filter.', { cause: error }); // no fault of the caller
    }
  });
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
