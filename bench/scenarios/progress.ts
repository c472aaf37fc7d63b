import { setImmediate as turn } from 'node:timers/promises';
import { defineTask, TaskManager } from 'tasklane';
import type { Scenario } from '../harness.ts';

const CALLS = 2_000_000;
/** The event loop turns after so many, as it would in a handler that does something. */
const AT_ONCE = 1_000;

export const scenario: Scenario = {
  name: 'progress',
  title: 'memory, one call of progress()',
  unit: 'ns',
  variants: {
    async progress() {
      const report = defineTask({
        name: 'report',
        async run(_input: null, { progress }) {
          let spent = 0;
          for (let from = 0; from < CALLS; from += AT_ONCE) {
            const begun = performance.now();
            for (let n = 0; n < AT_ONCE; n++) progress({ processed: from + n, total: CALLS });
            spent += performance.now() - begun;
            await turn();
          }
          return (spent / CALLS) * 1e6;
        },
      });
      const manager = new TaskManager({ handlers: [report] });
      await manager.start();
      const ns = await (await manager.submit(report, null)).result();
      await manager.close();
      return ns;
    },
    async await() {
      let spent = 0;
      for (let from = 0; from < CALLS; from += AT_ONCE) {
        const begun = performance.now();
        for (let n = 0; n < AT_ONCE; n++) await undefined;
        spent += performance.now() - begun;
        await turn();
      }
      return (spent / CALLS) * 1e6;
    },
  },
  rows: [{ label: 'progress() / bare await', figure: 'progress', to: 'await', target: { atMost: [2, 0.7] } }],
};
