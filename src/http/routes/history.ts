import { z } from 'zod';
import type { IdleReason } from '../../explain.ts';
import type { RelatedPage } from '../../flow/related-pages.ts';
import { json, jsonText } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import { pageLink } from '../page-link.ts';
import { badParameter } from '../query.ts';
import { type Route, route } from '../route.ts';
import { Attempts, Explained, LogPage, RelatedTasks, TaskPath } from '../schemas.ts';
import { MAX_CHARACTERS } from '../task-pages.ts';
import { permitted } from '../tasks.ts';
import { NO_PAYLOADS, wireError, wireTime } from '../wire.ts';

const LOG_LIMIT = 1_000;
const MAX_RELATED = 1_000;

/** What happened to a task, why it does not run, and what belongs to it. */
export function historyRoutes(context: HttpContext): readonly Route[] {
  const { manager, inside, settings } = context;

  const log = route({
    method: 'GET',
    path: '/tasks/:id/log',
    id: 'getTaskLog',
    tag: 'tasks',
    summary:
      'What its handler wrote, oldest first; `next` is the `after` of the lines that follow, null when there are none',
    params: TaskPath,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).optional(),
      limit: z.coerce.number().int().min(1).max(LOG_LIMIT).optional(),
    }),
    answers: { 200: LogPage },
    problems: ['task_not_found'],
    async handle({ params: { id }, query: { after, limit = LOG_LIMIT }, caller }) {
      const task = await permitted(context, caller, 'read', id);
      const lines = await manager.log(id, { after, limit });
      const items = lines.map((line) => ({ ...line, at: wireTime(line.at), message: caller.showLog(line, task) }));
      return json(200, { items, next: lines.length === limit ? (lines.at(-1)?.seq ?? null) : null });
    },
  });

  const attempts = route({
    method: 'GET',
    path: '/tasks/:id/attempts',
    id: 'getTaskAttempts',
    tag: 'tasks',
    summary: 'Its attempts, oldest first',
    params: TaskPath,
    answers: { 200: Attempts },
    problems: ['task_not_found'],
    async handle({ params: { id }, caller }) {
      await permitted(context, caller, 'read', id);
      const items = (await manager.attempts(id)).map((one) => ({
        ...one,
        startedAt: one.startedAt === null ? null : wireTime(one.startedAt),
        finishedAt: one.finishedAt === null ? null : wireTime(one.finishedAt),
        error: wireError(one.error),
      }));
      return json(200, { items });
    },
  });

  const explain = route({
    method: 'GET',
    path: '/tasks/:id/explain',
    id: 'explainTask',
    tag: 'tasks',
    summary: 'Why it does not run, or who runs it',
    params: TaskPath,
    answers: { 200: Explained },
    problems: ['task_not_found'],
    async handle({ params: { id }, caller }) {
      await permitted(context, caller, 'read', id);
      const { worker, progress, ...rest } = await manager.explain(id);
      const reasons = await Promise.all(rest.reasons.map((reason) => visible(context, caller, reason)));
      // Where processes run is for those who run them.
      const machine = caller.scope === null ? {} : { host: null, pid: null };
      return json(200, {
        ...rest,
        reasons: reasons.map((reason) => ('runAt' in reason ? { ...reason, runAt: wireTime(reason.runAt) } : reason)),
        worker: worker === null ? null : { ...worker, ...machine, lastSeenAt: wireTime(worker.lastSeenAt) },
        progress: progress === null ? null : { ...progress, at: wireTime(progress.at) },
      });
    },
  });

  const related = route({
    method: 'GET',
    path: '/tasks/:id/related',
    id: 'getRelatedTasks',
    tag: 'tasks',
    summary:
      'Its parent and children, what it depends on and what depends on it; `items` is what a deletion with `related` takes along. Up to `limit` of each: `next` leads on in all of them. Without input and result',
    params: TaskPath,
    query: z.strictObject({
      limit: z.coerce.number().int().min(1).max(MAX_RELATED).optional(),
      cursor: z.string().optional(),
    }),
    answers: { 200: RelatedTasks },
    problems: ['task_not_found', 'cursor_invalid'],
    async handle({ params: { id }, query, search, link, caller }) {
      const { cursor, limit = settings.pageSize } = query;
      if (limit > settings.pageSize) throw badParameter('limit', `It may be at most ${settings.pageSize}`);
      const task = await permitted(context, caller, 'read', id);
      const page = await inside.relations.page(task, {
        limit,
        cursor,
        maxSize: MAX_CHARACTERS,
        walk: () => inside.relations.walkBelow(task, (one) => caller.reads(one)),
        write(one) {
          if (!caller.reads(one)) return null;
          const item = JSON.stringify(caller.show(one, NO_PAYLOADS));
          return { item, size: item.length };
        },
      });
      const onward = pageLink(page.next, 'next', search, link(`/tasks/${encodeURIComponent(id)}/related`));
      return jsonText(200, relatedText(page), onward === null ? {} : { link: onward });
    },
  });

  return [log, attempts, explain, related];
}

/** @param page its tasks are JSON already */
function relatedText({ parent, children, dependencies, dependents, below, next }: RelatedPage<string>): string {
  const list = (items: readonly string[]): string => `[${items.join(',')}]`;
  const ends = (of: RelatedPage<string>['dependents']): string =>
    list(of.map(({ task, ...edge }) => `{"task":${task},${JSON.stringify(edge).slice(1)}`));
  const parts = [
    `"items":${list(below)}`,
    `"parent":${parent}`,
    `"children":${list(children)}`,
    `"dependencies":${ends(dependencies)}`,
    `"dependents":${ends(dependents)}`,
    `"truncated":${next !== null}`,
    `"next":${JSON.stringify(next)}`,
  ];
  return `{${parts.join(',')}}`;
}

/** A task that waits may wait for some that do not exist for the caller. */
async function visible({ manager }: HttpContext, caller: Caller, reason: IdleReason): Promise<IdleReason> {
  if (reason.code !== 'waits_for' || caller.scope === null) return reason;
  const tasks = await Promise.all(reason.taskIds.map((id) => manager.get(id, { archived: true })));
  const taskIds = tasks.flatMap((task) => (task !== null && caller.reads(task) ? [task.id] : []));
  if (taskIds.length === reason.taskIds.length) return reason;
  return { code: 'waits_for', taskIds, message: `It waits for ${[...taskIds, 'other tasks'].join(', ')} to end.` };
}
