import type { RRuleTemporal } from 'rrule-temporal';
import { OptionError } from '../errors.ts';
import { byTheClock, type Next, type NextWall, throughTheHours } from './wall-rule.ts';
import { type WallTime, Zone } from './zone.ts';

const SECOND_MS = 1_000;
const DAY_MS = 86_400_000;
const ALLOWED = "a recurrence rule of RFC 5545, such as 'FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9;BYMINUTE=0;BYSECOND=0'";
/** With a count every run since the first is gone through, and kept. */
const MAX_COUNT = 10_000;
/** Periods and dates that a search looks at: some 50 ms of them. */
const MAX_ITERATIONS = 10_000;
const MAX_CANDIDATES = 200_000;

/** What each part of a rule may be (RFC 5545, 3.3.10); of lists, each item. */
const PARTS: Readonly<Record<string, (item: string) => boolean>> = {
  FREQ: (item) => /^(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)$/.test(item),
  INTERVAL: integer(1, 1_000_000),
  COUNT: integer(1, MAX_COUNT),
  UNTIL: (item) => TIME.test(item),
  BYSECOND: integer(0, 59),
  BYMINUTE: integer(0, 59),
  BYHOUR: integer(0, 23),
  BYDAY: (item) => /^([+-]?([1-9]|[1-4]\d|5[0-3]))?(MO|TU|WE|TH|FR|SA|SU)$/.test(item),
  BYMONTHDAY: integer(1, 31, true),
  BYYEARDAY: integer(1, 366, true),
  BYWEEKNO: integer(1, 53, true),
  BYMONTH: integer(1, 12),
  BYSETPOS: integer(1, 366, true),
  WKST: (item) => /^(MO|TU|WE|TH|FR|SA|SU)$/.test(item),
};
/** What a part of a rule goes with, besides: else it would be left unread, and the rule run when nobody meant it to. */
const WITH: readonly (readonly [part: string, fits: (freq: string, parts: ReadonlyMap<string, string>) => boolean])[] =
  [
    [
      'BYDAY',
      (freq, parts) =>
        !/\d/.test(parts.get('BYDAY') ?? '') || freq === 'MONTHLY' || (freq === 'YEARLY' && !parts.has('BYWEEKNO')),
    ],
    ['BYMONTHDAY', (freq) => freq !== 'WEEKLY'],
    ['BYYEARDAY', (freq) => !['DAILY', 'WEEKLY', 'MONTHLY'].includes(freq)],
    ['BYWEEKNO', (freq) => freq === 'YEARLY'],
    ['BYSETPOS', (_freq, parts) => [...parts.keys()].some((part) => part.startsWith('BY') && part !== 'BYSETPOS')],
  ];
const SINGLE = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST'];

/** A date, or a date and time, `Z` for UTC. */
const TIME = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/;

/** A line of the text: `NAME;PARAMETER=...:value`. */
interface Line {
  readonly name: string;
  readonly tzid: string | null;
  readonly value: string;
}

/** The time zone that a rule's `DTSTART` names; null: none. @throws {OptionError} */
export function zoneOfRrule(text: string): string | null {
  return linesOf(text).find(({ name }) => name === 'DTSTART')?.tzid ?? null;
}

/**
 * Reads a recurrence rule with rrule-temporal (loaded when the first is read): the rule alone, or lines of `DTSTART`, `RRULE`,
 * `EXDATE` and `RDATE`. Its dates and times are those on the wall of `zone`, those with `Z` apart.
 * @param anchor when it begins, where no `DTSTART` says so: at the first second from `start` on, or when it was made, and
 * then that moment is none of its runs; epoch ms
 * @throws {OptionError}
 */
