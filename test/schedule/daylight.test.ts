import { type ScheduleRule, TaskManager } from 'tasklane';
import { afterAll, describe, expect, test } from 'vitest';

const manager = new TaskManager();
afterAll(() => manager.close());

/** The next runs of a rule, as UTC times. */
async function runs(rule: ScheduleRule, from: string, count: number): Promise<readonly string[]> {
  const ticks = await manager.schedules.preview({ ...rule, from: new Date(from) }, count);
  return ticks.map((tick) => new Date(tick).toISOString().replace(':00.000Z', 'Z'));
}

/**
 * Berlin: 29 March 2026 02:00 becomes 03:00 at 01:00Z; 25 October 03:00 becomes 02:00 at 01:00Z.
 * Lord Howe: 4 October 2026 02:00 becomes 02:30 at 15:30Z on the 3rd; 5 April 02:00 becomes 01:30 at 15:00Z on the 4th.
 * Beirut: 29 March 2026 00:00 becomes 01:00 at 22:00Z on the 28th; 25 October 00:00 becomes 23:00 on the 24th at 21:00Z.
 * Casablanca: 15 February 2026 03:00 becomes 02:00 at 02:00Z, for Ramadan; 22 March 02:00 becomes 03:00 at 02:00Z.
 * Troll: 29 March 2026 01:00 becomes 03:00 at 01:00Z; 25 October 03:00 becomes 01:00 at 01:00Z: two hours.
 * Apia had no 30 December 2011: after the 29th, at 10:00Z on the 30th, came the 31st.
 */
