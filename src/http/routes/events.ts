import type { TaskNews } from '../../events.ts';
import { matches, parseFilter } from '../../task/query.ts';
import { isFinal } from '../../task/status.ts';
import { answer } from '../answer.ts';
import type { Caller } from '../caller.ts';
import type { HttpContext } from '../context.ts';
import type { EventSource, Snapshot } from '../event-group.ts';
import { parseLastEventId } from '../event-id.ts';
import { sinkFor } from '../event-sink.ts';
import { FilterParameters, filterOf } from '../list-query.ts';
import { type PlainAnswer, type Route, route } from '../route.ts';
import { TaskPath } from '../schemas.ts';
import { writePage } from '../task-pages.ts';
import { permitted } from '../tasks.ts';

/** Nothing on the way may keep or gather events: not a cache, not a compressor, not a proxy such as nginx. */
const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

const STREAM: PlainAnswer = {
  type: 'text/event-stream',
  description: 'Events `status`, `progress`, `log`, `reset` and `lagged`',
};
const RESUME = { 'Last-Event-ID': 'the `id` of the event that was seen last; nothing after it is lost or repeated' };

/** Tasks that a reader who missed too much is told of; more are in the list. */
const SNAPSHOT = 1_000;

/** Server-sent events (HTML, section 9.2). */
export function eventRoutes(context: HttpContext): readonly Route[] {
  const { manager, inside, hub, access } = context;

  const ofTask = route({
    method: 'GET',
    path: '/tasks/:id/events',
    id: 'streamTask',
    tag: 'events',
    summary: 'What happens to a task: first its status as it is, and the end after its final one',
    params: TaskPath,
    headers: RESUME,
    answers: { 200: STREAM, 204: { type: null, description: 'The final status was seen already: nothing follows' } },
    problems: ['task_not_found', 'rate_limited'],
    async handle({ params: { id }, request, caller }) {
      const task = await permitted(context, caller, 'read', id);
      const seen = parseLastEventId(request.headers);
      // `EventSource` comes back until it is told that there is nothing more.
      if (isFinal(task.status) && seen?.final === task.version) return answer(204, null);
      if (request.method === 'HEAD') return answer(200, null, HEADERS);
      const renew = async (): Promise<Caller | null> => {
        const [now, current] = [await access.renew(request), await manager.get(id, { archived: true })];
        return now !== null && current !== null && now.reads(current) ? now : null;
      };
      const source: EventSource = isFinal(task.status)
        ? nothing
        : (signal, rights) => whileAllowed(manager.task(id).events({ signal }), rights);
      const body = await hub.open({
        key: id,
        caller,
        task,
        source,
        seen,
        sink: sinkFor(request),
        ...(access.asks ? { renew } : {}),
      });
      return answer(200, body, HEADERS);
    },
  });

  const ofMany = route({
    method: 'GET',
    path: '/events',
    id: 'streamTasks',
    tag: 'events',
    summary: 'What happens from now on to all tasks that match a filter, which is written as for the list of tasks',
    query: FilterParameters,
    headers: RESUME,
    answers: { 200: STREAM },
    problems: ['option_invalid', 'rate_limited'],
    async handle({ query, request, caller }) {
      const filter = filterOf(query);
      const condition = parseFilter(filter);
      if (request.method === 'HEAD') return answer(200, null, HEADERS);
      const scope = JSON.stringify(caller.scope);
      const source: EventSource = (signal, rights) =>
        inside.news((task) => {
          if (!matches(task, condition) || !caller.sees(task)) return false;
          const now = rights().fresh();
          if (JSON.stringify(now.scope) !== scope) throw new RightsChanged();
          return now.may('read', task);
        }, signal);
      const snapshot = async (): Promise<Snapshot> => {
        const query = { filter, sort: '-updatedAt', limit: SNAPSHOT } as const;
        const page = await writePage(inside.queries, query, caller, (task) => {
          return { item: task, size: JSON.stringify([task.metadata, task.checkpoint]).length };
        });
        return { tasks: [...page.items].reverse(), complete: page.next === null };
      };
      const renew = async (): Promise<Caller | null> => {
        const now = await access.renew(request);
        return now !== null && JSON.stringify(now.scope) === scope ? now : null;
      };
      const body = await hub.open({
        key: JSON.stringify(condition),
        caller,
        task: null,
        source,
        sink: sinkFor(request),
        seen: parseLastEventId(request.headers),
        snapshot,
        ...(access.asks ? { renew } : {}),
      });
      return answer(200, body, HEADERS);
    },
  });

  return [ofTask, ofMany];
}

/** Ends a stream whose reader sees other tasks now than when it was opened. */
class RightsChanged extends Error {}

async function* nothing(): AsyncGenerator<never> {}

/** Ends before the first news that the reader may not see. */
async function* whileAllowed(events: AsyncIterable<TaskNews>, rights: () => Caller): AsyncGenerator<TaskNews> {
  for await (const news of events) {
    if (!rights().fresh().reads(news.task)) return;
    yield news;
  }
}
