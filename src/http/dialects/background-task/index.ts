import type { Optional } from '../../../handler/define.ts';
import type { Duration } from '../../../time/duration.ts';
import { answer } from '../../answer.ts';
import type { HttpContext } from '../../context.ts';
import { type HttpProblem, statusOf } from '../../problem.ts';
import { BASIC_TOO } from '../credential.ts';
import { type Dialect, type DialectSurface, defineDialect } from '../dialect.ts';
import { findTask, type Sight } from '../find.ts';
import { tailOf } from '../ids.ts';
import { type DialectOptions, parseAge, parseDialectOptions, type Show, told } from '../options.ts';
import { documentOf, textOf } from './document.ts';

/** What `backgroundTask` is made with. */
export type BackgroundTaskOptions = DialectOptions &
  Optional<{
    /** How long a task is told of after it ended; false, the default: as long as the storage has it. */
    keep: Duration | false;
  }>;

const ROOT = '/api/backgroundtask';
const MEDIA_TYPE = 'application/json; charset=utf-8';

/**
 * The Background Task resource of Enterprise Tester (Catch Software): `GET /api/backgroundtask/{id}`, as its help describes it.
 * An id is the handler's name and the last 27 characters of ours, and read by those.
 * @throws {OptionError}
 */
export function backgroundTask(options: BackgroundTaskOptions = {}): Dialect {
  const base = parseDialectOptions('backgroundTask', options, ['keep']);
  const sight: Sight = { keepMs: parseAge('backgroundTask.keep', options.keep ?? false) };
  return defineDialect({ name: 'backgroundTask', ...base, surface: (context) => surfaceOf(context, sight, base.show) });
}

function surfaceOf(context: HttpContext, sight: Sight, show: Show | null): DialectSurface {
  const { idPrefix } = context.inside;
  return {
    roots: [ROOT],
    prefix: '/api',
    challenge: BASIC_TOO,
    errorType: MEDIA_TYPE,
    refuse: ({ code, message }: HttpProblem) => ({ status: statusOf(code), body: { Message: message } }),
    routes: [
      {
        method: 'GET',
        path: `${ROOT}/:id`,
        async handle({ caller, params: { id = '' }, link }) {
          const tail = tailOf(id);
          const task = await findTask(context, caller, 'read', tail === null ? id : idPrefix + tail, sight, id);
          const own = `${task.handler}-${tailOf(task.id) ?? task.id}`;
          const document = told(show, documentOf(task, own, link(`${ROOT}/${own}`)), caller.redacted(task));
          return answer(200, textOf(document), { 'content-type': MEDIA_TYPE, 'cache-control': 'no-store' });
        },
      },
    ],
  };
}
