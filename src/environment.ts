import type { Events } from './events.ts';
import type { Registry } from './handler/registry.ts';
import type { Settings } from './options.ts';
import type { TaskStorage } from './storage/storage.ts';
import type { TaskIds } from './task/id.ts';
import type { Clock } from './time/clock.ts';

/** What the parts of one manager share. */
export interface Environment {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly storage: TaskStorage;
  readonly ids: TaskIds;
  readonly registry: Registry;
  readonly events: Events;
}
