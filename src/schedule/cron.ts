import { OptionError } from '../errors.ts';
import { unwrapRanges } from './cron-ranges.ts';
import { byTheClock, type Next, throughTheHours } from './wall-rule.ts';
import type { Zone } from './zone.ts';

const ALLOWED =
  "a cron expression: five fields, six with seconds in front, seven with a year behind, such as '0 9 * * MON-FRI'";
const NICKNAMES: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const MODES = { 5: '6-part', 6: '6-part', 7: '7-part' } as const;

/**
 * Reads a cron expression with croner (loaded when the first is read). With seconds, and `?` as the day of the month or of
 * the week, it is read as Quartz does: Sunday is 1, and `5/15` means from 5 on.
 * @throws {OptionError}
 */
export async function parseCron(text: string, zone: Zone): Promise<Next> {
  const fields = (NICKNAMES.get(text.trim().toLowerCase()) ?? text.trim()).split(/\s+/);
  const mode = MODES[fields.length as keyof typeof MODES];
  if (mode === undefined) throw new OptionError('cron', ALLOWED, text);
  const withSeconds = fields.length > 5;
  const quartz = withSeconds && (fields[3] === '?' || fields[5] === '?');
  const { Cron } = await import('croner');
  try {
    const seconds = withSeconds ? [] : ['0'];
    const cron = new Cron(unwrapRanges([...seconds, ...fields], quartz).join(' '), {
      paused: true,
      mode,
      // It knows no zone: the date and time on the wall are all it is asked for.
      utcOffset: 0,
      alternativeWeekdays: quartz,
      sloppyRanges: quartz,
    });
    const nextWall = (after: number): number | null => cron.nextRun(new Date(after))?.getTime() ?? null;
    const anyHour = fields[withSeconds ? 2 : 1] === '*';
    return (anyHour ? throughTheHours : byTheClock)(nextWall, zone);
  } catch (error) {
    throw new OptionError('cron', `${ALLOWED} (${(error as Error).message.replace(/^CronPattern: /, '')})`, text);
  }
}
