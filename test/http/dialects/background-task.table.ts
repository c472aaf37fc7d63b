/** WIRE.md, section 1, as data: a reader can lay the two beside each other. `{tail}`: the 27 characters behind our prefix. */
import { CHALLENGE, type Exchange } from './contract.ts';

/** The document: key, JSON type, and whether it is always there. In this order; no other keys. */
export const DOCUMENT: readonly (readonly [
  key: string,
  type: 'boolean' | 'integer' | 'number' | 'string' | 'time',
  always: boolean,
])[] = [
  ['Complete', 'boolean', true],
  ['TotalElements', 'integer', true],
  ['ProcessedElements', 'integer', true],
  ['StartedAt', 'time', true],
  ['FinishedAt', 'time', false],
  ['ProgressInPercent', 'number', true],
  ['Id', 'string', true],
  ['Message', 'string', true],
  ['Self', 'string', true],
  ['Error', 'string', false],
];

const GET = 'GET /api/backgroundtask/reindex-{tail}';
const ID = '"Id":"reindex-{tail}"';
const SELF = '"Self":"{origin}/api/backgroundtask/reindex-{tail}"';
const WAITS = `{"Complete":false,"TotalElements":0,"ProcessedElements":0,"StartedAt":"{createdAtSeconds}","ProgressInPercent":0.0,${ID},"Message":"reindex",${SELF}}`;
const NONE = '"TotalElements":0,"ProcessedElements":0';
const HALF = '"TotalElements":10,"ProcessedElements":5';
const STARTED = '"StartedAt":"{startedAtSeconds}"';
const ENDED = `${STARTED},"FinishedAt":"{finishedAtSeconds}"`;
const SPLINES = '"Message":"Reticulating splines"';
const error = (message: string): string => `{"Message":"${message}"}`;

