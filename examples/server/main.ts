// A server that runs as it is: `npm start`. Tasks over HTTP on SQLite, and the search that one of them feeds.
import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import { TaskManager } from 'tasklane';
import { backgroundTask, jira, svix, taskV2, waylay } from 'tasklane/dialects';
import { createHandler } from 'tasklane/http';
import { toNodeListener } from 'tasklane/node';
import { SqliteStorage } from 'tasklane/sqlite';
import { fail } from './handlers/fail.ts';
import { reindexTask } from './handlers/reindex.ts';
import { sleep } from './handlers/sleep.ts';
import { SearchStore } from './search.ts';
import { usersOf } from './users.ts';

const { PORT = '3000', TASKLANE_DB = 'tasks.db', TASKLANE_USERS } = process.env;

const store = await SearchStore.open(`${TASKLANE_DB}.search`);
const manager = new TaskManager({
  handlers: [reindexTask(store), sleep, fail],
  storage: new SqliteStorage(TASKLANE_DB),
  concurrency: 10,
});
manager.on('error', ({ error, taskId }) => console.error(taskId ?? 'tasklane', error));

// Without users whoever reaches this address is an administrator; with them everybody has his own tasks.
const authenticate = TASKLANE_USERS === undefined ? undefined : usersOf(TASKLANE_USERS);
const handler = createHandler(manager, {
  authenticate,
  dialects: [svix(), jira(), backgroundTask(), taskV2(), waylay()],
});
const listener = toNodeListener(async (request, options) => {
  return new URL(request.url).pathname === '/search' ? search(request) : handler(request, options);
});
const server = createServer(listener);

function search(request: Request): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem(405, 'method_not_allowed', 'Search by GET.', { allow: 'GET, HEAD' });
  }
  if (authenticate?.(request) === null) {
    return problem(401, 'unauthenticated', 'A valid credential is needed.', { 'www-authenticate': 'Bearer' });
  }
  const query = new URL(request.url).searchParams.get('q');
  if (query === null) return problem(400, 'malformed', 'The query parameter "q" is missing: the words to look for.');
  return Response.json({ hits: store.search(query) });
}

/** A problem document (RFC 9457), as the handler answers errors. */
function problem(status: number, code: string, detail: string, headers: Record<string, string> = {}): Response {
  const document = { type: 'about:blank', title: STATUS_CODES[status], status, detail, code };
  return Response.json(document, { status, headers: { 'content-type': 'application/problem+json', ...headers } });
}

async function stop(): Promise<void> {
  server.close(); // no new connections, while those that are open are served
  await handler.close();
  await manager.close({ timeout: '5s' }); // what is not done by then is given back, for the next process
  server.closeAllConnections();
  process.exit(0);
}

await manager.start();
server.listen(Number(PORT), '127.0.0.1');
await once(server, 'listening');
process.once('SIGTERM', stop);
process.once('SIGINT', stop);
const address = server.address();
console.log(`tasklane listens on http://127.0.0.1:${typeof address === 'object' ? address?.port : PORT}`);
