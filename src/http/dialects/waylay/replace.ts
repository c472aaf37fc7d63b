import type { TaskPatch } from '../../../controls.ts';
import { canonicalJson, type JsonValue } from '../../../task/json.ts';
import type { Tag, TaskRecord } from '../../../task/record.ts';
import { isObject, type Specification } from './specification.ts';

/**
 * Whether a task can have a specification as it is: what it was submitted with cannot be changed. What no specification can say,
 * an input that is no object, is as it was where the specification says nothing.
 */
export function isSameWork(task: TaskRecord, { type, handler, input }: Specification): boolean {
  if (type !== 'onetime' || handler !== task.handler) return false;
  if (input === undefined && !isObject(task.input)) return true;
  return canonicalJson((input ?? null) as JsonValue) === canonicalJson((task.input ?? null) as JsonValue);
}

/** Gives a task what else a specification says; what it says nothing of is removed. */
export function patchOf(task: TaskRecord, { name, resource, tags, metadata }: Specification): TaskPatch {
  const removed = Object.fromEntries(Object.keys(task.tags).map((key) => [key, null]));
  const all: Record<string, Tag | null> = { ...removed, ...tags };
  return { description: name, entityId: resource, tags: all, metadata: mergeOf(task.metadata, metadata) };
}

/** Metadata is merged (RFC 7396), and this is to be all of it: what is there and is to go is null. */
function mergeOf(before: unknown, next: unknown): unknown {
  if (!isObject(before) || !isObject(next)) return next;
  const gone = Object.keys(before).filter((key) => !Object.hasOwn(next, key));
  return Object.fromEntries([
    ...gone.map((key) => [key, null] as const),
    ...Object.entries(next).map(([key, value]) => [key, mergeOf(before[key], value)] as const),
  ]);
}
