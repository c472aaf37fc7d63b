import { afterEnd, ON_FAILURE, type OnFailure, released, unneeded } from '../../flow/rules.ts';
import type { TaskRecord } from '../../task/record.ts';
import { isFinal } from '../../task/status.ts';
import type { Followed } from '../storage.ts';
import { AWAITED, DEPENDS, recordOf, type Stored } from './rows.ts';
import type { Moved, Transaction } from './transaction.ts';
import { readStoredAt, takeStep } from './write.ts';

// One statement for all: a parent may wait for ten thousand children.
const WAITED_FOR =
  'select e.dependency, e.own = 1 and t.started = 0 and t.status < 3, exists(select 1 from tasklane_edge o ' +
  'indexed by tasklane_edge_dependency where o.dependency = e.dependency and o.dependent <> e.dependent and o.open = 1) ' +
  'from tasklane_edge e indexed by tasklane_edge_open join tasklane_task t on t.seq = e.dependency ' +
  'where e.dependent = ? and e.open = 1 order by e.dependency';
const WAITS_NO_MORE =
  'update tasklane_edge indexed by tasklane_edge_open set open = 0 where dependent = ? and open = 1';
const WAITING_FOR =
  'select dependent, on_failure from tasklane_edge indexed by tasklane_edge_dependency where dependency = ? ' +
  'and open = 1 order by dependent';
const AWAITED_NO_MORE =
  'update tasklane_edge indexed by tasklane_edge_dependency set open = 0 where dependency = ? and open = 1';
const WAITS = 'select 1 from tasklane_edge indexed by tasklane_edge_open where dependent = ? and open = 1 limit 1';

/**
 * Does what follows from the ends of tasks, in the same transaction: releases, fails or skips what waited for them, and
 * cancels what only those needed; and so on until nothing follows any more.
 * @param payloads somebody wants to know what changed
 * @returns what changed, in that order; nothing where nobody wants to know
 */
export function follow(transaction: Transaction, payloads = true): readonly TaskRecord[] {
  if (transaction.moved.length === 0) return NOTHING;
  const followed: TaskRecord[] = [];
  const alone = new Set<number>();
  for (let moved = transaction.moved; moved.length > 0; moved = transaction.moved) {
    transaction.moved = [];
    moved.sort((a, b) => a.stored.seq - b.stored.seq); // those of one moment have no order of their own
    for (const each of moved) {
      const changed = [...leave(transaction, each, alone, payloads), ...end(transaction, each, alone, payloads)];
      if (payloads) for (const stored of changed) followed.push(recordOf(stored.task));
    }
  }
  return followed;
}

/** As an answer has it. */
export function followedBy(followed: readonly TaskRecord[]): Followed {
  return followed.length === 0 ? NONE : { followed };
}

const NOTHING: readonly TaskRecord[] = [];
const NONE: Followed = {};

/**
 * A task that waited does so no more. Where it will not run, what was made only for it and has not started is cancelled.
 * @param alone is given what nothing waits for any more
 */
function leave(
  transaction: Transaction,
  { stored, from }: Moved,
  alone: Set<number>,
  payloads: boolean,
): readonly Stored[] {
  const { database } = transaction;
  const { seq, edges, task } = stored;
  if (from !== 'waiting' || (edges & DEPENDS) === 0) return [];
  const waitedFor = database.all(WAITED_FOR, seq) as readonly (readonly [number, number, number])[];
  if (waitedFor.length === 0) return [];
  database.run(WAITS_NO_MORE, seq);
  const cancelled: Stored[] = [];
  for (const [dependency, unstarted, awaited] of waitedFor) {
    if (awaited === 1) continue;
    alone.add(dependency);
    if (unstarted === 0 || !isFinal(task.status)) continue;
    const found = readStoredAt(transaction, dependency, payloads);
    if (found !== null) cancelled.push(takeStep(transaction, found, unneeded(task.id)));
  }
  return cancelled;
}

/** A task that others waited for has ended. */
function end(
  transaction: Transaction,
  { stored }: Moved,
  alone: ReadonlySet<number>,
  payloads: boolean,
): readonly Stored[] {
  const { database, now } = transaction;
  const { seq, edges, task } = stored;
  if (!isFinal(task.status) || (edges & AWAITED) === 0 || alone.has(seq)) return [];
  const waiting = database.all(WAITING_FOR, seq);
  if (waiting.length === 0) return [];
  database.run(AWAITED_NO_MORE, seq);
  const changed: Stored[] = [];
  for (const [dependent, policy] of waiting as readonly (readonly [number, number])[]) {
    const step = afterEnd(task, ON_FAILURE[policy] as OnFailure);
    if (step === null && database.get(WAITS, dependent) !== undefined) continue;
    const found = readStoredAt(transaction, dependent, payloads);
    if (found?.task.status !== 'waiting') continue;
    changed.push(takeStep(transaction, found, step ?? released(found.task, now)));
  }
  return changed;
}
