import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { HttpProblem } from './problem.ts';

/** How many tasks a principal may submit, refused ones included, in how long. */
export interface SubmitRate {
  readonly count: number;
  readonly perMs: number;
}

/** Holds each principal to a rate of submits, in this process. */
export class SubmitLimit {
  readonly #limiter: RateLimiterMemory;
  readonly #count: number;

  constructor({ count, perMs }: SubmitRate) {
    this.#count = count;
    this.#limiter = new RateLimiterMemory({ points: count, duration: perMs / 1_000 });
  }

  /**
   * Counts some tasks.
   * @param counted of the same submit, already
   * @throws {HttpProblem} 429 with `Retry-After` in seconds, without it for more than there will ever be room
   */
  async take(principalId: string, tasks: number, counted = 0): Promise<void> {
    if (counted + tasks > this.#count)
      throw new HttpProblem('rate_limited', `No more than ${this.#count} tasks are allowed at once.`);
    try {
      await this.#limiter.consume(principalId, tasks);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      const seconds = String(Math.max(1, Math.ceil(error.msBeforeNext / 1_000)));
      const detail = `There were as many submits as are allowed; the next one is in ${seconds} s.`;
      throw new HttpProblem('rate_limited', detail, {}, { 'retry-after': seconds });
    }
  }
}
