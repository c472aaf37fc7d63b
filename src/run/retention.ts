import type { Environment } from '../environment.ts';
import type { RetentionSettings } from '../options.ts';
import type { RetentionRule } from '../storage/storage.ts';
import { FINAL_STATUSES } from '../task/status.ts';

/** Small, so that nobody waits behind one. */
const BATCH = 100;
const PAUSE_MS = 2;
/** Batches a sweep: 200,000 tasks, which at that pace take some seconds. */
const MAX_BATCHES = 2_000;

/** Removes final tasks that are too old or too many, in small batches. */
export class Pruner {
  readonly #environment: Environment;
  #running: Promise<void> | null = null;
  #stopped = false;
  #endPause = (): void => {};

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Begins a pass unless one is under way. */
  start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when the batch that is under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#endPause();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { storage, settings, clock, events } = this.#environment;
    const rules = this.#rules();
    try {
      for (let batch = 0; batch < MAX_BATCHES && !this.#stopped; batch++) {
        if ((await storage.prune(BATCH, { rules, count: settings.retention.count })) < BATCH) return;
        await new Promise<void>((resolve) => {
          this.#endPause = resolve;
          clock.after(PAUSE_MS, resolve);
        });
      }
    } catch (error) {
      events.error(error);
    }
  }

  #rules(): readonly RetentionRule[] {
    const own = this.#environment.registry.all().filter(({ retention }) => retention !== null);
    const names = own.map(({ name }) => name);
    return [
      ...rulesOf(this.#environment.settings.retention, null, names),
      ...own.flatMap(({ name, retention }) => (retention === null ? [] : rulesOf(retention, [name], []))),
    ];
  }
}

function rulesOf(
  { ageMs }: RetentionSettings,
  handlers: readonly string[] | null,
  except: readonly string[],
): readonly RetentionRule[] {
  return FINAL_STATUSES.filter((status) => ageMs[status] !== Infinity).map((status) => ({
    status: [status],
    handlers,
    except,
    ageMs: ageMs[status],
  }));
}
