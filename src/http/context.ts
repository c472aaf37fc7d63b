import type { TaskManager } from '../manager.ts';
import type { EventHub } from './event-hub.ts';
import type { HttpSettings } from './options.ts';

/** What the routes of one handler share. */
export interface HttpContext {
  readonly manager: TaskManager;
  readonly settings: HttpSettings;
  readonly hub: EventHub;
  /** Aborted by `close()`: what is held is answered at once. */
  readonly closing: AbortSignal;
}
