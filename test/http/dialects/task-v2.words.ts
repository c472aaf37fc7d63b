/** What the rows of the table are written in. */
import type { Exchange } from './contract.ts';
import type { State } from './world.ts';

/** A task: key, JSON type, and whether it may be null. In this order; no other keys. */
export const TASK: readonly (readonly [key: string, type: 'string' | 'JSON' | 'day', nullable: boolean])[] = [
  ['task_id', 'string', false],
  ['handler', 'string', false],
  ['user_id', 'string', false],
  ['entity_id', 'string', true],
  ['status', 'string', false],
  ['request', 'JSON', true],
  ['response', 'JSON', true],
  ['created_at', 'day', false],
  ['updated_at', 'day', false],
];

/** What of ours each status is. */
export const STATUS: Readonly<Record<Exclude<State, 'none'>, string>> = {
  waiting: 'pending',
  held: 'pending',
  scheduled: 'pending',
  queued: 'pending',
  running: 'running',
  progressed: 'running',
  cancelling: 'running',
  succeeded: 'completed',
  silent: 'completed',
  empty: 'completed',
  failed: 'failed',
  lost: 'failed',
  cancelled: 'cancelled',
  expired: 'cancelled',
} as Readonly<Record<Exclude<State, 'none'>, string>>;

export const WHO = '"handler":"reindex","user_id":"owner","entity_id":null';
const DOCS = '"request":"{\\"folder\\":\\"docs\\"}"';
const DAYS = '"created_at":"{createdAtDay}","updated_at":"{updatedAtDay}"';
export const document = (status: string, response = 'null', more = DOCS): string =>
  `{"task_id":"{id}",${WHO},"status":"${status}",${more},"response":${response},${DAYS}}`;
export const FILES = '"{\\"files\\":10}"';

/** An error that is not about a field. */
export const yii = (status: number, name: string, type: string, message: string): string =>
  `{"name":"${name}","message":"${message}","code":0,"status":${status},"type":"yii\\\\web\\\\${type}HttpException"}`;
export const unauthorized = yii(401, 'Unauthorized', 'Unauthorized', 'A valid credential is needed.');
export const notFound = (id: string): string => yii(404, 'Not Found', 'NotFound', `No task has the id \\"${id}\\".`);
export const field = (name: string, message: string): string => `[{"field":"${name}","message":"${message}"}]`;
export const pages = (
  current: number,
  count: number,
  per: number,
  total: number,
): Readonly<Record<string, string>> => ({
  'x-pagination-current-page': String(current),
  'x-pagination-page-count': String(count),
  'x-pagination-per-page': String(per),
  'x-pagination-total-count': String(total),
});

const JSON_BODY = { 'content-type': 'application/json' };
export const INDEX = { task: 'queued', request: 'POST /v2/task/index', headers: JSON_BODY } as const;
export const CREATE = { task: 'queued', request: 'POST /v2/task/create', headers: JSON_BODY } as const;
export const UPDATE = { request: 'PUT /v2/task/update/{id}', headers: JSON_BODY } as const;
export const VIEW = 'GET /v2/task/view/{id}';
export const DELETE = 'DELETE /v2/task/delete/{id}';
export const FIELDS = 'task_id, handler, user_id, entity_id, status, request, response, created_at, updated_at';
export const made = (rest: string): string =>
  `{"task_id":"{made}",${rest},"response":null,"created_at":"{today}","updated_at":"{today}"}`;

/** A row of `index` that finds the one task there is, and one that finds none. */
export const finds = (title: string, body: string): Exchange => ({
  ...INDEX,
  title: `index > ${title}`,
  body,
  status: 200,
  answered: pages(1, 1, 100, 1),
  text: `[${document('pending')}]`,
});
export const findsNone = (title: string, body: string): Exchange => ({
  ...INDEX,
  title: `index > ${title}`,
  body,
  status: 200,
  answered: pages(1, 0, 100, 0),
  text: '[]',
});
export const refused = (title: string, body: string, text: string): Exchange => ({
  ...INDEX,
  title: `index > ${title}`,
  body,
  status: 422,
  text,
});
