import fc from 'fast-check';
import { OptionError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { MAX_DURATION, parseDuration } from '../../src/time/duration.ts';

const YEARS_100 = 100 * 365 * 86_400_000;

describe('a duration', () => {
  test.each([
    [0, 0],
    [0.5, 0.5],
    [1_500, 1_500],
    ['0s', 0],
    ['250ms', 250],
    ['30s', 30_000],
    ['1.5s', 1_500],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['1.5h', 5_400_000],
    ['90d', 7_776_000_000],
    ['2w', 1_209_600_000],
    ['36500d', YEARS_100],
  ])('%j is %d ms', (value, ms) => {
    expect(parseDuration('delay', value)).toBe(ms);
  });

  test.each([
    [-1],
    [-0.001],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    [YEARS_100 + 1],
    [''],
    ['5'],
    ['s'],
    ['5 s'],
    [' 5s'],
    ['5s '],
    ['5S'],
    ['30 sec'],
    ['1h30m'],
    ['-5s'],
    ['+5s'],
    ['.5s'],
    ['5.s'],
    ['1e3s'],
    ['0x5s'],
    ['Infinitys'],
    ['NaNs'],
    ['5y'],
    ['5M'],
    ['36501d'],
    [`${'9'.repeat(400)}s`],
    [null],
    [undefined],
    [true],
    [5n],
    [[5]],
    [{ valueOf: () => 5 }],
    [new Date(5)],
  ])('%s is none', (value) => {
    expect(() => parseDuration('delay', value)).toThrow(OptionError);
  });

  test('is bounded at both ends', () => {
    expect(MAX_DURATION).toBe(YEARS_100);
    expect(parseDuration('lease', '1s', 1_000)).toBe(1_000);
    expect(() => parseDuration('lease', 999, 1_000)).toThrow(/`lease`.*from 1000 ms to 100 years, but is 999/);
    expect(() => parseDuration('wait', '2s', 0, 1_000)).toThrow(/from 0 ms to 1000 ms/);
  });

  test('with a unit is that many of it', () => {
    const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
    fc.assert(
      fc.property(fc.nat(5_000), fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[])), (count, unit) => {
        expect(parseDuration('delay', `${count}${unit}`)).toBe(count * units[unit]);
      }),
    );
  });
});
