import { defineTask, TaskManager } from 'tasklane';
import { createHandler, openApiDocument } from 'tasklane/http';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ROUTES } from './adapters/routes.ts';

type JsonSchema = Exclude<Parameters<typeof z.fromJSONSchema>[0], boolean>;
interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}
interface Document {
  readonly paths: Readonly<
    Record<string, Record<string, { readonly responses: Readonly<Record<string, Documented>> }>>
  >;
  readonly components: { readonly schemas: NonNullable<JsonSchema['$defs']> };
}

/** The answers that the document has for a method and a path, by status. */
function responsesOf({ paths }: Document, method: string, path: string): Readonly<Record<string, Documented>> | null {
  const plain = path.replace(/\?.*/, '').replace('task_0', '{id}').replace(/\/$/, '');
  return paths[plain]?.[method.toLowerCase()]?.responses ?? null;
}

test('whatever a route answers is what the document says of that status', async () => {
  const echo = defineTask({
    name: 'echo',
    input: z.object({ text: z.string() }),
    on: 'order.paid',
    run(input, { progress, log }) {
      progress({ processed: 1, total: 2, message: 'half' });
      log('said');
      return input;
    },
  });
  const manager = new TaskManager({ handlers: [echo] });
  await manager.start();
  const handler = createHandler(manager);
  const document = JSON.parse(
    JSON.stringify(openApiDocument(manager)).replaceAll('#/components/schemas/', '#/$defs/'),
  ) as Document;
  const options = { tags: { a: 1, b: true }, submittedBy: 'u', metadata: { any: ['json', null] } };
  const children = [{ handler: 'echo', input: { text: 'b' } }] as const;
  const task = await manager.submit('echo', { text: 'a' }, { ...options, children });
  await task.result();

  let looked = 0;
  for (const [method, path, , body] of ROUTES) {
    const responses = responsesOf(document, method, path);
    if (responses === null) continue; // another method than those there are
    const url = path.replace('{id}', task.id).replace('{key}', 'k').replace('{event}', 'order.paid');
    const sent =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await handler(new Request(`http://tasks.test${url}`, { method, ...sent }));
    const what = `${method} ${path} ${response.status}`;
    const documented = responses[response.status];
    expect(documented, what).toBeDefined();
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
    if (type === 'text/event-stream') {
      await response.body?.cancel();
      continue;
    }
    const text = await response.text();
    if (text === '') {
      expect(documented?.content, what).toBeUndefined();
      continue;
    }
    const schema = documented?.content?.[type]?.schema;
    expect(schema, `${what}, ${type}`).toBeDefined();
    const told = z.fromJSONSchema({ ...schema, $defs: document.components.schemas }).safeParse(JSON.parse(text));
    expect(told.error?.issues ?? [], `${what}: ${text.slice(0, 500)}`).toEqual([]);
    looked++;
  }
  expect(looked).toBeGreaterThan(ROUTES.length - 10);
  await handler.close();
  await manager.close();
});
