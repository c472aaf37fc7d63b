import { OptionError, type ScheduleRule, TaskManager } from 'tasklane';
import { afterAll, describe, expect, test } from 'vitest';

const manager = new TaskManager();
afterAll(() => manager.close());
const FROM = '2030-01-01T00:00:30Z'; // a Tuesday

async function runs(rule: ScheduleRule, count: number, from = FROM): Promise<readonly string[]> {
  const ticks = await manager.schedules.preview({ ...rule, from: new Date(from) }, count);
  return ticks.map((tick) => new Date(tick).toISOString().replace('.000Z', ''));
}

async function refusal(rule: object): Promise<OptionError> {
  const error: unknown = await manager.schedules.preview({ from: new Date(FROM), ...rule }).catch((caught) => caught);
  expect(error).toBeInstanceOf(OptionError);
  return error as OptionError;
}

const noon = (date: string): string => `${date}T12:00:00`;

describe('cron', () => {
  test.each([
    ['*/5 * * * *', ['2030-01-01T00:05:00', '2030-01-01T00:10:00']],
    ['*/20 * * * * *', ['2030-01-01T00:00:40', '2030-01-01T00:01:00']],
    ['0 9 * * MON-FRI', ['2030-01-01T09:00:00', '2030-01-02T09:00:00']],
    ['0 9 * * 7', ['2030-01-06T09:00:00', '2030-01-13T09:00:00']],
    ['0 0 13 * FRI', ['2030-01-04T00:00:00', '2030-01-11T00:00:00', '2030-01-13T00:00:00']],
    ['0 0 29 2 *', ['2032-02-29T00:00:00', '2036-02-29T00:00:00']],
    ['0 0 9 1 1 * 2032', ['2032-01-01T09:00:00']],
    ['@daily', ['2030-01-02T00:00:00', '2030-01-03T00:00:00']],
    ['@hourly', ['2030-01-01T01:00:00', '2030-01-01T02:00:00']],
  ])('%s', async (cron, expected) => {
    expect(await runs({ cron }, expected.length)).toEqual(expected);
  });

  test.each([
    ['0 0 12 ? * 2', ['2030-01-07T12:00:00', '2030-01-14T12:00:00'], 'Monday is 2'],
    ['0 0 12 ? * MON-FRI', ['2030-01-01T12:00:00', '2030-01-02T12:00:00'], 'names'],
    ['0 0/15 9 * * ?', ['2030-01-01T09:00:00', '2030-01-01T09:15:00'], 'from 0 on, every 15'],
    ['0 0 12 L * ?', ['2030-01-31T12:00:00', '2030-02-28T12:00:00'], 'the last day'],
    ['0 0 12 LW * ?', ['2030-01-31T12:00:00', '2030-02-28T12:00:00', '2030-03-29T12:00:00'], 'the last weekday'],
    ['0 0 12 15W 6 ?', ['2030-06-14T12:00:00'], 'the weekday nearest to the 15th, a Saturday'],
    ['0 0 12 ? * 6#2', ['2030-01-11T12:00:00', '2030-02-08T12:00:00'], 'the second Friday'],
    ['0 0 12 ? * 6L', ['2030-01-25T12:00:00', '2030-02-22T12:00:00'], 'the last Friday'],
    [
      '0 0 12 L-3 * ?',
      ['2030-01-28', '2030-02-25', '2030-03-28', '2030-04-27'].map(noon),
      'three days before the last',
    ],
    ['0 0 12 L-0 2 ?', ['2030-02-28', '2031-02-28', '2032-02-29'].map(noon), 'the last day'],
    ['0 0 12 L-30 * ?', ['2030-01-01', '2030-03-01', '2030-05-01'].map(noon), 'of months with 31 days'],
    ['0 0 12 L-28 2 ?', ['2032-02-01', '2036-02-01'].map(noon), 'of leap years'],
    [
      '0 0 12 L-3W 3,4 ?',
      ['2030-03-28', '2030-04-26', '2031-03-28', '2031-04-28'].map(noon),
      'the weekday nearest to it',
    ],
    ['0 0 12 L-30W 5 ? 2032-2033', ['2032-05-03', '2033-05-02'].map(noon), 'in the same month'],
    ['0 0 12 l-1,15w,lw 6 ?', ['2030-06-14', '2030-06-28', '2030-06-29', '2031-06-16'].map(noon), 'in a list'],
    ['0 0 12 L-3 2/2 ? 2031/2', ['2031-02-25', '2031-04-27', '2031-06-27'].map(noon), 'with months and years'],
    ['0 0 12 ? * L', ['2030-01-05', '2030-01-12'].map(noon), 'L is a Saturday'],
    ['0 0 12 ? 1/3 2/2', ['2030-01-02', '2030-01-04', '2030-01-07'].map(noon), 'from Monday on, every second day'],
    ['0 0 12 ? * FRIL', ['2030-01-25', '2030-02-22'].map(noon), 'the last Friday'],
    ['0 0 12 ? * FRI#5', ['2030-03-29', '2030-05-31'].map(noon), 'the fifth Friday'],
    ['0 0 12 ? * 2#1,6L', ['2030-01-07', '2030-01-25', '2030-02-04'].map(noon), 'a list of both'],
    [
      '0 0 12 1W * ? 2030-2099',
      ['2030-01-01', '2030-02-01', '2030-03-01', '2030-04-01', '2030-05-01', '2030-06-03'].map(noon),
      'the first weekday',
    ],
    ['0 0 12 31W * ?', ['2030-01-31', '2030-03-29', '2030-05-31'].map(noon), 'of months that have the day'],
    ['0 0 12 1 JAN-MAR,dec ?', ['2030-01-01', '2030-02-01', '2030-03-01', '2030-12-01'].map(noon), 'names of months'],
    ['0 0 12 1 1 ? 2030/3', ['2030-01-01', '2033-01-01', '2036-01-01'].map(noon), 'every third year'],
    ['0 0 12 1 1 ? 2031-2033', ['2031-01-01T12:00:00', '2032-01-01T12:00:00', '2033-01-01T12:00:00'], 'years'],
    [
      '0 0 12 ? * FRI-MON',
      ['2030-01-04', '2030-01-05', '2030-01-06', '2030-01-07', '2030-01-11'].map(noon),
      'over Sunday',
    ],
    ['0 0 12 ? * 6-2', ['2030-01-04', '2030-01-05', '2030-01-06', '2030-01-07', '2030-01-11'].map(noon), 'the same'],
  ])('Quartz: %s', async (cron, expected) => {
    expect(await runs({ cron }, expected.length)).toEqual(expected);
  });

  test.each([
    ['0 22-2 * * *', ['2030-01-01T01:00:00', '2030-01-01T02:00:00', '2030-01-01T22:00:00']],
    ['0 22-2/3,12 * * *', ['2030-01-01T01:00:00', '2030-01-01T12:00:00', '2030-01-01T22:00:00', '2030-01-02T01:00:00']],
    ['55-5/5 * * * *', ['2030-01-01T00:05:00', '2030-01-01T00:55:00', '2030-01-01T01:00:00', '2030-01-01T01:05:00']],
    ['50-10/20 * * * * *', ['2030-01-01T00:00:50', '2030-01-01T00:01:10', '2030-01-01T00:01:50']],
    [
      '0 12 30-2 * *',
      ['2030-01-01', '2030-01-02', '2030-01-30', '2030-01-31', '2030-02-01', '2030-02-02', '2030-03-01'].map(noon),
    ],
    ['0 12 1 NOV-FEB *', ['2030-01-01', '2030-02-01', '2030-11-01', '2030-12-01', '2031-01-01'].map(noon)],
    ['0 12 * * 5-1', ['2030-01-04', '2030-01-05', '2030-01-06', '2030-01-07', '2030-01-11'].map(noon)],
    ['0 12 * * fri-sun', ['2030-01-04', '2030-01-05', '2030-01-06', '2030-01-11'].map(noon)],
    ['0 12 * * 7-2', ['2030-01-01', '2030-01-06', '2030-01-07', '2030-01-08', '2030-01-13'].map(noon)],
  ])('a range over the end: %s', async (cron, expected) => {
    expect(await runs({ cron }, expected.length)).toEqual(expected);
  });

  test.each([
    ['0 12 L-2 * *', ['2030-01-29', '2030-02-26'].map(noon)],
    ['0 12 L-2 2 MON', ['2030-02-04', '2030-02-11', '2030-02-18', '2030-02-25', '2030-02-26'].map(noon)],
    [
      '0 12 L-2,1 2 MON',
      ['2030-02-01', '2030-02-04', '2030-02-11', '2030-02-18', '2030-02-25', '2030-02-26'].map(noon),
    ],
    ['0 12 L-2 * +MON', ['2030-07-29', '2031-04-28'].map(noon)],
    ['30 */12 LW * *', ['2030-01-31T00:30:00', '2030-01-31T12:30:00', '2030-02-28T00:30:00']],
  ])('days from the end of the month in other forms than Quartz: %s', async (cron, expected) => {
    expect(await runs({ cron }, expected.length)).toEqual(expected);
  });

  test.each([0, 1, 3, 17, 27, 29, 30])(
    'L-%i, and with W, name the days of a calendar, for five years',
    async (before) => {
      const [days, weekdays]: [string[], string[]] = [[], []];
      for (let month = 0; month < 60; month++) {
        const last = new Date(Date.UTC(2030, month + 1, 0));
        const inMonth = Array.from({ length: last.getUTCDate() }, (_, n) => new Date(Date.UTC(2030, month, n + 1)));
        const day = inMonth.at(-1 - before);
        if (day === undefined) continue;
        days.push(day.toISOString().slice(0, 10));
        const away = (other: Date): number => Math.abs(other.getTime() - day.getTime());
        const nearest = inMonth.filter((each) => each.getUTCDay() % 6 !== 0).sort((a, b) => away(a) - away(b));
        weekdays.push(nearest[0]?.toISOString().slice(0, 10) ?? '');
      }
      const from = '2029-12-31T12:00:00Z';
      expect(await runs({ cron: `0 0 12 L-${before} * ?` }, days.length, from)).toEqual(days.map(noon));
      expect(await runs({ cron: `0 0 12 L-${before}W * ?` }, days.length, from)).toEqual(weekdays.map(noon));
    },
  );

  test.each([
    '',
    '*',
    '0 0 12 L-31 * ?',
    '0 0 12 L-3-5 * ?',
    '0 0 12 L--1 * ?',
    '0 0 12 L-3 13 ?',
    '0 0 12 ? * L-3',
    '0 12 * * L',
    '0 25-2 * * *',
    '0 22-2/0 * * *',
    '0 12 * * 8-1',
    '* * * *',
    '* * * * * * * *',
    '60 * * * *',
    '* 25 * * *',
    '5/15 * * * *',
    'now',
    '@reboot',
    '2030-01-01T00:00:00',
    '* * * * FOO',
    `${'0,'.repeat(600)}0 * * * *`,
  ])('refused: %s', async (cron) => {
    expect((await refusal({ cron })).option).toBe('cron');
  });

  test.each([
    '0 0 30 2 *',
    '0 0 31 4,6,9,11 *',
    '0 0 0 1 1 ? 2029',
    '0 0 0 1 1 ? 2036',
    '0 0 0 29 2 ? 2031',
    '0 0 0 L-29 2 ?',
    '0 0 0 L-30 4,6 ?',
  ])('refused, for it has no run in five years: %s', async (cron) => {
    expect((await refusal({ cron })).message).toContain('next five years');
  });
});

