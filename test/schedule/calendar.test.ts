import fc from 'fast-check';
import { TaskManager } from 'tasklane';
import { afterAll, expect, test } from 'vitest';

const manager = new TaskManager();
afterAll(() => manager.close());

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Changes of the clocks: by an hour, half an hour and two, at midnight, and over a whole day. */
const CHANGES: readonly (readonly [zone: string, at: string])[] = [
  ['Europe/Berlin', '2026-03-29T01:00Z'],
  ['Europe/Berlin', '2026-10-25T01:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30Z'],
  ['Antarctica/Troll', '2026-03-29T01:00Z'],
  ['Antarctica/Troll', '2026-10-25T01:00Z'],
  ['Asia/Beirut', '2026-03-28T22:00Z'],
  ['Asia/Beirut', '2026-10-24T21:00Z'],
  ['Africa/Casablanca', '2026-02-15T02:00Z'],
  ['Africa/Casablanca', '2026-03-22T02:00Z'],
  ['America/New_York', '2026-03-08T07:00Z'],
  ['America/New_York', '2026-11-01T06:00Z'],
  ['Pacific/Apia', '2011-12-30T10:00Z'],
];

/** What the clocks show, as if it were UTC. */
function clocksOf(zone: string): (instant: number) => number {
  const parts = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
  const format = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', ...parts });
  return (instant) => {
    const at: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(instant)) at[type] = Number(value);
    return Date.UTC(at.year ?? 0, (at.month ?? 1) - 1, at.day, at.hour, at.minute);
  };
}

/** Goes from minute to minute, and looks at the clocks: no search, no table of changes. */
function walk(zone: string, from: number, to: number, fits: (wall: number) => boolean, anyHour: boolean): number[] {
  const show = clocksOf(zone);
  const runs: number[] = [];
  let shown = show(from - 4 * HOUR); // the latest that they ever showed
  for (let at = from - 4 * HOUR + MINUTE; at <= to; at += MINUTE) {
    const wall = show(at);
    // Of a rule with hours, what is left out runs now, and what is shown again does not.
    let isRun = anyHour ? fits(wall) : wall > shown && fits(wall);
    for (let out = shown + MINUTE; !anyHour && out < wall; out += MINUTE) isRun ||= fits(out);
    if (isRun && at > from) runs.push(at);
    shown = Math.max(shown, wall);
  }
  return runs;
}

const few = (max: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 4 });

test('any cron around any change of the clocks runs as somebody does who looks at them each minute', {
  timeout: 60_000,
}, async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...CHANGES),
    few(59),
    fc.option(fc.oneof(few(4), few(23))),
    fc.integer({ min: 1, max: 240 }),
    async ([timeZone, change], minutes, hours, before) => {
      const [from, to] = [Date.parse(change) - before * MINUTE, Date.parse(change) + 27 * HOUR];
      const fits = (wall: number): boolean => {
        const date = new Date(wall);
        return minutes.includes(date.getUTCMinutes()) && (hours?.includes(date.getUTCHours()) ?? true);
      };
      const expected = walk(timeZone, from, to, fits, hours === null);
      const rule = { cron: `${minutes.join()} ${hours?.join() ?? '*'} * * *`, timeZone };
      const ticks = await manager.schedules.preview({ ...rule, from }, 200);
      expect(ticks.filter((tick) => tick <= to)).toEqual(expected);
    },
  );
  await fc.assert(property, { numRuns: 60 });
});
