import { SORTED_CHARACTERS, type SortKey } from '../../task/query.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import type { Position, StoredQuery } from '../storage.ts';
import type { Bindable } from './database.ts';
import { statusCode } from './rows.ts';
import { encodeText } from './text.ts';
import type { Sql } from './where.ts';

/**
 * A stretch of a list that is in order within itself. A list is one or more of them, one after the other: so null comes
 * where it belongs and each status where it is wanted, and still every stretch is walked along an index.
 */
export interface Stretch {
  /** Which tasks. */
  readonly where: Sql;
  readonly orderBy: string;
  /** They have no value in the column that the list is sorted by. */
  readonly isNull?: boolean;
}

/** The column of each sort key. */
export const SORT_COLUMNS: Readonly<Record<SortKey, string>> = {
  id: 'seq',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
  finishedAt: 'finished_at',
  priority: 'priority',
  handler: 'handler',
  status: 'status',
  submittedBy: 'submitted_by',
  entityId: 'entity_id',
  inputText: `substr(input, 1, ${SORTED_CHARACTERS})`,
  resultText: `substr(result, 1, ${SORTED_CHARACTERS})`,
};
const NULLABLE: readonly SortKey[] = ['finishedAt', 'submittedBy', 'entityId', 'inputText', 'resultText'];
const EVERYTHING: Sql = { text: '1', values: [] };

/** What of the order the rest of a query is about. */
type Order = Pick<StoredQuery, 'sort' | 'statusOrder'>;

/** Where in the submit order: rowids, exclusive. */
export interface Places {
  readonly after: number;
  readonly before: number;
}

/** Anywhere. */
export const ANYWHERE: Places = { after: Number.NEGATIVE_INFINITY, before: Number.POSITIVE_INFINITY };

/** The one stretch of a list in submit order behind a place. @param column holds the rowid */
export function bySubmit(up: boolean, from: Position | null, column = 'seq', places = ANYWHERE): Stretch {
  // One bound of each kind: SQLite looks up the first, and walks to the other.
  const after = from !== null && up ? Math.max(places.after, from[1]) : places.after;
  const before = from !== null && !up ? Math.min(places.before, from[1]) : places.before;
  const low = after === ANYWHERE.after ? EVERYTHING : beyond(true, after, column);
  const high = before === ANYWHERE.before ? EVERYTHING : beyond(false, before, column);
  const where = { text: `${low.text} and ${high.text}`, values: [...low.values, ...high.values] };
  return { where, orderBy: `${column} ${up ? 'asc' : 'desc'}` };
}

/** The stretches of a list behind a place, in the order they are walked. */
export function stretchesOf(order: Order, up: boolean, from: Position | null): readonly Stretch[] {
  const way = up ? 'asc' : 'desc';
  const bySeq = `seq ${way}`;
  if (order.sort === 'id') return [bySubmit(up, from)];
  if (order.sort === 'status') return byStatus(order, up, from, bySeq);
  const column = SORT_COLUMNS[order.sort];
  const nullable = NULLABLE.includes(order.sort);
  const valued: Stretch[] = [];
  const nulls: Stretch[] = [];
  const value = from === null ? null : bindable(from[0]);
  if (from !== null && value !== null) {
    const where = { text: `(${column}, seq) ${up ? '>' : '<'} (?, ?)`, values: [value, from[1]] };
    valued.push({ where: nullable ? notNull(column, where) : where, orderBy: `${column} ${way}, ${bySeq}` });
  } else if (from === null || up) {
    valued.push({ where: nullable ? notNull(column) : EVERYTHING, orderBy: `${column} ${way}, ${bySeq}` });
  }
  if (nullable && (from === null || value === null || !up)) {
    const after = from !== null && value === null ? beyond(up, from[1]) : EVERYTHING;
    nulls.push({
      where: { text: `${column} is null and ${after.text}`, values: after.values },
      orderBy: bySeq,
      isNull: true,
    });
  }
  return up ? [...nulls, ...valued] : [...valued, ...nulls];
}

/** The place of a row, of which the sorted column and the rowid are known. */
export function placeOf(order: Order, value: unknown, seq: number): Position {
  if (order.sort === 'id') return [null, seq];
  if (order.sort === 'status') return [ranked(order).indexOf(STATUSES[value as number] as Status), seq];
  return [value as string | number | null, seq];
}

function byStatus(order: Order, up: boolean, from: Position | null, orderBy: string): readonly Stretch[] {
  const all = ranked(order).map((status, rank) => ({ status, rank }));
  const walked = up ? all : all.reverse();
  const start = from === null ? 0 : walked.findIndex(({ rank }) => rank === from[0]);
  return walked.slice(Math.max(0, start)).map(({ status, rank }) => {
    const after = from !== null && rank === from[0] ? beyond(up, from[1]) : EVERYTHING;
    return { where: { text: `status = ${statusCode(status)} and ${after.text}`, values: after.values }, orderBy };
  });
}

function ranked({ statusOrder = [] }: Order): readonly Status[] {
  return [...new Set([...statusOrder, ...STATUSES])];
}

function beyond(up: boolean, seq: number, column = 'seq'): Sql {
  return { text: `${column} ${up ? '>' : '<'} ?`, values: [seq] };
}

function notNull(column: string, where: Sql = EVERYTHING): Sql {
  return { text: `${column} is not null and ${where.text}`, values: where.values };
}

function bindable(value: Position[0]): Bindable {
  return typeof value === 'string' ? encodeText(value) : value;
}
