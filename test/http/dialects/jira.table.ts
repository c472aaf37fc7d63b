/**
 * WIRE.md, section 3, as data: a reader can lay the two beside each other. `{words}` are those of the task as our own API has
 * it; `elapsed` is the time since its handler started, to its end or to now.
 */
import { CHALLENGE, type Exchange } from './contract.ts';

/** `TaskProgressBeanObject`: key, JSON type, and whether it is always there. In this order; no other keys. */
export const BEAN: readonly (readonly [key: string, type: 'string' | 'integer' | 'any', always: boolean])[] = [
  ['self', 'string', true],
  ['id', 'string', true],
  ['description', 'string', true],
  ['status', 'string', true],
  ['message', 'string', false],
  ['result', 'any', false],
  ['submittedBy', 'integer', true],
  ['progress', 'integer', true],
  ['elapsedRuntime', 'integer', true],
  ['submitted', 'integer', true],
  ['started', 'integer', false],
  ['finished', 'integer', false],
  ['lastUpdate', 'integer', true],
];

/** The seven statuses, and what of ours each is. */
export const STATUS: Readonly<Record<string, string>> = {
  waiting: 'ENQUEUED',
  held: 'ENQUEUED',
  scheduled: 'ENQUEUED',
  queued: 'ENQUEUED',
  running: 'RUNNING',
  progressed: 'RUNNING',
  cancelling: 'CANCEL_REQUESTED',
  succeeded: 'COMPLETE',
  empty: 'COMPLETE',
  silent: 'COMPLETE',
  failed: 'FAILED',
  lost: 'DEAD',
  cancelled: 'CANCELLED',
  expired: 'CANCELLED',
};

const SELF = '"self":"{origin}/rest/api/3/task/{id}","id":"{id}","description":"reindex"';
/** 48 bits of the SHA-256 of `owner`. */
const BY = '"submittedBy":83632297967331';
const ENDED =
  '"elapsedRuntime":{elapsed},"submitted":{createdAt},"started":{startedAt},"finished":{finishedAt},"lastUpdate":{updatedAt}';
const RUNS = '"elapsedRuntime":{elapsed},"submitted":{createdAt},"started":{startedAt},"lastUpdate":{updatedAt}';
const WAITS = '"elapsedRuntime":0,"submitted":{createdAt},"lastUpdate":{updatedAt}';

const GET = 'GET /rest/api/3/task/{id}';
const CANCEL = 'POST /rest/api/3/task/{id}/cancel';
const collection = (message: string): string => `{"errorMessages":["${message}"],"errors":{}}`;
const NOT_FOUND = collection('No task has the id \\"{id}\\".');
const ENDED_ALREADY = collection('The task has ended: it cannot be cancelled.');
const HALF = '"message":"Reticulating splines"';

