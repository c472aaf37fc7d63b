import { createServer } from 'node:http';
import { toNodeListener } from 'tasklane/node';
import { announce, handler, manager, port } from './tasks.ts';

const server = createServer(toNodeListener(handler));

server.listen(port, '127.0.0.1', () => announce(server));

process.once('SIGTERM', async () => {
  server.close();
  await handler.close(); // ends event streams, which would keep the server open
  await manager.close();
  server.closeAllConnections(); // kept alive for requests to come
});
