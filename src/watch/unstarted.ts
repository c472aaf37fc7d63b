import type { Environment } from '../environment.ts';

/** How long a result may be waited for before it is worth a word, in ms. */
const PATIENCE_MS = 5_000;

/** What is asked of the manager. */
interface Life {
  /** Null: it has not started, or closes. */
  readonly runsHere: boolean | null;
  readonly isOpen: boolean;
}

/** Tells, once, whoever waits for a result that nobody works on because nobody started a manager. */
export class UnstartedNotice {
  readonly #environment: Environment;
  readonly #life: Life;
  #told = false;

  constructor(environment: Environment, life: Life) {
    this.#environment = environment;
    this.#life = life;
  }

  /** While somebody waits. @returns what is waited for */
  during<T>(wait: Promise<T>): Promise<T> {
    if (this.#life.runsHere !== null) return wait;
    const timer = this.#environment.clock.after(PATIENCE_MS, () => void this.#look());
    return wait.finally(() => timer.clear());
  }

  async #look(): Promise<void> {
    if (this.#told || this.#life.runsHere !== null || !this.#life.isOpen) return;
    this.#told = true;
    // What cannot be read is told by those who need it.
    const workers = await this.#environment.storage.workers().catch(() => null);
    if (workers === null || workers.some(({ info }) => info !== null)) return;
    const message =
      'A result is waited for, but this TaskManager was not started, and no process runs tasks of its storage: `await manager.start()`.';
    this.#environment.events.warn('not_started', message);
    process.emitWarning(message, { type: 'TasklaneWarning', code: 'TASKLANE_NOT_STARTED' });
  }
}
