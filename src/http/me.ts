import type { z } from 'zod';
import type { TaskAction } from '../handler/rights.ts';
import type { Caller } from './caller.ts';
import type { Me } from './schemas.ts';
import { previewOf } from './submit-preview.ts';

const ACTIONS: readonly TaskAction[] = ['submit', 'read', 'cancel', 'restart', 'runNow', 'update', 'delete'];

/** What `GET /me` says. The actions are those with a task that the caller himself submitted, of no handler in particular. */
export function meOf(caller: Caller): z.output<typeof Me> {
  const { principal, scope } = caller;
  const own = previewOf({}, principal?.id ?? null, Date.now());
  return {
    principal: principal === null ? null : { id: principal.id, admin: principal.admin === true },
    scope: scope === null ? 'all' : scope.length === 0 ? 'none' : 'some',
    actions: ACTIONS.filter((action) => caller.may(action, own)),
  };
}
