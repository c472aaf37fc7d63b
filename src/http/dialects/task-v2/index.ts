import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import type { TaskFilter } from '../../../task/query.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { STATUSES, type Status } from '../../../task/status.ts';
import { type Dialect, defineDialect } from '../dialect.ts';
import { checkFunctions, type DialectOptions, oneOf, parseDialectOptions, type Submitting } from '../options.ts';
import { type Settings, surfaceOf } from './surface.ts';
import { STATUS_WORDS, type TaskV2 } from './task.ts';
import { UPDATES, type Update, updatesOf } from './update.ts';

/** What `taskV2` is made with. */
export type TaskV2Options = DialectOptions &
  Optional<{
    /** Words for our statuses; default: `pending`, `running`, `completed`, `failed`, `cancelled`. */
    statuses: Readonly<Partial<Record<Status, string>>>;
    /** The words in the order in which tasks are sorted by them; those left out follow. Default: alphabetical. */
    statusOrder: readonly string[];
    /** What a status at `update` asks for, by its word. Default: that of `queued` `restart`, those of final ones what they say. */
    updates: Readonly<Record<string, Update>>;
    /** What `request` holds. Default: the input. */
    request: (task: TaskRecord) => unknown;
    /** What `response` holds. Default: the result. */
    response: (task: TaskRecord) => unknown;
    /** Takes `request` and `response` as they are too, not only JSON as text. Default true. */
    rawJson: boolean;
    /** Changes what a `create` submits: gets that, and the body, and gives what is submitted instead. Default: as it is. */
    submit: Submitting;
    /** What a field of `filter` asks for; undefined: as it is. Default: tasks that have the value. */
    filter: (field: string, value: unknown) => TaskFilter | undefined;
    /** Whether all fields of `filter` are to fit, or one. Default `all`. */
    match: 'all' | 'any';
    /** What a `per-page` larger than the handler allows is: as many as that, or 422. Default `cap`. */
    perPageOver: 'cap' | 'refuse';
    /** The `user_id` of a task without a submitter. Default: empty. */
    noUser: string;
    /** The status of a `create`. Default 201, with `Location`. */
    created: 200 | 201;
    /** The status of a `delete`. Default 204. */
    deleted: 200 | 204;
    /** The body of a `delete` that is refused, of the tasks that would go along. Default: a list of them. */
    linked: (tasks: readonly TaskV2[]) => unknown;
    /**
     * What becomes of fields that are not the client's: another `status` at `create`, another `handler`, `user_id`, `request`, id
     * or date at `update`. Default `refuse`, with 422; `ignore` leaves them as they are.
     */
    fixed: 'refuse' | 'ignore';
    /** What a page beyond the end is: the last one, or empty. Default `last`. */
    beyondEnd: 'last' | 'empty';
    /** Sends a `Link` header with each page. Default true. */
    links: boolean;
    /** Takes the query parameter `access-token` for a bearer token. Default true. */
    accessToken: boolean;
    /** Honours the header `Idempotency-Key` at `create`. Default true. */
    idempotency: boolean;
    /** What a task outside the caller's scope is answered with. Default 404: it is not there for him. */
    forbidden: 403 | 404;
  }>;

const KNOWN = [
  'statuses',
  'statusOrder',
  'updates',
  'request',
  'response',
  'rawJson',
  'submit',
  'filter',
  'match',
  'perPageOver',
  'noUser',
  'created',
  'deleted',
  'linked',
  'fixed',
  'beyondEnd',
  'links',
  'accessToken',
  'idempotency',
  'forbidden',
] as const;

/**
 * The API of tasks below `/v2/task`: `index`, `create`, `view`, `update` and `delete`. By the published pages of 4HSE, with
 * the habits of Yii 2 where they leave something open.
 * @throws {OptionError}
 */
export function taskV2(options: TaskV2Options = {}): Dialect {
  const base = parseDialectOptions('taskV2', options, KNOWN);
  const { request = ({ input }) => input, response = ({ result }) => result } = options;
  const { linked = (tasks) => tasks, submit = null, filter = null, noUser = '' } = options;
  checkFunctions('taskV2', { request, response, linked, submit, filter });
  const statuses = { ...STATUS_WORDS, ...parseStatuses(options.statuses ?? {}) };
  if (typeof noUser !== 'string') throw new OptionError('taskV2.noUser', 'text', noUser);
  const settings: Settings = {
    show: base.show,
    statuses,
    statusOrder: parseWords(options.statusOrder ?? [], statuses),
    updates: { ...updatesOf(statuses), ...parseUpdates(options.updates ?? {}) },
    request,
    response,
    rawJson: oneOf('taskV2.rawJson', options.rawJson ?? true, [true, false]),
    submit,
    ask: filter,
    match: oneOf('taskV2.match', options.match ?? 'all', ['all', 'any']),
    perPageOver: oneOf('taskV2.perPageOver', options.perPageOver ?? 'cap', ['cap', 'refuse']),
    noUser,
    linked,
    created: oneOf('taskV2.created', options.created ?? 201, [200, 201]),
    deleted: oneOf('taskV2.deleted', options.deleted ?? 204, [200, 204]),
    beyondEnd: oneOf('taskV2.beyondEnd', options.beyondEnd ?? 'last', ['last', 'empty']),
    fixed: oneOf('taskV2.fixed', options.fixed ?? 'refuse', ['refuse', 'ignore']),
    links: oneOf('taskV2.links', options.links ?? true, [true, false]),
    accessToken: oneOf('taskV2.accessToken', options.accessToken ?? true, [true, false]),
    idempotency: oneOf('taskV2.idempotency', options.idempotency ?? true, [true, false]),
    forbidden: oneOf('taskV2.forbidden', options.forbidden ?? 404, [403, 404]),
  };
  return defineDialect({ name: 'taskV2', ...base, surface: (context) => surfaceOf(context, settings) });
}

function parseStatuses(statuses: object): Readonly<Partial<Record<Status, string>>> {
  if (statuses === null || typeof statuses !== 'object')
    throw new OptionError('taskV2.statuses', 'an object of words by status', statuses);
  for (const [status, word] of Object.entries(statuses)) {
    if (!STATUSES.includes(status as Status))
      throw new OptionError('taskV2.statuses', `words for ${STATUSES.join(', ')}`, status);
    if (typeof word !== 'string' || word === '') throw new OptionError(`taskV2.statuses.${status}`, 'a word', word);
  }
  return statuses;
}

function parseWords(words: readonly string[], statuses: Readonly<Record<Status, string>>): readonly string[] {
  const known = Object.values(statuses);
  if (Array.isArray(words) && words.every((word) => known.includes(word))) return words;
  throw new OptionError('taskV2.statusOrder', `a list of words of ${[...new Set(known)].join(', ')}`, words);
}

function parseUpdates(updates: Readonly<Record<string, Update>>): Readonly<Record<string, Update>> {
  if (updates === null || typeof updates !== 'object')
    throw new OptionError('taskV2.updates', 'an object of updates by word', updates);
  for (const [word, update] of Object.entries(updates)) oneOf(`taskV2.updates.${word}`, update, UPDATES);
  return updates;
}
