import type { TaskRecord } from '../../task/record.ts';
import { DUE, EXPIRED } from '../../task/transition.ts';
import type { Claim, ClaimAnswer, ClaimRequest } from '../storage.ts';
import { follow, recordsOf } from './follow.ts';
import { Heap } from './heap.ts';
import { showProgress } from './progress.ts';
import type { Ready } from './ready.ts';
import { recordOf } from './record-of.ts';
import { isExpired, isRunning, type Row } from './row.ts';
import { isDueEntry, isExpiryEntry, type Tasks } from './tasks.ts';
import type { ClaimGroup } from './workers.ts';

/** How many tasks one claim queues, and how many it cancels, before it claims. */
const AT_ONCE = 1_000;

/** A handler with free slots, and its next task. */
interface Candidate {
  readonly ready: Ready;
  left: number;
  next: Row;
}

/** See `TasksRun.claim` of the contract. */
export function claim(tasks: Tasks, request: ClaimRequest): ClaimAnswer {
  const now = tasks.now();
  const expired = expire(tasks, now);
  const queued = promote(tasks, now);
  const followed = recordsOf(follow(tasks, now));
  const progressed = showProgress(tasks, now);
  return { claims: take(tasks, request, now), queued, expired, followed, ...progressed };
}

/** Cancels what had not started by its `startBy`. */
function expire(tasks: Tasks, now: number): readonly TaskRecord[] {
  const { expiring } = tasks;
  const expired: TaskRecord[] = [];
  for (let top = expiring.peek(); top !== undefined && expired.length < AT_ONCE; top = expiring.peek()) {
    if (isExpiryEntry(top)) {
      if (top.at > now) break;
      tasks.step(top.row, EXPIRED, now);
      expired.push(recordOf(top.row));
    }
    expiring.pop();
  }
  return expired;
}

/** Queues what is due. */
function promote(tasks: Tasks, now: number): readonly TaskRecord[] {
  const { due } = tasks;
  const queued: TaskRecord[] = [];
  for (let top = due.peek(); top !== undefined && queued.length < AT_ONCE; top = due.peek()) {
    if (isDueEntry(top)) {
      if (top.at > now) break;
      tasks.step(top.row, DUE, now);
      queued.push(recordOf(top.row));
    }
    due.pop();
  }
  return queued;
}

function take(tasks: Tasks, request: ClaimRequest, now: number): readonly Claim[] {
  const { limit, token } = request;
  const before = tasks.workers.find(request.workerId)?.claims.get(token);
  if (before !== undefined) return before.rows.filter((row) => row.group === before && isRunning(row)).map(claimOf);
  if (limit <= 0) return [];
  const worker = tasks.workers.get(request.workerId);
  const group: ClaimGroup = { token, worker, rows: [], running: 0 };
  if (request.ids === undefined) takeNext(tasks, request, group, now);
  else takeNamed(tasks, request, request.ids, group, now);
  if (group.running > 0) worker.claims.set(token, group);
  else tasks.workers.tidy(worker);
  return group.rows.map(claimOf);
}

/** Takes the next rows of all handlers with free slots. */
function takeNext(tasks: Tasks, { handlers, limit }: ClaimRequest, group: ClaimGroup, now: number): void {
  const candidates = new Heap<Candidate>((a, b) => goesBefore(a.next, b.next));
  for (const { name, limit: left } of handlers) {
    const ready = left > 0 ? tasks.shelves.get(name)?.ready : undefined;
    const row = ready?.peek();
    // More have expired than were cancelled above: theirs is the next claim.
    if (ready !== undefined && row !== undefined && !isExpired(row, now)) candidates.push({ ready, left, next: row });
  }
  for (let top = candidates.peek(); top !== undefined && group.rows.length < limit; top = candidates.peek()) {
    top.ready.drop(top.next);
    tasks.claim(top.next, group, now); // before the next look: a row may stand in its list twice
    const row = --top.left > 0 ? top.ready.peek() : undefined;
    if (row === undefined || isExpired(row, now)) candidates.pop();
    else {
      top.next = row;
      candidates.replace(top);
    }
  }
}

/** Takes of the named rows those that can run. */
function takeNamed(
  tasks: Tasks,
  { handlers, limit }: ClaimRequest,
  ids: readonly string[],
  group: ClaimGroup,
  now: number,
): void {
  const left = new Map(handlers.map((handler) => [handler.name, handler.limit]));
  const runnable: Row[] = [];
  for (const id of new Set(ids)) {
    const row = tasks.byId.get(id);
    if (row?.status === 'queued' && !isExpired(row, now)) runnable.push(row);
  }
  for (const row of runnable.sort((a, b) => (goesBefore(a, b) ? -1 : 1))) {
    const slots = left.get(row.handler) ?? 0;
    if (slots <= 0 || group.rows.length >= limit) continue;
    left.set(row.handler, slots - 1);
    tasks.claim(row, group, now);
    row.shelf.ready.left(row.shelf.counts.queued);
  }
}

function goesBefore(a: Row, b: Row): boolean {
  return a.priority > b.priority || (a.priority === b.priority && a.sequence < b.sequence);
}

function claimOf(row: Row): Claim {
  return { task: recordOf(row), token: row.token ?? '', baseline: row.baseline, maxLost: row.maxLost };
}
