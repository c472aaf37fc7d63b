import type { TaskPatch } from '../../../controls.ts';
import type { TaskAction } from '../../../handler/rights.ts';
import type { TaskManager } from '../../../manager.ts';
import { canonicalJson } from '../../../task/json.ts';
import type { TaskRecord } from '../../../task/record.ts';
import { MAX_TEXT } from '../../../task/text.ts';
import { badField, type Fields, fieldOf, jsonField, textField } from './fields.ts';
import type { TaskSettings, TaskV2 } from './task.ts';

/** All that there are. */
export const UPDATES = ['complete', 'fail', 'cancel', 'restart', 'refuse'] as const;
/** What a status at `update` asks for. */
export type Update = (typeof UPDATES)[number];

/** What decides what an update does. */
export interface UpdateSettings extends TaskSettings {
  /** By the word of the status. */
  readonly updates: Readonly<Record<string, Update>>;
}

/** A change of a task: what the caller must be allowed, and how it is made. */
export interface Change {
  readonly action: TaskAction;
  /** What of it is a patch. */
  readonly patch?: TaskPatch;
  readonly make: (manager: TaskManager, id: string) => Promise<TaskRecord>;
}

/** What may not change. */
const FIXED = ['task_id', 'handler', 'user_id', 'created_at', 'updated_at'] as const;

/**
 * The fields of a body without those that are as the client was told, whatever the app made of them: they change nothing.
 * @param told the task as it is answered
 */
export function changedFields(fields: Fields, told: object): Fields {
  const isTold = ([name, value]: [string, unknown]): boolean =>
    value === null || typeof value !== 'object' ? Object.hasOwn(told, name) && (told as Fields)[name] === value : false;
  const changed = Object.entries(fields).filter((field) => !isTold(field) || field[0] === 'response');
  const { response, ...rest } = Object.fromEntries(changed);
  // what a status ends with may be what is there already
  const isLeft = rest.status === undefined && isTold(['response', response]);
  return response === undefined || isLeft ? rest : { ...rest, response };
}

/**
 * The changes that a body asks for, in the order in which they are to be made: what may be refused comes first. A field with
 * its present value changes nothing, nor does null in one that cannot be null, as typed clients send what they were not given;
 * what is no field of a task is left alone.
 * @param shown the task as the caller sees it
 * @throws {HttpProblem} 422 that names the field
 */
export function changesOf(fields: Fields, shown: TaskV2, settings: UpdateSettings): readonly Change[] {
  if (settings.fixed === 'refuse') checkFixed(fields, shown, settings);
  const entity = entityChange(fieldOf(fields, 'entity_id'), shown);
  const status = statusChange(fieldOf(fields, 'status'), fieldOf(fields, 'response'), shown, settings);
  return [...status, ...entity];
}

function checkFixed(fields: Fields, shown: TaskV2, settings: TaskSettings): void {
  for (const name of FIXED) {
    const value = fieldOf(fields, name) ?? shown[name];
    if (value !== shown[name]) throw badField(name, 'cannot be changed');
  }
  if (!isSame(fieldOf(fields, 'request') ?? undefined, shown.request, settings))
    throw badField('request', 'cannot be changed');
}

function statusChange(value: unknown, response: unknown, shown: TaskV2, settings: UpdateSettings): readonly Change[] {
  const word = value === undefined || value === null ? shown.status : textField('status', value);
  if (word === shown.status) {
    if (isSame(response ?? undefined, shown.response, settings)) return [];
    const alone = 'can be given only together with a status that ends the task';
    throw badField('response', shown.response === null ? alone : 'cannot be changed');
  }
  const outcome = response === undefined ? null : jsonField('response', response, settings);
  switch (Object.hasOwn(settings.updates, word) ? settings.updates[word] : 'refuse') {
    case 'complete':
      return [{ action: 'update', make: (manager, id) => manager.complete(id, outcome) }];
    case 'fail':
      return [{ action: 'update', make: (manager, id) => manager.fail(id, errorOf(outcome)) }];
    case 'cancel':
      return [{ action: 'cancel', make: (manager, id) => manager.cancel(id) }];
    case 'restart':
      return [{ action: 'restart', make: (manager, id) => manager.restart(id) }];
    default: {
      const allowed = Object.keys(settings.updates).filter((one) => settings.updates[one] !== 'refuse');
      throw badField('status', `must be one of ${allowed.join(', ')}`);
    }
  }
}

/** What each status asks for, as it is. */
export function updatesOf(statuses: TaskSettings['statuses']): Readonly<Record<string, Update>> {
  const { queued, succeeded, failed, cancelled } = statuses;
  return { [queued]: 'restart', [succeeded]: 'complete', [failed]: 'fail', [cancelled]: 'cancel' };
}

function entityChange(value: unknown, shown: TaskV2): readonly Change[] {
  if (value === undefined || value === shown.entity_id) return [];
  const entityId = entityOf(value);
  return [{ action: 'update', patch: { entityId }, make: (manager, id) => manager.update(id, { entityId }) }];
}

/** @throws {HttpProblem} 422 */
export function entityOf(value: unknown): string | null {
  if (value === null) return null;
  const text = textField('entity_id', value);
  if (text.length >= 1 && text.length <= MAX_TEXT && text.isWellFormed()) return text;
  throw badField('entity_id', `must be null, or well-formed text of 1 to ${MAX_TEXT} characters`);
}

/** What a handler would have thrown. */
function errorOf(outcome: unknown): unknown {
  if (outcome !== null && typeof outcome === 'object' && Object.hasOwn(outcome, 'message')) return outcome;
  if (outcome === null) return { name: 'Error', message: 'Failed from outside.' };
  return { name: 'Error', message: typeof outcome === 'string' ? outcome : JSON.stringify(outcome) };
}

/** Whether a field, where it is sent, has the JSON value that it has. */
function isSame(value: unknown, shown: string | null, settings: TaskSettings): boolean {
  if (value === undefined || value === shown) return true;
  try {
    return canonicalJson(jsonField('', value, settings)) === canonicalJson(JSON.parse(shown ?? 'null'));
  } catch {
    return false;
  }
}
