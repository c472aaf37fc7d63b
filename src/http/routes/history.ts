import { z } from 'zod';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { type Route, route } from '../route.ts';
import { Attempts, Explained, LogPage, RelatedTasks, TaskPath } from '../schemas.ts';
import { permitted } from '../tasks.ts';
import { NO_PAYLOADS, wireError, wireTime } from '../wire.ts';

const LOG_LIMIT = 1_000;

/** What happened to a task, why it does not run, and what belongs to it. */
export function historyRoutes(context: HttpContext): readonly Route[] {
  const { manager, inside } = context;

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
      const { worker, progress, reasons, ...rest } = await manager.explain(id);
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
    summary: 'Its children and theirs, which a deletion with `related` takes along; without input and result',
    params: TaskPath,
    answers: { 200: RelatedTasks },
    problems: ['task_not_found'],
    async handle({ params: { id }, caller }) {
      const task = await permitted(context, caller, 'read', id);
      const found = await inside.relations.below(task, (one) => caller.reads(one));
      return json(200, { items: found.map((one) => caller.show(one, NO_PAYLOADS)) });
    },
  });

  return [log, attempts, explain, related];
}
