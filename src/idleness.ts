import type { Environment } from './environment.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Runner } from './run/runner.ts';
import type { Intake } from './submit/intake.ts';

/** When something is queued that nobody here takes yet (another process may), it is looked at again after this, in ms. */
const LOOK_AGAIN_MS = 10;

/** Knows when nothing is left that this process could do. */
export class Idleness {
  readonly #environment: Environment;
  readonly #lifecycle: Lifecycle;
  readonly #runner: Runner;
  readonly #intake: Intake;

  constructor(environment: Environment, lifecycle: Lifecycle, runner: Runner, intake: Intake) {
    this.#environment = environment;
    this.#lifecycle = lifecycle;
    this.#runner = runner;
    this.#intake = intake;
  }

  /** A handler came: what was queued for it can run now. */
  registered(): void {
    this.#runner.wake(null);
  }

  /** @throws {StorageError} */
  async onIdle(): Promise<void> {
    while (!(await this.#isIdle())) {
      this.#runner.wake(null);
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  async #isIdle(): Promise<boolean> {
    await this.#lifecycle.readable();
    for (;;) {
      await new Promise<void>((resolve) => this.#runner.onceIdle(resolve));
      if (this.#intake.pending > 0) await new Promise((resolve) => setImmediate(resolve));
      else break;
    }
    if (!this.#runner.isRunning) return true;
    const handler = this.#environment.registry.runnable().map(({ name }) => name);
    const open = handler.filter((name) => !this.#runner.pauses.holds(name));
    if (open.length === 0) return true;
    // The counters answer at once, where counting would look at every task.
    const counts = await this.#environment.storage.counts();
    const queued = counts.some(
      ({ handler, status, count }) => status === 'queued' && count > 0 && open.includes(handler),
    );
    return !queued && this.#runner.inHand === 0 && this.#intake.pending === 0;
  }
}
