import type { TaskRecord } from '../task/record.ts';
import { isFinal } from '../task/status.ts';
import { eventId, nextSequence } from './event-id.ts';
import type { SentEvent } from './event-ring.ts';
import { type Batch, encode } from './event-stream.ts';
import { NO_PAYLOADS, toWire } from './wire.ts';

/** A log line as it is sent. */
export interface LogData {
  readonly taskId: string;
  readonly at: string;
  readonly level: string;
  readonly message: string;
}

/** A status that a task came to. */
export function statusEvent(task: TaskRecord): SentEvent {
  const sequence = nextSequence();
  const text = textOf('status', eventId(sequence, finalOf(task)), toWire(task, NO_PAYLOADS));
  return { sequence, key: `status ${sequence}`, state: task, text };
}

/** How far a task is. A slow reader is sent only the newest of a task. */
export function progressEvent(task: TaskRecord): SentEvent {
  const sequence = nextSequence();
  const text = textOf('progress', eventId(sequence), toWire(task, NO_PAYLOADS));
  return { sequence, key: `progress ${task.id}`, state: task, text };
}

/** A log line. */
export function logEvent(line: LogData): SentEvent {
  const sequence = nextSequence();
  return { sequence, key: `log ${sequence}`, state: null, text: textOf('log', eventId(sequence), line) };
}

/**
 * How things stand, for a reader who begins. Only the last of these events has an id: whoever saw a part of them begins anew.
 * @param reset what the reader saw earlier is too long ago
 * @param mark the newest event that this takes in
 * @param complete whether these are all tasks that there are to tell of
 */
export function standingEvents(
  reset: boolean,
  tasks: readonly TaskRecord[],
  log: readonly LogData[],
  mark: number,
  complete = true,
): readonly SentEvent[] {
  const events = [
    ...(reset ? [{ event: 'reset', data: { tasks: tasks.length, complete }, final: null }] : []),
    ...tasks.map((task) => ({ event: 'status', data: toWire(task, NO_PAYLOADS), final: finalOf(task) })),
    ...log.map((line) => ({ event: 'log', data: line, final: null })),
  ];
  return events.map(({ event, data, final }, index) => {
    const id = index === events.length - 1 ? eventId(mark, final) : null;
    return { sequence: mark, key: `standing ${index}`, state: null, text: textOf(event, id, data) };
  });
}

/** The version that a final status has; null while something may follow. */
function finalOf({ status, version }: TaskRecord): number | null {
  return isFinal(status) ? version : null;
}

/** One event (HTML, section 9.2). JSON text has no line breaks. */
function textOf(event: string, id: string | null, data: unknown): string {
  return `event: ${event}\n${id === null ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

/** Encoded when somebody needs it, and once. */
export function batchOf(events: readonly SentEvent[]): Batch {
  let chunk: Uint8Array | undefined;
  let parts: Batch['parts'] | undefined;
  return {
    get chunk() {
      chunk ??= encode(events.map(({ text }) => text).join(''));
      return chunk;
    },
    get parts() {
      parts ??= events.map(({ key, text }) => [key, encode(text)] as const);
      return parts;
    },
  };
}
