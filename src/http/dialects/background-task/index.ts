import type { Optional } from '../../../handler/define.ts';
import type { Duration } from '../../../time/duration.ts';
import { answer, type HeaderFields } from '../../answer.ts';
import type { HttpContext } from '../../context.ts';
import { type HttpProblem, statusOf } from '../../problem.ts';
import { BASIC_TOO } from '../credential.ts';
import { type Dialect, type DialectSurface, defineDialect } from '../dialect.ts';
import { findTask, type Sight } from '../find.ts';
import { tailOf } from '../ids.ts';
import { type DialectOptions, parseAge, parseDialectOptions } from '../options.ts';
import { documentOf } from './document.ts';

/** What `backgroundTask` is made with. */
export type BackgroundTaskOptions = DialectOptions &
  Optional<{
    /** How long a task is told of after it ended; false, the default: as long as the storage has it. */
    keep: Duration | false;
  }>;

const ROOT = '/api/backgroundtask';

/**
 * The Background Task resource of Enterprise Tester (Catch Software): `GET /api/backgroundtask/{id}`, as its help describes it.
 * An id is the handler's name and the last 27 characters of ours, and read by those.
 * @throws {OptionError}
 */
export function backgroundTask(options: BackgroundTaskOptions = {}): Dialect {
  const base = parseDialectOptions('backgroundTask', options, ['keep']);
  const sight: Sight = { keepMs: parseAge('backgroundTask.keep', options.keep ?? false) };
  return defineDialect({ name: 'backgroundTask', ...base, surface: (context) => surfaceOf(context, sight) });
}

function surfaceOf(context: HttpContext, sight: Sight): DialectSurface {
  const { idPrefix } = context.inside;
  return {
    roots: [ROOT],
    challenge: BASIC_TOO,
    refuse: ({ code, message, headers }: HttpProblem) =>
      answered(statusOf(code), JSON.stringify({ Message: message }), headers),
    routes: [
      {
        method: 'GET',
        path: `${ROOT}/:id`,
        async handle({ caller, params: { id = '' }, link }) {
          const tail = tailOf(id);
          const task = await findTask(context, caller, 'read', tail === null ? id : idPrefix + tail, sight, id);
          const own = `${task.handler}-${tailOf(task.id) ?? task.id}`;
          return answered(200, documentOf(task, own, link(`${ROOT}/${own}`)));
        },
      },
    ],
  };
}

function answered(status: number, body: string, headers: HeaderFields = {}): Response {
  const fields = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  return answer(status, body, { ...fields, ...headers });
}
