import type { TaskErrorInfo } from './record.ts';

const MAX_TEXT = 10_000;

/**
 * What is stored of whatever a handler threw: an error, a frozen object, a string, undefined.
 * @param code instead of the error's own
 */
export function toErrorInfo(thrown: unknown, code?: string): TaskErrorInfo {
  const name = read(thrown, 'name');
  const stack = read(thrown, 'stack');
  const info = {
    name: name ?? (isA(Error, thrown) ? 'Error' : 'NonError'),
    message: clip(read(thrown, 'message') ?? textOf(thrown)),
    code: code ?? read(thrown, 'code') ?? 'handler_failed',
  };
  return stack === undefined ? info : { ...info, stack: clip(stack) };
}

/** Text of a property, when there is one: getters may throw, and proxies may lie. */
function read(thrown: unknown, key: string): string | undefined {
  if (thrown === null || typeof thrown !== 'object') return undefined;
  try {
    const value = (thrown as Record<string, unknown>)[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As `instanceof`, also of what a handler threw: proxies may throw even at that. */
export function isA<T>(type: abstract new (...args: never) => T, value: unknown): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Any value as text; never throws. */
export function textOf(value: unknown): string {
  try {
    if (typeof value === 'object' && value !== null) return JSON.stringify(value) ?? 'an object';
    return String(value);
  } catch {
    return 'something that has no text';
  }
}

function clip(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
