import { OptionError } from '../errors.ts';
import type { ScheduleOptions } from '../schedule/spec.ts';
import type { HttpContext } from './context.ts';

/** Whatever a rule names of seconds, minutes, hours and days, its closest ticks are among so many. */
const LOOKED_AT = 1_000;

/**
 * Holds the ticks of a schedule that a caller makes to `limits.scheduleInterval`; events come when they come.
 * @throws {OptionError} also for a rule that cannot be read
 */
export async function requireInterval(
  { manager, settings: { scheduleIntervalMs } }: HttpContext,
  spec: ScheduleOptions,
): Promise<void> {
  if (scheduleIntervalMs === null || (spec.on ?? null) !== null) return;
  const ticks = await manager.schedules.preview(spec, LOOKED_AT);
  const isClose = ticks.some((tick, index) => index > 0 && tick - (ticks[index - 1] ?? 0) < scheduleIntervalMs);
  if (!isClose) return;
  const kind = (['cron', 'rrule', 'every', 'times'] as const).find((each) => (spec[each] ?? null) !== null) ?? 'cron';
  throw new OptionError(kind, `a rule whose runs are at least ${scheduleIntervalMs} ms apart`, spec[kind]);
}
