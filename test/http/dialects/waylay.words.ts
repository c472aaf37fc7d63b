/** What the rows of the table are written in. */
import type { Exchange } from './contract.ts';

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

export const ROOT = '/rules/v1/tasks';
export const JSON_BODY = { 'content-type': 'application/json' };
export const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

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
export const GOOD = '"health":{"errorsCount":0,"errorsRate":0},';
export const entity = (shown: Shown = {}): string => {
  const { id = '{id}', name = 'reindex', status = 'running', more = '"template":"reindex"', tags = '{}' } = shown;
  const { flags = FLAGS, times = '', count = 0, health = '' } = shown;
  return (
    `{"ID":"${id}","name":"${name}","status":"${status}","user":"owner","createTime":{createdAt},"network":{},${more},` +
    `"type":"onetime",${flags},"tags":${tags},${times}"invocationCount":${count},${health}"pendingNodes":{},"rawData":{}}`
  );
};
export const RUNS = { times: '"lastExecutionTime":{startedAt},', count: 1 };
const RAN = { status: 'stopped', times: '"finishedTime":{finishedAt},"lastExecutionTime":{startedAt},', count: 1 };
export const FAILED = { ...RAN, status: 'failed' };
const NEVER_RAN = { status: 'stopped', times: '"finishedTime":{finishedAt},' };

export const error = (statusCode: number, text: string): string => `{"statusCode":${statusCode},"error":"${text}"}`;
export const notFound = (id: string): string => error(404, `Task with id ${id} not found`);
const invalid = (text: string, ...details: readonly (readonly [path: string, message: string])[]): string =>
  `{"statusCode":400,"error":"${text}","code":"VALIDATION","details":[${details
    .map(([path, message]) =>
      path === ''
        ? `{"severity":"ERROR","type":"VALIDATION","message":"${message}","details":{"path":""}}`
        : `{"severity":"ERROR","type":"VALIDATION","message":"${path} ${message}","details":{"path":"${path}"}}`,
    )
    .join(',')}]}`;
export const bad = (...details: readonly (readonly [path: string, message: string])[]): string =>
  invalid(`The body is not valid: ${details.map(([path, message]) => `${path}: ${message}`).join('; ')}`, ...details);
export const UNAUTHENTICATED = error(401, 'A valid credential is needed.');
export const impossible = (what: string, status: string): string =>
  error(400, `Not possible to ${what} in status ${status}`);

export const TOO_OFTEN =
  "frequency must be a duration in ms or such as '30s', '5m' or '1h', from 100 ms to 100 years, but is 1.";

export const CREATE = { task: 'queued', request: `POST ${ROOT}`, headers: JSON_BODY } as const;
export const GET = `GET ${ROOT}/{id}`;
export const listed = (title: string, query: string, more: Partial<Exchange> = {}): Exchange => ({
  title: `list > ${title}`,
  task: 'queued',
  request: `GET ${ROOT}?${query}`,
  status: 200,
  answered: { 'x-count': '1' },
  text: `[${entity()}]`,
  ...more,
});
export const none = (title: string, query: string, more: Partial<Exchange> = {}): Exchange =>
  listed(title, query, { answered: { 'x-count': '0' }, text: '[]', ...more });
export const refused = (name: string, value: string, message: string): Exchange =>
  listed(`${name} that is none`, `${name}=${value}`, {
    status: 400,
    answered: {},
    text: `{"statusCode":400,"error":"The query parameter \\"${name}\\" is not valid: ${message}.","code":"VALIDATION","details":[{"severity":"ERROR","type":"VALIDATION","message":"${name} ${message.replace('It ', '')}","details":{"path":"${name}"}}]}`,
  });

export const states: Readonly<Record<string, Shown>> = {
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
