import { OptionError } from '../errors.ts';
import { unwrapRanges } from './cron-ranges.ts';
import { daysOf, earliest, onlyOn, splitMonthEnds } from './month-end.ts';
import { byTheClock, type Next, type NextWall, throughTheHours } from './wall-rule.ts';
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

/** Of the fields, seconds first. */
const DAY_OF_MONTH = 3;
const DAY_OF_WEEK = 5;

/**
 * Reads a cron expression with croner (loaded when the first is read). With seconds, and `?` as the day of the month or of
 * the week, it is read as Quartz does: Sunday is 1, `5/15` means from 5 on, and `L` as the day of the week is Saturday.
 * @throws {OptionError}
 */
export async function parseCron(text: string, zone: Zone): Promise<Next> {
  const given = (NICKNAMES.get(text.trim().toLowerCase()) ?? text.trim()).split(/\s+/);
  const mode = MODES[given.length as keyof typeof MODES];
  if (mode === undefined) throw new OptionError('cron', ALLOWED, text);
  const fields = given.length > 5 ? given : ['0', ...given];
  const quartz = given.length > 5 && (fields[DAY_OF_MONTH] === '?' || fields[DAY_OF_WEEK] === '?');
  if (quartz && /^l$/i.test(fields[DAY_OF_WEEK] ?? '')) fields[DAY_OF_WEEK] = 'SAT';
  const { Cron } = await import('croner');
  const read = (wanted: readonly string[]): NextWall => {
    const cron = new Cron(unwrapRanges(wanted, quartz).join(' '), {
      paused: true,
      mode,
      // It knows no zone: the date and time on the wall are all it is asked for.
      utcOffset: 0,
      alternativeWeekdays: quartz,
      sloppyRanges: quartz,
    });
    return (after) => cron.nextRun(new Date(after))?.getTime() ?? null;
  };
  try {
    return (fields[2] === '*' ? throughTheHours : byTheClock)(withMonthEnds(fields, read), zone);
  } catch (error) {
    throw new OptionError('cron', `${ALLOWED} (${(error as Error).message.replace(/^CronPattern: /, '')})`, text);
  }
}

/** Reads an expression whose days of the month may be counted from its end, for which croner has no form. */
function withMonthEnds(fields: readonly string[], read: (fields: readonly string[]) => NextWall): NextWall {
  const { ends, rest } = splitMonthEnds(fields[DAY_OF_MONTH] ?? '');
  if (ends.length === 0) return read(fields);
  const weekday = fields[DAY_OF_WEEK] ?? '*';
  const both = weekday.startsWith('+'); // the day of the month and that of the week; else one of them is enough
  const eitherWeekday = !both && weekday !== '*' && weekday !== '?';
  const others = rest.length > 0 ? rest.join() : '*';
  return earliest([
    ...ends.map((end) =>
      onlyOn(end, read(fields.with(DAY_OF_MONTH, daysOf(end)).with(DAY_OF_WEEK, both ? weekday : '*'))),
    ),
    ...(rest.length > 0 || eitherWeekday ? [read(fields.with(DAY_OF_MONTH, others))] : []),
  ]);
}
