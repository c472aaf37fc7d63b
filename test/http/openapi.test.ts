import { createConfig, lintFromString } from '@redocly/openapi-core';
import { defineTask, MemoryStorage, TaskManager } from 'tasklane';
import { createHandler, openApiDocument } from 'tasklane/http';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';

const Address = z
  .object({
    street: z.string(),
    get neighbours() {
      return z.array(Address);
    },
  })
  .meta({ id: 'Address' });
const mail = defineTask({
  name: 'mail',
  description: 'Sends mail',
  input: z.object({ to: Address, cc: Address.optional() }),
});
const tree = z.object({
  name: z.string(),
  get children() {
    return z.array(tree);
  },
});
const plain = defineTask({ name: 'plain.v2' });
const grow = defineTask({ name: 'grow', input: tree });
const old = defineTask({ name: 'old', deprecated: 'Use mail', input: z.object({ text: z.string() }).optional() });

async function problemsOf(document: unknown): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended-strict'] });
  const found = await lintFromString({ source: JSON.stringify(document), config });
  return found.map(({ ruleId, message, location }) => `${ruleId} ${location[0]?.pointer ?? ''}: ${message}`);
}

interface Document {
  readonly openapi: string;
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Record<
    string,
    Record<
      string,
      {
        readonly operationId: string;
        readonly requestBody?: {
          readonly content: Record<string, { readonly schema: { readonly oneOf?: readonly object[] } }>;
        };
      }
    >
  >;
  readonly components: {
    readonly schemas: Record<
      string,
      { readonly properties: Record<string, unknown>; readonly required: readonly string[] }
    >;
  };
}

const managerOf = (...handlers: readonly unknown[]): TaskManager =>
  new TaskManager({ storage: new MemoryStorage(), handlers: handlers as readonly (typeof plain)[] });

describe('openApiDocument', () => {
  test.each([
    ['no handlers', []],
    ['several', [mail, plain, old, grow]],
  ])('a strict linter finds nothing: %s', async (_what, handlers) => {
    expect(await problemsOf(openApiDocument(managerOf(...handlers)))).toEqual([]);
  });

  test('the linter would', async () => {
    expect(await problemsOf({ openapi: '3.1.0', info: { title: 'x', version: '1' }, paths: {} })).not.toEqual([]);
  });

  test('the body of a submit is one of the handlers, each with its input', () => {
    const document = openApiDocument(managerOf(mail, plain, old)) as unknown as Document;
    const schema = document.paths['/tasks']?.post?.requestBody?.content['application/json']?.schema;
    expect(schema?.oneOf).toEqual([
      { $ref: '#/components/schemas/Submit.mail' },
      { $ref: '#/components/schemas/Submit.plain.v2' },
      { $ref: '#/components/schemas/Submit.old' },
    ]);
    const { schemas } = document.components;
    expect(schemas['Submit.mail']).toMatchObject({
      description: 'Sends mail',
      properties: {
        handler: { const: 'mail' },
        input: { properties: { to: { $ref: '#/components/schemas/Input.mail.Address' } } },
      },
      required: ['handler', 'input'],
    });
    expect(schemas['Input.mail.Address']?.properties.street).toEqual({ type: 'string' });
    expect(schemas['Submit.plain.v2']?.required).toEqual(['handler']);
    expect(schemas['Submit.old']).toMatchObject({ deprecated: true, required: ['handler'] });
  });
});

describe('GET /openapi.json', () => {
  test('is the same document, for where it is mounted, and knows handlers that came later', async () => {
    const manager = managerOf(mail);
    const handler = createHandler(manager, { api: '/v1' });
    const read = async (): Promise<Document> => {
      const response = await handler(new Request('http://x/v1/openapi.json'), { basePath: '/api' });
      return (await response.json()) as Document;
    };
    const before = await read();
    expect(before.openapi).toBe('3.1.0');
    expect(before.servers).toEqual([{ url: '/api/v1' }]);
    expect(Object.keys(before.paths)).toEqual(Object.keys((openApiDocument(manager) as unknown as Document).paths));
    manager.register(plain);
    expect(Object.keys((await read()).components.schemas)).toContain('Submit.plain.v2');
    expect(await problemsOf(before)).toEqual([]);
  });
});
