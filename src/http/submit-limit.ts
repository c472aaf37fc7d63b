import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpProblem } from './problem.ts';

/** How many submits a principal has, refused ones included, in how long. */
export interface SubmitRate {
  readonly count: number;
  readonly perMs: number;
}

/** Holds each principal to a rate of submits, in this process. */
export class SubmitLimit {
  readonly #limiter: RateLimiterMemory;

  constructor({ count, perMs }: SubmitRate) {
    this.#limiter = new RateLimiterMemory({ points: count, duration: perMs / 1_000 });
  }

  /** Counts a submit. @throws {HttpProblem} 429 with `Retry-After` in seconds */
  async take(principalId: string): Promise<void> {
    try {
      await this.#limiter.consume(principalId);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const seconds = String(Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
      const detail = `There were as many submits as are allowed; the next one is in ${seconds} s.`;
      throw new HttpProblem('rate_limited', detail, {}, { 'retry-after': seconds });
    }
  }
}
