import { concernsEdges } from '../../flow/rules.ts';
import type { TaskAttempt } from '../../task/record.ts';
import { isFinal, type Status } from '../../task/status.ts';
import { ATTEMPTS_KEPT, applyStep, endedAttempt, type Step, type StoredPatch } from '../../task/transition.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type { TaskDraft } from '../storage.ts';
import { Edges } from './edges.ts';
import { Families } from './families.ts';
import type { Moved } from './follow.ts';
import { Heap } from './heap.ts';
import { Keys } from './keys.ts';
import { Hints } from './news.ts';
import { hasStarted, isHistory, isRunning, Row } from './row.ts';
import { ShareTable } from './shares.ts';
import { Shelf } from './shelf.ts';
import { type ClaimGroup, WorkerTable } from './workers.ts';

/** A row that something happens to at a time; void once the row has another one. */
export interface Timed {
  readonly at: number;
  readonly row: Row;
}

/** Removed rows are dropped from the list from this many on, once they are half of it. */
const SPENT = 1_024;

const earlier = (a: Timed, b: Timed): boolean => a.at < b.at || (a.at === b.at && a.row.sequence < b.row.sequence);

/** All rows, and every index over them. Each change of a row goes through here. */
export class Tasks {
  readonly byId = new Map<string, Row>();
  readonly shelves = new Map<string, Shelf>();
  readonly workers = new WorkerTable();
  readonly keys = new Keys();
  readonly hints = new Hints();
  readonly edges = new Edges();
  readonly families = new Families();
  readonly shares = new ShareTable();
  /** Rows with edges that ended, or that wait no more: what follows from it is still to be done. */
  moved: Moved[] = [];
  /** Scheduled tasks by `runAt`. */
  readonly due = new Heap<Timed>(earlier);
  /** Tasks that no handler started, by `startBy`. */
  readonly expiring = new Heap<Timed>(earlier);
  clock: Clock = systemClock;
  /** In submit order; removed ones are skipped. */
  #rows: Row[] = [];
  #gone = 0;
  #sequence = 0;
  #final = 0;

  /** In submit order; some may be `gone`. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  /** Final tasks, archived ones included. */
  get final(): number {
    return this.#final;
  }

  get unfinished(): number {
    return this.byId.size - this.#final;
  }

  now(): number {
    return this.clock.now();
  }

  shelf(handler: string): Shelf {
    let shelf = this.shelves.get(handler);
    if (shelf === undefined) {
      shelf = new Shelf(handler);
      this.shelves.set(handler, shelf);
    }
    return shelf;
  }

  /** Makes a row that can be found by id and key. Nothing else knows of it until `enter`; `discard` undoes it. */
  make(draft: TaskDraft): Row {
    const row = new Row(draft, ++this.#sequence, this.shelf(draft.record.handler));
    this.byId.set(row.id, row);
    this.#rows.push(row);
    this.keys.add(row, draft.idempotency);
    this.families.add(row);
    return row;
  }

  /** A made row takes part from here on. */
  enter(row: Row, now: number): void {
    row.shelf.counts[row.status]++;
    this.#settleIn(row, now);
    this.hints.changed(row.id);
  }

  /** Takes back rows that were made last and never entered. */
  discard(rows: readonly Row[]): void {
    for (const row of rows) {
      row.gone = true;
      this.byId.delete(row.id);
      this.keys.remove(row);
      this.families.remove(row);
    }
    this.#rows.length -= rows.length;
  }

  /** Removes a final row for good. */
  remove(row: Row): void {
    if (!isFinal(row.status)) return;
    row.gone = true;
    this.byId.delete(row.id);
    this.keys.remove(row);
    this.#final--;
    if (row.archivedAt === null) row.shelf.counts[row.status]--;
    row.shelf.finished[row.status].forget();
    if (row.leakedBy !== null) this.#leak(row, row.leakedBy, null);
    this.edges.remove(row);
    this.families.remove(row);
    this.shares.remove(row);
    this.#gone++;
    if (this.#gone >= SPENT && this.#gone * 2 >= this.#rows.length) {
      this.#rows = this.#rows.filter((each) => !each.gone);
      this.#gone = 0;
    }
    this.hints.changed(row.id);
  }

  /** Does one transition. */
  step(row: Row, step: Step, now: number): void {
    if (row.status === 'running' && isPlainSuccess(step)) {
      this.#succeed(row, step.set?.result ?? null, now);
      return;
    }
    const ended = endedAttempt(row, step, now);
    if (ended !== null && !isHistory(row, ended)) {
      const more = row.own();
      if (more.history === null) more.history = [ended];
      else more.history.push(ended);
      if (more.history.length > ATTEMPTS_KEPT) forget(more.history);
    }
    this.apply(row, applyStep(row, step, now), now);
  }

  /** Gives a queued row, dropped from the ready ones, to a claim. */
  claim(row: Row, group: ClaimGroup, now: number): void {
    // What `applyClaim` says, spelt out: with a patch between, claims take a third longer.
    row.status = 'running';
    row.attempt++;
    row.version++;
    row.updatedAt = now;
    row.startedAt = null;
    row.workerId = group.worker.id;
    row.token = group.token;
    row.group = group;
    group.rows.push(row);
    group.running++;
    const { counts } = row.shelf;
    counts.queued--;
    counts.running++;
    this.hints.changed(row.id);
  }

  /** What no index knows of has changed. */
  touch(row: Row, now: number): void {
    row.version++;
    row.updatedAt = now;
    this.shares.touch(row);
    this.hints.changed(row.id);
  }

  /** Changes fields of a row, and whatever hangs on them. */
  apply(row: Row, patch: StoredPatch, now = this.now()): void {
    const { status, priority, runAt, startBy, archivedAt, leakedBy, finishedAt } = row;
    Object.assign(row, patch);
    if (row.leakedBy !== leakedBy) this.#leak(row, leakedBy, row.leakedBy);
    if (row.status !== status) this.#moved(row, status, finishedAt, now);
    else if (status === 'queued' && row.priority !== priority) {
      row.shelf.ready.left(row.shelf.counts.queued);
      row.shelf.ready.push(row);
      this.hints.queued(row.priority);
    } else if (status === 'scheduled' && row.runAt !== runAt) this.#schedule(row, now);
    if (row.startBy !== startBy) this.#expire(row);
    if ((row.archivedAt === null) !== (archivedAt === null)) {
      row.shelf.counts[row.status] += row.archivedAt === null ? 1 : -1;
    }
    this.shares.touch(row);
    if (patch.progress === null) this.shares.showOwn(row, false);
    this.hints.changed(row.id);
  }

  /** What `applyStep` makes of a plain success, spelt out: nearly all attempts end so, and a patch costs half as much again. */
  #succeed(row: Row, result: unknown, now: number): void {
    const { shelf, more } = row;
    row.status = 'succeeded';
    row.result = result;
    row.version++;
    row.updatedAt = row.finishedAt = now;
    row.runAt = null;
    row.error = null;
    shelf.counts.running--;
    shelf.counts.succeeded++;
    this.#leaveClaim(row);
    this.#final++;
    shelf.finished.succeeded.push(row);
    if (more.uniqueKey !== null) this.keys.moved(row);
    if (this.edges.has(row)) this.moved.push({ row, from: 'running' });
    this.shares.touch(row);
    this.hints.changed(row.id);
  }

