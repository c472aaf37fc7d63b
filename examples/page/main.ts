// A page that submits tasks, shows their progress as it happens, and cancels them: `npm run example page`
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { toNodeListener } from 'tasklane/node';
import { announce, handler, manager, port } from '../frameworks/tasks.ts';
import { importMap, moduleAt } from './modules.ts';

const api = toNodeListener(handler);
const html = await readFile(new URL('index.html', import.meta.url), 'utf8');
const script = await readFile(new URL('page.js', import.meta.url), 'utf8');
const page = html.replace('<!-- IMPORT MAP -->', `<script type="importmap">${importMap}</script>`);

const server = createServer(async (request, response) => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname;
  if (path.startsWith('/api/')) {
    request.url = request.url?.slice('/api'.length);
    await api(request, response, '/api');
  } else if (path === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(page);
  } else {
    const code = path === '/page.js' ? script : await moduleAt(path);
    response.statusCode = code === null ? 404 : 200;
    response.setHeader('content-type', 'text/javascript; charset=utf-8').end(code ?? '');
  }
});

server.listen(port, '127.0.0.1', () => announce(server));

process.once('SIGTERM', async () => {
  server.close();
  await handler.close(); // ends event streams, which would keep the server open
  await manager.close();
  server.closeAllConnections(); // kept alive for requests to come
});
