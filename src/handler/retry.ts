import { checkBag } from '../bag.ts';
import { OptionError } from '../errors.ts';
import { integer } from '../options.ts';
import { parseDuration } from '../time/duration.ts';
import type { Backoff } from './define.ts';

/** Milliseconds to wait after the `attempt`th counted attempt has failed. */
export type BackoffMs = (attempt: number, error: unknown) => number;

const DEFAULT_BACKOFF = { type: 'exponential' } as const;

/**
 * Reads a backoff.
 * @returns a function whose result is always a duration: what a custom one gets wrong becomes an error it throws
 * @throws {OptionError}
 */
export function parseBackoff(backoff: Backoff = DEFAULT_BACKOFF): BackoffMs {
  if (typeof backoff === 'function') {
    return (attempt, error) => parseDuration('retry.backoff()', backoff({ attempt, error }));
  }
  if (backoff === null || typeof backoff !== 'object')
    throw new OptionError('retry.backoff', "an object, such as { type: 'exponential' }, or a function", backoff);
  checkBag('retry.backoff', backoff, { type: null, delay: null, factor: null, max: null, jitter: null });
  const { type } = backoff;
  if (type !== 'fixed' && type !== 'exponential') {
    throw new OptionError('retry.backoff.type', "'fixed' or 'exponential'", type);
  }
  const delay = parseDuration('retry.backoff.delay', backoff.delay ?? '1s');
  const max = parseDuration('retry.backoff.max', backoff.max ?? '1h');
  const { factor = 2, jitter = 0.2 } = backoff;
  if (!(Number.isFinite(factor) && factor >= 1))
    throw new OptionError('retry.backoff.factor', 'a number from 1', factor);
  if (!(jitter >= 0 && jitter <= 1)) throw new OptionError('retry.backoff.jitter', 'a number from 0 to 1', jitter);
  return (attempt) => {
    const steady = type === 'fixed' ? delay : delay * Math.min(factor ** (attempt - 1), Number.MAX_VALUE);
    const spread = 1 + jitter * (2 * Math.random() - 1);
    return Math.round(Math.min(steady, max) * spread);
  };
}

/** @throws {OptionError} */
export function parseMaxAttempts(maxAttempts: unknown = 1): number {
  return integer('retry.maxAttempts', maxAttempts, 1);
}
