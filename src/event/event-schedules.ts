import type { Environment } from '../environment.ts';
import { boundTo } from '../schedule/bindings.ts';
import type { Found } from '../schedule/stored-schedule.ts';

/** Looks up the stored schedules of events. Those who ask in one turn share one look. */
export class EventSchedules {
  readonly #environment: Environment;
  readonly #looks = new Map<string, Promise<readonly Found[]>>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** @throws {StorageError} */
  boundTo(event: string): Promise<readonly Found[]> {
    const look = this.#looks.get(event) ?? this.#look(event);
    this.#looks.set(event, look);
    return look;
  }

  async #look(event: string): Promise<readonly Found[]> {
    await undefined; // whoever asks in this turn comes before
    this.#looks.delete(event);
    const { storage, clock } = this.#environment;
    return boundTo(storage, event, clock.now());
  }
}
