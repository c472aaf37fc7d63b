import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { filterOf, ListParameters } from '../list-query.ts';
import { badParameter } from '../query.ts';
import { type Route, route } from '../route.ts';
import { TaskPage } from '../schemas.ts';

/** `GET /tasks`. */
export function listRoutes({ inside, settings }: HttpContext): readonly Route[] {
  const list = route({
    method: 'GET',
    path: '/tasks',
    id: 'listTasks',
    tag: 'tasks',
    summary:
      'Tasks that match a filter, a page at a time; without input and result unless `include` names them. `tag.<key>=<value>` asks for a tag: repeated it means any of these values, empty any value',
    query: ListParameters,
    answers: { 200: TaskPage },
    problems: ['option_invalid', 'cursor_invalid'],
    async handle({ query, search, link, caller }) {
      const { sort, cursor, limit = Math.min(50, settings.pageSize), include = [] } = query;
      if (limit > settings.pageSize) throw badParameter('limit', `It may be at most ${settings.pageSize}`);
      const filter = filterOf(query);
      const [page, total] = await Promise.all([
        inside.queries.list({ filter, sort, cursor, limit }, caller.scope),
        query.total ? inside.queries.count(filter, caller.scope) : undefined,
      ]);
      const payloads = { input: include.includes('input'), result: include.includes('result') };
      const body = {
        // What is in his scope and he may not read is left out: the page is shorter then.
        items: page.items.filter((task) => caller.may('read', task)).map((task) => caller.show(task, payloads)),
        next: page.next,
        previous: page.previous,
        ...(total === undefined ? undefined : { total }),
        ...(page.truncated ? { truncated: true } : undefined),
      };
      const links = [
        linkTo(page.next, 'next', search, link('/tasks')),
        linkTo(page.previous, 'prev', search, link('/tasks')),
      ].filter((text) => text !== null);
      return json(200, body, links.length > 0 ? { link: links.join(', ') } : {});
    },
  });
  return [list];
}

/** A link to another page of the same query (RFC 8288). */
function linkTo(cursor: string | null, relation: string, search: URLSearchParams, path: string): string | null {
  if (cursor === null) return null;
  const query = new URLSearchParams(search);
  query.set('cursor', cursor);
  return `<${path}?${query}>; rel="${relation}"`;
}
