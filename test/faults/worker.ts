import { TaskCancelledError, TaskFailedError, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { Holds, handlersOf } from './support/handlers.ts';
import { Journal } from './support/journal.ts';
import type { Commands, Item, Notice, Request, Submitted, WorkerConfig } from './support/messages.ts';
import { trapped } from './support/trap.ts';

// The child process of the fault tests: a manager on a file that others share, doing what its parent asks for.

const config = JSON.parse(process.argv[2] ?? '') as WorkerConfig;
const holds = new Holds();
let closed = false;
const storage = new SqliteStorage(config.file);
const manager = new TaskManager({
  storage: config.trap === undefined ? storage : trapped(storage, config.trap),
  handlers: handlersOf({ journal: new Journal(config.journal), holds, tell }),
  concurrency: config.concurrency ?? 6,
  lease: config.leaseMs ?? 600_000,
  sweep: 200,
  maxLost: config.maxLost ?? 50,
  progressInterval: 20,
});

function tell(notice: Notice): void {
  if (process.connected) process.send?.(notice);
}

function submit({ handler, input, ...options }: Item): Promise<Submitted> {
  return manager.submit(handler, input, options).then(({ id, created }) => ({ id, created }));
}

async function follow(id: string | null): Promise<void> {
  const events = id === null ? manager.watch() : manager.task(id).events();
  for await (const news of events) {
    const { type, taskId, task } = news;
    const message = news.type === 'log' ? news.message : (task.progress?.message ?? null);
    tell({ kind: 'news', news: { type, taskId, status: task.status, message } });
  }
}

const commands: Commands = {
  start: (run) => manager.start({ run }),
  submit,
  submitMany: async (items) => {
    const handles = await manager.submitMany(items.map((item) => ({ ...item, input: item.input })));
    return handles.map(({ id, created }) => ({ id, created }));
  },
  submitTogether: async (item, times) => {
    const submits: Promise<Submitted>[] = [];
    for (let index = 0; index < times; index++) {
      submits.push(submit(item));
      if (index % 10 === 9) await new Promise(setImmediate);
    }
    return Promise.all(submits);
  },
  ended: async (id) => {
    try {
      await manager.task(id).result();
    } catch (error) {
      if (!(error instanceof TaskFailedError || error instanceof TaskCancelledError)) throw error;
    }
    const task = await manager.get(id);
    if (task === null) throw new Error(`Task ${id} is gone.`);
    return task;
  },
  get: (id) => manager.get(id),
  cancel: (id, reason) => manager.cancel(id, reason),
  runNow: (id) => manager.runNow(id),
  delete: (id, options) => manager.delete(id, options),
  schedule: async (key, times) => {
    await manager.schedules.create({ key, handler: 'noop', times, missed: 'all' });
  },
  pause: (handler) => manager.pause(handler),
  resume: (handler) => manager.resume(handler),
  release: async (id) => holds.release(id),
  releaseAll: async () => holds.releaseAll(),
  follow: async (id) => {
    follow(id).then(
      () => tell({ kind: 'news ended', error: null }),
      (error: Error) => tell({ kind: 'news ended', error: error.name }),
    );
  },
  idle: () => manager.onIdle(),
  close: async (timeout) => {
    await manager.close(timeout === undefined ? {} : { timeout });
  },
};

process.on('message', async ({ id, command, args }: Request) => {
  try {
    const run = commands[command] as (...args: readonly unknown[]) => Promise<unknown>;
    tell({ kind: 'answer', id, value: (await run(...args)) ?? null });
  } catch (error) {
    tell({ kind: 'answer', id, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
  if (command !== 'close') return;
  // Nothing holds the process any more: it ends by itself, or the test that waits for that fails.
  closed = true;
  process.disconnect();
});
// Once the parent is dead nobody is left to end this process.
process.on('disconnect', () => {
  if (!closed) process.exit(1);
});
// Without any listener a manager reads fewer records; errors become warnings of the process then.
if (config.listen === false) {
  process.on('warning', ({ name, message }) => {
    if (name === 'TasklaneWarning') tell({ kind: 'error', message });
  });
} else {
  manager.on('warning', ({ code, taskId }) => tell({ kind: 'warning', code, taskId }));
  manager.on('error', ({ error }) => tell({ kind: 'error', message: String(error) }));
}
if (config.start !== false) await manager.start();
