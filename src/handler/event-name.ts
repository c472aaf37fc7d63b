import { OptionError } from '../errors.ts';

const EVENT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

/** The name of an event. @throws {OptionError} */
export function parseEvent(option: string, event: unknown): string {
  if (typeof event === 'string' && EVENT.test(event)) return event;
  throw new OptionError(option, 'letters, digits, and . _ - after the first, 1 to 200 characters', event);
}

/** The events that start a definition's tasks, each once. @throws {OptionError} */
export function parseEvents(on: unknown): readonly string[] {
  if (on === undefined) return [];
  return [...new Set((Array.isArray(on) ? on : [on]).map((event) => parseEvent('on', event)))];
}
