import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineTask, TaskManager } from 'tasklane';
import { waylay } from 'tasklane/dialects';
import { createHandler } from 'tasklane/http';
import { SqliteStorage } from 'tasklane/sqlite';
import { waitFor } from 'tasklane/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runScript } from '../../support/script.ts';

// A PUT that makes a schedule of a task: the task is cancelled, then one write puts the schedule in its place, then what runs
// once is started. The process that does it dies before, or after, that write; the client sends its PUT again.

/** Dies at the write. */
const CHILD = `
  import { once } from 'node:events';
  import { defineTask, TaskManager } from 'tasklane';
  import { waylay } from 'tasklane/dialects';
  import { createHandler } from 'tasklane/http';
  import { SqliteStorage } from 'tasklane/sqlite';
  const [path, state, when, body] = process.argv.slice(-4);
  const work = defineTask({ name: 'work', run: async (_input, { signal }) => {
    if (!signal.aborted) await once(signal, 'abort');
    throw signal.reason;
  } });
  const storage = new Proxy(new SqliteStorage(path), { get(target, key) {
    const method = Reflect.get(target, key);
    if (typeof method !== 'function') return method;
    return async (...args) => {
      const isIt = key === 'change' && args[0].some(({ put }) => put !== undefined);
      if (isIt && when === 'before') process.kill(process.pid, 'SIGKILL');
      const answer = await Reflect.apply(method, target, args);
      if (isIt) process.kill(process.pid, 'SIGKILL');
      return answer;
    };
  } });
  const manager = new TaskManager({ handlers: [work], storage });
  await manager.start();
  const task = await manager.submit(work, { folder: 'docs' }, state === 'held' ? { hold: true } : {});
  if (state === 'running') for await (const news of task.events()) if (news.task.status === 'running') break;
  console.log('task ' + task.id);
  const handler = createHandler(manager, { dialects: [waylay()] });
  const headers = { 'content-type': 'application/json' };
  await handler(new Request('http://tasks.test/rules/v1/tasks/' + task.id, { method: 'PUT', headers, body }));
  console.log('answered');
`;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tasklane-gap-'));
  path = join(folder, 'tasks.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const PERIODIC = { template: 'work', name: 'Often', type: 'periodic', frequency: 3_600_000 };
const ONCE = { template: 'work', name: 'Once', type: 'onetime', variables: { folder: 'src' } };

test.each([
  ['held', 'before', PERIODIC],
  ['running', 'before', PERIODIC],
  ['running', 'after', PERIODIC],
  ['running', 'before', ONCE],
  ['running', 'after', ONCE],
] as const)(
  '%s, killed %s the write > the same PUT makes of it what was asked for: %o',
  {
    timeout: 60_000,
  },
  async (state, when, specification) => {
    const script = runScript(CHILD, [path, state, when, JSON.stringify(specification)]);
    const { lines } = await script.ended;
    expect(lines).toEqual([expect.stringMatching(/^task /)]);
    const id = (lines[0] ?? '').slice('task '.length);

    const ran: unknown[] = [];
    const work = defineTask({ name: 'work', run: (input) => void ran.push(input) });
    const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(path) });
    await manager.start();
    const handler = createHandler(manager, { dialects: [waylay()] });
    const ask = async (method: string, more: string, body?: object) => {
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await handler(new Request(`http://tasks.test/rules/v1/tasks/${id}${more}`, { method, ...sent }));
      return { status: response.status, value: (await response.json()) as Record<string, unknown> };
    };
    try {
      const there = await ask('GET', '');
      expect([there.status, there.value.ID]).toEqual([200, id]);
      const again = await ask('PUT', '', specification);
      expect([again.status, again.value.ID, again.value.type]).toEqual([200, id, specification.type]);
      expect(again.value.status).toBe('running');
      expect((await ask('GET', '/conf')).value).toEqual(specification);
      if (specification.type === 'onetime') {
        const schedule = await manager.schedules.get(id);
        await waitFor(manager, schedule?.lastTaskId ?? '', 'succeeded');
        expect(ran).toEqual([{ folder: 'src' }]);
      }
    } finally {
      await handler.close();
      await manager.close();
    }
  },
);
