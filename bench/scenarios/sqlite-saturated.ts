import { type AnyTask, defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { median, type Scenario } from '../harness.ts';
import { fillFile } from '../support/fill.ts';
import { temporaryFile } from '../support/temporary.ts';

const QUEUED = 1_000_000;
const SUBMITS = 2_000;

/** How long it takes a submitted task to start, beside a handler whose one slot is taken. @param queued for that handler */
async function submitToStart(queued: number): Promise<number> {
  const file = temporaryFile();
  await fillFile(file, queued, () => ({ handler: 'slow' }));
  const { promise: stop, resolve: end } = Promise.withResolvers<void>();
  const slow = defineTask({ name: 'slow', concurrency: 1, run: (_input: { n: number }) => stop });
  let started = (): void => {};
  const quick = defineTask({
    name: 'quick',
    async run(_input: { n: number }) {
      started();
    },
  });
  const manager = new TaskManager({ storage: new SqliteStorage(file), handlers: [slow, quick] as readonly AnyTask[] });
  await manager.start();
  await manager.submit(slow, { n: 0 });
  const times: number[] = [];
  for (let n = 0; n < SUBMITS; n++) {
    const start = new Promise<void>((resolve) => {
      started = resolve;
    });
    const begun = performance.now();
    const submitted = manager.submit(quick, { n });
    await start;
    times.push(performance.now() - begun);
    await submitted;
  }
  end();
  await manager.close();
  return median(times.slice(SUBMITS / 10)) * 1e3;
}

export const scenario: Scenario = {
  name: 'sqlite-saturated',
  title: 'SQLite, submit to start beside a saturated handler',
  unit: 'us',
  full: true,
  rounds: 2,
  variants: { million: () => submitToStart(QUEUED), alone: () => submitToStart(0) },
  rows: [{ label: '1,000,000 queued for it / none', figure: 'million', to: 'alone', target: { atMost: [2, 1.2] } }],
};
