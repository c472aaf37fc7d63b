/**
 * What WIRE.md marks `inferred` and no option of its own changes: each with what `show` or `refuse` makes of it. `open` is the first
 * cell of its row in docs/dialects.md. `{words}` are those of the task: `id`, `tail` and `origin`.
 */
import type { TaskRecord } from 'tasklane';
import { backgroundTask, jira, svix } from 'tasklane/dialects';
import type { Dialect } from 'tasklane/http';
import type { State } from './world.ts';

/** Part of an answer. */
interface Part {
  readonly status?: number;
  /** Of the body. */
  readonly body?: unknown;
  /** Of the header fields; null: there is none. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** One line. */
export interface Choice {
  readonly open: string;
  readonly task: State;
  /** Method and path. */
  readonly request: string;
  readonly as?: string | null;
  readonly options: object;
  /** Without the options, and with them. */
  readonly from: Part;
  readonly to: Part;
}

type Shown = Readonly<Record<string, unknown>>;
type Refused = Readonly<{ status: number; body: unknown; headers?: Readonly<Record<string, string>> }>;

const show = (change: (shown: Shown, task: TaskRecord) => Shown) => ({
  show: (shown: Shown, task: TaskRecord) => ({ ...shown, ...change(shown, task) }),
});
const refuse = (change: (refused: Refused, code: string) => Partial<Refused>) => ({
  refuse: (refused: Refused, code: string) => ({ ...refused, ...change(refused, code) }),
});
/** 404 instead of 405, without `Allow`. */
const noMethod = refuse(({ status, body }, code) =>
  code === 'method_not_allowed' ? { status: 404, body, headers: {} } : { status },
);

const SVIX = '/api/v1/background-task';
const invalid = (name: string) => ({ status: 422, body: { detail: [{ loc: ['query', name], type: 'value_error' }] } });
const malformed = { status: 400, body: { code: 'generic_error' } };
/** As the published server answers what does not parse. */
const asMalformed = refuse(({ status, body }) =>
  status === 422 ? { status: 400, body: { code: 'generic_error', detail: JSON.stringify(body) } } : {},
);

const svixChoices: readonly Choice[] = [
  {
    open: 'what the 27 characters of an id hold',
    task: 'queued',
    request: `GET ${SVIX}/{id}`,
    options: show(() => ({ id: 'qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2' })),
    from: { body: { id: 'qtask_{tail}' } },
    to: { body: { id: 'qtask_1srOrx2ZWZBpBUvZwXKQmoEYga2' } },
  },
  ...['order', 'status', 'task'].map((name) => ({
    open: 'an unknown word for `order`, `status` or `task`',
    task: 'none' as const,
    request: `GET ${SVIX}?${name}=x`,
    options: asMalformed,
    from: invalid(name),
    to: malformed,
  })),
  {
    open: 'a malformed `iterator`',
    task: 'none',
    request: `GET ${SVIX}?iterator=x`,
    options: asMalformed,
    from: invalid('iterator'),
    to: malformed,
  },
  {
    open: 'a `limit` that is no number',
    task: 'none',
    request: `GET ${SVIX}?limit=ten`,
    options: refuse(({ status }) => ({ status: status === 400 ? 422 : status, body: { detail: [] } })),
    from: malformed,
    to: { status: 422, body: { detail: [] } },
  },
  {
    open: 'the `code` of 405, 413, 415 and 429',
    task: 'none',
    request: `POST ${SVIX}`,
    options: refuse(() => ({ body: { code: 'generic_error', detail: '' } })),
    from: { status: 405, body: { code: 'method_not_allowed' }, headers: { allow: 'GET, HEAD, OPTIONS' } },
    to: { status: 405, body: { code: 'generic_error' }, headers: { allow: 'GET, HEAD, OPTIONS' } },
  },
];

const ET = '/api/backgroundtask';
const REASONS = { failed: 'no folder docs', cancelled: 'no longer needed' } as const;
const asImport = ({ Id, Self }: Shown): Shown => ({
  Id: String(Id).replace(/^reindex/, 'Import'),
  Self: String(Self).replace('/reindex-', '/Import-'),
});

const backgroundTaskChoices: readonly Choice[] = [
  ...[`${ET}/{id}`, `${ET}/Import-{tail}`].map((path) => ({
    open: 'the form of an id',
    task: 'queued' as const,
    request: `GET ${path}`,
    options: show(asImport),
    from: { body: { Id: 'reindex-{tail}', Self: `{origin}${ET}/reindex-{tail}` } },
    to: { status: 200, body: { Id: 'Import-{tail}', Self: `{origin}${ET}/Import-{tail}` } },
  })),
  {
    open: '`StartedAt` of a task that has not started',
    task: 'queued',
    request: `GET ${ET}/{id}`,
    options: show((_shown, { startedAt }) => (startedAt === null ? { StartedAt: '0001-01-01T00:00:00Z' } : {})),
    from: { body: { StartedAt: '{createdAtSeconds}' } },
    to: { body: { StartedAt: '0001-01-01T00:00:00Z' } },
  },
  {
    open: '`Message`',
    task: 'silent',
    request: `GET ${ET}/{id}`,
    options: show(({ Message }) => ({ Message: Message === 'Task Completed' ? 'Done' : Message })),
    from: { body: { Message: 'Task Completed' } },
    to: { body: { Message: 'Done' } },
  },
  ...(['failed', 'cancelled'] as const).map((state) => ({
    open: '`Error` and `Message` of a task that did not succeed',
    task: state,
    request: `GET ${ET}/{id}`,
    options: show(({ Error: reason, Message }) => ({ Message: reason ? 'Task Failed' : Message, Error: '' })),
    from: { body: { Message: REASONS[state], Error: REASONS[state] } },
    to: { body: { Message: 'Task Failed', Error: '' } },
  })),
  {
    open: 'counts that are not known',
    task: 'silent',
    request: `GET ${ET}/{id}`,
    options: show(({ TotalElements }) => (TotalElements === 0 ? { TotalElements: 1, ProcessedElements: 1 } : {})),
    from: { body: { TotalElements: 0, ProcessedElements: 0, ProgressInPercent: 1 } },
    to: { body: { TotalElements: 1, ProcessedElements: 1, ProgressInPercent: 1 } },
  },
  {
    open: 'the body of an error',
    task: 'none',
    request: `GET ${ET}/7`,
    options: refuse(() => ({ body: null })),
    from: { status: 404, body: { Message: 'No task has the id "7".' } },
    to: { status: 404, body: null },
  },
  {
    open: 'other methods than GET',
    task: 'none',
    request: `DELETE ${ET}/7`,
    options: noMethod,
    from: { status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } },
    to: { status: 404, headers: { allow: null } },
  },
];