export const EXCHANGES: readonly Exchange[] = [
  // GET /api/backgroundtask/{id}: 200
  { title: 'get > waiting', task: 'waiting', request: GET, status: 200, text: WAITS },
  { title: 'get > held', task: 'held', request: GET, status: 200, text: WAITS },
  { title: 'get > scheduled', task: 'scheduled', request: GET, status: 200, text: WAITS },
  { title: 'get > queued', task: 'queued', request: GET, status: 200, text: WAITS },
  {
    title: 'get > running',
    task: 'running',
    request: GET,
    status: 200,
    text: `{"Complete":false,${NONE},${STARTED},"ProgressInPercent":0.0,${ID},"Message":"reindex",${SELF}}`,
  },
  {
    title: 'get > running, with progress',
    task: 'progressed',
    request: GET,
    status: 200,
    text: `{"Complete":false,${HALF},${STARTED},"ProgressInPercent":0.5,${ID},${SPLINES},${SELF}}`,
  },
  {
    title: 'get > cancelling',
    task: 'cancelling',
    request: GET,
    status: 200,
    text: `{"Complete":false,${HALF},${STARTED},"ProgressInPercent":0.5,${ID},${SPLINES},${SELF}}`,
  },
  {
    title: 'get > succeeded',
    task: 'succeeded',
    request: GET,
    status: 200,
    text: `{"Complete":true,${HALF},${ENDED},"ProgressInPercent":1.0,${ID},${SPLINES},${SELF}}`,
  },
  {
    title: 'get > succeeded, and said nothing',
    task: 'silent',
    request: GET,
    status: 200,
    text: `{"Complete":true,${NONE},${ENDED},"ProgressInPercent":1.0,${ID},"Message":"Task Completed",${SELF}}`,
  },
  {
    title: 'get > failed',
    task: 'failed',
    request: GET,
    status: 200,
    text: `{"Complete":true,${HALF},${ENDED},"ProgressInPercent":0.5,${ID},"Message":"no folder docs",${SELF},"Error":"no folder docs"}`,
  },
  {
    title: 'get > lost',
    task: 'lost',
    request: GET,
    status: 200,
    text: `{"Complete":true,${HALF},${ENDED},"ProgressInPercent":0.5,${ID},"Message":"its process died too often",${SELF},"Error":"its process died too often"}`,
  },
  {
    title: 'get > cancelled before it started',
    task: 'cancelled',
    request: GET,
    status: 200,
    text: `{"Complete":true,${NONE},"StartedAt":"{createdAtSeconds}","FinishedAt":"{finishedAtSeconds}","ProgressInPercent":0.0,${ID},"Message":"no longer needed",${SELF},"Error":"no longer needed"}`,
  },
  // ids and paths
  { title: 'get > our own id', task: 'queued', request: 'GET /api/backgroundtask/{id}', status: 200, text: WAITS },
  {
    title: 'get > read by its last 27 characters',
    task: 'queued',
    request: 'GET /api/backgroundtask/other-{tail}',
    status: 200,
    text: WAITS,
  },
  { title: 'get > a slash at its end', task: 'queued', request: `${GET}/`, status: 200, text: WAITS },
  {
    title: 'options > basePath, as the product itself has one',
    task: 'queued',
    request: 'GET /EnterpriseTester/api/backgroundtask/reindex-{tail}',
    options: { basePath: '/EnterpriseTester' },
    status: 200,
    text: WAITS.replace('{origin}', '{origin}/EnterpriseTester'),
  },
  {
    title: 'options > origin',
    task: 'queued',
    request: GET,
    options: { origin: 'https://et.example.com' },
    status: 200,
    text: WAITS.replace('{origin}', 'https://et.example.com'),
  },
  // rights
  { title: 'get > an administrator', task: 'queued', request: GET, as: 'admin', status: 200, text: WAITS },
  {
    title: 'get > basic credentials',
    task: 'queued',
    request: GET,
    as: null,
    headers: { authorization: `Basic ${btoa('owner:token')}` },
    status: 200,
    text: WAITS,
  },
  {
    title: 'get > nobody',
    task: 'queued',
    request: GET,
    as: null,
    status: 401,
    answered: { 'www-authenticate': CHALLENGE },
    text: error('A valid credential is needed.'),
  },
  {
    title: 'get > not the creator',
    task: 'queued',
    request: GET,
    as: 'stranger',
    status: 404,
    text: error('No task has the id \\"reindex-{tail}\\".'),
  },
  {
    title: 'get > in scope, but the policy forbids it',
    task: 'queued',
    request: GET,
    as: 'stranger',
    http: { policy: { scope: () => 'all', can: () => false } },
    status: 403,
    text: error('You may not read task reindex-{tail}.'),
  },
  // 404 and the rest
  {
    title: 'get > unknown',
    task: 'none',
    request: 'GET /api/backgroundtask/reindex-0123456789ABCDEFGHIJKLMNOPQ',
    status: 404,
    text: error('No task has the id \\"reindex-0123456789ABCDEFGHIJKLMNOPQ\\".'),
  },
  {
    title: 'get > an id of another form',
    task: 'none',
    request: 'GET /api/backgroundtask/reindex-8a4b4d9e-56c7-4a5c-a8a2-9f2f2a0f1c11',
    status: 404,
    text: error('No task has the id \\"reindex-8a4b4d9e-56c7-4a5c-a8a2-9f2f2a0f1c11\\".'),
  },
  {
    title: 'other paths > its root',
    task: 'none',
    request: 'GET /api/backgroundtask',
    status: 404,
    text: error('There is nothing at /api/backgroundtask.'),
  },
  {
    title: 'other paths > none of its routes',
    task: 'none',
    request: 'GET /api/backgroundtask/1/2',
    status: 404,
    text: error('There is nothing at /api/backgroundtask/1/2.'),
  },
  {
    title: 'other methods > DELETE',
    task: 'queued',
    request: GET.replace('GET', 'DELETE'),
    status: 405,
    answered: { allow: 'GET, HEAD, OPTIONS' },
    text: error('DELETE is not allowed here; allowed are GET, HEAD, OPTIONS.'),
  },
  {
    title: 'other methods > OPTIONS',
    task: 'none',
    request: 'OPTIONS /api/backgroundtask/1',
    status: 204,
    answered: { allow: 'GET, HEAD, OPTIONS' },
  },
  {
    title: 'malformed > a path that does not decode',
    task: 'none',
    request: 'GET /api/backgroundtask/%zz',
    status: 400,
    text: error('The URL is not well-formed.'),
  },
];
