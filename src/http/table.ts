import type { HttpContext } from './context.ts';
import type { Route } from './route.ts';
import { aboutRoutes } from './routes/about.ts';
import { actionRoutes } from './routes/actions.ts';
import { documentRoutes } from './routes/document.ts';
import { editRoutes } from './routes/edit.ts';
import { eventRoutes } from './routes/events.ts';
import { historyRoutes } from './routes/history.ts';
import { listRoutes } from './routes/list.ts';
import { publishRoutes } from './routes/publish.ts';
import { scheduleRoutes } from './routes/schedules.ts';
import { submitRoutes } from './routes/submit.ts';
import { taskRoutes } from './routes/task.ts';

/** Every route of ours: what the router serves, the schemas check and the OpenAPI document tells. */
export function routeTable(context: HttpContext): readonly Route[] {
  const routes: Route[] = [
    ...submitRoutes(context),
    ...publishRoutes(context),
    ...listRoutes(context),
    ...taskRoutes(context),
    ...actionRoutes(context),
    ...editRoutes(context),
    ...historyRoutes(context),
    ...scheduleRoutes(context),
    ...eventRoutes(context),
    ...aboutRoutes(context),
  ];
  return [...routes, ...documentRoutes(context, routes)];
}
