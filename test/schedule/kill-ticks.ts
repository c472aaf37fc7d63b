import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { defineTask, TaskManager } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';
import { runScript, type Script } from '../support/script.ts';
import { ticksOf } from './support.ts';

// Two processes on one file, a schedule of a tick a second, and one of the two killed every few seconds. By hand:
//
//   node --conditions=tasklane-source test/schedule/kill-ticks.ts --seconds 60 --every 3

const WORKER = `
  import { defineTask, TaskManager } from 'tasklane';
  import { SqliteStorage } from 'tasklane/sqlite';
  const work = defineTask({ name: 'work', run: () => {} });
  const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(process.argv.at(-1)) });
  await manager.start();
  console.log('ready');
`;

/** What came of it. */
export interface TickReport {
  readonly kills: number;
  /** From the first tick to the last, so many there are to be. */
  readonly expected: number;
  readonly tasks: number;
  readonly missing: readonly number[];
  readonly twice: readonly number[];
  /** The longest that a task was made after its tick, in ms. */
  readonly latest: number;
}

/** Kills in turn, for so long, and counts the tasks. */
export async function killTicks(seconds: number, every: number): Promise<TickReport> {
  const folder = await mkdtemp(join(tmpdir(), 'tasklane-ticks-'));
  const path = join(folder, 'tasks.db');
  const pair: Script[] = [];
  const work = defineTask({ name: 'work', run: () => {} });
  const manager = new TaskManager({ handlers: [work], storage: new SqliteStorage(path) });
  try {
    const start = Date.now() + 1_000;
    await manager.schedules.create({ key: 'k', handler: work, every: '1s', start, missed: 'all' });
    for (let n = 0; n < 2; n++) pair.push(await ready(path));
    const until = performance.now() + seconds * 1_000;
    let kills = 0;
    for (; performance.now() < until; kills++) {
      await pause(every * 1_000);
      // In turn, so that one is always up.
      pair.shift()?.kill();
      pair.push(await ready(path));
    }
    const end = Date.now();
    await pause(1_000);
    for (const script of pair) script.kill();
    const ticks = (await ticksOf(manager, 'k')).map(Number).filter((tick) => tick <= end);
    const expected: number[] = [];
    for (let tick = start; tick <= end; tick += 1_000) expected.push(tick);
    const { items } = await manager.list({ filter: { scheduleId: 'k' }, limit: 1_000 });
    return {
      kills,
      expected: expected.length,
      tasks: ticks.length,
      missing: expected.filter((tick) => !ticks.includes(tick)),
      twice: ticks.filter((tick, at) => ticks.indexOf(tick) !== at || !expected.includes(tick)),
      latest: Math.max(...items.map((task) => task.createdAt - (task.tick ?? 0))),
    };
  } finally {
    for (const script of pair) script.kill();
    await manager.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function ready(path: string): Promise<Script> {
  const script = runScript(WORKER, [path]);
  await script.line('ready');
  return script;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '60' }, every: { type: 'string', default: '3' } },
  });
  console.log(await killTicks(Number(values.seconds), Number(values.every)));
}
