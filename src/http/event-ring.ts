/** One event as it is sent. */
export interface SentEvent {
  readonly sequence: number;
  /** A slow reader is sent only the newest of a key. */
  readonly key: string;
  readonly text: string;
  /** The task it is of, and the version of the record in it; null for what is no state of a task. */
  readonly state: { readonly id: string; readonly version: number } | null;
}

/** What is kept for those who come back. */
const MAX_EVENTS = 1_000;
const MAX_CHARACTERS = 262_144;

/** The newest events of a group. */
export class EventRing {
  #events: SentEvent[] = [];
  #characters = 0;
  /** All later events are here. */
  #from: number;

  /** @param from a number older than all events to come */
  constructor(from: number) {
    this.#from = from;
  }

  push(event: SentEvent): void {
    this.#events.push(event);
    this.#characters += event.text.length;
    if (this.#events.length <= MAX_EVENTS && this.#characters <= MAX_CHARACTERS) return;
    // Half of them at once: one by one would move the rest each time.
    const gone = this.#events.splice(0, Math.ceil(this.#events.length / 2));
    for (const { text } of gone) this.#characters -= text.length;
    this.#from = gone.at(-1)?.sequence ?? this.#from;
  }

  /** What came after an event, oldest first; null: some of it is no longer here. */
  after(sequence: number): readonly SentEvent[] | null {
    if (sequence < this.#from) return null;
    return this.#events.filter((event) => event.sequence > sequence);
  }
}
