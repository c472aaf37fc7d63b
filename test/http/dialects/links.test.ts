import { createServer } from 'node:http';
import { TaskManager } from 'tasklane';
import { backgroundTask, jira } from 'tasklane/dialects';
import { createHandler } from 'tasklane/http';
import { type NodeListenerOptions, toNodeListener } from 'tasklane/node';
import { afterEach, expect, test } from 'vitest';
import { addressOf } from '../adapters/support.ts';

let close: (() => Promise<unknown>) | null = null;
afterEach(async () => {
  await close?.();
  close = null;
});

/** Where `self` and `Self` of a task lead, asked for through a proxy. */
async function links(origin: string | undefined, node: NodeListenerOptions): Promise<readonly unknown[]> {
  const manager = new TaskManager();
  const handler = createHandler(manager, { dialects: [jira({ origin }), backgroundTask({ origin })] });
  const listener = toNodeListener(handler, node);
  const server = createServer((req, res) => {
    req.url = (req.url ?? '').replace(/^\/api/, '');
    void listener(req, res, '/api');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = async () => {
    server.close();
    server.closeAllConnections();
    await manager.close();
  };
  manager.register({ name: 'work' });
  const { id } = await manager.submit('work', null, { hold: true });
  const headers = { 'x-forwarded-host': 'tasks.example.com', 'x-forwarded-proto': 'https' };
  const url = addressOf(server);
  const get = async (path: string) => (await (await fetch(url + path, { headers })).json()) as Record<string, unknown>;
  const answered = [
    (await get(`/api/rest/api/3/task/${id}`)).self,
    (await get(`/api/api/backgroundtask/work-${id.slice(-27)}`)).Self,
  ];
  return answered.map((link) => String(link).replace(url, 'SERVER').replace(id, 'ID').replace(id.slice(-27), 'TAIL'));
}

const under = (start: string) => [`${start}/api/rest/api/3/task/ID`, `${start}/api/api/backgroundtask/work-TAIL`];

test('absolute URLs start where the request went; nobody is believed by default', async () => {
  expect(await links(undefined, {})).toEqual(under('SERVER'));
});

test('what a trusted proxy says is believed', async () => {
  expect(await links(undefined, { trustProxy: 'loopback' })).toEqual(under('https://tasks.example.com'));
});

test('`origin` says where they start', async () => {
  expect(await links('https://other.example', {})).toEqual(under('https://other.example'));
});
