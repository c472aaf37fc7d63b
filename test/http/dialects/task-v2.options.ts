import { OptionError, type TaskFilter } from 'tasklane';
import type { ToSubmit } from 'tasklane/dialects';
import type { Exchange } from './contract.ts';
import { CREATE, document, field, INDEX, made, pages, UPDATE, VIEW } from './task-v2.words.ts';

const found = (title: string, options: object, body: string, text: string, more: Partial<Exchange> = {}): Exchange => ({
  ...INDEX,
  title: `options > ${title}`,
  options,
  body,
  status: 200,
  text,
  ...more,
});
const IT = `[${document('pending')}]`;

/** Rows of what options change of that which the published pages leave open. */
export const OPTIONS: readonly Exchange[] = [
  {
    title: 'options > statuses',
    task: 'queued',
    request: VIEW,
    options: { statuses: { queued: 'waiting' } },
    status: 200,
    text: document('waiting'),
  },
  {
    title: 'options > request',
    task: 'queued',
    request: VIEW,
    options: { request: () => ['theirs'] },
    status: 200,
    text: document('pending', 'null', '"request":"[\\"theirs\\"]"'),
  },
  {
    title: 'options > response',
    task: 'failed',
    request: VIEW,
    options: { response: (task: { error: { message: string } }) => ({ error: task.error.message }) },
    status: 200,
    text: document('failed', '"{\\"error\\":\\"no folder docs\\"}"'),
  },
  {
    ...CREATE,
    title: 'options > rawJson: false',
    body: '{"handler":"reindex","request":{"a":1}}',
    options: { rawJson: false },
    status: 422,
    text: field('request', 'must be JSON, as text'),
  },
  {
    ...CREATE,
    title: 'options > rawJson: false takes text',
    body: '{"handler":"reindex","request":"{\\"a\\":1}"}',
    options: { rawJson: false },
    status: 201,
    text: made('"handler":"reindex","user_id":"owner","entity_id":null,"status":"pending","request":"{\\"a\\":1}"'),
  },
  {
    ...CREATE,
    title: 'options > submit',
    body: '{"handler":"import","entity_id":"docs"}',
    options: {
      submit: ({ handler, ...rest }: ToSubmit, { entity_id }: Record<string, unknown>) => ({
        ...rest,
        handler: handler === 'import' ? 'reindex' : handler,
        input: { folder: entity_id },
      }),
    },
    status: 201,
    text: made(
      '"handler":"reindex","user_id":"owner","entity_id":"docs","status":"pending","request":"{\\"folder\\":\\"docs\\"}"',
    ),
  },
  {
    ...CREATE,
    title: 'options > submit refuses',
    body: '{"handler":"reindex","task_id":"task-1"}',
    options: {
      submit: (asked: ToSubmit, { task_id }: Record<string, unknown>) => {
        if (task_id !== undefined) throw new OptionError('task_id', 'left out', task_id);
        return asked;
      },
    },
    status: 422,
    text: field('task_id', '`task_id` must be left out, but is \\"task-1\\".'),
  },
  {
    ...UPDATE,
    title: 'options > updates',
    task: 'queued',
    body: '{"status":"running"}',
    options: { updates: { running: 'complete', completed: 'refuse' } },
    status: 200,
    after: 'succeeded',
    text: document('completed'),
  },
  {
    ...UPDATE,
    title: 'options > updates: refuse',
    task: 'queued',
    body: '{"status":"completed"}',
    options: { updates: { completed: 'refuse' } },
    status: 422,
    text: field('status', 'must be one of pending, failed, cancelled'),
  },
  found(
    'filter',
    { filter: (name: string): TaskFilter | undefined => (name === 'entity_id' ? {} : undefined) },
    '{"filter":{"entity_id":"e-1"}}',
    IT,
  ),
  found(
    'filter, with another field as it is',
    { filter: (name: string) => (name === 'owner' ? { submittedBy: 'owner' } : undefined) },
    '{"filter":{"owner":7,"status":"failed"}}',
    '[]',
  ),
  found(
    'filter, two about the same',
    { filter: (name: string, value: unknown) => (name === 'in' ? { status: value } : undefined) },
    '{"filter":{"status":"pending","in":"running"}}',
    '[]',
  ),
  found('match: any', { match: 'any' }, '{"filter":{"status":"failed","handler":"reindex"}}', IT, {
    answered: pages(1, 1, 100, 1),
  }),
  found('match: any, of which none fits', { match: 'any' }, '{"filter":{"status":"failed","handler":"import"}}', '[]'),
  found('match: any, of nothing', { match: 'any' }, '{"filter":{}}', IT),
  found(
    'perPageOver: refuse',
    { perPageOver: 'refuse' },
    '{"per-page":1001}',
    field('per-page', 'must be no greater than 1000'),
    { status: 422 },
  ),
  found('perPageOver: refuse, of as many as there may be', { perPageOver: 'refuse' }, '{"per-page":1000}', IT),
  found(
    'refuse gives 422 another status',
    { refuse: ({ body }: { body: unknown }, code: string) => ({ status: 400, body: { code, body } }) },
    '{"page":0}',
    `{"code":"input_invalid","body":${field('page', 'must be an integer of at least 1')}}`,
    { status: 400 },
  ),
  {
    ...UPDATE,
    title: 'options > show: what is told is no change',
    task: 'succeeded',
    body: '{"task_id":"{id}","status":"done","response":"none","created_at":"long ago","more":1}',
    options: { show: (shown: object) => ({ ...shown, status: 'done', response: 'none', created_at: 'long ago' }) },
    status: 200,
    text: document('completed', '"none"').replace('completed', 'done').replace('"{createdAtDay}"', '"long ago"'),
  },
  {
    ...UPDATE,
    title: 'options > show: what is told with a status is what it ends with',
    task: 'queued',
    body: '{"status":"completed","response":"7"}',
    options: { show: (shown: object) => ({ ...shown, response: '7' }) },
    status: 200,
    after: 'succeeded',
    text: document('completed', '"7"'),
  },
  {
    title: 'options > basePath',
    task: 'queued',
    request: 'GET /service/v2/task/view/{id}',
    options: { basePath: '/service' },
    status: 200,
    text: document('pending'),
  },
];
