import { z } from 'zod';

type Json = Record<string, unknown>;

/** The named schemas of a document. */
export class Components {
  readonly schemas: Record<string, Json> = {};

  /** Names a schema. @returns how to refer to it */
  add(name: string, schema: Json): Json {
    this.schemas[name] = schema;
    return { $ref: referTo(name) };
  }

  /**
   * A schema of ours as JSON Schema; what has an id of its own becomes a component.
   * @param io `input`: as it is sent to us; `output`: as it is answered
   */
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
    return this.adopt(z.toJSONSchema(schema, { io, target: 'draft-2020-12', unrepresentable: 'any' }) as Json, '');
  }

  /**
   * Takes over a document of JSON Schema (2020-12): its definitions become components.
   * @param prefix of their names, which keeps those of other people apart from ours
   */
  adopt(schema: Json, prefix: string): Json {
    const { $schema: _dialect, $defs, id: _id, ...rest } = schema;
    let isRecursive = false;
    const rename = (reference: string): string => {
      if (reference === '#') isRecursive = true;
      const [, name = ROOT] = /^#\/\$defs\/(.+)$/.exec(reference) ?? [];
      return name !== ROOT || reference === '#' ? referTo(nameOf(prefix, name)) : reference;
    };
    for (const [name, definition] of Object.entries(($defs ?? {}) as Record<string, Json>)) {
      const { id: _, ...content } = definition;
      this.schemas[nameOf(prefix, name)] = referring(content, rename) as Json;
    }
    const own = referring(rest, rename) as Json;
    return isRecursive ? this.add(nameOf(prefix, ROOT), own) : own;
  }
}

/** The name of a schema that refers to itself and has none. */
const ROOT = 'Root';

function referTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** OpenAPI allows `^[a-zA-Z0-9._-]+$`. The last dot tells what is prefix: so no two schemas get the same name. */
function nameOf(prefix: string, name: string): string {
  return prefix + name.replace(/[^a-zA-Z0-9_-]/g, '_');
}

function referring(value: unknown, rename: (reference: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => referring(item, rename));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, held]) => [
    key,
    key === '$ref' && typeof held === 'string' ? rename(held) : referring(held, rename),
  ]);
  return Object.fromEntries(entries);
}
