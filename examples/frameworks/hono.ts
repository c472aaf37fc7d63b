import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { tasklane } from 'tasklane/hono';
import { announce, handler, manager, port } from './tasks.ts';

const app = new Hono();
app.mount('/api', tasklane(handler, { basePath: '/api' }));
app.get('/', (context) => context.text('The tasks are at /api/tasks.'));

const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => announce(server));

process.once('SIGTERM', async () => {
  server.close();
  await handler.close(); // ends event streams, which would keep the server open
  await manager.close();
  if ('closeAllConnections' in server) server.closeAllConnections(); // kept alive for requests to come
});
