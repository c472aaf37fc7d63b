import { defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import type { Figures, Scenario } from '../harness.ts';
import { temporaryFile } from '../support/temporary.ts';

const CHILDREN = 10_000;

export const scenario: Scenario = {
  name: 'sqlite-flow',
  title: 'SQLite, a parent that waits for 10,000 children',
  unit: 'ms',
  variants: {
    async flow(): Promise<Figures> {
      const noop = defineTask({ name: 'noop', async run(_input: unknown) {} });
      const manager = new TaskManager({ storage: new SqliteStorage(temporaryFile()), handlers: [noop] });
      await manager.start({ run: false });
      await manager.submit(noop, null, { children: children(100) }); // the code is warm then
      const submitted = performance.now();
      const { id } = await manager.submit(noop, null, { children: children(CHILDREN) });
      const cancelled = performance.now();
      await manager.cancel(id);
      const done = performance.now();
      await manager.close();
      return { submit: cancelled - submitted, cancel: done - cancelled };
    },
  },
  rows: [
    { label: 'submitted, whole', figure: 'submit', target: { atMost: [500] } },
    { label: 'cancelled, all of it', figure: 'cancel', target: { atMost: [500] } },
  ],
};

function children(count: number): { handler: 'noop'; input: { n: number } }[] {
  return Array.from({ length: count }, (_, n) => ({ handler: 'noop', input: { n } }));
}
