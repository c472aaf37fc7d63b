import { z } from 'zod';
import { json } from '../answer.ts';
import type { HttpContext } from '../context.ts';
import { buildDocument } from '../openapi/document.ts';
import { type Route, route } from '../route.ts';

/** The OpenAPI document. @param others the rest of the route table */
export function documentRoutes({ manager, settings }: HttpContext, others: readonly Route[]): readonly Route[] {
  let built: { readonly handlers: number; readonly server: string; readonly document: Record<string, unknown> } | null =
    null;
  const document: Route = route({
    method: 'GET',
    path: '/openapi.json',
    id: 'getOpenApi',
    tag: 'service',
    summary: 'This document: OpenAPI 3.1',
    answers: { 200: z.record(z.string(), z.unknown()) },
    problems: [],
    handle({ link }) {
      const handlers = manager.handlers();
      const server = link('') || '/';
      // Handlers are only ever added, so their number says whether there are new ones.
      if (built?.handlers !== handlers.length || built.server !== server) {
        const routes = [...others, document];
        const secured = settings.authenticate !== null;
        built = { handlers: handlers.length, server, document: buildDocument(routes, handlers, { server, secured }) };
      }
      return json(200, built.document);
    },
  });
  return [document];
}