describe('recurrence rules', () => {
  test.each([
    ['FREQ=DAILY;BYHOUR=9;BYMINUTE=0;BYSECOND=0', ['2030-01-01T09:00:00', '2030-01-02T09:00:00']],
    ['RRULE:FREQ=WEEKLY;BYDAY=MO;BYHOUR=9;BYMINUTE=0;BYSECOND=0', ['2030-01-07T09:00:00', '2030-01-14T09:00:00']],
    ['DTSTART:20300101T090000Z\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=2', ['2030-01-01T09:00:00', '2030-01-03T09:00:00']],
    ['DTSTART:20300101T090000Z\nRRULE:FREQ=DAILY;UNTIL=20300102', ['2030-01-01T09:00:00', '2030-01-02T09:00:00']],
    ['DTSTART:20300101T090000Z\nRRULE:FREQ=DAILY;UNTIL=20300102T085959Z', ['2030-01-01T09:00:00']],
    [
      'DTSTART:20300101T090000Z\r\nRRULE:FREQ=DAILY\r\nEXDATE:20300102T090000Z\r\nRDATE:20300101T120000Z',
      ['2030-01-01T09:00:00', '2030-01-01T12:00:00', '2030-01-03T09:00:00'],
    ],
    [
      'DTSTART:20300101T170000Z\nRRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      ['2030-01-31T17:00:00', '2030-02-28T17:00:00', '2030-03-29T17:00:00'],
    ],
    ['FREQ=MINUTELY', ['2030-01-01T00:01:30', '2030-01-01T00:02:30']],
  ])('%s', async (rrule, expected) => {
    expect(await runs({ rrule }, expected.length + 1)).toEqual(
      /COUNT|UNTIL/.test(rrule) ? expected : expect.arrayContaining([...expected]),
    );
    expect((await runs({ rrule }, expected.length)).slice(0, expected.length)).toEqual(expected);
  });

  const midnight = (...days: readonly number[]): readonly string[] => days.map((day) => `2030-01-0${day}T00:00:00`);

  test.each([
    ['FREQ=DAILY;COUNT=2', {}, midnight(2, 3)],
    ['FREQ=DAILY;COUNT=2;BYHOUR=9;BYMINUTE=0', {}, ['2030-01-01T09:00:00', '2030-01-02T09:00:00']],
    ['FREQ=DAILY;COUNT=2', { start: new Date('2030-01-05T00:00:00Z') }, midnight(5, 6)],
    ['FREQ=DAILY;COUNT=2', { start: new Date('2030-01-04T23:59:59.500Z') }, midnight(5, 6)],
    ['RRULE:FREQ=DAILY;COUNT=2\nRDATE:20300109T000000', {}, midnight(2, 3, 9)],
    ['RRULE:FREQ=DAILY;COUNT=3\nEXDATE:20300103T000000', {}, midnight(2, 4)],
    ['DTSTART:20300101T000000Z\nRRULE:FREQ=DAILY;COUNT=3', {}, midnight(2, 3)],
  ])('a count is of runs that can come, from its start or from when it was made: %s', async (rrule, more, expected) => {
    expect(await runs({ rrule, ...more }, 5, '2030-01-01T00:00:00Z')).toEqual(expected);
  });

  test('a date that is left out, or comes on top, may be in a zone of its own; one without a time is the whole day', async () => {
    const dtstart = 'DTSTART;TZID=Europe/Berlin:20300101T090000';
    const zoned = 'EXDATE;TZID=America/New_York:20300102T030000\nRDATE;TZID=Asia/Tokyo:20300103T000000';
    expect(await runs({ rrule: `${dtstart}\nRRULE:FREQ=DAILY\n${zoned}` }, 3)).toEqual([
      '2030-01-01T08:00:00',
      '2030-01-02T15:00:00',
      '2030-01-03T08:00:00',
    ]);
    const days = 'EXDATE;VALUE=DATE:20300102,20300103';
    expect(await runs({ rrule: `${dtstart}\nRRULE:FREQ=HOURLY\n${days}` }, 2, '2030-01-01T21:30:00Z')).toEqual([
      '2030-01-01T22:00:00',
      '2030-01-03T23:00:00',
    ]);
  });

  test('its zone is that of DTSTART, and until is an instant', async () => {
    const rrule = 'DTSTART;TZID=America/New_York:20300101T090000\nRRULE:FREQ=DAILY;UNTIL=20300102T140000Z';
    expect(await runs({ rrule }, 5)).toEqual(['2030-01-01T14:00:00', '2030-01-02T14:00:00']);
    expect((await refusal({ rrule, timeZone: 'Europe/Berlin' })).option).toBe('timeZone');
  });

  test.each([
    '',
    'FREQ=NEVER',
    'FREQ=DAILY;FREQ=DAILY',
    'FREQ=DAILY;BYHOUR=24',
    'FREQ=DAILY;INTERVAL=0',
    'FREQ=DAILY;COUNT=10001',
    'FREQ=DAILY;COUNT=2;UNTIL=20300105',
    'FREQ=DAILY;FOO=1',
    'BYHOUR=9',
    'RRULE:FREQ=DAILY\nRRULE:FREQ=DAILY',
    'EXRULE:FREQ=DAILY\nRRULE:FREQ=DAILY',
    'DTSTART:20300231T000000\nRRULE:FREQ=DAILY',
    'RRULE:FREQ=DAILY\nEXDATE;TZID=No/Where:20300102T000000',
    'FREQ=DAILY;BYDAY=1MO',
    'FREQ=YEARLY;BYWEEKNO=2;BYDAY=1MO',
    'FREQ=WEEKLY;BYMONTHDAY=3',
    'FREQ=MONTHLY;BYYEARDAY=3',
    'FREQ=MONTHLY;BYWEEKNO=3',
    'FREQ=DAILY;BYSETPOS=1',
    `FREQ=DAILY;BYHOUR=${'1,'.repeat(600)}1`,
  ])('refused: %s', async (rrule) => {
    expect((await refusal({ rrule })).option).toBe('rrule');
  });

  test.each([
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MINUTELY;BYYEARDAY=366;BYMONTH=1',
    'DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;COUNT=3',
  ])('refused, for it has no run in five years, however long the search: %s', async (rrule) => {
    expect((await refusal({ rrule })).message).toContain('next five years');
  });
});