const table: readonly [what: string, rule: ScheduleRule, from: string, expected: readonly string[]][] = [
  [
    'Berlin, in the gap: the first instant after',
    { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    '2026-03-28T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'Berlin, in the overlap: once, at the first',
    { cron: '30 2 * * *', timeZone: 'Europe/Berlin' },
    '2026-10-24T12:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'Berlin, several times in the gap: one run',
    { cron: '0,15,30 2,3 * * *', timeZone: 'Europe/Berlin' },
    '2026-03-29T00:00Z',
    ['2026-03-29T01:00Z', '2026-03-29T01:15Z', '2026-03-29T01:30Z', '2026-03-30T00:00Z'],
  ],
  [
    'Berlin, several times in the overlap: each once',
    { cron: '*/30 2 * * *', timeZone: 'Europe/Berlin' },
    '2026-10-25T00:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:00Z'],
  ],
  [
    'Berlin, every half hour: through the overlap',
    { cron: '*/30 * * * *', timeZone: 'Europe/Berlin' },
    '2026-10-24T23:59Z',
    ['2026-10-25T00:00Z', '2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'],
  ],
  [
    'Berlin, every half hour: past the gap',
    { cron: '*/30 * * * *', timeZone: 'Europe/Berlin' },
    '2026-03-29T00:00Z',
    ['2026-03-29T00:30Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z'],
  ],
  [
    'Berlin, every hour of one day: through its overlap',
    { cron: '30 * 25 10 *', timeZone: 'Europe/Berlin' },
    '2026-10-24T23:45Z',
    ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z'],
  ],
  [
    'Lord Howe, in the gap of half an hour',
    { cron: '15 2 * * *', timeZone: 'Australia/Lord_Howe' },
    '2026-10-02T12:00Z',
    ['2026-10-02T15:45Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'],
  ],
  [
    'Lord Howe, just after the gap',
    { cron: '30 2 * * *', timeZone: 'Australia/Lord_Howe' },
    '2026-10-03T12:00Z',
    ['2026-10-03T15:30Z', '2026-10-04T15:30Z'],
  ],
  [
    'Lord Howe, in the overlap of half an hour',
    { cron: '45 1 * * *', timeZone: 'Australia/Lord_Howe' },
    '2026-04-03T12:00Z',
    ['2026-04-03T14:45Z', '2026-04-04T14:45Z', '2026-04-05T15:15Z'],
  ],
  [
    'Lord Howe, every 15 minutes: through the overlap',
    { cron: '*/15 * * * *', timeZone: 'Australia/Lord_Howe' },
    '2026-04-04T14:30Z',
    ['2026-04-04T14:45Z', '2026-04-04T15:00Z', '2026-04-04T15:15Z', '2026-04-04T15:30Z', '2026-04-04T15:45Z'],
  ],
  [
    'Berlin, each second, from the second time on',
    { cron: '* * 2 * * *', timeZone: 'Europe/Berlin' },
    '2026-10-25T01:20Z',
    ['2026-10-26T01:00Z', '2026-10-26T01:00:01.000Z'],
  ],
  [
    'Casablanca, in the overlap',
    { cron: '30 2 * * *', timeZone: 'Africa/Casablanca' },
    '2026-02-14T12:00Z',
    ['2026-02-15T01:30Z', '2026-02-16T02:30Z'],
  ],
  [
    'Casablanca, in the gap',
    { cron: '30 2 * * *', timeZone: 'Africa/Casablanca' },
    '2026-03-21T12:00Z',
    ['2026-03-22T02:00Z', '2026-03-23T01:30Z'],
  ],
  [
    'Troll, in the gap of two hours, twice: one run',
    { cron: '30 1,2 * * *', timeZone: 'Antarctica/Troll' },
    '2026-03-28T12:00Z',
    ['2026-03-29T01:00Z', '2026-03-29T23:30Z', '2026-03-30T00:30Z'],
  ],
  [
    'Troll, in the overlap of two hours: each once',
    { cron: '30 1,2 * * *', timeZone: 'Antarctica/Troll' },
    '2026-10-24T12:00Z',
    ['2026-10-24T23:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z', '2026-10-26T02:30Z'],
  ],
  [
    'Apia, on a day that does not exist: once, with that of the next',
    { cron: '0 0 * * *', timeZone: 'Pacific/Apia' },
    '2011-12-28T12:00Z',
    ['2011-12-29T10:00Z', '2011-12-30T10:00Z', '2011-12-31T10:00Z'],
  ],
  [
    'Berlin, in the gap, two days before the end of March',
    { cron: '0 30 2 L-2 3 ?', timeZone: 'Europe/Berlin' },
    '2026-03-01T00:00Z',
    ['2026-03-29T01:00Z', '2027-03-29T00:30Z'],
  ],
  [
    'Berlin, in the overlap, on a Sunday counted from the end of October',
    { cron: '0 30 2 L-6 10 ?', timeZone: 'Europe/Berlin' },
    '2026-10-24T12:00Z',
    ['2026-10-25T00:30Z', '2027-10-25T00:30Z'],
  ],
  [
    'Lord Howe, every 15 minutes of a day counted from the end of April: through the overlap',
    { cron: '0 */15 * L-25 4 ?', timeZone: 'Australia/Lord_Howe' },
    '2026-04-04T14:40Z',
    ['2026-04-04T14:45Z', '2026-04-04T15:00Z', '2026-04-04T15:15Z', '2026-04-04T15:30Z'],
  ],
  [
    'New York, the weekday nearest to the last day but two of its own calendar',
    { cron: '0 0 22 L-2W * ?', timeZone: 'America/New_York' },
    '2026-10-15T00:00Z',
    ['2026-10-30T02:00Z', '2026-11-28T03:00Z', '2026-12-30T03:00Z'],
  ],
  [
    'New York, over the end of a year',
    { cron: '59 59 23 31 12 *', timeZone: 'America/New_York' },
    '2026-12-31T12:00Z',
    ['2027-01-01T04:59:59.000Z', '2028-01-01T04:59:59.000Z'],
  ],
  [
    'Beirut, at a midnight that does not exist',
    { cron: '0 0 * * *', timeZone: 'Asia/Beirut' },
    '2026-03-27T12:00Z',
    ['2026-03-27T22:00Z', '2026-03-28T22:00Z', '2026-03-29T21:00Z'],
  ],
  [
    'Beirut, every hour of a day whose last comes twice',
    { cron: '0 * 24 10 *', timeZone: 'Asia/Beirut' },
    '2026-10-24T19:30Z',
    ['2026-10-24T20:00Z', '2026-10-24T21:00Z', '2027-10-23T21:00Z'],
  ],
  [
    'a recurrence rule in the gap',
    { rrule: 'DTSTART;TZID=Europe/Berlin:20260101T023000\nRRULE:FREQ=DAILY' },
    '2026-03-28T00:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'a recurrence rule in the overlap',
    { rrule: 'DTSTART:20260101T023000\nRRULE:FREQ=DAILY', timeZone: 'Europe/Berlin' },
    '2026-10-24T12:00Z',
    ['2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'a recurrence rule on Lord Howe',
    { rrule: 'DTSTART:20260101T021500\nRRULE:FREQ=DAILY', timeZone: 'Australia/Lord_Howe' },
    '2026-10-02T12:00Z',
    ['2026-10-02T15:45Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'],
  ],
  [
    'a recurrence rule of every half hour, through the overlap',
    { rrule: 'DTSTART:20260101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=30', timeZone: 'Europe/Berlin' },
    '2026-10-25T00:10Z',
    ['2026-10-25T00:30Z', '2026-10-25T01:00Z', '2026-10-25T01:30Z', '2026-10-25T02:00Z'],
  ],
  [
    'a recurrence rule of every hour, past the gap',
    { rrule: 'DTSTART:20260101T003000\nRRULE:FREQ=HOURLY', timeZone: 'Europe/Berlin' },
    '2026-03-28T23:00Z',
    ['2026-03-28T23:30Z', '2026-03-29T00:30Z', '2026-03-29T01:30Z'],
  ],
  [
    'every day by the clock, in the gap',
    { every: '1d', wallClock: true, timeZone: 'Europe/Berlin', start: new Date('2026-03-27T01:30Z') },
    '2026-03-27T12:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:00Z', '2026-03-30T00:30Z'],
  ],
  [
    'every day by the clock, in the overlap',
    { every: '1d', wallClock: true, timeZone: 'Europe/Berlin', start: new Date('2026-10-23T00:30Z') },
    '2026-10-23T12:00Z',
    ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
  ],
  [
    'every day by the clock of Lord Howe',
    { every: '1d', wallClock: true, timeZone: 'Australia/Lord_Howe', start: new Date('2026-10-01T15:45Z') },
    '2026-10-02T12:00Z',
    ['2026-10-02T15:45Z', '2026-10-03T15:30Z', '2026-10-04T15:15Z'],
  ],
  [
    'every 20 minutes by the clock: none while the clocks repeat an hour',
    { every: '20m', wallClock: true, timeZone: 'Europe/Berlin', start: new Date('2026-10-24T00:00Z') },
    '2026-10-25T00:30Z',
    ['2026-10-25T00:40Z', '2026-10-25T02:00Z', '2026-10-25T02:20Z'],
  ],
  [
    'every 36 hours by the clock',
    { every: '36h', wallClock: true, timeZone: 'Europe/Berlin', start: new Date('2026-10-24T10:00Z') },
    '2026-10-24T00:00Z',
    ['2026-10-24T10:00Z', '2026-10-25T23:00Z', '2026-10-27T11:00Z'],
  ],
  [
    'every day as time passes: another hour on the wall',
    { every: '1d', start: new Date('2026-03-27T01:30Z') },
    '2026-03-27T12:00Z',
    ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T01:30Z'],
  ],
];

