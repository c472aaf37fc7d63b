/** WIRE.md, section 0, as data: a reader can lay the two beside each other. `{tail}`: the 27 characters behind our prefix. */
import type { HandlerOptions } from 'tasklane/http';
import type { Exchange } from './contract.ts';

/** `BackgroundTaskOut`: key and JSON type. All are always there; the last one only on paths without a slash at their end. */
export const ITEM: readonly (readonly [key: string, type: 'object' | 'string'])[] = [
  ['data', 'object'],
  ['id', 'string'],
  ['status', 'string'],
  ['task', 'string'],
  ['updatedAt', 'string'],
];

/** `ListResponseBackgroundTaskOut`: key and JSON types. All are always there. */
export const LIST: readonly (readonly [key: string, types: readonly string[]])[] = [
  ['data', ['object']],
  ['done', ['boolean']],
  ['iterator', ['string', 'null']],
  ['prevIterator', ['string', 'null']],
];

/** The closed set of `status`, and what of ours each is. */
export const STATUS: Readonly<Record<string, string>> = {
  waiting: 'running',
  held: 'running',
  scheduled: 'running',
  queued: 'running',
  running: 'running',
  progressed: 'running',
  cancelling: 'running',
  succeeded: 'finished',
  empty: 'finished',
  silent: 'finished',
  failed: 'failed',
  lost: 'failed',
  cancelled: 'failed',
  expired: 'failed',
};

const NEW = 'GET /api/v1/background-task/qtask_{tail}';
const OLD = `${NEW}/`;
const LIST_NEW = 'GET /api/v1/background-task';
const LIST_OLD = `${LIST_NEW}/`;
const ID = '"id":"qtask_{tail}"';
const AT = '"updatedAt":"{updatedAtText}"';
const REPLAY = '"task":"endpoint.replay"';
const RUNNING = `${ID},"status":"running",${REPLAY}`;
const FAILED = `${ID},"status":"failed",${REPLAY}`;
const FINISHED = `${ID},"status":"finished",${REPLAY}`;
const BARE = '{"data":{"handler":"reindex"}';
const HALF = '"progress":{"processed":5,"total":10,"fraction":0.5,"message":"Reticulating splines"}';
const PAGE = '"done":true,"iterator":"qtask_{tail}","prevIterator":"-qtask_{tail}"}';
const EMPTY = '{"data":[],"done":true,"iterator":null,"prevIterator":null}';

const error = (code: string, detail: string): string => `{"code":"${code}","detail":"${detail}"}`;
const NOT_FOUND = error('not_found', 'No task has the id \\"qtask_{tail}\\".');
const invalid = (name: string, msg: string, type = 'value_error'): string =>
  `{"detail":[{"loc":["query","${name}"],"msg":"${msg}","type":"${type}"}]}`;
const key = { 'idempotency-key': 'auto_1' };
const forbids: HandlerOptions = { policy: { scope: () => 'all', can: () => false } };

