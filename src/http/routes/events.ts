import { isFinal } from '../../task/status.ts';
import { answer } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { type Route, route } from '../route.ts';
import { TaskPath } from '../schemas.ts';
import { existing } from './task.ts';

/** Nothing on the way may keep or gather events: not a cache, not a compressor, not a proxy such as nginx. */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** Server-sent events (HTML, section 9.2). */
export function eventRoutes(context: HttpContext): readonly Route[] {
  const { manager, hub } = context;
  const ofTask = route({
    method: 'GET',
    path: '/tasks/:id/events',
    id: 'streamTask',
    summary:
      'What happens to a task, as server-sent events: first its status as it is, and the end after its final one',
    params: TaskPath,
    answers: { 200: null },
    problems: ['task_not_found', 'rate_limited', 'manager_closed'],
    async handle({ params: { id }, request }) {
      const task = await existing(context, id);
      if (request.method === 'HEAD') return answer(200, null, HEADERS);
      const source = isFinal(task.status) ? nothing : (signal: AbortSignal) => manager.task(id).events({ signal });
      // readers of a task that has ended share no group with those that still see it run
      return answer(200, hub.open(`task ${id} ${isFinal(task.status)}`, task, source), HEADERS);
    },
  });
  return [ofTask];
}

async function* nothing(): AsyncGenerator<never> {}
