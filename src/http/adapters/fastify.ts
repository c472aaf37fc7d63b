/**
 * `tasklane/fastify`: the HTTP surface on Fastify 5.
 * @module
 */
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { below, type FetchHandler } from './fetch-handler.ts';
import { isFor, type NodeListenerOptions, toNodeListener } from './node-listener.ts';

/** What the plugin is registered with, beside Fastify's own `prefix`. */
export type FastifyTasklaneOptions = NodeListenerOptions & { readonly handler: FetchHandler };

/**
 * A plugin. It leaves the parsers and hooks of the app as they are, and goes after the app's own routes; what it has no route
 * for is answered as the app answers what it does not know. Closing the app ends event streams.
 * @example app.register(tasklane, { prefix: '/api', handler: createHandler(manager) })
 */
export const tasklane: FastifyPluginAsync<FastifyTasklaneOptions> = async (app, { handler, ...options }) => {
  const listen = toNodeListener(handler, options);
  // of this plugin only: bodies are read by the handler
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _body, done) => done(null));
  app.addHook('preClose', async () => handler.close?.());

  const serve = (request: FastifyRequest, reply: FastifyReply): unknown => {
    const { raw } = request;
    const { url } = raw;
    raw.url = below(url ?? '/', app.prefix.replace(/\/$/, '')) ?? url;
    if (!isFor(handler, raw)) {
      raw.url = url;
      return reply.callNotFound();
    }
    reply.hijack();
    // a hijacked reply runs no more hooks: what earlier ones set, such as CORS, goes along
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, value);
    }
    return listen(raw, reply.raw, app.prefix.replace(/\/$/, ''));
  };
  app.all('/', serve);
  app.all('/*', serve);
};
