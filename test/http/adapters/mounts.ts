import { createServer, type Server } from 'node:http';
import { serve } from '@hono/node-server';
import { bodyParser } from '@koa/bodyparser';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { tasklane as onExpress } from 'tasklane/express';
import { tasklane as onFastify } from 'tasklane/fastify';
import { tasklane as onHono } from 'tasklane/hono';
import { tasklane as onKoa } from 'tasklane/koa';
import { tasklane as onNext } from 'tasklane/next';
import { type FetchHandler, type NodeListenerOptions, toNodeListener } from 'tasklane/node';
import { nestOn } from './nest.ts';

/** How an app mounts the handler. */
export interface MountOptions {
  /** Empty: the root of an app with other routes. */
  readonly prefix: '' | '/api';
  readonly trustProxy?: NodeListenerOptions['trustProxy'];
}

/** An app that listens. */
export interface Mounted {
  readonly server: Server;
  /** As the framework does it: every request that is open must end by it. */
  close(): Promise<void>;
}

/** A framework with an app of it: besides the handler `GET /other` and `GET /api/other`, which answer `other`. */
export interface Framework {
  readonly name: string;
  /** Its app has a parser of JSON in front of the handler. */
  readonly parses: boolean;
  /** The adapter decides whose `X-Forwarded-*` to believe; elsewhere the framework or its server does. */
  readonly trustsProxies: boolean;
  readonly keepsHeaderCase: boolean;
  /** Answers what nobody knows by itself. */
  readonly passesOn: boolean;
  open(handler: FetchHandler, options: MountOptions): Promise<Mounted>;
}

const OVER_NODE = { trustsProxies: true, keepsHeaderCase: true, passesOn: true };

/** Listens on a free port. */
async function listen(server: Server, handler: FetchHandler): Promise<Mounted> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return mountedOn(server, handler);
}

/** For frameworks that do not close: the app ends what is open, then its server. */
function mountedOn(server: Server, handler: FetchHandler): Mounted {
  return {
    server,
    async close() {
      await handler.close?.();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** As an app does it on Node. */
function listenFetch(app: Hono, handler: FetchHandler): Promise<Mounted> {
  app.onError((_error, context) => context.text('', 500)); // Hono's own prints the error
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => {
      resolve(mountedOn(server as Server, handler));
    });
  });
}

const node: Framework = {
  name: 'node:http',
  parses: false,
  ...OVER_NODE,
  passesOn: false,
  open(handler, { prefix, trustProxy }) {
    const listener = toNodeListener(handler, { trustProxy });
    const server = createServer((req, res) => {
      const { url = '/' } = req;
      if (url === '/other' || url === '/api/other') return res.end('other');
      req.url = url.slice(prefix.length);
      return listener(req, res, prefix);
    });
    return listen(server, handler);
  },
};

function expressOf(parses: boolean): Framework {
  return {
    name: `Express${parses ? ', bodies parsed' : ''}`,
    parses,
    ...OVER_NODE,
    open(handler, { prefix, trustProxy }) {
      const app = express();
      if (parses) app.use(express.json({ limit: '10mb' }), express.urlencoded());
      const mounted = onExpress(handler, { trustProxy });
      if (prefix === '') app.use(mounted);
      else app.use(prefix, mounted);
      app.get(['/other', '/api/other'], (_req, res) => void res.send('other'));
      return listen(createServer(app), handler);
    },
  };
}

function koaOf(parses: boolean): Framework {
  return {
    name: `Koa${parses ? ', bodies parsed' : ''}`,
    parses,
    ...OVER_NODE,
    open(handler, { prefix, trustProxy }) {
      const app = new Koa();
      app.silent = true;
      if (parses) app.use(bodyParser({ jsonLimit: '10mb' }));
      app.use(onKoa(handler, { prefix, trustProxy }));
      app.use((context) => {
        if (context.path === '/other' || context.path === '/api/other') context.body = 'other';
      });
      return listen(createServer(app.callback()), handler);
    },
  };
}

const onFastifyApp: Framework = {
  name: 'Fastify',
  parses: false,
  ...OVER_NODE,
  async open(handler, { prefix, trustProxy }) {
    const app = fastify();
    await app.register(onFastify, { prefix, handler, trustProxy });
    app.get('/other', async () => 'other');
    app.get('/api/other', async () => 'other');
    await app.listen({ port: 0, host: '127.0.0.1' });
    return { server: app.server, close: () => app.close() };
  },
};

const hono: Framework = {
  name: 'Hono',
  parses: false,
  trustsProxies: false,
  keepsHeaderCase: false,
  passesOn: true,
  open(handler, { prefix }) {
    const app = new Hono();
    app.get('/other', (context) => context.text('other'));
    app.get('/api/other', (context) => context.text('other'));
    if (prefix === '') app.use(onHono(handler));
    else app.mount(prefix, onHono(handler, { basePath: prefix }));
    return listenFetch(app, handler);
  },
};

/** The functions of a route file, without Next.js around them: its server is tried in next.test.ts. */
const next: Framework = {
  name: 'Next.js, its route functions',
  parses: false,
  trustsProxies: false,
  keepsHeaderCase: false,
  passesOn: false,
  open(handler, { prefix }) {
    const routes = onNext(handler, { basePath: prefix });
    const app = new Hono();
    app.get('/other', (context) => context.text('other'));
    app.get('/api/other', (context) => context.text('other'));
    app.all(
      '*',
      async ({ req }) =>
        (routes as Record<string, (request: Request) => Promise<Response>>)[req.method]?.(req.raw) ??
        new Response(null, { status: 405 }),
    );
    return listenFetch(app, handler);
  },
};

/** All that the conformance suite runs on. */
export const FRAMEWORKS: readonly Framework[] = [
  node,
  expressOf(false),
  expressOf(true),
  koaOf(false),
  koaOf(true),
  onFastifyApp,
  hono,
  {
    name: 'NestJS on Express',
    parses: true,
    ...OVER_NODE,
    open: (handler, options) => nestOn('express', handler, options),
  },
  {
    name: 'NestJS on Fastify',
    parses: false,
    ...OVER_NODE,
    open: (handler, options) => nestOn('fastify', handler, options),
  },
  next,
];
