import type { AnyTask } from '../../handler/define.ts';
import type { PlainAnswer, Route } from '../route.ts';
import { Components } from './components.ts';
import { parametersOf } from './parameters.ts';
import { PROBLEM, problemAnswers } from './problems.ts';
import { submitSchema } from './submit.ts';

/** A JSON object. */
type Json = Record<string, unknown>;

/** What the document says beside the routes. */
export interface DocumentOptions {
  /** URL or path below which the routes are. */
  readonly server: string;
  /** Whether a credential is asked for. */
  readonly secured: boolean;
}

const TAGS = {
  tasks: 'Submit tasks, find them, and change them',
  schedules: 'What recurs: a task for each tick',
  events: 'Follow tasks as server-sent events',
  service: 'What the service says of itself',
};

/** The OpenAPI 3.1 document of a route table. */
export function buildDocument(
  routes: readonly Route[],
  handlers: readonly AnyTask[],
  { server, secured }: DocumentOptions,
): Json {
  const components = new Components();
  components.add('Problem', PROBLEM);
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.path.replace(/:([A-Za-z]+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, handlers, components, secured) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tasks',
      version: '1',
      description: 'Background tasks: submit, answer 202, watch, cancel, read the result. Served by tasklane.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: server }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: secured ? [{ credential: [] }] : [{}],
    paths,
    components: {
      schemas: components.schemas,
      ...(secured
        ? {
            securitySchemes: {
              credential: {
                type: 'http',
                scheme: 'bearer',
                description: 'What credentials there are is up to the app; a bearer token is the usual one.',
              },
            },
          }
        : undefined),
    },
  };
}

function operationOf(route: Route, handlers: readonly AnyTask[], components: Components, secured: boolean): Json {
  const { id, tag, summary, open, body, answers } = route;
  const parameters = parametersOf(route);
  return {
    operationId: id,
    tags: [tag],
    summary: firstClause(summary),
    description: `${summary}.`,
    ...(open && secured ? { security: [{}] } : undefined),
    ...(parameters.length > 0 ? { parameters } : undefined),
    ...(body === undefined
      ? undefined
      : {
          requestBody: {
            required: !body.safeParse(undefined).success,
            content: contentOf(
              route,
              id === 'submitTask' ? submitSchema(body, handlers, components) : components.schemaOf(body, 'input'),
            ),
          },
        }),
    responses: {
      ...Object.fromEntries(
        Object.entries(answers).map(([status, one]) => [
          status,
          answerOf(status, one, components, id === 'publishEvent' ? undefined : ACCEPTED),
        ]),
      ),
      ...problemAnswers(route),
    },
  };
}

/** A patch is taken under both of its names (RFC 7396). */
function contentOf({ method }: Route, schema: Json): Json {
  const json = { 'application/json': { schema } };
  return method === 'PATCH' ? { 'application/merge-patch+json': { schema }, ...json } : json;
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Made',
  202: 'Accepted',
  503: 'Not ready',
};

/** @param accepted the headers of an accepted request, which is about one task */
function answerOf(
  status: string,
  answer: Route['answers'][number],
  components: Components,
  accepted: Json | undefined,
): Json {
  if (isPlain(answer)) {
    const { type, description } = answer;
    return { description, ...(type === null ? undefined : { content: { [type]: { schema: { type: 'string' } } } }) };
  }
  return {
    description: DESCRIPTIONS[status] ?? 'Done',
    ...(status === '202' && accepted !== undefined ? { headers: accepted } : undefined),
    content: { 'application/json': { schema: components.schemaOf(answer, 'output') } },
  };
}

const ACCEPTED = {
  Location: { description: 'The path of the task', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds until there may be news, 1 to 30', schema: { type: 'integer' } },
};

function isPlain(answer: Route['answers'][number]): answer is PlainAnswer {
  return 'description' in answer && !('_zod' in answer);
}

/** Titles are short: what is behind the first `:` or `;` is in the description. */
function firstClause(summary: string): string {
  return summary.split(/[:;]/, 1)[0] ?? summary;
}
