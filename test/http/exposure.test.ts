import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TaskManager } from 'tasklane';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { expect, test } from 'vitest';

/** Warnings while a handler, listening there, is asked twice. */
async function warningsAt(address: string, handler: TaskHandler): Promise<readonly Error[]> {
  const warnings: Error[] = [];
  const note = (warning: Error): void => void warnings.push(warning);
  process.on('warning', note);
  const server = createServer(toNodeListener(handler));
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  for (let n = 0; n < 2; n++) await (await fetch(`http://127.0.0.1:${port}/health`)).text();
  await new Promise((resolve) => setImmediate(resolve));
  server.closeAllConnections();
  server.close();
  process.off('warning', note);
  return warnings;
}

test('a handler that asks nobody, at an address that others can reach, warns once', async () => {
  const warnings = await warningsAt('0.0.0.0', createHandler(new TaskManager()));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatchObject({ name: 'TasklaneWarning', code: 'TASKLANE_EXPOSED' });
  expect(warnings[0]?.message).toContain('0.0.0.0');
});

test('not at an address of this machine, and not when it asks who it is', async () => {
  expect(await warningsAt('127.0.0.1', createHandler(new TaskManager()))).toEqual([]);
  expect(await warningsAt('0.0.0.0', createHandler(new TaskManager(), { authenticate: () => null }))).toEqual([]);
});

test('whoever mounts it elsewhere can tell the address', async () => {
  const warned = once(process, 'warning');
  const handler = createHandler(new TaskManager());
  await handler(new Request('http://x/health'), { address: '::1' });
  await handler(new Request('http://x/health'), { address: '192.0.2.1' });
  expect(String((await warned)[0])).toContain('192.0.2.1');
});
