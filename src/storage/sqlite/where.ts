import { type Condition, JSON_KEYS, RANGE_KEYS, TEXT_KEYS } from '../../task/query.ts';
import type { Status } from '../../task/status.ts';
import type { StoredQuery } from '../storage.ts';
import type { Bindable } from './database.ts';
import type { Avoided } from './plan.ts';
import { statusCode } from './rows.ts';
import { HAS_METADATA, HAS_TEXT, IS_JSON } from './search.ts';
import { encodeText } from './text.ts';

/** Part of a statement with what is bound to it. */
export interface Sql {
  readonly text: string;
  readonly values: readonly Bindable[];
}

/** A tag that all tasks of a list must have: its index is in submit order, so the list can walk it. */
export interface WantedTag {
  readonly key: string;
  readonly value: string;
}

const COLUMN_OF = {
  submittedBy: 'submitted_by',
  entityId: 'entity_id',
  parentId: 'parent_id',
  scheduleId: 'schedule_id',
  description: 'description',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  finishedAt: 'finished_at',
} as const;

/** All of the groups, of each group one: as SQL over `tasklane_task`. @param avoid whose index not to walk */
export function whereOf(where: StoredQuery['where'], avoid: readonly Avoided[] = []): Sql {
  const conditions = where.map((group) => {
    if (group.length === 0) return sql('0');
    return join(
      group.map((condition) => conditionOf(condition, avoid)),
      'or',
    );
  });
  return join(conditions, 'and');
}

/** Tasks along the index of a tag, which is in submit order by `tag.task`. `cross join` keeps the tables in this order. */
export const TAGGED =
  'from tasklane_tag tag cross join tasklane_task on tasklane_task.seq = tag.task where tag.key = ? and tag.value = ?';

/** What {@link TAGGED} is bound to. */
export function tagValues({ key, value }: WantedTag): readonly Bindable[] {
  return [encodeText(key), encodeText(value)];
}

/** The tag with one value that a list may walk; null: there is none, or something narrower. */
export function wantedTag(where: StoredQuery['where']): WantedTag | null {
  let wanted: WantedTag | null = null;
  for (const [condition, ...others] of where) {
    if (condition === undefined || others.length > 0) continue;
    if (condition.ids !== undefined || TEXT_KEYS.some((key) => condition[key] !== undefined)) return null;
    const [key, values] = condition.tags?.[0] ?? [];
    const value = values?.[0];
    if (key !== undefined && value !== undefined && values?.length === 1) wanted ??= { key, value };
  }
  return wanted;
}

/** Whether a search that no index serves is part of it. */
export function searches(where: StoredQuery['where']): boolean {
  return where.some((group) =>
    group.some(({ text, input, result, metadata }) => (text ?? input ?? result ?? metadata) !== undefined),
  );
}

function conditionOf(condition: Condition, avoid: readonly Avoided[]): Sql {
  const parts: Sql[] = [];
  // The sign changes nothing but what the planner may do with the column.
  const column = (name: 'status' | 'handler'): string => (avoid.includes(name) ? `+${name}` : name);
  if (condition.status !== undefined) parts.push(statusIn(column('status'), condition.status));
  if (condition.handler !== undefined) parts.push(isIn(column('handler'), condition.handler.map(encodeText)));
  if (condition.ids !== undefined) parts.push(isIn('id', condition.ids));
  for (const key of TEXT_KEYS) {
    const value = condition[key];
    if (value === null) parts.push(sql(`${COLUMN_OF[key]} is null`));
    else if (value !== undefined) parts.push(sql(`${COLUMN_OF[key]} = ?`, encodeText(value)));
  }
  for (const [key, time] of Object.entries(RANGE_KEYS) as [keyof typeof RANGE_KEYS, keyof typeof COLUMN_OF][]) {
    const range = condition[key];
    if (range === undefined) continue;
    const bounded = `${avoid.includes('times') ? '+' : ''}${COLUMN_OF[time]}`;
    parts.push(sql(`${bounded} is not null`));
    if (range.after !== undefined) parts.push(sql(`${bounded} > ?`, range.after));
    if (range.before !== undefined) parts.push(sql(`${bounded} < ?`, range.before));
  }
  for (const [key, values] of condition.tags ?? []) {
    parts.push(values === null ? hasAny(key, avoid.includes('tags')) : hasTag(key, values));
  }
  if (condition.archived !== 'both') parts.push(sql(`archived_at is ${condition.archived ? 'not null' : 'null'}`));
  if (condition.text !== undefined) {
    parts.push(sql(`${HAS_TEXT}(?, id, handler, description, submitted_by, entity_id)`, encodeText(condition.text)));
  }
  if (condition.held !== undefined) {
    const held = `(status = ${statusCode('scheduled')} and run_at is null)`;
    parts.push(sql(condition.held ? held : `not ${held}`));
  }
  for (const [key, value] of condition.metadata ?? [])
    parts.push(sql(`${HAS_METADATA}(?, ?, more)`, encodeText(key), value));
  for (const key of JSON_KEYS) {
    const value = condition[key];
    if (value !== undefined) parts.push(sql(`${IS_JSON}(?, ${key})`, value));
  }
  return join(parts, 'and');
}

function statusIn(column: string, statuses: readonly Status[]): Sql {
  // Literals: the codes are ours, and the planner can see what they are.
  const codes = statuses.map(statusCode);
  if (codes.length === 0) return sql('0');
  return sql(codes.length === 1 ? `${column} = ${codes[0]}` : `${column} in (${codes.join(', ')})`);
}

function isIn(column: string, values: readonly string[]): Sql {
  const [first] = values;
  if (first === undefined) return sql('0');
  if (values.length === 1) return sql(`${column} = ?`, first);
  // One parameter for any number of values.
  return sql(`${column} in (select value from json_each(?))`, JSON.stringify(values));
}

function hasTag(key: string, values: readonly string[]): Sql {
  if (values.length === 0) return sql('0');
  const found = 'exists(select 1 from tasklane_tag where key = ?';
  return sql(
    `${found} and value in (${values.map(() => '?').join(', ')}) and task = tasklane_task.seq)`,
    encodeText(key),
    ...values.map(encodeText),
  );
}

/**
 * Has a tag of any value. The index of tags is by value first: to ask it of each task would walk all that have the key.
 * @param common most tasks may have it: the row itself tells, whose JSON has a key only behind a brace or a comma
 */
function hasAny(key: string, common: boolean): Sql {
  if (!common) return sql('seq in (select task from tasklane_tag where key = ?)', encodeText(key));
  const written = `${JSON.stringify(key)}:`;
  return sql('(instr(tags, ?) = 1 or instr(tags, ?) > 0)', `{${written}`, `,${written}`);
}

function sql(text: string, ...values: Bindable[]): Sql {
  return { text, values };
}

function join(parts: readonly Sql[], word: 'and' | 'or'): Sql {
  const [first] = parts;
  if (first === undefined) return sql('1');
  if (parts.length === 1) return first;
  return {
    text: `(${parts.map(({ text }) => text).join(` ${word} `)})`,
    values: parts.flatMap(({ values }) => values),
  };
}
