import express from 'express';
import { tasklane } from 'tasklane/express';
import { announce, handler, manager, port } from './tasks.ts';

const app = express();
app.use('/api', tasklane(handler));
app.get('/', (_request, response) => void response.send('The tasks are at /api/tasks.'));

const server = app.listen(port, '127.0.0.1', () => announce(server));

process.once('SIGTERM', async () => {
  server.close();
  await handler.close(); // ends event streams, which would keep the server open
  await manager.close();
  server.closeAllConnections(); // kept alive for requests to come
});
