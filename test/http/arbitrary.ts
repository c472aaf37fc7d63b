import fc from 'fast-check';

/** As far as our own documents use it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Values that break what is written carelessly. */
export const HOSTILE: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  null,
  '',
  '__proto__',
  'constructor',
  '..',
  '%00',
  '\u0000',
  '\ud800',
  '\ufffd',
  '\r\nset-cookie: a=b',
  'x'.repeat(2_000),
  '9'.repeat(400),
  -0,
  -1,
  1.5,
  1e308,
  Number.MAX_SAFE_INTEGER + 1,
  true,
  [],
  {},
  [[[]]],
  JSON.parse('{"__proto__":{"x":1}}'),
);

/** Of what a schema describes, and one time in eight of something else. */
export function arbitraryOf(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 7, arbitrary: fitting(schema, schemas) }, { weight: 1, arbitrary: HOSTILE });
}

function fitting(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  const { $ref, enum: words, oneOf, anyOf, type } = schema;
  if (typeof $ref === 'string') return fitting(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, schemas);
  if ('const' in schema) return fc.constant(schema.const);
  if (Array.isArray(words)) return fc.constantFrom(...words);
  const either = oneOf ?? anyOf;
  if (Array.isArray(either)) return fc.oneof(...either.map((one: JsonSchema) => fitting(one, schemas)));
  if (Array.isArray(type)) return fc.oneof(...type.map((one: string) => fitting({ ...schema, type: one }, schemas)));
  switch (type) {
    case 'string':
      return textFor(schema);
    case 'integer':
      return fc.integer(boundsOf(schema));
    case 'number':
      return fc.double({ noNaN: true });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(arbitraryOf((schema.items ?? {}) as JsonSchema, schemas), { maxLength: 4 });
    case 'object':
      return objectFor(schema, schemas);
    default:
      return fc.jsonValue({ maxDepth: 3 });
  }
}

function textFor({ format, pattern }: JsonSchema): fc.Arbitrary<string> {
  if (format === 'date-time') {
    const range = { min: new Date(0), max: new Date('9999-12-30'), noInvalidDate: true };
    return fc.date(range).map((date) => date.toISOString());
  }
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern));
  return fc.oneof(fc.constantFrom('a', 'b', 'root', '1', '"1"', '*'), fc.string());
}

function boundsOf({ minimum, maximum }: JsonSchema): { min: number; max: number } {
  const low = typeof minimum === 'number' ? Math.max(minimum, -1e6) : -1e6;
  return { min: low, max: typeof maximum === 'number' ? Math.min(maximum, 1e6) : 1e6 };
}

function objectFor(schema: JsonSchema, schemas: Readonly<Record<string, JsonSchema>>): fc.Arbitrary<unknown> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  const required = (schema.required ?? []) as readonly string[];
  const { additionalProperties: more } = schema;
  // Few of the optional keys at a time: with all of them nothing would ever fit.
  const optional = Object.keys(properties).filter((key) => !required.includes(key));
  const keys = fc.subarray(optional, { maxLength: Math.min(2, optional.length) }).map((some) => [...required, ...some]);
  const own = keys.chain((chosen) =>
    fc.record(
      Object.fromEntries(
        chosen.map((key) => {
          const held = properties[key] ?? {};
          return [key, 'const' in held ? fitting(held, schemas) : arbitraryOf(held, schemas)];
        }),
      ),
    ),
  );
  if (more === undefined || more === false) return own;
  return fc.dictionary(fc.string(), arbitraryOf(more as JsonSchema, schemas), { maxKeys: 3 });
}
