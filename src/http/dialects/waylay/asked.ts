import type { TaskFilter } from '../../../task/query.ts';
import type { Status } from '../../../task/status.ts';
import { badParameter } from '../../query.ts';
import type { EntitySettings, TaskStatus } from './entity.ts';
import { type ScenarioType, TYPES } from './specification.ts';

/** What tasks are asked for, by a list or by a batch. All keys AND, a list is OR; null: whatever it is. */
export interface Asked {
  readonly ids: readonly string[] | null;
  readonly names: readonly string[] | null;
  readonly resources: readonly string[] | null;
  readonly resourceTypes: readonly string[] | null;
  readonly types: readonly ScenarioType[] | null;
  readonly statuses: readonly TaskStatus[] | null;
  readonly templates: readonly string[] | null;
  readonly plugins: readonly string[] | null;
  readonly users: readonly string[] | null;
  /** A part of one of several properties. */
  readonly text: string | null;
  /** The values of a tag; null: any value. */
  readonly tags: readonly (readonly [key: string, values: readonly string[] | null])[];
  /** Any of these tags. */
  readonly tagKeys: readonly string[] | null;
  /** Epoch ms. */
  readonly finishedBefore: number | null;
  readonly createdAfter: number | null;
  readonly createdBefore: number | null;
}

/** Gives the values of a parameter; empty: it is not there. */
export type Values = (name: string) => readonly string[];

const STATUSES: readonly TaskStatus[] = ['running', 'stopped', 'failed', 'pending'];

/**
 * Reads what is asked for.
 * @param tags the values by key; empty text means any value
 * @throws {HttpProblem} 400 that names the parameter
 */
export function askedOf(values: Values, tags: ReadonlyMap<string, readonly string[]>): Asked {
  if (values('resourceMetadataExpression').length > 0) {
    throw badParameter('resourceMetadataExpression', 'It is not supported here');
  }
  const list = (name: string): readonly string[] | null => (values(name).length === 0 ? null : values(name));
  const comma = (name: string): readonly string[] => values(name).flatMap((text) => text.split(','));
  const ids = [...values('id'), ...comma('ids')].filter((id) => id !== '');
  const tagKeys = comma('tags').filter((key) => key !== '');
  return {
    ids: ids.length === 0 && list('id') === null && list('ids') === null ? null : ids,
    names: list('name'),
    resources: list('resource'),
    resourceTypes: list('resourceType'),
    types: wordsOf('type', values('type'), TYPES),
    statuses: wordsOf('status', values('status'), STATUSES),
    templates: list('template'),
    plugins: list('plugin'),
    users: list('user'),
    text: values('filter')[0] ?? null,
    tags: [...tags].map(([key, wanted]) => [key, wanted.includes('') ? null : wanted] as const),
    tagKeys: tagKeys.length === 0 ? null : tagKeys,
    finishedBefore: timeOf('finishedBefore', values),
    createdAfter: timeOf('createdAfter', values),
    createdBefore: timeOf('createdBefore', values),
  };
}

/** What is asked for, of our one-off tasks; null: none of them fits. */
export interface TaskQuestion {
  readonly filter: TaskFilter;
  /** Of each, one holds. */
  readonly groups: readonly (readonly TaskFilter[])[];
}

/** What decides which tasks fit. */
export interface AskedSettings extends EntitySettings {
  /** The handlers that stand for a plugin, by its name or `name:version`. */
  readonly plugins: (plugin: string) => readonly string[];
  /** Whether a time that is named is in the range itself. */
  readonly bounds: 'exclusive' | 'inclusive';
}

/** Stored times may have fractions of a millisecond; a moment, in ms. */
const MOMENT = 2 ** -10;

/** The same, where bounds of times are inclusive: ours are exclusive. */
export function withBounds(asked: Asked, { bounds }: Pick<AskedSettings, 'bounds'>): Asked {
  if (bounds === 'exclusive') return asked;
  const later = (time: number | null, by: number): number | null => (time === null ? null : time + by);
  return {
    ...asked,
    finishedBefore: later(asked.finishedBefore, MOMENT),
    createdAfter: later(asked.createdAfter, -MOMENT),
    createdBefore: later(asked.createdBefore, MOMENT),
  };
}

/** As filters over our tasks; those of schedules are left out. */
export function questionOf(asked: Asked, settings: AskedSettings): TaskQuestion | null {
  if (asked.types !== null && !asked.types.includes('onetime')) return null;
  const { names, resources, resourceTypes, users, templates, plugins, statuses, tagKeys } = asked;
  const groups: (readonly TaskFilter[])[] = [];
  if (statuses !== null) groups.push(statuses.flatMap((status) => statusFilters(status, settings)));
  if (names !== null) {
    groups.push(names.flatMap((name) => [{ description: name }, { description: { none: true }, handler: name }]));
  }
  if (resources !== null) groups.push(resources.map((entityId) => ({ entityId })));
  if (resourceTypes !== null) groups.push(resourceTypes.map((resourceType) => ({ metadata: { resourceType } })));
  if (users !== null) groups.push(users.map((user) => userFilter(user, settings)));
  if (plugins !== null) groups.push([{ handler: plugins.flatMap(settings.plugins) }]);
  if (tagKeys !== null) groups.push(tagKeys.map((key) => ({ tags: Object.fromEntries([[key, { any: true }]]) })));
  return {
    groups,
    filter: {
      scheduleId: { none: true },
      ...(asked.ids === null ? undefined : { ids: asked.ids }),
      ...(templates === null ? undefined : { handler: templates }),
      ...(asked.text === null ? undefined : { text: asked.text }),
      ...(asked.tags.length === 0 ? undefined : { tags: tagFilter(asked.tags) }),
      ...(asked.finishedBefore === null ? undefined : { finished: { before: asked.finishedBefore } }),
      ...(asked.createdAfter === null && asked.createdBefore === null
        ? undefined
        : { created: { after: asked.createdAfter ?? undefined, before: asked.createdBefore ?? undefined } }),
    },
  };
}

function statusFilters(status: TaskStatus, { waiting }: AskedSettings): readonly TaskFilter[] {
  const waits: readonly Status[] = ['waiting', 'scheduled', 'queued'];
  const pending: TaskFilter = { status: waits, held: false };
  switch (status) {
    case 'running':
      return [{ status: ['running', 'cancelling'] }, ...(waiting === 'running' ? [pending] : [])];
    case 'pending':
      return waiting === 'pending' ? [pending] : [];
    case 'failed':
      return [{ status: 'failed' }];
    default:
      return [{ status: ['succeeded', 'cancelled'] }, { held: true }];
  }
}

function userFilter(user: string, { noUser }: AskedSettings): TaskFilter {
  return { submittedBy: user === noUser ? { none: true } : user };
}

function tagFilter(tags: Asked['tags']): TaskFilter['tags'] {
  return Object.fromEntries(tags.map(([key, values]) => [key, values ?? { any: true as const }]));
}

function wordsOf<T extends string>(name: string, words: readonly string[], allowed: readonly T[]): readonly T[] | null {
  const wrong = words.find((word) => !allowed.includes(word as T));
  if (wrong !== undefined) throw badParameter(name, `It must be one of ${allowed.join(', ')}`);
  return words.length === 0 ? null : (words as readonly T[]);
}

function timeOf(name: string, values: Values): number | null {
  const [text] = values(name);
  if (text === undefined) return null;
  if (/^-?\d{1,16}$/.test(text)) return Number(text);
  throw badParameter(name, 'It must be epoch ms');
}