describe('other rules', () => {
  test('every counts from start, or from one period after now', async () => {
    expect(await runs({ every: '90s' }, 2)).toEqual(['2030-01-01T00:02:00', '2030-01-01T00:03:30']);
    const start = Date.parse('2029-12-31T23:59:00Z');
    expect(await runs({ every: '1m', start }, 2)).toEqual(['2030-01-01T00:01:00', '2030-01-01T00:02:00']);
    expect(await runs({ every: '1h', start: Date.parse('2030-02-01T00:00:00Z') }, 1)).toEqual(['2030-02-01T00:00:00']);
  });

  test('times in their order, each once; start and end hold for all', async () => {
    const [a, b, c] = ['2030-01-01T01:00:00Z', '2030-01-02T01:00:00Z', '2031-01-01T01:00:00Z'].map(Date.parse) as [
      number,
      number,
      number,
    ];
    expect(await manager.schedules.preview({ times: [c, new Date(a), b, a, 1], from: new Date(FROM) })).toEqual([
      a,
      b,
      c,
    ]);
    expect(await manager.schedules.preview({ times: [a, b, c], start: b, end: b, from: new Date(FROM) })).toEqual([b]);
    const bounded = { cron: '0 1 * * *', start: a, end: b, from: new Date(FROM) };
    expect(await manager.schedules.preview(bounded)).toEqual([a, b]);
  });

  test('maxRuns bounds a preview', async () => {
    expect(await manager.schedules.preview({ every: '1m', maxRuns: 3 })).toHaveLength(3);
  });

  test.each([
    ['cron', {}],
    ['cron', { cron: 'constructor' }],
    ['cron', { cron: '__proto__' }],
    ['cron', { cron: '@daily', every: '1d' }],
    ['every', { every: 0 }],
    ['every', { every: '99ms' }],
    ['times', { times: [] }],
    ['times', { times: [Date.parse('2029-01-01')] }],
    ['times.1', { times: [Date.parse('2031-01-01'), 'soon'] }],
    ['times', { times: Array.from({ length: 1_001 }, (_, n) => Date.parse('2031-01-01') + n) }],
    ['on', { on: 'no spaces' }],
    ['wallClock', { cron: '@daily', wallClock: true }],
    ['wallClock', { every: '1d', wallClock: 'yes' }],
    ['start', { cron: '@daily', start: 'soon' }],
    ['cron', { cron: '@daily', end: Date.parse('2029-01-01') }],
    ['timeZone', { cron: '@daily', timeZone: 'Mars/Olympus' }],
    ['timeZone', { cron: '@daily', timeZone: '' }],
    ['timeZone', { every: '1d', wallClock: true, timeZone: 7 }],
    ['from', { cron: '@daily', from: 'now' }],
  ])('refused: %s %j', async (option, rule) => {
    expect((await refusal(rule)).option).toBe(option);
  });

  test.each([0, -1, 1.5, 'x'])('maxRuns of a preview is an integer from 1, not %j', async (maxRuns) => {
    expect((await refusal({ cron: '@daily', maxRuns })).option).toBe('maxRuns');
  });

  // Searched from its first run for each of these, it takes minutes.
  test('a rule with a count is gone through once, not for each of its runs', async () => {
    const rrule = 'DTSTART:20300101T000000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO;COUNT=3000';
    const all = await runs({ rrule }, 1_000);
    expect(all).toHaveLength(1_000);
    expect(all.slice(0, 2)).toEqual(['2032-12-27T00:00:00', '2037-12-28T00:00:00']);
    expect(await runs({ rrule }, 1, '2040-01-01T00:00:00Z')).toEqual(['2043-12-28T00:00:00']);
  });

  test('a count whose search takes too long runs as far as it got', async () => {
    const rrule = 'DTSTART:20300101T000000Z\nRRULE:FREQ=DAILY;BYMONTH=1;COUNT=10000';
    expect(await runs({ rrule }, 2)).toEqual(['2030-01-02T00:00:00', '2030-01-03T00:00:00']);
    await expect(runs({ rrule, start: new Date('2300-01-01') }, 1)).rejects.toThrow('rrule');
  });

  test('others go on while a rule is hard to compute', async () => {
    const list = (count: number) => Array.from({ length: count }, (_, n) => n).join();
    const all = `BYHOUR=${list(24)};BYMINUTE=${list(60)};BYSECOND=${list(60)}`;
    const order: string[] = [];
    const preview = runs({ rrule: `FREQ=DAILY;${all};BYSETPOS=366` }, 20).then(() => order.push('preview'));
    setImmediate(() => setImmediate(() => order.push('other')));
    await preview;
    expect(order).toEqual(['other', 'preview']);
  });

  test('a preview is of 1 to 1,000 runs', async () => {
    await expect(manager.schedules.preview({ every: '1m' }, 0)).rejects.toThrow('`count`');
    await expect(manager.schedules.preview({ every: '1m' }, 1_001)).rejects.toThrow('`count`');
    expect(await manager.schedules.preview({ every: '1m' }, 1_000)).toHaveLength(1_000);
  });
});
