// What every example of a dialect stands on: a task manager behind published task APIs, on a port of this machine.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AnyTask, TaskManager } from 'tasklane';
import { createHandler, type Dialect } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';

/** Serves handlers through dialects, to everybody on this machine. */
export async function serve(handlers: readonly AnyTask[], dialects: readonly Dialect[]) {
  const manager = new TaskManager({ handlers });
  await manager.start();
  const handler = createHandler(manager, { dialects });
  const server = createServer(toNodeListener(handler));
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(server, 'listening');
  const close = async (): Promise<void> => {
    server.close();
    await handler.close();
    await manager.close();
    server.closeAllConnections(); // kept alive for requests to come
  };
  return { manager, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
