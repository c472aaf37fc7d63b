import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { STATUSES, type Status } from '../../../task/status.ts';
import { type Dialect, defineDialect } from '../dialect.ts';
import { type DialectOptions, oneOf, parseDialectOptions } from '../options.ts';
import { type Settings, surfaceOf } from './surface.ts';
import { STATUS_WORDS, type TaskV2 } from './task.ts';

/** What `taskV2` is made with. */
export type TaskV2Options = DialectOptions &
  Optional<{
    /** Words for our statuses; default: `pending`, `running`, `completed`, `failed`, `cancelled`. */
    statuses: Readonly<Partial<Record<Status, string>>>;
    /** What `response` holds. Default: the result. */
    response: (task: TaskRecord) => unknown;
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
  'response',
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
  const { response = ({ result }) => result, linked = (tasks) => tasks, noUser = '' } = options;
  for (const [name, value] of Object.entries({ response, linked })) {
    if (typeof value !== 'function') throw new OptionError(`taskV2.${name}`, 'a function', value);
  }
  if (typeof noUser !== 'string') throw new OptionError('taskV2.noUser', 'text', noUser);
  const settings: Settings = {
    show: base.show,
    statuses: { ...STATUS_WORDS, ...parseStatuses(options.statuses ?? {}) },
    response,
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
