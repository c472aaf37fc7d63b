import { OptionError } from '../errors.ts';

/** Milliseconds, or a number with a unit such as `'30s'`, `'1.5h'` or `'250ms'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd' | 'w'}`;

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const FORM = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/;

/** 100 years: anything longer is a mistake, and would leave the range of dates. */
export const MAX_DURATION = 100 * 365 * UNITS.d;

/**
 * Reads a duration.
 * @param option names the option in the error
 * @param min smallest duration allowed, in ms
 * @returns milliseconds
 * @throws {OptionError} when it is not a duration, or out of its bounds
 */
export function parseDuration(option: string, value: unknown, min = 0, max = MAX_DURATION): number {
  const ms = typeof value === 'string' ? fromText(value) : value;
  if (typeof ms === 'number' && ms >= min && ms <= max) return ms;
  const bounds = `from ${min} ms to ${max === MAX_DURATION ? '100 years' : `${max} ms`}`;
  throw new OptionError(option, `a duration in ms or such as '30s', '5m' or '1h', ${bounds}`, value);
}

function fromText(text: string): number {
  const [, digits, unit] = FORM.exec(text) ?? [];
  return digits === undefined ? Number.NaN : Number(digits) * UNITS[unit as keyof typeof UNITS];
}