export async function parseRrule(
  text: string,
  zone: Zone,
  { at, isStart }: { readonly at: number; readonly isStart: boolean },
): Promise<Next> {
  const lines = linesOf(text);
  const rules = lines.filter(({ name }) => name === 'RRULE');
  const [rule] = rules;
  if (rule === undefined || rules.length > 1) throw new OptionError('rrule', `${ALLOWED}, one in all`, text);
  const parts = partsOf(rule.value, text);
  const start = lines.find(({ name }) => name === 'DTSTART');
  const round = isStart ? Math.ceil : Math.floor;
  const begun = round(zone.toWall(at) / SECOND_MS) * SECOND_MS;
  const dtstart = start === undefined ? begun : wallOf(start.value, zone, text);
  const until = parts.get('UNTIL');
  if (until !== undefined) parts.set('UNTIL', format(wallOf(until, zone, text, true)));
  const { RRuleTemporal } = await import('rrule-temporal');
  const read = (more: readonly string[]): RRuleTemporal => {
    const rrule = [...parts].map(([name, value]) => `${name}=${value}`).join(';');
    // As if the wall were in UTC: the library would leave out what the clocks leave out.
    const rruleString = [`DTSTART:${format(dtstart)}`, `RRULE:${rrule}`, ...more].join('\n');
    return new RRuleTemporal({ rruleString, maxIterations: MAX_ITERATIONS, maxCandidateEvaluations: MAX_CANDIDATES });
  };
  try {
    const count = parts.get('COUNT');
    // The moment that it was made is none of its runs, so it does not count as one.
    const mayLoseOne = count !== undefined && start === undefined && !isStart;
    if (mayLoseOne && isRun(read([]), dtstart)) parts.set('COUNT', `${Number(count) + 1}`);
    const recurrence = read(datesOf(lines, zone, text));
    const nextWall = but(daysOff(lines), count === undefined ? (wall) => after(recurrence, wall) : counted(recurrence));
    const anyHour = /SECONDLY|MINUTELY|HOURLY/.test(parts.get('FREQ') ?? '') && !parts.has('BYHOUR');
    return (anyHour ? throughTheHours : byTheClock)(nextWall, zone);
  } catch (error) {
    if (error instanceof OptionError) throw error;
    throw new OptionError('rrule', `${ALLOWED} (${(error as Error).message})`, text);
  }
}

/** Whether it is the first run of a rule that begins then. */
function isRun(recurrence: RRuleTemporal, dtstart: WallTime): boolean {
  try {
    return after(recurrence, dtstart - 1) === dtstart;
  } catch {
    return false; // the search took too long
  }
}

function after(recurrence: RRuleTemporal, wall: WallTime): WallTime | null {
  return recurrence.next(new Date(wall), false)?.epochMilliseconds ?? null;
}

/** The lines of dates that come on top, or are left out. They may be told in a zone of their own. */
function datesOf(lines: readonly Line[], zone: Zone, text: string): readonly string[] {
  return lines
    .filter(({ name }) => name === 'EXDATE' || name === 'RDATE')
    .map(({ name, tzid, value }) => {
      const own = tzid === null ? zone : Zone.of(tzid, 'rrule');
      const walls = value.split(',').map((each) => wallOf(each, own, text));
      return `${name}:${walls.map((wall) => format(own === zone ? wall : zone.toWall(own.toInstant(wall))))}`;
    });
}

/** The days that are left out, whatever the time of the runs: `EXDATE`s without one. */
function daysOff(lines: readonly Line[]): ReadonlySet<string> {
  const dates = lines.filter(({ name }) => name === 'EXDATE').flatMap(({ value }) => value.split(','));
  return new Set(dates.filter((each) => !each.includes('T')));
}

/** Leaves days out. @param days `YYYYMMDD` */
function but(days: ReadonlySet<string>, next: NextWall): NextWall {
  if (days.size === 0) return next;
  return (after) => {
    let wall = next(after);
    while (wall !== null && days.has(format(wall).slice(0, 8))) {
      wall = next((Math.floor(wall / DAY_MS) + 1) * DAY_MS - 1);
    }
    return wall;
  };
}