export const EXCHANGES: readonly Exchange[] = [
  // GET /rest/api/3/task/{taskId}: 200 TaskProgressBeanObject, 401, 403, 404
  {
    title: 'get > waiting',
    task: 'waiting',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > held',
    task: 'held',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > scheduled',
    task: 'scheduled',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > queued',
    task: 'queued',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > running',
    task: 'running',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"RUNNING",${BY},"progress":0,${RUNS}}`,
  },
  {
    title: 'get > running, with progress',
    task: 'progressed',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"RUNNING",${HALF},${BY},"progress":50,${RUNS}}`,
  },
  {
    title: 'get > cancelling',
    task: 'cancelling',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"CANCEL_REQUESTED",${HALF},${BY},"progress":50,${RUNS}}`,
  },
  {
    title: 'get > succeeded',
    task: 'succeeded',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"COMPLETE",${HALF},"result":{"files":10},${BY},"progress":100,${ENDED}}`,
  },
  {
    title: 'get > succeeded without a result',
    task: 'empty',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"COMPLETE",${HALF},${BY},"progress":100,${ENDED}}`,
  },
  {
    title: 'get > failed',
    task: 'failed',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"FAILED","message":"no folder docs",${BY},"progress":50,${ENDED}}`,
  },
  {
    title: 'get > lost',
    task: 'lost',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"DEAD","message":"its process died too often",${BY},"progress":50,${ENDED}}`,
  },
  {
    title: 'get > cancelled before it started',
    task: 'cancelled',
    request: GET,
    status: 200,
    text: `{${SELF},"status":"CANCELLED","message":"no longer needed",${BY},"progress":0,"elapsedRuntime":0,"submitted":{createdAt},"finished":{finishedAt},"lastUpdate":{updatedAt}}`,
  },
  {
    title: 'get > an administrator',
    task: 'queued',
    request: GET,
    as: 'admin',
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > basic credentials',
    task: 'queued',
    request: GET,
    as: null,
    headers: { authorization: `Basic ${btoa('owner:token')}` },
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > a slash at its end',
    task: 'queued',
    request: `${GET}/`,
    status: 200,
    text: `{${SELF},"status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'get > nobody',
    task: 'queued',
    request: GET,
    as: null,
    status: 401,
    answered: { 'www-authenticate': CHALLENGE },
    text: collection('A valid credential is needed.'),
  },
  { title: 'get > not the creator', task: 'queued', request: GET, as: 'stranger', status: 404, text: NOT_FOUND },
  {
    title: 'get > not the creator, with `forbidden: 403`',
    task: 'queued',
    request: GET,
    as: 'stranger',
    options: { forbidden: 403 },
    status: 403,
    text: collection('You may not see this task.'),
  },
  {
    title: 'get > in scope, but the policy forbids it',
    task: 'queued',
    request: GET,
    as: 'stranger',
    http: { policy: { scope: () => 'all', can: () => false } },
    status: 403,
    text: collection('You may not read task {id}.'),
  },
  {
    title: 'get > unknown',
    task: 'none',
    request: 'GET /rest/api/3/task/10000',
    status: 404,
    text: collection('No task has the id \\"10000\\".'),
  },
  // options
  {
    title: 'options > resultAsText',
    task: 'succeeded',
    request: GET,
    options: { resultAsText: true },
    status: 200,
    text: `{${SELF},"status":"COMPLETE",${HALF},"result":"{\\"files\\":10}",${BY},"progress":100,${ENDED}}`,
  },
  {
    title: 'options > userId',
    task: 'queued',
    request: GET,
    options: { userId: () => 7 },
    status: 200,
    text: `{${SELF},"status":"ENQUEUED","submittedBy":7,"progress":0,${WAITS}}`,
  },
  {
    title: 'options > basePath',
    task: 'queued',
    request: 'GET /jira/rest/api/3/task/{id}',
    options: { basePath: '/jira' },
    status: 200,
    text: `{"self":"{origin}/jira/rest/api/3/task/{id}","id":"{id}","description":"reindex","status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'options > origin',
    task: 'queued',
    request: GET,
    options: { origin: 'https://jira.example.com' },
    status: 200,
    text: `{"self":"https://jira.example.com/rest/api/3/task/{id}","id":"{id}","description":"reindex","status":"ENQUEUED",${BY},"progress":0,${WAITS}}`,
  },
  {
    title: 'redact > hides the result',
    task: 'succeeded',
    request: GET,
    http: { redact: () => 'hidden' },
    status: 200,
    text: `{${SELF},"status":"COMPLETE",${HALF},"result":"hidden",${BY},"progress":100,${ENDED}}`,
  },
  // POST /rest/api/3/task/{taskId}/cancel: 202, 400, 401, 403, 404
  { title: 'cancel > waiting', task: 'waiting', request: CANCEL, status: 202, text: '{}', after: 'cancelled' },
  { title: 'cancel > held', task: 'held', request: CANCEL, status: 202, text: '{}', after: 'cancelled' },
  { title: 'cancel > queued', task: 'queued', request: CANCEL, status: 202, text: '{}', after: 'cancelled' },
  { title: 'cancel > running', task: 'running', request: CANCEL, status: 202, text: '{}', after: 'cancelling' },
  { title: 'cancel > asked for already', task: 'cancelling', request: CANCEL, status: 202, text: '{}' },
  {
    title: 'cancel > an empty form, as jira.js@5.4.0 sends it',
    task: 'running',
    request: CANCEL,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: '',
    status: 202,
    text: '{}',
    after: 'cancelling',
  },
  {
    title: 'cancel > complete',
    task: 'succeeded',
    request: CANCEL,
    status: 400,
    text: ENDED_ALREADY,
  },
  {
    title: 'cancel > failed',
    task: 'failed',
    request: CANCEL,
    status: 400,
    text: ENDED_ALREADY,
  },
  {
    title: 'cancel > cancelled',
    task: 'cancelled',
    request: CANCEL,
    status: 400,
    text: ENDED_ALREADY,
  },
  {
    title: 'cancel > an administrator',
    task: 'queued',
    request: CANCEL,
    as: 'admin',
    status: 202,
    text: '{}',
    after: 'cancelled',
  },
  {
    title: 'cancel > nobody',
    task: 'queued',
    request: CANCEL,
    as: null,
    status: 401,
    answered: { 'www-authenticate': CHALLENGE },
    text: collection('A valid credential is needed.'),
  },
  { title: 'cancel > not the creator', task: 'queued', request: CANCEL, as: 'stranger', status: 404, text: NOT_FOUND },
  {
    title: 'cancel > not the creator, with `forbidden: 403`',
    task: 'queued',
    request: CANCEL,
    as: 'stranger',
    options: { forbidden: 403 },
    status: 403,
    text: collection('You may not see this task.'),
  },
  {
    title: 'cancel > may read, but not cancel',
    task: 'queued',
    request: CANCEL,
    as: 'stranger',
    http: { policy: { scope: () => 'all', can: (_who, action) => action === 'read' } },
    status: 403,
    text: collection('You may not cancel task {id}.'),
  },
  {
    title: 'cancel > unknown',
    task: 'none',
    request: 'POST /rest/api/3/task/10000/cancel',
    status: 404,
    text: collection('No task has the id \\"10000\\".'),
  },
  // everything else below /rest/api/3/task
  {
    title: 'other paths > none of its routes',
    task: 'none',
    request: 'GET /rest/api/3/task/1/log',
    status: 404,
    text: collection('There is nothing at /rest/api/3/task/1/log.'),
  },
  {
    title: 'other paths > its root',
    task: 'none',
    request: 'GET /rest/api/3/task',
    status: 404,
    text: collection('There is nothing at /rest/api/3/task.'),
  },
  {
    title: 'other methods > of a task',
    task: 'none',
    request: 'DELETE /rest/api/3/task/1',
    status: 405,
    answered: { allow: 'GET, HEAD, OPTIONS' },
    text: collection('DELETE is not allowed here; allowed are GET, HEAD, OPTIONS.'),
  },
  {
    title: 'other methods > of cancel',
    task: 'none',
    request: 'GET /rest/api/3/task/1/cancel',
    status: 405,
    answered: { allow: 'POST, OPTIONS' },
    text: collection('GET is not allowed here; allowed are POST, OPTIONS.'),
  },
  {
    title: 'other methods > OPTIONS',
    task: 'none',
    request: 'OPTIONS /rest/api/3/task/1',
    status: 204,
    answered: { allow: 'GET, HEAD, OPTIONS' },
  },
  {
    title: 'malformed > a path that does not decode',
    task: 'none',
    request: 'GET /rest/api/3/task/%zz',
    status: 400,
    text: collection('The URL is not well-formed.'),
  },
];
