/**
 * WIRE.md, section 4, as data: a reader can lay the two beside each other. `{words}` are those of the task as our own API has
 * it; `{made}` is the id of the task that the request made.
 */
import { CHALLENGE, type Exchange } from './contract.ts';
import { STATES } from './world.ts';

/** `TaskEntity` with its part of runtime: key, JSON type, and whether it is always there. In this order. */
export const ENTITY: readonly (readonly [
  key: string,
  type: 'string' | 'integer' | 'boolean' | 'object' | 'array',
  always: boolean,
])[] = [
  ['ID', 'string', true],
  ['name', 'string', true],
  ['status', 'string', true],
  ['user', 'string', true],
  ['createTime', 'integer', true],
  ['network', 'object', true],
  ['template', 'string', false],
  ['resourceIds', 'array', false],
  ['type', 'string', true],
  ['frequency', 'integer', false],
  ['cron', 'string', false],
  ['rrule', 'string', false],
  ['timeZone', 'string', false],
  ['resetObservations', 'boolean', true],
  ['gatesNeedFullObservation', 'boolean', true],
  ['parallel', 'boolean', true],
  ['tags', 'object', true],
  ['finishedTime', 'integer', false],
  ['lastExecutionTime', 'integer', false],
  ['invocationCount', 'integer', true],
  ['health', 'object', false],
  ['pendingNodes', 'object', true],
  ['rawData', 'object', true],
];

/** What of ours each status is. */
export const STATUS: Readonly<Record<string, string>> = {
  waiting: 'running',
  held: 'stopped',
  scheduled: 'running',
  queued: 'running',
  running: 'running',
  progressed: 'running',
  cancelling: 'running',
  succeeded: 'stopped',
  silent: 'stopped',
  empty: 'stopped',
  failed: 'failed',
  lost: 'failed',
  cancelled: 'stopped',
  expired: 'stopped',
};

const ROOT = '/rules/v1/tasks';
const JSON_BODY = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

interface Shown {
  readonly id?: string;
  readonly name?: string;
  readonly status?: string;
  readonly more?: string;
  readonly tags?: string;
  readonly flags?: string;
  readonly times?: string;
  readonly count?: number;
  readonly health?: string;
}
const FLAGS = '"resetObservations":true,"gatesNeedFullObservation":false,"parallel":true';
const GOOD = '"health":{"errorsCount":0,"errorsRate":0},';
const entity = (shown: Shown = {}): string => {
  const { id = '{id}', name = 'reindex', status = 'running', more = '"template":"reindex"', tags = '{}' } = shown;
  const { flags = FLAGS, times = '', count = 0, health = '' } = shown;
  return (
    `{"ID":"${id}","name":"${name}","status":"${status}","user":"owner","createTime":{createdAt},"network":{},${more},` +
    `"type":"onetime",${flags},"tags":${tags},${times}"invocationCount":${count},${health}"pendingNodes":{},"rawData":{}}`
  );
};
const RUNS = { times: '"lastExecutionTime":{startedAt},', count: 1 };
const RAN = { status: 'stopped', times: '"finishedTime":{finishedAt},"lastExecutionTime":{startedAt},', count: 1 };
const FAILED = { ...RAN, status: 'failed' };
const NEVER_RAN = { status: 'stopped', times: '"finishedTime":{finishedAt},' };

const error = (statusCode: number, text: string): string => `{"statusCode":${statusCode},"error":"${text}"}`;
const notFound = (id: string): string => error(404, `Task with id ${id} not found`);
const invalid = (text: string, ...details: readonly (readonly [path: string, message: string])[]): string =>
  `{"statusCode":400,"error":"${text}","code":"VALIDATION","details":[${details
    .map(([path, message]) =>
      path === ''
        ? `{"severity":"ERROR","type":"VALIDATION","message":"${message}","details":{"path":""}}`
        : `{"severity":"ERROR","type":"VALIDATION","message":"${path} ${message}","details":{"path":"${path}"}}`,
    )
    .join(',')}]}`;
const bad = (...details: readonly (readonly [path: string, message: string])[]): string =>
  invalid(`The body is not valid: ${details.map(([path, message]) => `${path}: ${message}`).join('; ')}`, ...details);
