import type { TaskRecord } from '../../task/record.ts';
import { jsonText } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { filterOf, ListParameters } from '../list-query.ts';
import { pageLink } from '../page-link.ts';
import { badParameter } from '../query.ts';
import { type Route, route } from '../route.ts';
import { TaskPage } from '../schemas.ts';
import { writePage } from '../task-pages.ts';

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
      const payloads = { input: include.includes('input'), result: include.includes('result') };
      const write = (task: TaskRecord): { item: string; size: number } => {
        const item = JSON.stringify(caller.show(task, payloads));
        return { item, size: item.length };
      };
      const [page, total] = await Promise.all([
        writePage(inside.queries, { filter, sort, cursor, limit }, caller, write),
        query.total ? inside.queries.count(filter, caller.scope) : undefined,
      ]);
      const { items, next, previous } = page;
      const rest = {
        next,
        previous,
        ...(total === undefined ? undefined : { total }),
        ...(page.truncated ? { truncated: true } : undefined),
      };
      const links = [
        pageLink(next, 'next', search, link('/tasks')),
        pageLink(previous, 'prev', search, link('/tasks')),
      ].filter((text) => text !== null);
      const text = `{"items":[${items.join(',')}],${JSON.stringify(rest).slice(1)}`;
      return jsonText(200, text, links.length > 0 ? { link: links.join(', ') } : {});
    },
  });
  return [list];
}
