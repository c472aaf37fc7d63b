import { type AnyTask, defineTask, TaskManager, type TaskStorage } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { median, type Scenario } from '../harness.ts';
import { insertRows } from '../support/bare-rows.ts';
import { submitMany } from '../support/noops.ts';
import { temporaryFile } from '../support/temporary.ts';

const LEASES = 10_000;
const BEATS = 7;
const ROWS = 50_000;

/** Times the beats that the manager sends by itself. */
class TimedStorage extends SqliteStorage {
  readonly times: number[] = [];

  override async beat(...request: Parameters<TaskStorage['beat']>): ReturnType<TaskStorage['beat']> {
    const begun = performance.now();
    const answer = await super.beat(...request);
    this.times.push((performance.now() - begun) * 1e3);
    return answer;
  }
}

export const scenario: Scenario = {
  name: 'sqlite-beat',
  title: 'SQLite, a beat that keeps the leases of 10,000 running tasks',
  unit: 'us',
  variants: {
    async beat() {
      const storage = new TimedStorage(temporaryFile());
      const { promise: stop, resolve: end } = Promise.withResolvers<void>();
      const { promise: allRun, resolve: run } = Promise.withResolvers<void>();
      let running = 0;
      const hold = defineTask({
        name: 'hold',
        run(_input: { n: number }) {
          if (++running === LEASES) run();
          return stop;
        },
      });
      const manager = new TaskManager({ storage, handlers: [hold], concurrency: LEASES, lease: '1s' });
      await manager.start();
      await submitMany(manager as TaskManager, hold as AnyTask, LEASES);
      await allRun;
      // The first beats after it store the starts as well.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const before = storage.times.length;
      while (storage.times.length < before + BEATS) await new Promise((resolve) => setTimeout(resolve, 50));
      const times = storage.times.slice(before);
      end();
      await manager.close();
      return median(times);
    },
    row: async () => 1e6 / insertRows(ROWS, 1),
  },
  rows: [{ label: 'beat / one bare committed row', figure: 'beat', to: 'row', target: { atMost: [1_000, 5] } }],
};
