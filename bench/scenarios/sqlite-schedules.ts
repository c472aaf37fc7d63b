import { defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import type { Figures, Scenario } from '../harness.ts';
import { temporaryFile } from '../support/temporary.ts';

const DUE = 10_000;
const IDLE = 100_000;
const AT_ONCE = 500;
const WATCHED_MS = 10_000;

/** A manager with so many schedules of one rule, and what their tasks call. */
async function scheduled(count: number, rule: object, run: () => void) {
  const work = defineTask({ name: 'work', run });
  const manager = new TaskManager({ storage: new SqliteStorage(temporaryFile()), handlers: [work] });
  for (let at = 0; at < count; at += AT_ONCE) {
    const keys = Array.from({ length: AT_ONCE }, (_, n) => `schedule-${at + n}`);
    await Promise.all(keys.map((key) => manager.schedules.create({ key, handler: work, input: { key }, ...rule })));
  }
  await manager.start();
  return manager;
}

/** CPU of a started process with so many schedules that are not due, in ms a second. */
async function idle(count: number): Promise<number> {
  const manager = await scheduled(count, { cron: '0 0 1 1 *' }, () => {});
  await pause(2_000); // what the making left to do
  const before = process.cpuUsage();
  await pause(WATCHED_MS);
  const { user, system } = process.cpuUsage(before);
  await manager.close();
  return (user + system) / 1e3 / (WATCHED_MS / 1e3);
}

export const scenario: Scenario = {
  name: 'sqlite-schedules',
  title: 'SQLite, 10,000 schedules due in one second, and 100,000 that are not',
  unit: 'ms',
  variants: {
    async due(): Promise<Figures> {
      const { promise: all, resolve } = Promise.withResolvers<void>();
      const due = Math.ceil((Date.now() + 8_000) / 1_000) * 1_000;
      const at = new Date(due);
      const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
      let started = 0;
      const manager = await scheduled(DUE, { cron }, () => {
        if (++started === DUE) resolve();
      });
      await all;
      const took = Date.now() - due;
      await manager.close();
      return { due: took };
    },
    none: () => idle(0),
    idle: () => idle(IDLE),
  },
  rows: [
    { label: '10,000 due at once: the last task started after', figure: 'due', target: { atMost: [1_000] } },
    { label: '100,000 idle / none, CPU ms a second', figure: 'idle', to: 'none', target: { atMost: [1.5, 1.1] } },
  ],
};

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