/** One that counts: to search it anew for each tick would take a tenth of a second for some rules. */
function counted(recurrence: RRuleTemporal): NextWall {
  let walls: WallTime[] | null = null;
  let error: unknown = null; // the search took too long: what was found until then holds
  const findAll = (): WallTime[] => {
    const found: WallTime[] = [];
    try {
      recurrence.all((each) => found.push(each.epochMilliseconds) > 0);
    } catch (caught) {
      error = caught;
    }
    return found.sort((a, b) => a - b);
  };
  return (after) => {
    walls ??= findAll();
    const wall = walls.find((each) => each > after) ?? null;
    if (wall === null && error !== null) throw error;
    return wall;
  };
}

function linesOf(text: string): readonly Line[] {
  const lines = text
    .replace(/\r?\n[ \t]/g, '') // folded lines (3.1)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return lines.map((line) => {
    const [, name = '', parameters = '', value = ''] =
      /^([A-Z]+)((?:;[A-Z-]+=[^:;]+)*):(.+)$/i.exec(line) ?? (line.includes(':') ? [] : [line, 'RRULE', '', line]);
    const tzid = /;TZID=([^;]+)/i.exec(parameters)?.[1] ?? null;
    const known = ['DTSTART', 'RRULE', 'EXDATE', 'RDATE'].includes(name.toUpperCase());
    if (!known) throw new OptionError('rrule', `${ALLOWED}, or lines of DTSTART, RRULE, EXDATE and RDATE`, line);
    return { name: name.toUpperCase(), tzid, value: value.trim().toUpperCase() };
  });
}

function partsOf(rule: string, text: string): Map<string, string> {
  const parts = new Map<string, string>();
  for (const part of rule.split(';').filter((each) => each !== '')) {
    const [name = '', value = '', more] = part.split('=');
    const fits = Object.hasOwn(PARTS, name) ? PARTS[name] : undefined;
    if (fits === undefined || more !== undefined || parts.has(name)) {
      throw new OptionError('rrule', `${ALLOWED}, each part once`, part);
    }
    const items = SINGLE.includes(name) ? [value] : value.split(',');
    if (!items.every(fits)) throw new OptionError('rrule', `${ALLOWED}, ${name} within its bounds`, part);
    parts.set(name, value);
  }
  if (!parts.has('FREQ')) throw new OptionError('rrule', `${ALLOWED}, with FREQ`, text);
  if (parts.has('COUNT') && parts.has('UNTIL')) throw new OptionError('rrule', 'COUNT or UNTIL, not both', text);
  const freq = parts.get('FREQ') ?? '';
  const lost = WITH.find(([part, fits]) => parts.has(part) && !fits(freq, parts));
  if (lost !== undefined)
    throw new OptionError('rrule', `${ALLOWED}, ${lost[0]} only with what RFC 5545 allows it`, text);
  return parts;
}

/** @param last a date alone means its end */
function wallOf(value: string, zone: Zone, text: string, last = false): WallTime {
  const [, year, month, day, hour, minute, second, utc] = TIME.exec(value) ?? [];
  if (year === undefined) throw new OptionError('rrule', `${ALLOWED}, times as 20300131T090000`, text);
  const [h, m, s] =
    hour === undefined ? (last ? [23, 59, 59] : [0, 0, 0]) : [Number(hour), Number(minute), Number(second)];
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day), h, m, s);
  if (format(ms).slice(0, 8) !== value.slice(0, 8)) throw new OptionError('rrule', 'dates that exist', text);
  return utc === 'Z' ? zone.toWall(ms) : ms;
}

function format(wall: WallTime): string {
  return `${new Date(wall).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
}

function integer(min: number, max: number, signed = false): (item: string) => boolean {
  return (item) => {
    if (!(signed ? /^[+-]?\d{1,7}$/ : /^\d{1,7}$/).test(item)) return false;
    const size = Math.abs(Number(item));
    return size >= min && size <= max;
  };
}
