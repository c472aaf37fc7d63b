import { defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { type Figures, runPart, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { temporaryFile } from '../support/temporary.ts';

const COUNT = 1_000_000;
/** How long the drain is watched. */
const DRAINED = 300_000;

export const scenario: Scenario = {
  name: 'sqlite-cold-start',
  title: 'SQLite, a process that finds 1,000,000 tasks queued',
  unit: 'ms',
  full: true,
  rounds: 1,
  variants: {
    async start() {
      const file = temporaryFile();
      await fillFile(file, COUNT);
      return await runPart('sqlite-cold-start', 'starter', file);
    },
  },
  parts: {
    async starter(file): Promise<Figures> {
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      let ran = 0;
      let first = 0;
      const begun = performance.now();
      const noop = defineTask({
        name: 'noop',
        async run() {
          if (ran++ === 0) first = performance.now() - begun;
          if (ran === DRAINED) resolve();
        },
      });
      const manager = new TaskManager({ storage: new SqliteStorage(file), handlers: [noop] });
      let rss = 0;
      const timer = setInterval(() => {
        rss = Math.max(rss, process.memoryUsage.rss());
      }, 20);
      await manager.start();
      await drained;
      clearInterval(timer);
      await manager.close();
      return { first, rss: rss / 2 ** 20 };
    },
  },
  rows: [
    { label: 'first task runs after', figure: 'first', target: { atMost: [1_000] } },
    { label: 'most memory while it drains (RSS)', figure: 'rss', unit: 'MB', target: { atMost: [200] } },
  ],
};
