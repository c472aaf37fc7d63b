import { request } from 'node:http';
import { taskV2 } from 'tasklane/dialects';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Listening } from './listening.ts';

// No client of this API is on npm. The vendor's own is written in PHP: this one sends what it sends, and reads what it reads.

let listening: Listening;
beforeEach(async () => {
  listening = await Listening.open([taskV2()]);
});
afterEach(() => listening.close());

interface Answer {
  readonly status: number;
  /** By name, letter by letter. */
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

function send(method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { accept: 'application/json', 'content-type': 'application/json', authorization: 'Bearer owner' };
    const sent = request(`${listening.url}/v2/task/${path}`, { method, headers }, async (response) => {
      let text = '';
      for await (const chunk of response) text += String(chunk);
      const { rawHeaders } = response;
      const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name, rawHeaders[at + 1] ?? ''] as const] : []));
      resolve({ status: response.statusCode ?? 0, headers: new Map(pairs), text });
    });
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe('the client of the vendor', () => {
  test('index > follows all pages by headers that it looks up letter by letter', async () => {
    for (let n = 0; n < 7; n++) {
      await listening.world.manager.submit('reindex', { n }, { submittedBy: 'owner', hold: true });
    }
    const seen: unknown[] = [];
    for (let page = 1, last = 1; page <= last; page++) {
      const { headers, text } = await send('POST', 'index', { filter: [], 'per-page': 3, page, sort: 'task_id' });
      seen.push(...JSON.parse(text).map((task: { request: string }) => JSON.parse(task.request).n));
      expect(headers.get('X-Pagination-Current-Page')).toBe(String(page));
      expect(headers.get('X-Pagination-Per-Page')).toBe('3');
      expect(headers.get('X-Pagination-Total-Count')).toBe('7');
      expect(headers.get('Link')).toContain('rel=self');
      last = Number(headers.get('X-Pagination-Page-Count') ?? 1);
    }
    expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test('index > an empty map, which PHP writes as a list', async () => {
    expect(await send('POST', 'index', [])).toMatchObject({ status: 200, text: '[]' });
  });

  test('create, view, update and delete > each answers what it is to read', async () => {
    await listening.world.manager.pause();
    const made = await send('POST', 'create', { handler: 'reindex', user_id: 'owner', status: 'pending' });
    expect(made.status).toBe(201);
    const { task_id: id } = JSON.parse(made.text);
    expect(made.headers.get('Location')).toBe(`${listening.url}/v2/task/view/${id}`);
    const viewed = await send('GET', `view?id=${id}`);
    expect(viewed).toMatchObject({ status: 200, text: made.text });
    const updated = await send('PUT', `update/${id}`, { status: 'completed' });
    expect([updated.status, JSON.parse(updated.text)]).toMatchObject([200, { task_id: id, status: 'completed' }]);
    expect((await send('DELETE', `delete?id=${id}&force=true`)).status).toBe(204);
    expect((await send('GET', `view?id=${id}`)).status).toBe(404);
  });
});