describe('daylight saving', () => {
  test.each(table)('%s', async (_what, rule, from, expected) => {
    expect(await runs(rule, from, expected.length)).toEqual(expected);
  });

  test('each tick from anywhere within a day of the change: the first that lies ahead', async () => {
    const rules: readonly ScheduleRule[] = [
      { cron: '*/20 * * * *', timeZone: 'Europe/Berlin' },
      { cron: '10 1-4 * * *', timeZone: 'Europe/Berlin' },
      { cron: '*/10 * * * *', timeZone: 'Australia/Lord_Howe' },
      { rrule: 'FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=5,35;BYSECOND=0', timeZone: 'Australia/Lord_Howe' },
    ];
    for (const rule of rules) {
      for (const day of ['2026-10-24T12:00Z', '2026-03-28T12:00Z', '2026-04-04T03:00Z', '2026-10-03T03:00Z']) {
        const start = Date.parse(day);
        const all = await manager.schedules.preview({ ...rule, from: start }, 200);
        expect([...all].sort((a, b) => a - b)).toEqual(all);
        expect(new Set(all).size).toBe(all.length);
        for (let at = start; at < start + 86_400_000; at += 7 * 60_000) {
          const [next] = await manager.schedules.preview({ ...rule, from: at }, 1);
          const expected = all.find((tick) => tick > at);
          if (expected !== undefined) expect(next).toBe(expected);
        }
      }
    }
  });
});
