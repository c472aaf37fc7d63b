/** Waits of something that is tried again and again while it fails: they double from failure to failure. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  constructor(firstMs: number, mostMs: number) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#nextMs = firstMs;
  }

  /** @returns how long to wait, in ms */
  failed(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, this.#mostMs);
    return ms;
  }

  worked(): void {
    this.#nextMs = this.#firstMs;
  }
}
