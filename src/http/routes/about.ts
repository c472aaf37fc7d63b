import { z } from 'zod';
import { STATUSES } from '../../task/status.ts';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { describeHandler } from '../handler-schema.ts';
import { meOf } from '../me.ts';
import { HttpProblem } from '../problem.ts';
import { type Route, route } from '../route.ts';
import { Handlers, Me } from '../schemas.ts';

const Counts = z.object(Object.fromEntries(STATUSES.map((status) => [status, z.int()])));
const Ready = z.object({ ready: z.boolean(), problems: z.array(z.string()) });

/** What the service says of itself. */
export function aboutRoutes({ manager }: HttpContext): readonly Route[] {
  const handlers = route({
    method: 'GET',
    path: '/handlers',
    id: 'listHandlers',
    tag: 'service',
    summary: 'What can be submitted: names, and the JSON Schema of each input',
    answers: { 200: Handlers },
    problems: [],
    handle: () => json(200, { items: manager.handlers().map(describeHandler) }),
  });
  const me = route({
    method: 'GET',
    path: '/me',
    id: 'getMe',
    tag: 'service',
    summary: 'Who the caller is, which tasks exist for him, and what he may do with those of his own',
    answers: { 200: Me },
    problems: [],
    handle: ({ caller }) => json(200, meOf(caller)),
  });
  const stats = route({
    method: 'GET',
    path: '/stats',
    id: 'getStats',
    tag: 'service',
    summary: 'Tasks counted by status and by handler; only for callers for whom all tasks exist',
    answers: { 200: z.object({ byStatus: Counts, byHandler: z.record(z.string(), Counts) }) },
    problems: [],
    async handle({ caller }) {
      if (caller.scope !== null)
        throw new HttpProblem('forbidden', 'These counts are of all tasks, not only of yours.');
      return json(200, await manager.stats());
    },
  });
  const health = route({
    method: 'GET',
    path: '/health',
    id: 'getHealth',
    tag: 'service',
    summary: 'Whether the process answers',
    open: true,
    answers: { 200: z.object({ status: z.literal('ok') }) },
    problems: [],
    handle: () => json(200, { status: 'ok' }),
  });
  const ready = route({
    method: 'GET',
    path: '/ready',
    id: 'getReadiness',
    tag: 'service',
    summary: 'Whether tasks are taken and run; 503 when not',
    open: true,
    answers: { 200: Ready, 503: Ready },
    problems: [],
    async handle() {
      const state = await manager.health();
      // Everybody may ask: what a storage says of itself, behind the colon, may name files of this machine.
      const problems = state.problems.map((problem) => problem.split(':', 1)[0] ?? '');
      return json(state.ready ? 200 : 503, { ready: state.ready, problems });
    },
  });
  return [handlers, me, stats, health, ready];
}