  #moved(row: Row, from: Status, finishedAt: number | null, now: number): void {
    const { shelf, status } = row;
    shelf.counts[from]--;
    shelf.counts[status]++;
    const { group } = row;
    if (group !== null) {
      if (from === 'cancelling') group.worker.cancelling--;
      if (status === 'cancelling') {
        group.worker.cancelling++;
        this.hints.cancelling();
      }
      if (!isRunning(row)) this.#leaveClaim(row);
    }
    if (from === 'queued' && status !== 'running') shelf.ready.left(shelf.counts.queued);
    if (isFinal(from)) {
      this.#final--;
      shelf.finished[from].leave(row, finishedAt ?? 0);
    }
    if (isFinal(status)) {
      this.#final++;
      shelf.finished[status].push(row);
    }
    this.#settleIn(row, now);
    this.keys.moved(row);
    if (this.edges.has(row) && concernsEdges(from, status)) this.moved.push({ row, from });
  }

  /** Puts a row where those of its status are looked for. */
  #settleIn(row: Row, now: number): void {
    if (row.status === 'queued') {
      row.shelf.ready.push(row);
      this.hints.queued(row.priority);
    } else if (row.status === 'scheduled') this.#schedule(row, now);
    if (row.startBy !== null) this.#expire(row);
  }

  #schedule(row: Row, now: number): void {
    if (row.runAt === null) return;
    this.due.push({ at: row.runAt, row });
    this.hints.due(row.runAt - now);
    if (this.due.size > SPENT && this.due.size > this.byId.size * 2) this.due.keep(isDueEntry);
  }

  #expire(row: Row): void {
    const { status } = row;
    if (row.startBy === null || hasStarted(row) || isFinal(status) || isRunning(row)) return;
    this.expiring.push({ at: row.startBy, row });
    if (this.expiring.size > SPENT && this.expiring.size > this.byId.size * 2) this.expiring.keep(isExpiryEntry);
  }

  #leak(row: Row, from: string | null, to: string | null): void {
    if (from !== null) {
      const worker = this.workers.find(from);
      worker?.leaks.delete(row);
      if (worker !== undefined) this.workers.tidy(worker);
    }
    if (to !== null) this.workers.get(to).leaks.add(row);
    this.keys.moved(row);
  }

  #leaveClaim(row: Row): void {
    const { group } = row;
    if (group === null) return;
    row.group = null;
    if (--group.running > 0) return;
    group.worker.claims.delete(group.token);
    if (group.worker.info === null) this.workers.tidy(group.worker);
  }
}

/** Whether the entry of `due` still stands for its row. */
export function isDueEntry({ at, row }: Timed): boolean {
  return row.status === 'scheduled' && row.runAt === at;
}

/** Whether the entry of `expiring` still stands for its row. */
export function isExpiryEntry({ at, row }: Timed): boolean {
  const { status } = row;
  return (
    row.startBy === at && !hasStarted(row) && (status === 'waiting' || status === 'scheduled' || status === 'queued')
  );
}

function isPlainSuccess(step: Step): boolean {
  return (
    step.reason === 'succeeded' &&
    step.set !== undefined &&
    step.set.error === null &&
    step.revoke === undefined &&
    step.leakedBy === undefined
  );
}

/** Drops the oldest attempt, but not the only one that tells that the task was started. */
function forget(history: TaskAttempt[]): void {
  const isOnly = history.every(({ startedAt }, place) => (startedAt !== null) === (place === 0));
  history.splice(isOnly ? 1 : 0, 1);
}
