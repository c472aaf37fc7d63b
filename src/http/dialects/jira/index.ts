import { OptionError } from '../../../errors.ts';
import type { Optional } from '../../../handler/define.ts';
import type { Duration } from '../../../time/duration.ts';
import { json } from '../../answer.ts';
import type { HttpContext } from '../../context.ts';
import { type HttpProblem, statusOf } from '../../problem.ts';
import { BASIC_TOO } from '../credential.ts';
import { type Dialect, type DialectRoute, type DialectSurface, defineDialect, type Refusal } from '../dialect.ts';
import { findTask, type Sight } from '../find.ts';
import { type DialectOptions, oneOf, parseAge, parseDialectOptions, type Show, told } from '../options.ts';
import { type BeanSettings, beanOf } from './bean.ts';
import { stableUserId } from './user-id.ts';

/** What `jira` is made with. */
export type JiraOptions = DialectOptions &
  Optional<{
    /** The integer that Jira's `submittedBy` is, of one of our submitters. Default: a stable one made of his id. */
    userId: (submittedBy: string) => number;
    /** How long a task is told of after it ended; false: as long as the storage has it. Default 14 days, as Jira has it. */
    keep: Duration | false;
    /** What a task outside the caller's scope is answered with. Default 404: it is not there for him. */
    forbidden: 403 | 404;
    /** Sends a `result` that is no text as text of JSON, for clients that can read only text there. Default false. */
    resultAsText: boolean;
    /** Serves the paths of version 2 too, for clients of that: the operations are the same. Default true. */
    aliases: boolean;
  }>;

type Settings = BeanSettings & Sight & { readonly show: Show | null; readonly aliases: boolean };

const NEWEST = '/rest/api/3/task';
const OLDER = '/rest/api/2/task';

/**
 * Jira Cloud's API of long-running tasks, version 3: `GET /rest/api/3/task/{taskId}` and `POST .../{taskId}/cancel`, for
 * clients of Jira; version 2 has the same. By the published OpenAPI document of the Jira Cloud platform, operations `getTask`
 * and `cancelTask`.
 * @throws {OptionError}
 */
export function jira(options: JiraOptions = {}): Dialect {
  const base = parseDialectOptions('jira', options, ['userId', 'keep', 'forbidden', 'resultAsText', 'aliases']);
  const { userId = stableUserId, keep = '14d', forbidden = 404, resultAsText = false, aliases = true } = options;
  if (typeof userId !== 'function') throw new OptionError('jira.userId', 'a function', userId);
  const settings: Settings = {
    show: base.show,
    userId,
    keepMs: parseAge('jira.keep', keep),
    forbidden: oneOf('jira.forbidden', forbidden, [403, 404]),
    resultAsText: oneOf('jira.resultAsText', resultAsText, [true, false]),
    aliases: oneOf('jira.aliases', aliases, [true, false]),
  };
  return defineDialect({ name: 'jira', ...base, surface: (context) => surfaceOf(context, settings) });
}

function surfaceOf(context: HttpContext, settings: Settings): DialectSurface {
  const roots = settings.aliases ? [NEWEST, OLDER] : [NEWEST];
  return {
    roots,
    prefix: settings.aliases ? '/rest/api' : '/rest/api/3',
    challenge: BASIC_TOO,
    refuse,
    routes: roots.flatMap((root) => routesBelow(root, context, settings)),
  };
}

/** `self` is below the root that was asked. */
function routesBelow(root: string, context: HttpContext, settings: Settings): readonly DialectRoute[] {
  const { manager, inside } = context;
  return [
    {
      method: 'GET',
      path: `${root}/:taskId`,
      async handle({ caller, params, link }) {
        const task = await findTask(context, caller, 'read', idOf(params), settings);
        const self = link(`${root}/${task.id}`);
        const seen = caller.redacted(task);
        return json(200, told(settings.show, beanOf(seen, self, settings, inside.now()), seen));
      },
    },
    {
      method: 'POST',
      path: `${root}/:taskId/cancel`,
      // It has no body; what clients send in its place, such as an empty form, is left unread.
      async handle({ caller, params }) {
        const task = await findTask(context, caller, 'cancel', idOf(params), settings);
        await manager.cancel(task.id);
        return json(202, {});
      },
    },
  ];
}

function idOf({ taskId = '' }: Readonly<Record<string, string>>): string {
  return taskId;
}

/** Jira's `ErrorCollection`. What cannot be cancelled is a 400, told in Jira's words. */
function refuse({ code, message }: HttpProblem): Refusal {
  if (code === 'transition_refused')
    return { status: 400, body: collection('The task has ended: it cannot be cancelled.') };
  return { status: statusOf(code), body: collection(message) };
}

function collection(message: string): { readonly errorMessages: readonly string[]; readonly errors: object } {
  return { errorMessages: [message], errors: {} };
}
