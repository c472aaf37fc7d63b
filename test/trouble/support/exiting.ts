import { appendFileSync } from 'node:fs';
import { TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';

// A process whose handler ends it: `process.exit` in the middle of a task, as a library of the handler's might do.

const [, , file = '', runs = ''] = process.argv;
const manager = new TaskManager({
  storage: new SqliteStorage(file),
  handlers: [
    {
      name: 'exits',
      run: async (_input, { checkpoint, task }) => {
        await checkpoint({ at: task.attempt }); // its start is stored by then
        appendFileSync(runs, `${task.id} ${task.attempt}\n`);
        process.exit(7);
      },
    },
  ],
  sweep: 100,
  maxLost: 1,
});
manager.on('error', ({ error }) => process.send?.(String(error)));
await manager.start();
