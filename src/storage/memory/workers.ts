import type { TaskRecord } from '../../task/record.ts';
import { lose } from '../../task/transition.ts';
import type { TakenBack, WorkerInfo } from '../storage.ts';
import { follow, recordsOf } from './follow.ts';
import { showProgress } from './progress.ts';
import { recordOf } from './record-of.ts';
import { isRunning, type Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** The rows of one claim. `running`: how many of them still run under it. */
export interface ClaimGroup {
  readonly token: string;
  readonly worker: Worker;
  readonly rows: Row[];
  running: number;
}

/** A worker, as long as it is known or has tasks. */
export interface Worker {
  readonly id: string;
  /** Null: not known, or declared dead. */
  info: WorkerInfo | null;
  beats: number;
  /** By token, while one of its rows runs. */
  readonly claims: Map<string, ClaimGroup>;
  /** How many of its tasks are `cancelling`. */
  cancelling: number;
  readonly leaks: Set<Row>;
}

/** Who works here. */
export class WorkerTable {
  readonly #workers = new Map<string, Worker>();

  /** The worker as far as there is anything about it. */
  find(id: string): Worker | undefined {
    return this.#workers.get(id);
  }

  /** The worker, known or not. */
  get(id: string): Worker {
    let worker = this.#workers.get(id);
    if (worker === undefined) {
      worker = { id, info: null, beats: 0, claims: new Map(), cancelling: 0, leaks: new Set() };
      this.#workers.set(id, worker);
    }
    return worker;
  }

  /** Lets go of a worker that nothing is left of. */
  tidy(worker: Worker): void {
    if (worker.info === null && worker.claims.size === 0 && worker.leaks.size === 0) this.#workers.delete(worker.id);
  }

  /** See `Workers.workers` of the contract. */
  list(): { id: string; beats: number; info: WorkerInfo | null }[] {
    const listed: { id: string; beats: number; info: WorkerInfo | null }[] = [];
    for (const { id, beats, info, claims } of this.#workers.values()) {
      if (info !== null) listed.push({ id, beats, info: { ...info, handlers: [...info.handlers] } });
      else if (claims.size > 0) listed.push({ id, beats: 0, info: null });
    }
    return listed;
  }
}

/** See `Workers.takeBack` of the contract. */
export function takeBack(
  tasks: Tasks,
  workerId: string,
  limit: number,
  expect: { readonly beats: number } | undefined,
): TakenBack {
  const worker = tasks.workers.find(workerId);
  if (worker === undefined) return { taken: [], followed: [] };
  if (expect !== undefined && worker.info !== null && worker.beats !== expect.beats) {
    return { taken: [], followed: [] };
  }
  worker.info = null;
  for (const row of worker.leaks) tasks.apply(row, { leakedBy: null });
  const now = tasks.now();
  const taken: TaskRecord[] = [];
  for (const row of runningOf(worker)) {
    if (taken.length >= limit) break;
    tasks.step(row, lose(row), now);
    taken.push(recordOf(row));
  }
  tasks.workers.tidy(worker);
  return { taken, followed: recordsOf(follow(tasks, now)), ...showProgress(tasks, now) };
}

/** The tasks that run in a worker, as a list of its own. */
export function runningOf(worker: Worker): Row[] {
  const rows: Row[] = [];
  for (const group of worker.claims.values()) {
    for (const row of group.rows) if (row.group === group && isRunning(row)) rows.push(row);
  }
  return rows;
}
