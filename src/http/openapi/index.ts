import type { TaskManager } from '../../manager.ts';
import { makeContext } from '../context.ts';
import { parseHandlerOptions } from '../options.ts';
import { routeTable } from '../table.ts';
import { buildDocument } from './document.ts';

/**
 * The OpenAPI 3.1 document of what `createHandler` serves for a manager, with the inputs of the handlers that are registered
 * now. `GET /openapi.json` answers the same, for the path it is mounted at.
 */
export function openApiDocument(manager: TaskManager): Record<string, unknown> {
  const settings = parseHandlerOptions({}, manager.maxInputBytes);
  const routes = routeTable(makeContext(manager, settings, new AbortController().signal));
  return buildDocument(routes, manager.handlers(), { server: '/', secured: true });
}