export const EXCHANGES: readonly Exchange[] = [
  // GET /api/v1/background-task/{task_id}: 200 BackgroundTaskOut, as at present
  { title: 'get > waiting', task: 'waiting', request: NEW, status: 200, text: `${BARE},${RUNNING},${AT}}` },
  { title: 'get > held', task: 'held', request: NEW, status: 200, text: `${BARE},${RUNNING},${AT}}` },
  { title: 'get > scheduled', task: 'scheduled', request: NEW, status: 200, text: `${BARE},${RUNNING},${AT}}` },
  { title: 'get > queued', task: 'queued', request: NEW, status: 200, text: `${BARE},${RUNNING},${AT}}` },
  { title: 'get > running', task: 'running', request: NEW, status: 200, text: `${BARE},${RUNNING},${AT}}` },
  {
    title: 'get > running, with progress',
    task: 'progressed',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex",${HALF}},${RUNNING},${AT}}`,
  },
  {
    title: 'get > cancelling',
    task: 'cancelling',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex",${HALF}},${RUNNING},${AT}}`,
  },
  {
    title: 'get > succeeded',
    task: 'succeeded',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex","files":10},${FINISHED},${AT}}`,
  },
  {
    title: 'get > succeeded without a result',
    task: 'empty',
    request: NEW,
    status: 200,
    text: `${BARE},${FINISHED},${AT}}`,
  },
  {
    title: 'get > failed',
    task: 'failed',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex","error":{"code":"handler_failed","message":"no folder docs"}},${FAILED},${AT}}`,
  },
  {
    title: 'get > lost',
    task: 'lost',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex","error":{"code":"lost","message":"its process died too often"}},${FAILED},${AT}}`,
  },
  {
    title: 'get > cancelled',
    task: 'cancelled',
    request: NEW,
    status: 200,
    text: `{"data":{"handler":"reindex","error":{"code":"cancelled","message":"no longer needed"}},${FAILED},${AT}}`,
  },
  // GET /api/v1/background-task/{task_id}/: as 1.4 has it, whose clients throw on a key that they do not know
  { title: 'get, 1.4 > queued', task: 'queued', request: OLD, status: 200, text: `${BARE},${RUNNING}}` },
  {
    title: 'get, 1.4 > succeeded',
    task: 'succeeded',
    request: OLD,
    status: 200,
    text: `{"data":{"handler":"reindex","files":10},${FINISHED}}`,
  },
  {
    title: 'get, 1.4 > an idempotency key counts for nothing',
    task: 'queued',
    request: OLD,
    headers: key,
    status: 200,
    text: `${BARE},${RUNNING}}`,
  },
  {
    title: 'get > our own id',
    task: 'queued',
    request: 'GET /api/v1/background-task/{id}',
    status: 200,
    text: `${BARE},${RUNNING},${AT}}`,
  },
  // GET /api/v1/background-task: 200 ListResponseBackgroundTaskOut
  {
    title: 'list',
    task: 'queued',
    request: LIST_NEW,
    status: 200,
    text: `{"data":[${BARE},${RUNNING},${AT}}],${PAGE}`,
  },
  { title: 'list, 1.4', task: 'queued', request: LIST_OLD, status: 200, text: `{"data":[${BARE},${RUNNING}}],${PAGE}` },
  {
    title: 'list, 1.4 > an idempotency key counts for nothing',
    task: 'queued',
    request: LIST_OLD,
    headers: key,
    status: 200,
    text: `{"data":[${BARE},${RUNNING}}],${PAGE}`,
  },
  {
    title: 'list > ascending',
    task: 'queued',
    request: `${LIST_NEW}?order=ascending`,
    status: 200,
    text: `{"data":[${BARE},${RUNNING},${AT}}],${PAGE}`,
  },
  { title: 'list > empty', task: 'none', request: LIST_NEW, status: 200, text: EMPTY },
  {
    title: 'list > what is behind the last one',
    task: 'queued',
    request: `${LIST_NEW}?iterator=qtask_{tail}`,
    status: 200,
    text: EMPTY,
  },
  {
    title: 'list > what is in front of the first one',
    task: 'queued',
    request: `${LIST_NEW}?iterator=-qtask_{tail}`,
    status: 200,
    text: EMPTY,
  },
  {
    title: 'list > our own id as iterator',
    task: 'queued',
    request: `${LIST_NEW}?iterator={id}`,
    status: 200,
    text: EMPTY,
  },
  { title: 'list > status', task: 'queued', request: `${LIST_NEW}?status=finished`, status: 200, text: EMPTY },
  {
    title: 'list > status, of which one fits',
    task: 'queued',
    request: `${LIST_NEW}?status=running`,
    status: 200,
    text: `{"data":[${BARE},${RUNNING},${AT}}],${PAGE}`,
  },
  { title: 'list > task', task: 'queued', request: `${LIST_NEW}?task=application.stats`, status: 200, text: EMPTY },
  {
    title: 'list > task, several with commas between',
    task: 'queued',
    request: `${LIST_NEW}?task=application.stats,endpoint.replay`,
    status: 200,
    text: `{"data":[${BARE},${RUNNING},${AT}}],${PAGE}`,
  },
  {
    title: 'list > parameters that it does not know',
    task: 'none',
    request: `${LIST_NEW}?0=a&1=s&wait=yes`,
    status: 200,
    text: EMPTY,
  },
  { title: 'list > the largest limit', task: 'none', request: `${LIST_NEW}?limit=250`, status: 200, text: EMPTY },
  // 422 HTTPValidationError
  {
    title: 'list > limit 0',
    task: 'none',
    request: `${LIST_NEW}?limit=0`,
    status: 422,
    text: invalid('limit', 'limit must be at least 1'),
  },
  {
    title: 'list > limit -1',
    task: 'none',
    request: `${LIST_OLD}?limit=-1`,
    status: 422,
    text: invalid('limit', 'limit must be at least 1'),
  },
  {
    title: 'list > limit 251',
    task: 'none',
    request: `${LIST_NEW}?limit=251`,
    status: 422,
    text: invalid('limit', 'limit must be at most 250'),
  },
  {
    title: 'list > order',
    task: 'none',
    request: `${LIST_NEW}?order=up`,
    status: 422,
    text: invalid('order', 'order must be one of ascending, descending'),
  },
  {
    title: 'list > status of another set',
    task: 'none',
    request: `${LIST_NEW}?status=queued`,
    status: 422,
    text: invalid('status', 'status must be one of running, finished, failed'),
  },
  {
    title: 'list > task of another set',
    task: 'none',
    request: `${LIST_NEW}?task=reindex`,
    status: 422,
    text: invalid(
      'task',
      'task must be one of endpoint.replay, endpoint.recover, application.stats, message.broadcast, sdk.generate, event-type.aggregate, application.purge_content, endpoint.bulk-replay',
    ),
  },
  {
    title: 'list > iterator',
    task: 'none',
    request: `${LIST_NEW}?iterator=2`,
    status: 422,
    text: invalid('iterator', 'iterator is not one of a list'),
  },
  // a limit of the wrong type: 422 in 1.4, 400 at present
  {
    title: 'list, 1.4 > limit of another type',
    task: 'none',
    request: `${LIST_OLD}?limit=ten`,
    status: 422,
    text: invalid('limit', 'limit must be an integer', 'type_error.integer'),
  },
  {
    title: 'list > limit of another type',
    task: 'none',
    request: `${LIST_NEW}?limit=ten`,
    status: 400,
    text: error('generic_error', 'limit must be an integer'),
  },
  // 401, 403, 404
  {
    title: 'get > nobody',
    task: 'queued',
    request: NEW,
    as: null,
    status: 401,
    answered: { 'www-authenticate': 'Bearer' },
    text: error('authentication_failed', 'A valid credential is needed.'),
  },
  {
    title: 'list > nobody',
    task: 'queued',
    request: LIST_NEW,
    as: null,
    status: 401,
    answered: { 'www-authenticate': 'Bearer' },
    text: error('authentication_failed', 'A valid credential is needed.'),
  },
  {
    title: 'get > a task of somebody else',
    task: 'queued',
    request: NEW,
    as: 'stranger',
    status: 404,
    text: NOT_FOUND,
  },
  {
    title: 'list > tasks of somebody else',
    task: 'queued',
    request: LIST_NEW,
    as: 'stranger',
    status: 200,
    text: EMPTY,
  },
  {
    title: 'get > in scope, but the policy forbids it',
    task: 'queued',
    request: NEW,
    as: 'stranger',
    http: forbids,
    status: 403,
    text: error('insufficient access', 'You may not read task qtask_{tail}.'),
  },
  {
    title: 'list > in scope, but the policy forbids it',
    task: 'queued',
    request: LIST_NEW,
    as: 'stranger',
    http: forbids,
    status: 200,
    text: `{"data":[],${PAGE}`,
  },
  {
    title: 'get > unknown',
    task: 'none',
    request: 'GET /api/v1/background-task/qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2',
    status: 404,
    text: error('not_found', 'No task has the id \\"qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2\\".'),
  },
  {
    title: 'get > an id of another form',
    task: 'none',
    request: 'GET /api/v1/background-task/7/',
    status: 404,
    text: error('not_found', 'No task has the id \\"7\\".'),
  },
  // options
  {
    title: 'options > tasks',
    task: 'queued',
    request: NEW,
    options: { tasks: { reindex: 'application.purge_content' } },
    status: 200,
    text: `${BARE},${ID},"status":"running","task":"application.purge_content",${AT}}`,
  },
  {
    title: 'options > tasks, 1.4 has only three',
    task: 'queued',
    request: OLD,
    options: { tasks: { reindex: 'application.purge_content' } },
    status: 200,
    text: `${BARE},${RUNNING}}`,
  },
  {
    title: 'options > otherTask',
    task: 'queued',
    request: OLD,
    options: { otherTask: 'application.stats' },
    status: 200,
    text: `${BARE},${ID},"status":"running","task":"application.stats"}`,
  },
  {
    title: 'options > data',
    task: 'succeeded',
    request: OLD,
    options: { data: ({ result }: { result: unknown }) => result },
    status: 200,
    text: `{"data":{"files":10},${FINISHED}}`,
  },
  {
    title: 'options > data that is no object is wrapped',
    task: 'succeeded',
    request: OLD,
    options: { data: () => [1] },
    status: 200,
    text: `{"data":{"result":[1]},${FINISHED}}`,
  },
  {
    title: 'options > data that is null',
    task: 'succeeded',
    request: OLD,
    options: { data: () => null },
    status: 200,
    text: `{"data":{},${FINISHED}}`,
  },
  {
    title: 'options > basePath',
    task: 'queued',
    request: 'GET /svix/api/v1/background-task/',
    options: { basePath: '/svix' },
    status: 200,
    text: `{"data":[${BARE},${RUNNING}}],${PAGE}`,
  },
  {
    title: 'redact > hides the result',
    task: 'succeeded',
    request: OLD,
    http: { redact: () => 'hidden' },
    status: 200,
    text: `{"data":{"handler":"reindex","result":"hidden"},${FINISHED}}`,
  },
  // everything else below /api/v1/background-task
  {
    title: 'other paths',
    task: 'none',
    request: 'GET /api/v1/background-task/1/2',
    status: 404,
    text: error('not_found', 'There is nothing at /api/v1/background-task/1/2.'),
  },
  {
    title: 'other methods > of the list',
    task: 'none',
    request: 'POST /api/v1/background-task',
    status: 405,
    answered: { allow: 'GET, HEAD, OPTIONS' },
    text: error('method_not_allowed', 'POST is not allowed here; allowed are GET, HEAD, OPTIONS.'),
  },
  {
    title: 'other methods > of a task',
    task: 'queued',
    request: NEW.replace('GET', 'DELETE'),
    status: 405,
    answered: { allow: 'GET, HEAD, OPTIONS' },
    text: error('method_not_allowed', 'DELETE is not allowed here; allowed are GET, HEAD, OPTIONS.'),
  },
  {
    title: 'malformed > a path that does not decode',
    task: 'none',
    request: 'GET /api/v1/background-task/%zz',
    status: 400,
    text: error('generic_error', 'The URL is not well-formed.'),
  },
];
