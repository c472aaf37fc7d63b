import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StorageName } from '../support/world.ts';
import { type Command, sequences } from './commands.ts';
import { type Acknowledged, play } from './play.ts';
import { judge } from './verdict.ts';
import { ModelWorld } from './world.ts';

/**
 * Sequences on each storage, of some 38 calls, split among the files that play them at the same time.
 * `TASKLANE_MODEL_RUNS=1500` asks for another number in all, on each storage, and prints what was done.
 * A failure prints its seed, its path and the shrunk sequence: `TASKLANE_MODEL_SEED` and `TASKLANE_MODEL_PATH` play it again.
 */
const SEQUENCES = 1_000;
const asked = Number(process.env.TASKLANE_MODEL_RUNS ?? 0);
/** A sequence that takes longer hangs. */
const HANGS_MS = 20_000;
/** To shrink a failure, too. */
const LIMIT_MS = 600_000;
const seed = Number(process.env.TASKLANE_MODEL_SEED ?? Number.NaN);
const path = process.env.TASKLANE_MODEL_PATH;

/** What a run of the property did. */
interface Tally {
  sequences: number;
  calls: number;
  faults: number;
  tasks: number;
  storageCalls: number;
}

async function live(
  storage: StorageName,
  commands: readonly Command[],
  listens: readonly [boolean, boolean],
  tally: Tally,
): Promise<void> {
  const world = new ModelWorld(storage, listens);
  await world.open();
  try {
    const acknowledged: Acknowledged = new Map();
    for (const command of commands) {
      await play(world, command, acknowledged);
      if (world.ledger.problems.length > 0) break;
    }
    const problems = world.ledger.problems.length > 0 ? world.ledger.problems : await judge(world, acknowledged);
    expect(problems).toEqual([]);
    tally.sequences++;
    tally.calls += commands.length;
    tally.tasks += world.ledger.ids.length;
    tally.storageCalls += world.calls;
    tally.faults += world.hosts.reduce((sum, { line }) => sum + line.struck, 0);
    tally.faults += commands.filter((command) => command.do === 'die' || command.do === 'stop').length;
  } finally {
    await world.end();
  }
}

/**
 * A share of the sequences on one storage.
 * @param parts how many files play them
 */
export function modelTest(storage: StorageName, part: number, parts: number): void {
  const numRuns = Math.ceil((asked > 0 ? asked : SEQUENCES) / parts);
  describe(`two managers on ${storage}, and faults at any call of it`, () => {
    const printers = process.listeners('warning');
    // Errors that nobody listens to become warnings of the process: here they are the faults, by the thousand.
    beforeAll(() => {
      process.removeAllListeners('warning');
    });
    afterAll(() => {
      for (const printer of printers) process.on('warning', printer);
    });

    test(`no task is lost, and each has one outcome > part ${part} of ${parts}`, { timeout: 900_000 }, async () => {
      const tally: Tally = { sequences: 0, calls: 0, faults: 0, tasks: 0, storageCalls: 0 };
      const property = fc.asyncProperty(sequences, fc.tuple(fc.boolean(), fc.boolean()), (commands, listens) =>
        live(storage, commands, listens, tally),
      );
      await fc.assert(property, {
        numRuns,
        timeout: HANGS_MS,
        interruptAfterTimeLimit: LIMIT_MS,
        markInterruptAsFailure: true,
        endOnFailure: process.env.TASKLANE_MODEL_SHRINK === 'no',
        ...(Number.isNaN(seed) ? {} : { seed }),
        ...(path === undefined ? {} : { path }),
      });
      if (process.env.TASKLANE_MODEL_RUNS !== undefined) console.info(storage, tally);
      if (path !== undefined) return; // one sequence, played again
      expect(tally.sequences).toBeGreaterThanOrEqual(numRuns);
      expect(tally.calls).toBeGreaterThanOrEqual(30 * tally.sequences);
      if (numRuns >= 100) expect(tally.faults).toBeGreaterThan(numRuns);
    });
  });
}
