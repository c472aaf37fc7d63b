/** The whole state machine: what each status may become. Storages, dialects and pages ask this table. */
export const TRANSITIONS = {
  waiting: ['queued', 'scheduled', 'cancelled', 'failed'],
  scheduled: ['queued', 'cancelled', 'succeeded', 'failed'],
  queued: ['running', 'scheduled', 'cancelled', 'succeeded', 'failed'],
  running: ['succeeded', 'failed', 'scheduled', 'queued', 'cancelling'],
  cancelling: ['cancelled', 'succeeded', 'failed'],
  succeeded: ['queued', 'scheduled', 'waiting'],
  failed: ['queued', 'scheduled', 'waiting'],
  cancelled: ['queued', 'scheduled', 'waiting'],
} as const satisfies Record<string, readonly string[]>;

/**
 * Where a task stands: `waiting` for other tasks; `scheduled` for a time, or held; `queued`, ready to run; `running`;
 * `cancelling`, told to stop; or final.
 */
export type Status = keyof typeof TRANSITIONS;

/** A status that ends a task; only a restart leaves it. */
export type FinalStatus = 'succeeded' | 'failed' | 'cancelled';

/** Every status, in the order of a task's life. */
export const STATUSES = Object.keys(TRANSITIONS) as readonly Status[];

/** The statuses that end a task. */
export const FINAL_STATUSES = ['succeeded', 'failed', 'cancelled'] as const satisfies readonly Status[];

/** The statuses in which a task still has something before it. */
export const UNFINISHED_STATUSES = [
  'waiting',
  'scheduled',
  'queued',
  'running',
  'cancelling',
] as const satisfies readonly Status[];

/** Whether a status ends a task. */
export function isFinal(status: Status): status is FinalStatus {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled';
}

/** Whether the table lets a task of status `from` become `to`. */
export function mayBecome(from: Status, to: Status): boolean {
  return (TRANSITIONS[from] as readonly Status[]).includes(to);
}