const JIRA = '/rest/api/3/task';
/** What the specification says of the errors of `cancelTask`. */
const asList = refuse(({ body }) => ({ body: (body as { errorMessages: readonly string[] }).errorMessages }));

const jiraChoices: readonly Choice[] = [
  {
    open: '`message`',
    task: 'failed',
    request: `GET ${JIRA}/{id}`,
    options: show((_shown, { error }) => (error === null ? {} : { message: `${error.code}: ${error.message}` })),
    from: { body: { message: 'no folder docs' } },
    to: { body: { message: 'handler_failed: no folder docs' } },
  },
  {
    open: '`status`',
    task: 'cancelling',
    request: `GET ${JIRA}/{id}`,
    options: show(({ status }) => ({ status: status === 'CANCEL_REQUESTED' ? 'RUNNING' : status })),
    from: { body: { status: 'CANCEL_REQUESTED' } },
    to: { body: { status: 'RUNNING' } },
  },
  {
    open: 'a `cancel` of a task that has ended',
    task: 'succeeded',
    request: `POST ${JIRA}/{id}/cancel`,
    options: refuse(({ status }, code) => ({ status: code === 'transition_refused' ? 409 : status })),
    from: { status: 400, body: { errorMessages: ['The task has ended: it cannot be cancelled.'] } },
    to: { status: 409, body: { errorMessages: ['The task has ended: it cannot be cancelled.'] } },
  },
  {
    open: '`elapsedRuntime`',
    task: 'queued',
    request: `GET ${JIRA}/{id}`,
    options: show(() => ({ elapsedRuntime: 1 })),
    from: { body: { elapsedRuntime: 0 } },
    to: { body: { elapsedRuntime: 1 } },
  },
  {
    open: 'the body of an error',
    task: 'none',
    request: `POST ${JIRA}/7/cancel`,
    options: asList,
    from: { status: 404, body: { errorMessages: ['No task has the id "7".'], errors: {} } },
    to: { status: 404, body: ['No task has the id "7".'] },
  },
  {
    open: 'the challenge of a `401`',
    task: 'none',
    request: `GET ${JIRA}/7`,
    as: null,
    options: refuse(({ headers }) => ({ headers: { ...headers, 'www-authenticate': 'OAuth realm="ours"' } })),
    from: { status: 401, headers: { 'www-authenticate': 'Basic realm="tasklane", charset="UTF-8", Bearer' } },
    to: { status: 401, headers: { 'www-authenticate': 'OAuth realm="ours"' } },
  },
  {
    open: 'other methods',
    task: 'none',
    request: `PUT ${JIRA}/7`,
    options: noMethod,
    from: { status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } },
    to: { status: 404, headers: { allow: null } },
  },
];

/** By dialect. */
export const CHOICES: readonly (readonly [name: string, make: (options: object) => Dialect, readonly Choice[]])[] = [
  ['svix', svix, svixChoices],
  ['backgroundTask', backgroundTask, backgroundTaskChoices],
  ['jira', jira, jiraChoices],
];