const UNAUTHENTICATED = error(401, 'A valid credential is needed.');
const impossible = (what: string, status: string): string => error(400, `Not possible to ${what} in status ${status}`);

const TOO_OFTEN =
  "frequency must be a duration in ms or such as '30s', '5m' or '1h', from 100 ms to 100 years, but is 1.";

const CREATE = { task: 'queued', request: `POST ${ROOT}`, headers: JSON_BODY } as const;
const GET = `GET ${ROOT}/{id}`;
const listed = (title: string, query: string, more: Partial<Exchange> = {}): Exchange => ({
  title: `list > ${title}`,
  task: 'queued',
  request: `GET ${ROOT}?${query}`,
  status: 200,
  answered: { 'x-count': '1' },
  text: `[${entity()}]`,
  ...more,
});
const none = (title: string, query: string, more: Partial<Exchange> = {}): Exchange =>
  listed(title, query, { answered: { 'x-count': '0' }, text: '[]', ...more });
const refused = (name: string, value: string, message: string): Exchange =>
  listed(`${name} that is none`, `${name}=${value}`, {
    status: 400,
    answered: {},
    text: `{"statusCode":400,"error":"The query parameter \\"${name}\\" is not valid: ${message}.","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"${name} ${message.replace('It ', '')}","details":{"path":"${name}"}}]}`,
  });

const states: Readonly<Record<string, Shown>> = {
  waiting: {},
  held: { status: 'stopped' },
  scheduled: {},
  queued: {},
  running: RUNS,
  progressed: RUNS,
  cancelling: RUNS,
  succeeded: RAN,
  silent: RAN,
  empty: RAN,
  failed: FAILED,
  lost: FAILED,
  cancelled: NEVER_RAN,
  expired: NEVER_RAN,
};

