import { OptionError } from '../errors.ts';
import type { PublishOptions } from '../event/publisher.ts';
import type { FlowItem } from '../flow/graph.ts';
import type { Optional } from '../handler/define.ts';
import type { SubmitOptions } from '../submit/options.ts';
import { toJson } from '../task/json.ts';
import { timeText } from './list-parameters.ts';

/** What `submit` may be told beside the input: as in process, and a signal that gives it up. */
export type ClientSubmitOptions<Children = readonly FlowItem[]> = SubmitOptions<Children> &
  Optional<{ failOnWarning: boolean; signal: AbortSignal }>;

/** What `publish` may be told beside the payload: as in process, and a signal that gives it up. */
export type ClientPublishOptions = Omit<PublishOptions, 'failOnWarning'> & Optional<{ signal: AbortSignal }>;

/** The body of a publish. @throws {InputInvalidError} for a payload or metadata that JSON cannot hold */
export function publishBody(payload: unknown, options: ClientPublishOptions): Record<string, unknown> {
  const { idempotencyKey, signal, metadata, ...rest } = options;
  return {
    ...rest,
    ...(payload === undefined ? {} : { payload: toJson(payload, 'payload') }),
    ...(metadata === undefined ? {} : { metadata: toJson(metadata, 'metadata') }),
  };
}

/**
 * The body of a submit.
 * @throws {OptionError} for a time that is none
 * @throws {InputInvalidError} for an input or metadata that JSON cannot hold
 */
export function submitBody(handler: string, input: unknown, options: ClientSubmitOptions): Record<string, unknown> {
  const { idempotencyKey, failOnWarning, signal, ...rest } = options;
  return bodyOf({ handler, input, ...rest }, '');
}

/** Of a task, or of a child. @param path of its options */
function bodyOf(
  { handler, input, runAt, metadata, children, ...rest }: FlowItem,
  path: string,
): Record<string, unknown> {
  return {
    handler: typeof handler === 'string' ? handler : handler.name,
    ...rest,
    ...(input === undefined ? {} : { input: toJson(input, `${path}input`) }),
    ...(metadata === undefined ? {} : { metadata: toJson(metadata, `${path}metadata`) }),
    ...(runAt === undefined ? {} : { runAt: timeText(`${path}runAt`, runAt) }),
    ...(children === undefined
      ? {}
      : { children: children.map((child, at) => bodyOf(child, `${path}children.${at}.`)) }),
  };
}

/**
 * The value of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a structured string (RFC 9651, section 3.3.3).
 * Without a key of the caller's it is drawn, so that a submit may be repeated.
 * @throws {OptionError} for what a header field cannot hold
 */
export function keyField(key: string = drawKey()): string {
  if (typeof key !== 'string' || !/^[\x20-\x7e]+$/.test(key)) {
    throw new OptionError('idempotencyKey', 'visible ASCII characters', key);
  }
  return `"${key.replace(/["\\]/g, '\\$&')}"`;
}

/** `crypto.randomUUID` where there is one: on a page that came over plain HTTP there is not. */
function drawKey(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
