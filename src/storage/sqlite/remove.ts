import { FINAL_STATUSES, isFinal } from '../../task/status.ts';
import type { RetentionRule } from '../storage.ts';
import { countFinal } from './counters.ts';
import type { Row } from './database.ts';
import { scopeOf } from './in-the-way.ts';
import { AWAITED, COUNTED, LIGHT_COLUMNS, SHOWS, statusCode, toStored } from './rows.ts';
import { removeShares } from './shares.ts';
import { encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';
import { dropTags } from './write.ts';

/** What retention asks for. */
export interface Retention {
  readonly rules: readonly RetentionRule[];
  readonly count: number;
}

const OF_A_TASK = ['tasklane_attempt', 'tasklane_log', 'tasklane_log_end'] as const;

// What an unfinished task depends on stays, as that one will ask for its result.
const UNNEEDED =
  `and (edges & ${AWAITED} = 0 or not exists(select 1 from tasklane_edge e indexed by tasklane_edge_dependency ` +
  'join tasklane_task d on d.seq = e.dependent where e.dependency = tasklane_task.seq ' +
  `and d.status < ${Math.min(...FINAL_STATUSES.map(statusCode))}))`;

/** Removes final tasks for good, with all that belongs to them. @returns how many went */
export function removeTasks(transaction: Transaction, ids: readonly string[]): number {
  const { database } = transaction;
  let gone = 0;
  for (const id of new Set(ids)) {
    const row = database.get(`select ${LIGHT_COLUMNS} from tasklane_task where id = ?`, id);
    if (row !== undefined && removeRow(transaction, row)) gone++;
  }
  return gone;
}

/**
 * Until when, by rule, nothing is left to remove: epoch ms. What ended before stays for another rule, and may be a million
 * tasks that need not be looked at again every few seconds.
 */
export type Pruned = ReadonlyMap<string, number>;

/** See `TasksOutside.prune`. @returns how many went, and what is known now */
export function prune(
  transaction: Transaction,
  limit: number,
  { rules, count }: Retention,
  before: Pruned,
): { readonly gone: number; readonly pruned: Pruned } {
  const { database, counts, now } = transaction;
  database.run('delete from tasklane_key where expires_at <= ?', now);
  database.run('delete from tasklane_document where expires_at is not null and expires_at <= ?', now);
  const pruned = new Map(before);
  let left = limit;
  for (const rule of rules) {
    if (left <= 0 || rule.ageMs === Number.POSITIVE_INFINITY) continue;
    const name = JSON.stringify([rule.status, rule.handlers, rule.except]);
    const until = now - rule.ageMs;
    const gone = pruneByRule(transaction, rule, before.get(name) ?? Number.MIN_SAFE_INTEGER, until, left);
    if (gone < left) pruned.set(name, until);
    left -= gone;
  }
  if (left > 0 && count !== Number.POSITIVE_INFINITY) {
    const spare = countFinal(database) + counts.sum(true) - count;
    left -= removeOldest(transaction, Math.min(left, spare), '', []);
  }
  return { gone: limit - left, pruned };
}

function pruneByRule(
  transaction: Transaction,
  { status, handlers, except }: RetentionRule,
  from: number,
  until: number,
  limit: number,
): number {
  const codes = status.filter(isFinal).map(statusCode);
  let where = `and finished_at >= ? and finished_at < ? and status in (${codes.join(', ')})`;
  const values: (string | number)[] = [from, until];
  if (handlers !== null) {
    where += ' and handler in (select value from json_each(?))';
    values.push(JSON.stringify(handlers.map(encodeText)));
  }
  if (except.length > 0) {
    where += ' and handler not in (select value from json_each(?))';
    values.push(JSON.stringify(except.map(encodeText)));
  }
  return removeOldest(transaction, limit, where, values);
}

function removeOldest(
  transaction: Transaction,
  limit: number,
  where: string,
  values: readonly (string | number)[],
): number {
  if (limit <= 0) return 0;
  const rows = transaction.database.all(
    `select ${LIGHT_COLUMNS} from tasklane_task indexed by tasklane_task_finished where finished_at is not null ` +
      `and status >= 5 ${where} ${UNNEEDED} order by finished_at, seq limit ? + 0`,
    ...values,
    limit,
  );
  return rows.filter((row) => removeRow(transaction, row)).length;
}

/** @returns false: it is unfinished, and stays */
function removeRow(transaction: Transaction, row: Row): boolean {
  const { database, counts, happened } = transaction;
  const { seq, edges, task } = toStored(row);
  if (!isFinal(task.status)) return false;
  if ((edges & (COUNTED | SHOWS)) !== 0) removeShares(transaction, seq);
  if (edges !== 0) database.run('delete from tasklane_edge where dependent = ? or dependency = ?', seq, seq);
  dropTags(transaction, seq, task.tags);
  for (const table of OF_A_TASK) database.run(`delete from ${table} where task = ?`, seq);
  if (task.idempotencyKey !== null) {
    const sql = 'delete from tasklane_key where scope = ? and key = ? and task_id = ?';
    database.run(sql, scopeOf(task), encodeText(task.idempotencyKey), task.id);
  }
  database.run('delete from tasklane_task where seq = ?', seq);
  counts.add(task.handler, task.status, task.archivedAt !== null, -1);
  happened.changed(task.id);
  return true;
}
