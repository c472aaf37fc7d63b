import fastify from 'fastify';
import { tasklane } from 'tasklane/fastify';
import { announce, handler, manager, port } from './tasks.ts';

const app = fastify();
await app.register(tasklane, { prefix: '/api', handler });
app.get('/', async () => 'The tasks are at /api/tasks.');

await app.listen({ port, host: '127.0.0.1' });
announce(app.server);

process.once('SIGTERM', async () => {
  await app.close(); // ends event streams too
  await manager.close();
});
