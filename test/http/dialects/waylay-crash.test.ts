import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Clock, defineTask, TaskManager } from 'tasklane';
import { waylay } from 'tasklane/dialects';
import { createHandler, type TaskHandler } from 'tasklane/http';
import { SqliteStorage } from 'tasklane/sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runScript } from '../../support/script.ts';

/** What the killed process does; it says so with `begun`. */
const CHILD = `
  import { defineTask, TaskManager } from 'tasklane';
  import { waylay } from 'tasklane/dialects';
  import { createHandler } from 'tasklane/http';
  import { SqliteStorage } from 'tasklane/sqlite';
  const [path, what] = process.argv.slice(-2);
  const work = defineTask({ name: 'work', run: () => {} });
  const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(path) });
  await manager.start({ run: false });
  const handler = createHandler(manager, { dialects: [waylay()] });
  const ask = async (method, path, body) => {
    const headers = { 'content-type': 'application/json' };
    const sent = new Request('http://tasks.test/rules/v1/' + path, { method, headers, body: JSON.stringify(body) });
    return (await handler(sent)).json();
  };
  const ids = (await manager.list({ limit: 1000, sort: 'id' })).items.map(({ id }) => id);
  if (what === 'batch') {
    const { entity } = await ask('POST', 'batch', { entity: 'task', action: 'delete', query: { ids } });
    console.log('begun ' + entity.id);
  } else {
    console.log('begun');
    for (const id of ids) {
      await ask('PUT', 'tasks/' + id, { template: 'work', name: 'W', type: 'periodic', frequency: 3600000, start: false });
    }
  }
`;

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tasklane-waylay-'));
  path = join(folder, 'tasks.db');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Opens the file in this process, half a minute and more after everything else. */
async function opened<T>(work: (manager: TaskManager, handler: TaskHandler) => Promise<T>): Promise<T> {
  const clock: Clock = {
    now: () => Date.now() + 60_000,
    monotonic: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, Math.min(ms, 2 ** 31 - 1)).unref();
      return { clear: () => clearTimeout(timer) };
    },
  };
  const handlers = [defineTask({ name: 'work', run: () => {} })];
  const manager = new TaskManager({ handlers, storage: new SqliteStorage(path), clock });
  await manager.start({ run: false });
  const handler = createHandler(manager, { dialects: [waylay()] });
  try {
    return await work(manager, handler);
  } finally {
    await handler.close();
    await manager.close();
  }
}

const seed = (count: number): Promise<readonly string[]> =>
  opened(async (manager) => {
    const submitted = await manager.submitMany(
      Array.from({ length: count }, () => ({ handler: 'work', input: null, hold: true })),
    );
    return submitted.map(({ id }) => id);
  });

async function killedWhile(what: string, isUnderWay: (manager: TaskManager) => Promise<boolean>): Promise<string> {
  const script = runScript(CHILD, [path, what]);
  const line = await script.line('begun');
  await opened(async (manager) => {
    while (!(await isUnderWay(manager))) await new Promise((resolve) => setImmediate(resolve));
    script.kill();
    await script.ended;
  });
  return line;
}

test('kill -9 while types change > each id is the task or the schedule, never both or none', {
  timeout: 60_000,
}, async () => {
  const ids = await seed(600);
  await killedWhile('replace', async (manager) => (await manager.schedules.list({ limit: 1 })).items.length > 0);
  await opened(async (manager, handler) => {
    const kinds = await Promise.all(
      ids.map(async (id) => {
        const [task, schedule] = await Promise.all([manager.get(id), manager.schedules.get(id)]);
        return `${task === null ? '' : 'task'}${schedule === null ? '' : 'schedule'}`;
      }),
    );
    expect(new Set(kinds)).toEqual(new Set(['schedule', 'task']));
    const { headers } = await handler(new Request('http://tasks.test/rules/v1/tasks', { method: 'HEAD' }));
    expect(headers.get('x-count')).toBe(String(ids.length));
  });
});

test('kill -9 during a batch > whoever asks next ends it, and tells of each', { timeout: 60_000 }, async () => {
  const ids = await seed(600);
  const line = await killedWhile('batch', async (manager) => (await manager.count({ archived: true })) > 60);
  await opened(async (manager, handler) => {
    const left = await manager.count();
    expect(left).toBeGreaterThan(0);
    const url = `http://tasks.test/rules/v1/batch/${line.slice('begun '.length)}`;
    const ask = async () => (await handler(new Request(url))).json() as Promise<Record<string, unknown>>;
    let state = await ask();
    expect(state.finishedTime).toBeUndefined();
    while (state.finishedTime === undefined) state = await ask();
    const success = Object.fromEntries(ids.map((id) => [id, { statusCode: 200 }]));
    expect(state.results).toEqual({ success, failure: {} });
    expect(await manager.count()).toBe(0);
  });
});
