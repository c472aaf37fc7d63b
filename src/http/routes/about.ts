import { z } from 'zod';
import type { AnyTask } from '../../handler/define.ts';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { type Route, route } from '../route.ts';

const Counts = z.record(z.string(), z.int());
const Handlers = z.object({
  items: z.array(
    z.object({
      name: z.string(),
      description: z.string().nullable(),
      input: z.record(z.string(), z.unknown()),
      deprecated: z.union([z.boolean(), z.string()]),
    }),
  ),
});

/** What the service says of itself. */
export function aboutRoutes({ manager }: HttpContext): readonly Route[] {
  const handlers = route({
    method: 'GET',
    path: '/handlers',
    id: 'listHandlers',
    summary: 'What can be submitted: names, and the JSON Schema of each input',
    answers: { 200: Handlers },
    problems: [],
    handle: () => json(200, { items: manager.handlers().map(describe) }),
  });
  const stats = route({
    method: 'GET',
    path: '/stats',
    id: 'getStats',
    summary: 'Tasks counted by status and by handler',
    answers: { 200: z.object({ byStatus: Counts, byHandler: z.record(z.string(), Counts) }) },
    problems: [],
    handle: async () => json(200, await manager.stats()),
  });
  const health = route({
    method: 'GET',
    path: '/health',
    id: 'getHealth',
    summary: 'Whether the process answers',
    answers: { 200: z.object({ status: z.literal('ok') }) },
    problems: [],
    handle: () => json(200, { status: 'ok' }),
  });
  const ready = route({
    method: 'GET',
    path: '/ready',
    id: 'getReadiness',
    summary: 'Whether tasks are taken and run; 503 when not',
    answers: {
      200: z.object({ ready: z.boolean(), problems: z.array(z.string()) }),
      503: z.object({ ready: z.boolean(), problems: z.array(z.string()) }),
    },
    problems: [],
    async handle() {
      const state = await manager.health();
      return json(state.ready ? 200 : 503, state);
    },
  });
  return [handlers, stats, health, ready];
}

function describe({ name, description, input, deprecated }: AnyTask): z.output<typeof Handlers>['items'][number] {
  return { name, description: description ?? null, input: schemaOf(input), deprecated: deprecated ?? false };
}

/** What a Standard JSON Schema says of its input; `{}`, anything, for a schema that cannot tell. */
function schemaOf(input: AnyTask['input']): Record<string, unknown> {
  const standard = input?.['~standard'] as
    | { readonly jsonSchema?: { input(options: { target: string }): Record<string, unknown> } }
    | undefined;
  try {
    return standard?.jsonSchema?.input({ target: 'draft-2020-12' }) ?? {};
  } catch {
    return {}; // it holds what JSON Schema has no words for
  }
}
