import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { defineTask, TaskManager } from 'tasklane';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { expect, test } from 'vitest';

test('the client runs where there is the web platform and nothing of Node, as at the edge', async () => {
  const greet = defineTask({ name: 'greet', run: async ({ name }: { name: string }) => `Hello, ${name}!` });
  const manager = new TaskManager({ handlers: [greet] });
  await manager.start();
  const handler = createHandler(manager);
  const server = createServer(toNodeListener(handler)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const script = fileURLToPath(new URL('edge.mjs', import.meta.url));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const flags = ['--experimental-vm-modules', '--no-warnings', script, url];
  const { stdout } = await promisify(execFile)(process.execPath, flags);
  const said = JSON.parse(stdout) as unknown[];
  expect(said.slice(-4)).toEqual(['status succeeded', 'Hello, Ada!', true, 'handler_unknown']);
  await handler.close();
  server.closeAllConnections();
  server.close();
  await manager.close();
});
