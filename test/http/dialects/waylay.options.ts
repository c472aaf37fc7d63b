import type { TaskFilter } from 'tasklane';
import type { Exchange } from './contract.ts';
import { CREATE, entity, error, GET, JSON_BODY, listed, none, ROOT, RUNS } from './waylay.words.ts';

/** The page of a list that has one task, at its beginning. */
const page = `{"skip":0,"limit":10,"total":1,"values":[${entity()}]}`;
const PAGED = 'application/vnd.waylay.paged+json';

/** Rows of what options change of that which the published document leaves open. */
export const OPTIONS: readonly Exchange[] = [
  {
    title: 'options > waiting',
    task: 'queued',
    request: GET,
    options: { waiting: 'pending' },
    status: 200,
    text: entity({ status: 'pending' }),
  },
  listed('pending, with `waiting: pending`', 'status=pending', {
    options: { waiting: 'pending' },
    text: `[${entity({ status: 'pending' })}]`,
  }),
  none('running, with `waiting: pending`', 'status=running', { options: { waiting: 'pending' } }),
  none('held is not pending, with `waiting: pending`', 'status=pending', {
    task: 'held',
    options: { waiting: 'pending' },
  }),
  {
    title: 'options > network',
    task: 'queued',
    request: GET,
    options: { network: () => ({ nodes: [] }) },
    status: 200,
    text: entity().replace('"network":{}', '"network":{"nodes":[]}'),
  },
  ...(['', '?format=simplified'] as const).map(
    (query): Exchange => ({
      title: `options > network, by the format${query}`,
      task: 'queued',
      request: `${GET}${query}`,
      options: { network: (_task: unknown, format: string) => ({ format }) },
      status: 200,
      text: entity().replace('"network":{}', `"network":{"format":"${query === '' ? 'bn' : 'simplified'}"}`),
    }),
  ),
  listed('network, by the format', 'format=simplified', {
    options: { network: (_task: unknown, format: string) => ({ format }) },
    text: `[${entity().replace('"network":{}', '"network":{"format":"simplified"}')}]`,
  }),
  {
    title: 'options > basePath',
    task: 'queued',
    request: `GET /waylay${ROOT}/{id}`,
    options: { basePath: '/waylay' },
    status: 200,
    text: entity(),
  },
  {
    ...CREATE,
    title: 'options > submit',
    options: {
      submit: ({ input, ...rest }: { input?: object }, { resource }: Record<string, unknown>) => ({
        ...rest,
        handler: 'reindex',
        input: { ...input, resource },
      }),
    },
    body: '{"template":"import","name":"Import","type":"onetime","resource":"docs","variables":{"a":1}}',
    status: 201,
    text: '{"ID":"{made}"}',
  },
  {
    title: 'options > conf',
    task: 'queued',
    request: `${GET}/conf`,
    options: { conf: (shown: object, task: { id: string }) => ({ ...shown, name: task.id }) },
    status: 200,
    text: '{"template":"reindex","name":"{id}","type":"onetime","variables":{"folder":"docs"}}',
  },
  // what parameters ask for
  listed('filter, of a parameter of its own', 'owner=ada&owner=owner', {
    options: {
      filter: (name: string, values: readonly string[]): readonly TaskFilter[] | undefined =>
        name === 'owner' ? values.map((submittedBy) => ({ submittedBy })) : undefined,
    },
  }),
  none('filter, beside another that is as it is', 'filter=anything&status=failed', {
    options: { filter: (name: string) => (name === 'filter' ? {} : undefined) },
  }),
  listed('filter, in place of the fuzzy search', 'filter=anything', {
    options: { filter: async (name: string) => (name === 'filter' ? {} : undefined) },
  }),
  none('filter, of a tag', 'tags.env=any', {
    options: { filter: (name: string) => (name === 'tags.env' ? { tags: { env: { any: true } } } : undefined) },
  }),
  listed('filter, of resourceMetadataExpression', 'resourceMetadataExpression=a', {
    options: {
      filter: (name: string) => (name === 'resourceMetadataExpression' ? [{ entityId: { none: true } }] : undefined),
    },
  }),
  none('filter, of which none is to fit', 'resourceMetadataExpression=a', {
    options: { filter: (name: string) => (name === 'resourceMetadataExpression' ? [] : undefined) },
  }),
  listed('match: any', 'status=failed&template=reindex', { options: { match: 'any' } }),
  listed('match: any, of a type', 'type=onetime&template=import', { options: { match: 'any' } }),
  listed('match: any, of nothing', '', { options: { match: 'any' } }),
  none(
    'match: any, of which none fits',
    'status=failed&template=import&type=periodic&tags.env&createdAfter={createdAt}',
    {
      options: { match: 'any' },
    },
  ),
  listed('match: any, of two times', 'createdAfter=0&createdBefore=0', { options: { match: 'any' } }),
  // the two media types
  ...([`application/json, ${PAGED}`, '*/*', PAGED] as const).map((accept) =>
    listed(`pages: accepted, of ${accept}`, '', {
      options: { pages: 'accepted' },
      headers: { accept },
      contentType: PAGED,
      text: page,
    }),
  ),
  listed('pages: accepted, of another type', '', { options: { pages: 'accepted' }, headers: { accept: 'text/html' } }),
  listed('pages: accepted, of none', '', { options: { pages: 'accepted' } }),
  // commands
  {
    title: 'options > commands: a start that changes nothing',
    task: 'running',
    request: `POST ${ROOT}/{id}/command/start`,
    options: { commands: () => true },
    status: 200,
    text: entity(RUNS),
  },
  {
    title: 'options > commands: a stop that changes nothing',
    task: 'held',
    request: `POST ${ROOT}/{id}/command/stop`,
    options: { commands: () => true },
    status: 200,
    text: entity({ status: 'stopped' }),
  },
  {
    title: 'options > commands: deletes what waits',
    task: 'queued',
    request: `DELETE ${ROOT}/{id}`,
    options: { commands: () => true },
    status: 204,
    after: 'deleted',
  },
  {
    title: 'options > commands: none',
    task: 'failed',
    request: `POST ${ROOT}/{id}/command/start`,
    options: { commands: (command: string, status: string) => !(command === 'start' && status === 'failed') },
    status: 400,
    text: error(400, 'Not possible to apply action start, for the task in status failed'),
  },
  {
    title: 'options > deleteUnknown',
    task: 'none',
    request: `DELETE ${ROOT}/task-1`,
    options: { deleteUnknown: 204 },
    status: 204,
  },
  {
    title: 'options > deleteUnknown, of several',
    task: 'failed',
    request: `DELETE ${ROOT}?id=task-1&id={id}`,
    options: { deleteUnknown: 204 },
    status: 204,
    after: 'deleted',
  },
  {
    title: 'options > deleteUnknown, of what runs',
    task: 'running',
    request: `DELETE ${ROOT}/{id}`,
    options: { deleteUnknown: 204 },
    status: 400,
    text: error(400, 'Not possible to remove task in status running'),
  },
  {
    title: 'options > deleteUnknown, of somebody else',
    task: 'failed',
    request: `DELETE ${ROOT}/{id}`,
    as: 'stranger',
    options: { deleteUnknown: 204 },
    status: 204,
  },
  {
    title: 'options > batchTasks',
    task: 'failed',
    request: 'POST /rules/v1/batch',
    headers: JSON_BODY,
    body: '{"entity":"task","action":"start","query":{"ids":["{id}","task-1","task-2"]}}',
    options: { batchTasks: 2 },
    status: 400,
    text: '{"statusCode":400,"error":"The body is not valid: query: is about more than the 2 tasks that a batch may have: ask for fewer at a time","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"query is about more than the 2 tasks that a batch may have: ask for fewer at a time","details":{"path":"query"}}]}',
  },
  {
    title: 'options > refuse gives a status of its own',
    task: 'none',
    request: `GET ${ROOT}/task-1`,
    options: { refuse: ({ body }: { body: object }, code: string) => ({ status: 410, body: { ...body, code } }) },
    status: 410,
    text: '{"statusCode":404,"error":"Task with id task-1 not found","code":"task_not_found"}',
  },
];
