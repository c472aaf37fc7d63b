import { InputInvalidError, TasklaneError } from '../errors.ts';
import type { AnyTask } from '../handler/define.ts';
import type { Registry } from '../handler/registry.ts';
import type { Found } from '../schedule/stored-schedule.ts';
import type { Together } from '../submit/intake.ts';
import { isA, toErrorInfo } from '../task/failure.ts';
import type { PublishOptions } from './publisher.ts';

/** An event as it was published. */
export interface Published {
  readonly event: string;
  readonly payload: unknown;
  readonly options: PublishOptions;
}

/** What an event starts by a definition. @throws {InputInvalidError} where that makes no input of the payload */
export function boundDefinition(definition: AnyTask, published: Published): Together {
  const { name } = definition;
  const input = inputOf(definition, published);
  return { item: { ...published.options, handler: name, input, idempotencyKey: keyOf(published, name) } };
}

/** What an event starts by a schedule, whose own options go before those of the event. Its handler need not be known here. */
export function boundSchedule({ key, schedule }: Found, published: Published, registry: Registry): Together {
  const { payload, options } = published;
  const { handler, priority, startBy, description, entityId, submittedBy, metadata } = schedule;
  const input = schedule.input ?? payload;
  const own = {
    priority: priority ?? options.priority,
    startBy: startBy ?? options.startBy,
    tags: { ...options.tags, ...schedule.tags },
    description: description ?? options.description,
    entityId: entityId ?? options.entityId,
    submittedBy: submittedBy ?? options.submittedBy,
    metadata: metadata ?? options.metadata,
  };
  const idempotencyKey = keyOf(published, `schedule:${key}`);
  const item = { ...options, ...own, handler, input, idempotencyKey };
  if (registry.find(handler) !== undefined) return { item, scheduleId: key };
  return { item, scheduleId: key, elsewhere: { name: handler, ...schedule.handlerDefaults } };
}

function keyOf({ event, options: { idempotencyKey } }: Published, binding: string): string | undefined {
  return idempotencyKey === undefined ? undefined : `publish:${event}:${binding}:${idempotencyKey}`;
}

function inputOf({ name, fromEvent }: AnyTask, { event, payload }: Published): unknown {
  if (fromEvent === undefined) return payload;
  try {
    return fromEvent(payload as never, event);
  } catch (error) {
    if (isA(TasklaneError, error)) throw error;
    const issue = { path: '', message: toErrorInfo(error).message };
    throw new InputInvalidError(`Handler ${name} makes no input of the event ${event}`, [issue]);
  }
}