export const EXCHANGES: readonly Exchange[] = [
  // GET /rules/v1/tasks/{taskId}: 200 TaskEntity, 404
  ...STATES.map(
    (task): Exchange => ({ title: `get > ${task}`, task, request: GET, status: 200, text: entity(states[task]) }),
  ),
  { title: 'get > bn', task: 'queued', request: `${GET}?format=bn`, status: 200, text: entity() },
  { title: 'get > simplified', task: 'queued', request: `${GET}?format=simplified`, status: 200, text: entity() },
  { title: 'get > the older path', task: 'queued', request: 'GET /api/tasks/{id}', status: 200, text: entity() },
  {
    title: 'get > the older path, with `aliases: false`',
    task: 'queued',
    request: 'GET /api/tasks/{id}',
    options: { aliases: false },
    status: 404,
    contentType: 'application/problem+json',
    text: '{"type":"about:blank","title":"Not Found","status":404,"detail":"There is nothing at /api/tasks/{id}.","code":"route_unknown"}',
  },
  {
    title: 'get > includeHealth',
    task: 'failed',
    request: `${GET}?includeHealth=true`,
    status: 200,
    text: entity({ ...FAILED, health: '"health":{"errorsCount":1,"errorsRate":1},' }),
  },
  { title: 'get > unknown', task: 'none', request: `GET ${ROOT}/task-1`, status: 404, text: notFound('task-1') },
  {
    title: 'get > of somebody else',
    task: 'queued',
    request: GET,
    as: 'stranger',
    status: 404,
    text: notFound('{id}'),
  },
  {
    title: 'get > of somebody else, with `forbidden: 403`',
    task: 'queued',
    request: GET,
    as: 'stranger',
    options: { forbidden: 403 },
    status: 403,
    text: error(403, 'You may not see this task.'),
  },
  {
    title: 'get > nobody',
    task: 'queued',
    request: GET,
    as: null,
    status: 401,
    answered: { 'www-authenticate': CHALLENGE },
    text: UNAUTHENTICATED,
  },
  // GET /rules/v1/tasks/{taskId}/conf: 200 TaskSpecification
  {
    title: 'conf > of a task that came another way',
    task: 'queued',
    request: `${GET}/conf`,
    status: 200,
    text: '{"template":"reindex","name":"reindex","type":"onetime","variables":{"folder":"docs"}}',
  },
  { title: 'conf > unknown', task: 'none', request: `GET ${ROOT}/task-1/conf`, status: 404, text: notFound('task-1') },
  // GET /rules/v1/tasks: 200, X-Count, both media types
  listed('nothing asked', ''),
  listed('the older path', '', { request: 'GET /api/tasks?hits=10&startIndex=0' }),
  listed('hits and startIndex', 'hits=1&startIndex=0'),
  listed('behind the end', 'startIndex=1', { text: '[]' }),
  listed('no hits', 'hits=0', { text: '[]' }),
  listed('name', 'name=reindex'),
  none('another name', 'name=import'),
  none('resource', 'resource=docs'),
  none('resourceType', 'resourceType=folder'),
  listed('type', 'type=onetime'),
  none('another type', 'type=periodic'),
  listed('status', 'status=running'),
  none('another status', 'status=stopped'),
  listed('several statuses', 'status=failed&status=running'),
  listed('held is stopped', 'status=stopped', { task: 'held', text: `[${entity({ status: 'stopped' })}]` }),
  none('held is not running', 'status=running', { task: 'held' }),
  listed('id', 'id={id}'),
  none('another id', 'id=task-1'),
  listed('ids, with commas', 'ids=task-1,{id}'),
  listed('ids, repeated', 'ids=task-1&ids={id}'),
  none('plugin', 'plugin=reader:1.0.1'),
  listed('plugin, with `plugins`', 'plugin=reader:1.0.1', {
    options: { plugins: (plugin: string) => (plugin === 'reader:1.0.1' ? ['reindex'] : []) },
  }),
  listed('template', 'template=reindex'),
  none('another template', 'template=import'),
  listed('filter, a part in any case', 'filter=EIND'),
  none('another filter', 'filter=import'),
  none('a tag with a value', 'tags.env=prod'),
  none('a tag, bare', 'tags.env'),
  none('one of several tags', 'tags=env,team'),
  none('finishedBefore excludes what has not ended', 'finishedBefore=99999999999999'),
  none('finishedBefore is strict', 'finishedBefore={finishedAt}', { task: 'succeeded' }),
  listed('createdAfter', 'createdAfter=0'),
  none('createdAfter is strict', 'createdAfter={createdAt}'),
  listed('createdBefore', 'createdBefore=99999999999999'),
  none('createdBefore is strict', 'createdBefore={createdAt}'),
  none('several parameters are all to fit', 'template=reindex&status=failed'),
  listed('what it does not know is ignored', 'expand=all'),
  listed('includeHealth', 'includeHealth=true', { text: `[${entity({ health: GOOD })}]` }),
  listed('simplified', 'format=simplified'),
  listed('the paged type alone', '', {
    headers: { accept: 'application/vnd.waylay.paged+json' },
    contentType: 'application/vnd.waylay.paged+json',
    text: `{"skip":0,"limit":10,"total":1,"values":[${entity()}]}`,
  }),
  listed('the paged type preferred', 'hits=3&startIndex=2', {
    headers: { accept: 'application/json;q=0.5, application/vnd.waylay.paged+json' },
    contentType: 'application/vnd.waylay.paged+json',
    text: '{"skip":2,"limit":3,"total":1,"values":[]}',
  }),
  listed('both types', '', { headers: { accept: 'application/vnd.waylay.paged+json, application/json' } }),
  listed('any type', '', { headers: { accept: '*/*' } }),
  none('nothing of somebody else', '', { as: 'stranger' }),
  listed('nobody', '', { as: null, status: 401, answered: { 'www-authenticate': CHALLENGE }, text: UNAUTHENTICATED }),
  refused('hits', 'ten', 'It must be a whole number'),
  refused('status', 'done', 'It must be one of running, stopped, failed, pending'),
  refused('type', 'once', 'It must be one of scheduled, periodic, onetime, reactive'),
  refused('createdAfter', 'yesterday', 'It must be epoch ms'),
  refused('format', 'xml', 'It must be bn or simplified'),
  refused('resourceMetadataExpression', 'a', 'It is not supported here'),
  // HEAD /rules/v1/tasks: 200, X-Count, no body
  {
    title: 'count > HEAD',
    task: 'queued',
    request: `HEAD ${ROOT}?hits=0&startIndex=0`,
    status: 200,
    contentType: 'application/json',
    answered: { 'x-count': '1' },
  },
  {
    title: 'count > HEAD, with a filter',
    task: 'queued',
    request: 'HEAD /api/tasks?hits=0&startIndex=0&status=failed',
    status: 200,
    contentType: 'application/json',
    answered: { 'x-count': '0' },
  },
  // POST /rules/v1/tasks: 201, Location, 400 with details
  {
    ...CREATE,
    title: 'create > from a template',
    body: '{"template":"reindex","name":"Reindex","type":"onetime","resource":"docs","variables":{"folder":"docs"},"tags":{"env":"prod"}}',
    status: 201,
    answered: { location: `{origin}${ROOT}/{made}` },
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > the older path',
    request: 'POST /api/tasks',
    body: '{"template":"reindex","name":"Reindex","type":"onetime"}',
    status: 201,
    answered: { location: '{origin}/api/tasks/{made}' },
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > returnWarnings',
    request: `POST ${ROOT}?returnWarnings=true`,
    body: '{"template":"reindex","name":"Reindex","type":"onetime"}',
    status: 201,
    text: '{"ID":"{made}","warnings":[]}',
  },
  {
    ...CREATE,
    title: 'create > failOnWarning, of what has none',
    request: `POST ${ROOT}?failOnWarning=true`,
    body: '{"template":"reindex","name":"Reindex","type":"onetime"}',
    status: 201,
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > a rule of its own, with `ruleHandler`',
    options: { ruleHandler: 'reindex' },
    body: '{"task":{"name":"Rule","type":"onetime"},"sensors":[],"triggers":[]}',
    status: 201,
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > a rule of its own',
    body: '{"task":{"name":"Rule","type":"onetime"},"sensors":[]}',
    status: 400,
    text: bad(['template', 'is required: this server runs no rules of their own']),
  },
  {
    ...CREATE,
    title: 'create > all that is wrong at once',
    body: '{"template":7,"type":"once","tags":{"a":[]},"variables":[],"start":"no"}',
    status: 400,
    text: bad(
      ['template', 'must be text'],
      ['variables', 'must be an object'],
      ['type', 'must be one of scheduled, periodic, onetime, reactive'],
      ['start', 'must be true or false'],
      ['name', 'is required'],
      ['tags.a', 'must be text, a number or a boolean'],
    ),
  },
  {
    ...CREATE,
    title: 'create > an unknown template',
    body: '{"template":"import","name":"Import","type":"onetime"}',
    status: 400,
    text: '{"statusCode":400,"error":"No handler is named \\"import\\"; registered are reindex.","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"No handler is named \\"import\\"; registered are reindex."}]}',
  },
  {
    ...CREATE,
    title: 'create > a periodic task without its frequency',
    body: '{"template":"reindex","name":"Often","type":"periodic"}',
    status: 400,
    text: bad(['frequency', 'must be an integer of ms, for a periodic task']),
  },
  {
    ...CREATE,
    title: 'create > a scheduled task without a rule',
    body: '{"template":"reindex","name":"Daily","type":"scheduled"}',
    status: 400,
    text: bad(['cron', 'or rrule is required, for a scheduled task']),
  },
  {
    ...CREATE,
    title: 'create > null is as good as left out',
    body: '{"template":"reindex","task":null,"name":"Reindex","type":"onetime","start":null,"resource":null,"variables":null,"tags":null,"frequency":null,"parallel":null}',
    status: 201,
    answered: { location: `{origin}${ROOT}/{made}` },
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > a rule of its own, whose template is null',
    options: { ruleHandler: 'reindex' },
    body: '{"template":null,"task":{"name":"Reindex","type":"onetime","start":null}}',
    status: 201,
    answered: { location: `{origin}${ROOT}/{made}` },
    text: '{"ID":"{made}"}',
  },
  {
    ...CREATE,
    title: 'create > a frequency that is too small',
    body: '{"template":"reindex","name":"Often","type":"periodic","frequency":1}',
    status: 400,
    text: `{"statusCode":400,"error":"${TOO_OFTEN}","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"${TOO_OFTEN}","details":{"path":"frequency"}}]}`,
  },
  {
    ...CREATE,
    title: 'create > no JSON',
    headers: { 'content-type': 'text/plain' },
    body: 'x',
    status: 415,
    text: error(415, 'The Content-Type must be application/json, but is \\"text/plain\\".'),
  },
  { ...CREATE, title: 'create > nobody', as: null, body: '{}', status: 401, text: UNAUTHENTICATED },
  // PUT /rules/v1/tasks/{taskId}: 200 TaskEntity, 400 with details, 404
  {
    title: 'replace > its name, resource, tags and settings',
    task: 'held',
    request: `PUT ${ROOT}/{id}`,
    headers: JSON_BODY,
    body: '{"template":"reindex","name":"Again","type":"onetime","resource":"docs","variables":{"folder":"docs"},"tags":{"env":1},"parallel":false}',
    status: 200,
    text: entity({
      name: 'Again',
      status: 'stopped',
      more: '"template":"reindex","resourceIds":["docs"]',
      tags: '{"env":1}',
      flags: '"resetObservations":true,"gatesNeedFullObservation":false,"parallel":false',
    }),
  },
  {
    title: 'replace > half a specification',
    task: 'held',
    request: `PUT ${ROOT}/{id}`,
    headers: JSON_BODY,
    body: '{"name":"Again"}',
    status: 400,
    text: bad(['template', 'is required'], ['type', 'is required']),
  },
  {
    title: 'replace > unknown',
    task: 'none',
    request: `PUT ${ROOT}/task-1`,
    headers: JSON_BODY,
    body: '{"template":"reindex","name":"Again","type":"onetime"}',
    status: 404,
    text: notFound('task-1'),
  },
  // DELETE /rules/v1/tasks/{taskId}: 204, 400 while running, 404
  { title: 'delete > stopped', task: 'succeeded', request: `DELETE ${ROOT}/{id}`, status: 204, after: 'deleted' },
  { title: 'delete > failed', task: 'failed', request: `DELETE ${ROOT}/{id}`, status: 204, after: 'deleted' },
  { title: 'delete > held', task: 'held', request: `DELETE ${ROOT}/{id}`, status: 204, after: 'deleted' },
  {
    title: 'delete > running',
    task: 'running',
    request: `DELETE ${ROOT}/{id}`,
    status: 400,
    text: impossible('remove task', 'running'),
  },
  {
    title: 'delete > waiting to run',
    task: 'queued',
    request: `DELETE ${ROOT}/{id}`,
    status: 400,
    text: impossible('remove task', 'running'),
  },
  {
    title: 'delete > waiting to run, with forceStop',
    task: 'queued',
    request: `DELETE ${ROOT}/{id}?forceStop=true`,
    status: 204,
    after: 'deleted',
  },
  { title: 'delete > unknown', task: 'none', request: `DELETE ${ROOT}/task-1`, status: 404, text: notFound('task-1') },
  { title: 'delete > several', task: 'failed', request: 'DELETE /api/tasks?id={id}', status: 204, after: 'deleted' },
  {
    title: 'delete > several, one of which is not there',
    task: 'failed',
    request: 'DELETE /api/tasks?id={id}&id=task-1',
    status: 404,
    text: notFound('task-1'),
  },
  {
    title: 'delete > none named',
    task: 'failed',
    request: 'DELETE /api/tasks',
    status: 400,
    text: '{"statusCode":400,"error":"The query parameter \\"id\\" is needed.","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"The query parameter \\"id\\" is needed."}]}',
  },
  // POST .../command/start: 200 TaskEntity, 400, 404
  {
    title: 'start > held',
    task: 'held',
    request: `POST ${ROOT}/{id}/command/start`,
    headers: FORM,
    body: '',
    http: { policy: { scope: () => 'all', can: () => true } },
    status: 200,
    after: 'running',
    text: entity(),
  },
  {
    title: 'start > stopped',
    task: 'succeeded',
    request: `POST ${ROOT}/{id}/command/start`,
    status: 200,
    after: 'running',
    text: entity({ count: 1 }),
  },
  {
    title: 'start > failed',
    task: 'failed',
    request: `POST /api/tasks/{id}/command/start`,
    status: 200,
    after: 'running',
    text: entity({ count: 1 }),
  },
  {
    title: 'start > running',
    task: 'running',
    request: `POST ${ROOT}/{id}/command/start`,
    status: 400,
    text: impossible('apply action start, for the task', 'running'),
  },
  {
    title: 'start > waiting to run',
    task: 'queued',
    request: `POST ${ROOT}/{id}/command/start`,
    status: 400,
    text: impossible('apply action start, for the task', 'running'),
  },
  {
    title: 'start > unknown',
    task: 'none',
    request: `POST ${ROOT}/task-1/command/start`,
    status: 404,
    text: notFound('task-1'),
  },
  // POST .../command/stop: 200 TaskEntity, 400, 404
  {
    title: 'stop > running',
    task: 'running',
    request: `POST ${ROOT}/{id}/command/stop`,
    headers: FORM,
    body: '',
    status: 200,
    after: 'cancelling',
    text: entity(RUNS),
  },
  {
    title: 'stop > waiting to run',
    task: 'scheduled',
    request: `POST ${ROOT}/{id}/command/stop`,
    status: 200,
    after: 'cancelled',
    text: entity({ status: 'stopped', times: '"finishedTime":{now},' }),
  },
  {
    title: 'stop > stopped',
    task: 'succeeded',
    request: `POST ${ROOT}/{id}/command/stop`,
    status: 400,
    text: impossible('apply action stop, for the task', 'stopped'),
  },
  {
    title: 'stop > failed',
    task: 'failed',
    request: `POST ${ROOT}/{id}/command/stop`,
    status: 400,
    text: impossible('apply action stop, for the task', 'failed'),
  },
  {
    title: 'stop > held',
    task: 'held',
    request: `POST ${ROOT}/{id}/command/stop`,
    status: 400,
    text: impossible('apply action stop, for the task', 'stopped'),
  },
  {
    title: 'stop > unknown',
    task: 'none',
    request: `POST ${ROOT}/task-1/command/stop`,
    status: 404,
    text: notFound('task-1'),
  },
  // POST /rules/v1/batch: 202, 400; GET /rules/v1/batch/{batchId}: 200, 404
  {
    title: 'batch > what is wrong',
    task: 'none',
    request: 'POST /rules/v1/batch',
    headers: JSON_BODY,
    body: '{"entity":"plugin","action":"explode","query":{"owner":"ada"}}',
    status: 400,
    text: bad(
      ['entity', 'must be task'],
      ['action', 'must be one of delete, start, restart, stop, reload, stopAndDelete, updatePlugins, updateProperties'],
      ['query.owner', 'is not known'],
    ),
  },
  {
    title: 'batch > unknown',
    task: 'none',
    request: 'GET /rules/v1/batch/1',
    status: 404,
    text: error(404, "No batch operation with id '1'"),
  },
  {
    title: 'batch > unknown, the older path',
    task: 'none',
    request: 'GET /api/batch/1',
    status: 404,
    text: error(404, "No batch operation with id '1'"),
  },
  // options
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
  {
    title: 'options > network',
    task: 'queued',
    request: GET,
    options: { network: () => ({ nodes: [] }) },
    status: 200,
    text: entity().replace('"network":{}', '"network":{"nodes":[]}'),
  },
  {
    title: 'options > basePath',
    task: 'queued',
    request: `GET /waylay${ROOT}/{id}`,
    options: { basePath: '/waylay' },
    status: 200,
    text: entity(),
  },
  {
    title: 'redact > hides the variables',
    task: 'queued',
    request: `${GET}/conf`,
    http: { redact: () => ({ hidden: true }) },
    status: 200,
    text: '{"template":"reindex","name":"reindex","type":"onetime","variables":{"hidden":true}}',
  },
  // everything else below its paths
  {
    title: 'other paths > none of its routes',
    task: 'none',
    request: `GET ${ROOT}/1/nodes`,
    status: 404,
    text: error(404, `There is nothing at ${ROOT}/1/nodes.`),
  },
  {
    title: 'other methods > of a task',
    task: 'none',
    request: `POST ${ROOT}/1`,
    status: 405,
    answered: { allow: 'GET, PUT, DELETE, HEAD, OPTIONS' },
    text: error(405, 'POST is not allowed here; allowed are GET, PUT, DELETE, HEAD, OPTIONS.'),
  },
];
