import type { Principal, TaskAction } from '../handler/rights.ts';
import type { TaskFilter } from '../task/query.ts';
import type { TaskRecord } from '../task/record.ts';

/** Who may see and do what. Asked anew for every request, and by event streams for every event: it may change at any time. */
export interface Policy<P extends Principal = Principal> {
  /**
   * The tasks that exist for a principal: those of a filter, or of any of several; for all others he is answered as if they
   * were not there. Archived ones are in it too, unless the filter says. A key that is undefined is an error, as it would
   * match everything.
   */
  scope(principal: P): TaskFilter | readonly TaskFilter[] | 'all' | 'none';
  /**
   * Whether a principal may do this with a task that is in his scope; only `true` allows. For `submit` the task is not stored
   * yet: its id is empty.
   */
  can(principal: P, action: TaskAction, task: TaskRecord): boolean;
  /** Whether a principal may submit in the name of another; default: nobody may. Only `true` allows. */
  submitAs?(principal: P, userId: string): boolean;
}

/** Everybody has his own tasks, which are those he submitted; an admin has all, and submits for others. The default. */
export const ownerOrAdmin: Policy = {
  scope: ({ id, admin }) => (admin === true ? 'all' : { submittedBy: id }),
  can: ({ id, admin }, _action, { submittedBy }) => admin === true || submittedBy === id,
  submitAs: ({ admin }) => admin === true,
};

/** Everybody who is known reads everything, and nobody changes anything. */
export const readOnly: Policy = { scope: () => 'all', can: (_principal, action) => action === 'read' };

/** Everybody who is known may do everything. */
export const allowAll: Policy = { scope: () => 'all', can: () => true, submitAs: () => true };
