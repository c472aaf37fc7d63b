import { z } from 'zod';
import { listKeys } from '../query.ts';
import type { RouteFacts } from '../route.ts';

type Json = Record<string, unknown>;

/** The parameters of a route, in its path, its query and its headers. */
export function parametersOf({ params, query, headers }: RouteFacts): readonly Json[] {
  return [
    ...(params === undefined ? [] : pathParameters(params)),
    ...(query === undefined ? [] : queryParameters(query)),
    ...Object.entries(headers ?? {}).map(([name, description]) => ({
      name,
      in: 'header',
      description,
      schema: { type: 'string' },
    })),
  ];
}

function pathParameters(schema: z.ZodObject): readonly Json[] {
  return propertiesOf(schema).map(([name, held]) => ({ name, in: 'path', required: true, schema: held }));
}

function queryParameters(schema: z.ZodObject): readonly Json[] {
  const lists = listKeys(schema);
  return propertiesOf(schema)
    .filter(([name]) => name !== 'tag') // `tag.<key>`, for which OpenAPI has no words; the description tells
    .map(([name, held]) => ({
      name,
      in: 'query',
      schema: held,
      ...(lists.has(name) ? { style: 'form', explode: true } : undefined),
    }));
}

function propertiesOf(schema: z.ZodObject): readonly (readonly [string, Json])[] {
  const { properties = {} } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties) as (readonly [string, Json])[];
}
