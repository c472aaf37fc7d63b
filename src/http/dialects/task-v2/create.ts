import type { Wanted } from '../../submission.ts';
import type { Submitting } from '../options.ts';
import { badField, type Fields, fieldOf, jsonField, textField } from './fields.ts';
import type { TaskSettings } from './task.ts';
import { entityOf } from './update.ts';

/** What decides what a create submits. */
export interface CreateSettings extends TaskSettings {
  readonly submit: Submitting | null;
}

/**
 * What a `create` asks for. `task_id`, `response` and the dates are the server's, and left alone.
 * @throws {HttpProblem} 422 that names the field
 */
export function wantedOf(fields: Fields, settings: CreateSettings): Wanted {
  const { statuses, noUser, fixed, submit } = settings;
  const status = fieldOf(fields, 'status') ?? statuses.queued;
  if (status !== statuses.queued && fixed === 'refuse')
    throw badField('status', `must be ${statuses.queued}, or left out`);
  const handler = fieldOf(fields, 'handler');
  if (handler === undefined || handler === null) throw badField('handler', 'cannot be blank');
  const user = fieldOf(fields, 'user_id') ?? noUser;
  const entityId = entityOf(fieldOf(fields, 'entity_id') ?? null);
  const input = jsonField('request', fieldOf(fields, 'request') ?? null, settings);
  const asked = {
    handler: textField('handler', handler),
    input: input === null ? undefined : input,
    ...(user === noUser || user === '' ? undefined : { submittedBy: userOf(user) }),
    ...(entityId === null ? undefined : { entityId }),
  };
  return (submit === null ? asked : submit(asked, fields)) as Wanted;
}

function userOf(value: unknown): string {
  const user = textField('user_id', value);
  if (user.length <= 1_000 && user.isWellFormed()) return user;
  throw badField('user_id', 'must be well-formed text of up to 1000 characters');
}
