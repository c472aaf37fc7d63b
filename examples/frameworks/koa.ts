import Koa from 'koa';
import { tasklane } from 'tasklane/koa';
import { announce, handler, manager, port } from './tasks.ts';

const app = new Koa();
app.use(tasklane(handler, { prefix: '/api' }));
app.use((context) => {
  context.body = 'The tasks are at /api/tasks.';
});

const server = app.listen(port, '127.0.0.1', () => announce(server));

process.once('SIGTERM', async () => {
  server.close();
  await handler.close(); // ends event streams, which would keep the server open
  await manager.close();
  server.closeAllConnections(); // kept alive for requests to come
});
