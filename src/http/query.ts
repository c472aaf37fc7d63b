import type { z } from 'zod';
import { HttpProblem } from './problem.ts';

/** Parameters of this form go together into the field `tag`: `tag.team=search`. */
const TAG = 'tag.';

/** The names of a query schema that may be repeated, or hold several values with commas between. */
export function listKeys(schema: z.ZodObject): ReadonlySet<string> {
  const keys = Object.entries(schema.shape).filter(([, field]) => holdsList(field as z.core.$ZodType));
  return new Set(keys.map(([key]) => key));
}

function holdsList(field: z.core.$ZodType): boolean {
  const { def } = field._zod as unknown as { readonly def: { readonly type: string; readonly innerType?: unknown } };
  if (def.type === 'array') return true;
  return def.innerType !== undefined && holdsList(def.innerType as z.core.$ZodType);
}

/**
 * The parameters of a query as an object that its schema can check.
 * @param max parameters
 * @throws {HttpProblem} 400, naming the parameter that came twice
 */
export function readQuery(search: URLSearchParams, lists: ReadonlySet<string>, max: number): Record<string, unknown> {
  if (search.size > max) {
    throw new HttpProblem('malformed', `The query has ${search.size} parameters, more than the ${max} allowed.`);
  }
  const query: Record<string, unknown> = {};
  const tags = new Map<string, string[]>();
  for (const [name, value] of search) {
    if (name.startsWith(TAG) && name.length > TAG.length) {
      const key = name.slice(TAG.length);
      if (key === '__proto__') throw badParameter(name, 'No tag has this key'); // a record of zod would drop it
      tags.set(key, [...(tags.get(key) ?? []), value]);
    } else if (lists.has(name)) {
      query[name] = [...((query[name] as string[] | undefined) ?? []), ...value.split(',')];
    } else if (Object.hasOwn(query, name)) {
      throw badParameter(name, 'It may be given only once');
    } else {
      Object.defineProperty(query, name, { value, enumerable: true, configurable: true }); // `__proto__` is just a name here
    }
  }
  if (tags.size > 0) query.tag = Object.fromEntries(tags);
  return query;
}

/** 400 that names a parameter of the query. */
export function badParameter(name: string, message: string): HttpProblem {
  const path = name.slice(0, 100);
  return new HttpProblem('malformed', `The query parameter ${JSON.stringify(path)} is not valid: ${message}.`, {
    errors: [{ path, message }],
  });
}
