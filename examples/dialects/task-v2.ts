// A back office that queues tasks through 4HSE's Task API, pages through them and closes them: only the host is another.
import { setTimeout as wait } from 'node:timers/promises';
import { defineTask } from 'tasklane';
import { taskV2 } from 'tasklane/dialects';
import { serve } from './serve.ts';

const report = defineTask({
  name: 'report',
  async run({ office }: { office: string }) {
    await wait(10);
    return { office, pages: office.length };
  },
});
const inspection = defineTask({ name: 'inspection' }); // done by people: nothing runs it, an update completes it

const { url, close } = await serve([report, inspection], [taskV2()]);

// From here on, what such a client has always done.
async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: 'Bearer token', 'content-type': 'application/json' };
  return fetch(`${url}/v2/task/${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}

for (const office of ['Rome', 'Trento', 'Milan']) {
  await send('POST', 'create', { handler: 'report', request: JSON.stringify({ office }), entity_id: office });
}
const created = await send('POST', 'create', { handler: 'inspection', entity_id: 'Rome', status: 'pending' });
const { task_id } = (await created.json()) as { task_id: string };
await send('PUT', `update/${task_id}`, { status: 'completed', response: JSON.stringify({ passed: true }) });

for (let left = -1; left !== 0; await wait(20)) {
  const page = await send('POST', 'index', { filter: { status: 'completed' }, 'per-page': 1 });
  left = 4 - Number(page.headers.get('X-Pagination-Total-Count'));
}
for (let page = 1, pages = 1; page <= pages; page++) {
  const answer = await send('POST', 'index', { 'per-page': 3, page, sort: 'entity_id' });
  pages = Number(answer.headers.get('X-Pagination-Page-Count'));
  for (const task of (await answer.json()) as Record<string, string>[]) {
    console.log(`page ${page}: ${task.handler}, ${task.entity_id}: ${task.status}, ${task.response}`);
  }
}
const deleted = await send('DELETE', `delete/${task_id}`);
console.log(`deleted: ${deleted.status}; then: ${(await send('GET', `view/${task_id}`)).status}`);

await close();
