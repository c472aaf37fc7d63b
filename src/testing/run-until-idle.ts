import type { AnyTask } from '../handler/define.ts';
import { insideOf } from '../internal.ts';
import type { TaskManager } from '../manager.ts';
import { type Duration, parseDuration } from '../time/duration.ts';
import type { FakeClock } from './fake-clock.ts';

/** A handler that has not ended after so long waits for the clock, in ms of the machine's time. */
const PATIENCE_MS = 20;
/** What it is given then, at a time: so much, or a tenth of what it was given so far. */
const STEP_MS = 1_000;

/** Taken before any test can replace it. */
const machineTimeout = setTimeout;

/**
 * Runs whatever a manager has to do, until nothing is left: delays, retries, snoozes and backoff are skipped over by moving the
 * clock to the next that is due. Schedules go on for ever, so their ticks are not waited for: those on the way run, and
 * `clock.advance` brings the others. What is held stays.
 * @param options `within`: the clock is moved no further than this; default 30 days
 * @throws {Error} when something is still left then
 */
export async function runUntilIdle<Handlers extends readonly AnyTask[], Tasks extends AnyTask>(
  manager: TaskManager<Handlers, Tasks>,
  clock: FakeClock,
  options: { readonly within?: Duration | undefined } = {},
): Promise<void> {
  const { nextDue } = insideOf(manager as unknown as TaskManager);
  const until = clock.monotonic() + parseDuration('within', options.within ?? '30d');
  await clock.advance(0);
  for (;;) {
    let given = 0;
    while (!(await isIdle(manager))) {
      const step = Math.max(STEP_MS, Math.floor(given / 10)); // else one that waits for hours would take minutes
      await move(step);
      given += step;
    }
    const ms = await nextDue();
    if (ms === null) return;
    await move(Math.max(1, ms));
  }

  async function move(ms: number): Promise<void> {
    if (clock.monotonic() + ms > until) {
      throw new Error(`The manager has not come to rest within ${options.within ?? '30d'}.`);
    }
    await clock.advance(ms);
  }
}

/** Whether it comes to rest while the clock stands still. */
async function isIdle(manager: { onIdle(): Promise<void> }): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>();
  const timer = machineTimeout(() => resolve(false), PATIENCE_MS);
  try {
    return await Promise.race([manager.onIdle().then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
