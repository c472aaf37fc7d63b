import { z } from 'zod';
import type { TaskFilter } from '../task/query.ts';
import { Flag, Sort, Status, Time } from './schemas.ts';

const Names = z.array(z.string());

/** A filter as a query. Lists may be repeated, or have commas between. */
export const FilterParameters = z.strictObject({
  status: z.array(Status).optional(),
  handler: Names.optional(),
  ids: Names.optional(),
  submittedBy: z.string().optional(),
  entityId: z.string().optional(),
  parentId: z.string().optional(),
  scheduleId: z.string().optional(),
  /** `tag.<key>=<value>`; repeated: any of them; empty: has any value. */
  tag: z.record(z.string(), z.array(z.string())).optional(),
  createdAfter: Time.optional(),
  createdBefore: Time.optional(),
  updatedAfter: Time.optional(),
  updatedBefore: Time.optional(),
  finishedAfter: Time.optional(),
  finishedBefore: Time.optional(),
  q: z.string().optional(),
  archived: z
    .enum(['true', 'false', 'both'])
    .transform((text) => (text === 'both' ? text : text === 'true'))
    .optional(),
});

/** The query of a list: a filter and how to page through it. */
export const ListParameters = FilterParameters.extend({
  sort: Sort.optional(),
  limit: z.coerce.number().int().min(1).max(1_000).optional(),
  cursor: z.string().optional(),
  total: Flag.optional(),
  include: z.array(z.enum(['input', 'result'])).optional(),
});

/** A filter from a query that was checked. */
export function filterOf(query: z.output<typeof FilterParameters>): TaskFilter {
  return {
    status: query.status,
    handler: query.handler,
    ids: query.ids,
    submittedBy: query.submittedBy,
    entityId: query.entityId,
    parentId: query.parentId,
    scheduleId: query.scheduleId,
    tags: query.tag === undefined ? undefined : tagsOf(query.tag),
    created: rangeOf(query.createdAfter, query.createdBefore),
    updated: rangeOf(query.updatedAfter, query.updatedBefore),
    finished: rangeOf(query.finishedAfter, query.finishedBefore),
    text: query.q,
    archived: query.archived,
  };
}

function tagsOf(tag: Readonly<Record<string, readonly string[]>>): TaskFilter['tags'] {
  const entries = Object.entries(tag).map(
    ([key, values]) => [key, values.includes('') ? ({ any: true } as const) : values] as const,
  );
  return Object.fromEntries(entries);
}

function rangeOf(after: number | undefined, before: number | undefined): TaskFilter['created'] {
  return after === undefined && before === undefined ? undefined : { after, before };
}
