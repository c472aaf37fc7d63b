import { afterEnd, released, unneeded } from '../../flow/rules.ts';
import type { TaskRecord } from '../../task/record.ts';
import { isFinal, type Status } from '../../task/status.ts';
import type { Followed } from '../storage.ts';
import { recordOf } from './record-of.ts';
import { neverStarted, type Row } from './row.ts';
import type { Tasks } from './tasks.ts';

/** A row with edges, and the status it came from. */
export interface Moved {
  readonly row: Row;
  readonly from: Status;
}

/**
 * Does what follows from the ends of tasks: releases, fails or skips what waited for them, and cancels what only those
 * needed; and so on until nothing follows any more.
 * @returns what changed, in that order
 */
export function follow(tasks: Tasks, now: number): readonly Row[] {
  if (tasks.moved.length === 0) return NOTHING;
  const followed: Row[] = [];
  for (let { moved } = tasks; moved.length > 0; { moved } = tasks) {
    tasks.moved = [];
    moved.sort((a, b) => a.row.sequence - b.row.sequence); // those of one moment have no order of their own
    for (const each of moved) followed.push(...leave(tasks, each, now), ...end(tasks, each, now));
  }
  return followed;
}

/** As an answer has it. */
export function followedBy(rows: readonly Row[]): Followed {
  return rows.length === 0 ? NONE : { followed: recordsOf(rows) };
}

/** As a list. */
export function recordsOf(rows: readonly Row[]): readonly TaskRecord[] {
  return rows.map((row) => recordOf(row));
}

const NOTHING: readonly Row[] = [];
const NONE: Followed = {};

/** A task that waited does so no more. Where it will not run, what was made only for it and has not started is cancelled. */
function leave(tasks: Tasks, { row, from }: Moved, now: number): readonly Row[] {
  if (from !== 'waiting') return NOTHING;
  const waitedFor = tasks.edges.leave(row);
  if (!isFinal(row.status)) return NOTHING;
  const cancelled: Row[] = [];
  for (const { dependency, own } of waitedFor) {
    if (!own || tasks.edges.isAwaited(dependency) || !neverStarted(dependency)) continue;
    tasks.step(dependency, unneeded(row.id), now);
    cancelled.push(dependency);
  }
  return cancelled;
}

/** A task that others waited for has ended. */
function end(tasks: Tasks, { row }: Moved, now: number): readonly Row[] {
  if (!isFinal(row.status)) return NOTHING;
  const changed: Row[] = [];
  for (const { dependent, onFailure } of tasks.edges.end(row)) {
    const step = afterEnd(row, onFailure);
    if (dependent.status !== 'waiting' || (step === null && tasks.edges.waits(dependent))) continue;
    tasks.step(dependent, step ?? released(dependent, now), now);
    changed.push(dependent);
  }
  return changed;
}
