/** Tells the ids of one process from those of another. */
const BOOT = Date.now().toString(36) + Math.floor(Math.random() * 46_656).toString(36);
let last = 0;

/** The number of the next event of this process. They count up over all streams. */
export function nextSequence(): number {
  return ++last;
}

/** The number of the newest event of this process. */
export function lastSequence(): number {
  return last;
}

/** @param final the version of a task whose final status this is: after it nothing comes */
export function eventId(sequence: number, final: number | null = null): string {
  return final === null ? `${BOOT}-${sequence}` : `${BOOT}-${sequence}-${final}`;
}

/** What a `Last-Event-ID` says. */
export interface Seen {
  /** Null: an event of another process. */
  readonly sequence: number | null;
  /** The version of the final status that it had. */
  readonly final: number | null;
}

/** @returns null without the header, or for an empty one (HTML, section 9.2.4) */
export function parseLastEventId(headers: Headers): Seen | null {
  const value = headers.get('last-event-id');
  if (value === null || value === '') return null;
  const [, boot, sequence, final] = /^([0-9a-z]{1,20})-(\d{1,15})(?:-(\d{1,15}))?$/.exec(value) ?? [];
  return {
    sequence: boot === BOOT && Number(sequence) <= last ? Number(sequence) : null,
    final: final === undefined ? null : Number(final),
  };
}
