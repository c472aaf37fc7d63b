import fc from 'fast-check';
import { type Backoff, OptionError } from 'tasklane';
import { describe, expect, test } from 'vitest';
import { parseBackoff, parseMaxAttempts } from '../../src/handler/retry.ts';

describe('a backoff', () => {
  test('is never negative, never NaN, and within its jitter of max, whatever it is made of', () => {
    const options = fc.record({
      type: fc.constantFrom('fixed' as const, 'exponential' as const),
      delay: fc.integer({ min: 0, max: 10_000 }),
      factor: fc.oneof(fc.double({ min: 1, max: 10, noNaN: true }), fc.constant(1e300)),
      max: fc.integer({ min: 0, max: 1_000_000 }),
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 10_000 }), (backoff, attempt) => {
        const wait = parseBackoff(backoff)(attempt, null);
        const steady = Math.min(
          backoff.type === 'fixed' ? backoff.delay : backoff.delay * backoff.factor ** (attempt - 1) || 0,
          backoff.max,
        );
        expect(Number.isInteger(wait)).toBe(true);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(steady * (1 - backoff.jitter)));
        expect(wait).toBeLessThanOrEqual(Math.ceil(steady * (1 + backoff.jitter)));
      }),
    );
  });

  test.each<[option: string, backoff: unknown]>([
    ['retry.backoff', 'exponential'],
    ['retry.backoff', null],
    ['retry.backoff.type', {}],
    ['retry.backoff.type', { type: 'linear' }],
    ['retry.backoff.delay', { type: 'fixed', delay: -1 }],
    ['retry.backoff.delay', { type: 'fixed', delay: '1 s' }],
    ['retry.backoff.max', { type: 'fixed', max: Number.NaN }],
    ['retry.backoff.factor', { type: 'exponential', factor: 0.5 }],
    ['retry.backoff.factor', { type: 'exponential', factor: Number.POSITIVE_INFINITY }],
    ['retry.backoff.factor', { type: 'exponential', factor: '2' }],
    ['retry.backoff.jitter', { type: 'fixed', jitter: 1.1 }],
    ['retry.backoff.jitter', { type: 'fixed', jitter: -0.1 }],
    ['retry.backoff.jitter', { type: 'fixed', jitter: Number.NaN }],
  ])('with a bad %s: OptionError that names it (%j)', (option, backoff) => {
    const parse = () => parseBackoff(backoff as Backoff);
    expect(parse).toThrow(OptionError);
    expect(parse).toThrow(`\`${option}\` must be`);
  });

  test.each([[0], [1.5], [-1], [Number.NaN], [Number.POSITIVE_INFINITY], ['3'], [null]])(
    'maxAttempts %j: OptionError',
    (value) => {
      expect(() => parseMaxAttempts(value)).toThrow('`retry.maxAttempts` must be an integer from 1');
    },
  );
});
