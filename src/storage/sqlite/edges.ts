import { afterEnd, type Ended, ON_FAILURE, type OnFailure, released } from '../../flow/rules.ts';
import type { TaskErrorInfo } from '../../task/record.ts';
import { FINAL_STATUSES, isFinal } from '../../task/status.ts';
import type { Step } from '../../task/transition.ts';
import type { Edge, EdgeQuery, TaskDraft } from '../storage.ts';
import type { Database } from './database.ts';
import { AWAITED, type Stored, statusCode, statusOf } from './rows.ts';
import { decodeJson } from './text.ts';
import type { Transaction } from './transaction.ts';
import { readStoredAt } from './write.ts';

const FIND = 'select seq, status, edges, error from tasklane_task where id = ?';
// One statement for all that are alike: a parent may have ten thousand children.
const LINK =
  'insert or ignore into tasklane_edge(dependent, dependency, on_failure, open, own) ' +
  'select ?, value, ?, ?, ? from json_each(?)';
const MARK = `update tasklane_task set edges = edges | ${AWAITED} where seq = ?`;
const FIRST_FINAL = Math.min(...FINAL_STATUSES.map(statusCode));
const REOPEN =
  'update tasklane_edge set open = 1 where dependent = ? and open = 0 and ' +
  `exists(select 1 from tasklane_task where seq = dependency and status < ${FIRST_FINAL})`;

const AWAIT_AGAIN =
  'update tasklane_edge indexed by tasklane_edge_dependency set open = 1 where dependency = ? and open = 0 and ' +
  `exists(select 1 from tasklane_task where seq = dependent and status = ${statusCode('waiting')})`;

/** A draft that was made, and its edges. */
export interface Linked {
  readonly seq: number;
  readonly dependsOn: NonNullable<TaskDraft['dependsOn']>;
}

/** What a dependency that had ended before has to say to a new task. */
export type Verdict = {
  readonly seq: number;
  readonly ended: readonly (readonly [Ended, OnFailure])[];
  readonly open: number;
};

/**
 * Stores the edges of a new task.
 * @param standIn the id that stands for a draft of the same call
 * @param own the places of the tasks that were made by the same call, which know that they are awaited
 */
export function link(
  { database }: Transaction,
  { seq, dependsOn }: Linked,
  standIn: ReadonlyMap<string, string>,
  own: ReadonlyMap<string, number>,
): Verdict {
  const ended: [Ended, OnFailure][] = [];
  const alike = new Map<string, { readonly values: readonly number[]; readonly dependencies: number[] }>();
  const add = (dependency: number, ...values: readonly [onFailure: number, open: number, own: number]): void => {
    const key = values.join();
    const others = alike.get(key);
    if (others === undefined) alike.set(key, { values, dependencies: [dependency] });
    else others.dependencies.push(dependency);
  };
  let open = 0;
  for (const { id, onFailure } of dependsOn) {
    const made = own.get(id);
    if (made !== undefined) {
      open++;
      add(made, ON_FAILURE.indexOf(onFailure), 1, 1);
      continue;
    }
    const taskId = standIn.get(id) ?? id;
    const row = database.get(FIND, taskId);
    if (row === undefined) continue;
    const [dependency, code, edges, error] = row as readonly [number, number, number, string | null];
    const status = statusOf(code);
    const final = isFinal(status);
    if (final) ended.push([{ id: taskId, status, error: decodeJson(error) as TaskErrorInfo | null }, onFailure]);
    else open++;
    add(dependency, ON_FAILURE.indexOf(onFailure), final ? 0 : 1, own.has(taskId) ? 1 : 0);
    if ((edges & AWAITED) === 0) database.run(MARK, dependency);
  }
  for (const { values, dependencies } of alike.values()) {
    database.run(LINK, seq, ...values, JSON.stringify(dependencies));
  }
  return { seq, ended, open };
}

/** What a new task is to do at once, since dependencies of it have ended already; null: it waits. */
export function verdict(transaction: Transaction, { seq, ended, open }: Verdict): readonly [Stored, Step] | null {
  if (open > 0 && ended.length === 0) return null;
  const stored = readStoredAt(transaction, seq, true);
  if (stored === null || stored.task.status !== 'waiting') return null;
  for (const [dependency, onFailure] of ended) {
    const step = afterEnd(dependency, onFailure);
    if (step !== null) return [stored, step];
  }
  return open > 0 ? null : [stored, released(stored.task, transaction.now)];
}

/**
 * A task is restarted: it waits for what of its dependencies has not ended, and is waited for by what still waits for others.
 * @returns whether it waits
 */
export function reopen({ database }: Transaction, { seq, edges }: Stored): boolean {
  if ((edges & AWAITED) !== 0) database.run(AWAIT_AGAIN, seq);
  return edges !== 0 && database.run(REOPEN, seq) > 0;
}

/** See `TasksOutside.edges`. */
export function readEdges(
  database: Database,
  taskId: string,
  { side, after = -1, limit, open = false }: EdgeQuery,
): readonly Edge[] | null {
  const row = database.get('select seq from tasklane_task where id = ?', taskId);
  if (row === undefined) return null;
  const [here, there] = side === 'dependencies' ? ['dependent', 'dependency'] : ['dependency', 'dependent'];
  const sql =
    `select t.id, e.on_failure, e.open, t.seq from tasklane_edge e join tasklane_task t on t.seq = e.${there} ` +
    `where e.${here} = ? and e.${there} > ? ${open ? 'and e.open = 1' : ''} order by e.${there} limit ? + 0`;
  return database.all(sql, row[0] as number, after, limit).map(([id, onFailure, isOpen, place]) => ({
    id: id as string,
    onFailure: ON_FAILURE[onFailure as number] as OnFailure,
    open: isOpen === 1,
    place: place as number,
  }));
}
