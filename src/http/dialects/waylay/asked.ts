import type { TaskFilter } from '../../../task/query.ts';
import type { Status } from '../../../task/status.ts';
import { HttpProblem } from '../../problem.ts';
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
  /** What the app makes of parameters: of each list, one is to fit. */
  readonly own: readonly (readonly TaskFilter[])[];
}

/** What a parameter asks for, as the app has it; undefined: as it is. */
export type Asking = ((name: string, values: readonly string[]) => OwnFilter | Promise<OwnFilter>) | null;
type OwnFilter = TaskFilter | readonly TaskFilter[] | undefined;

/** Gives the values of a parameter; empty: it is not there. */
type Values = (name: string) => readonly string[];

const STATUSES: readonly TaskStatus[] = ['running', 'stopped', 'failed', 'pending'];
/** Values of parameters of which each is a condition of its own: a storage takes only so many in one question. */
const MAX_VALUES = 400;

/**
 * Reads what is asked for.
 * @param parameters their values by name; none: it is not there
 * @param tags the values by key; empty text means any value
 * @throws {HttpProblem} 400 that names the parameter
 */
export async function askedFor(
  parameters: ReadonlyMap<string, readonly string[]>,
  tags: ReadonlyMap<string, readonly string[]>,
  asking: Asking,
): Promise<Asked> {
  if (asking === null) return askedOf((name) => parameters.get(name) ?? [], tags, []);
  const own: (readonly TaskFilter[])[] = [];
  /** Those that the app leaves as they are. */
  const left = async (all: ReadonlyMap<string, readonly string[]>, prefix: string) => {
    const rest = new Map<string, readonly string[]>();
    for (const [name, values] of all) {
      const filter = values.length === 0 ? undefined : await asking(prefix + name, values);
      if (filter === undefined) rest.set(name, values);
      else own.push(Array.isArray(filter) ? filter : [filter as TaskFilter]);
    }
    return rest;
  };
  const [rest, restOfTags] = [await left(parameters, ''), await left(tags, 'tags.')];
  return askedOf((name) => rest.get(name) ?? [], restOfTags, own);
}

function askedOf(values: Values, tags: ReadonlyMap<string, readonly string[]>, own: Asked['own']): Asked {
  if (values('resourceMetadataExpression').length > 0) {
    throw badParameter('resourceMetadataExpression', 'It is not supported here');
  }
  const list = (name: string): readonly string[] | null => (values(name).length === 0 ? null : values(name));
  const comma = (name: string): readonly string[] => values(name).flatMap((text) => text.split(','));
  const ids = [...values('id'), ...comma('ids')];
  const tagKeys = comma('tags').filter((key) => key !== '');
  const single = ['name', 'resource', 'resourceType', 'user'].flatMap(values);
  if (single.length + tagKeys.length + [...tags.values()].flat().length > MAX_VALUES) {
    throw new HttpProblem(
      'malformed',
      `The query asks for more than the ${MAX_VALUES} names, resources, users and tags allowed.`,
    );
  }
  return {
    ids: ids.length === 0 ? null : ids,
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
    own,
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
  /** Whether all that is asked for is to fit, or one of it. */
  readonly match: 'all' | 'any';
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
  const { types, own } = asked;
  const groups: (readonly TaskFilter[])[] = [...own, ...alternatives(asked, settings)];
  const filter: TaskFilter = { scheduleId: { none: true } };
  if (settings.match === 'any') {
    const any = [...groups.flat(), ...apart(asked).flatMap(conditions), ...(types?.includes('onetime') ? [{}] : [])];
    return isAskedFor(asked) ? { filter, groups: [any] } : { filter, groups: [] };
  }
  if (types !== null && !types.includes('onetime')) return null;
  return { groups, filter: Object.assign({}, filter, ...conditions(asked)) };
}

/** What may be several conditions in one filter, each by itself. */
function apart(asked: Asked): readonly Asked[] {
  const { tags, createdAfter, createdBefore } = asked;
  const none = { ...asked, tags: [], createdAfter: null, createdBefore: null };
  const rest = { ...none, ids: null, templates: null, text: null, finishedBefore: null };
  const times = [{ createdAfter }, { createdBefore }].map((one) => ({ ...rest, ...one }));
  return [none, ...tags.map((tag) => ({ ...rest, tags: [tag] })), ...times];
}

/** Whether anything is asked for. */
export function isAskedFor({ own, tags, ...single }: Asked): boolean {
  return own.length > 0 || tags.length > 0 || Object.values(single).some((one) => one !== null);
}

/** What has one of several values, each a filter of its own. */
function alternatives(asked: Asked, settings: AskedSettings): readonly (readonly TaskFilter[])[] {
  const { names, resources, resourceTypes, users, plugins, statuses, tagKeys } = asked;
  const groups: (readonly TaskFilter[])[] = [];
  if (statuses !== null) groups.push(statusFilters(statuses, settings));
  if (names !== null) {
    groups.push(names.flatMap((name) => [{ description: name }, { description: { none: true }, handler: name }]));
  }
  if (resources !== null) groups.push(resources.map((entityId) => ({ entityId })));
  if (resourceTypes !== null) groups.push(resourceTypes.map((resourceType) => ({ metadata: { resourceType } })));
  if (users !== null) groups.push(users.map((user) => userFilter(user, settings)));
  if (plugins !== null) groups.push([{ handler: plugins.flatMap(settings.plugins) }]);
  if (tagKeys !== null) groups.push(tagKeys.map((key) => ({ tags: Object.fromEntries([[key, { any: true }]]) })));
  return groups;
}

/** What one filter says; no two are about the same key. */
function conditions(asked: Asked): readonly TaskFilter[] {
  const { ids, templates, text, tags, finishedBefore, createdAfter, createdBefore } = asked;
  const created = { after: createdAfter ?? undefined, before: createdBefore ?? undefined };
  return [
    ...(ids === null ? [] : [{ ids }]),
    ...(templates === null ? [] : [{ handler: templates }]),
    ...(text === null ? [] : [{ text }]),
    ...(tags.length === 0 ? [] : [{ tags: tagFilter(tags) }]),
    ...(finishedBefore === null ? [] : [{ finished: { before: finishedBefore } }]),
    ...(createdAfter === null && createdBefore === null ? [] : [{ created }]),
  ];
}

/** As few filters as there can be: lists are walked, and counted, along each. */
function statusFilters(statuses: readonly TaskStatus[], { waiting }: AskedSettings): readonly TaskFilter[] {
  const waits: readonly Status[] = ['waiting', 'scheduled', 'queued'];
  const ours = statuses.flatMap((status): readonly Status[] => {
    if (status === 'running') return ['running', 'cancelling', ...(waiting === 'running' ? waits : [])];
    if (status === 'pending') return waiting === 'pending' ? waits : [];
    return status === 'failed' ? ['failed'] : ['succeeded', 'cancelled'];
  });
  const withHeld = statuses.includes('stopped');
  if (!withHeld) return [{ status: ours, ...(ours.includes('scheduled') ? { held: false } : undefined) }];
  return ours.includes('scheduled') ? [{ status: ours }] : [{ status: ours }, { held: true }];
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
