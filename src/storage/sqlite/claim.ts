import type { TaskRecord } from '../../task/record.ts';
import { applyClaim, DUE, EXPIRED, type Step, type StoredTask } from '../../task/transition.ts';
import type { Claim, ClaimAnswer, ClaimRequest, TaskDraft } from '../storage.ts';
import type { Row } from './database.ts';
import type { EarlyClaim } from './early-claim.ts';
import { follow } from './follow.ts';
import { baselineOf, COLUMNS, maxLostOf, priorityOf, recordOf, seqOf, toRecord, toStored } from './rows.ts';
import { showProgress } from './shares.ts';
import { decodeText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';
import { takeStep } from './write.ts';

/** How many tasks one claim queues, and how many it cancels, before it claims. */
const AT_ONCE = 1_000;

// `indexed by` and a literal status: the planner would take the index on `status` and sort all, and a partial index does
// not serve a parameter. `between`: for an `in` SQLite builds a table at every call.
const FROM_TOO_LATE =
  'from tasklane_task indexed by tasklane_task_start_by where start_by is not null and status < 3 and started = 0 ' +
  'and start_by <= ?';
const FROM_DUE =
  'from tasklane_task indexed by tasklane_task_due where status = 1 and run_at is not null and run_at <= ?';
const FROM_CLAIMED = 'from tasklane_task indexed by tasklane_task_status where status between 3 and 4 and token = ?';
const TOO_LATE = `select ${COLUMNS} ${FROM_TOO_LATE} order by start_by limit ${AT_ONCE}`;
const DUE_NOW = `select ${COLUMNS} ${FROM_DUE} order by run_at, seq limit ${AT_ONCE}`;
const CLAIMED_BEFORE = `select ${COLUMNS} ${FROM_CLAIMED}`;
/** Mostly nothing is: to ask once is cheaper than to look three times. */
const WHAT_IS_THERE = `select exists(select 1 ${FROM_TOO_LATE}), exists(select 1 ${FROM_DUE}), exists(select 1 ${FROM_CLAIMED})`;
const READY =
  'select seq, priority from tasklane_task indexed by tasklane_task_ready where status = 2 and handler = ? ' +
  'order by priority desc, seq limit ? + 0';
const IS_READY = 'select 1 from tasklane_task indexed by tasklane_task_ready where status = 2 and handler = ? limit 1';
/** The same with the whole rows, for a claim of one handler only: what is found is taken. */
const READY_ROWS =
  `select ${COLUMNS} from tasklane_task indexed by tasklane_task_ready where status = 2 and handler = ? ` +
  'order by priority desc, seq limit ? + 0';
const READY_IN_TIME =
  'select seq, priority from tasklane_task indexed by tasklane_task_ready where status = 2 and handler = ? ' +
  'and (start_by is null or start_by > ? or started = 1) order by priority desc, seq limit ? + 0';
const NAMED =
  'select seq, priority, handler from tasklane_task where id = ? and status = 2 ' +
  'and (start_by is null or start_by > ? or started = 1)';
const BY_SEQ = `select ${COLUMNS} from tasklane_task where seq = ?`;
const TAKE =
  'update tasklane_task set status = 3, attempt = ?, version = ?, updated_at = ?, started_at = null, worker_id = ?, ' +
  'token = ? where seq = ?';
const TAKE_STRETCH =
  'update tasklane_task set status = 3, attempt = attempt + 1, version = version + 1, updated_at = ?, ' +
  'started_at = null, worker_id = ?, token = ? where seq between ? and ?';

/** A task that can be claimed. */
interface Candidate {
  readonly seq: number;
  readonly priority: number;
  /** Where it was read already. */
  readonly row?: Row;
}

/** What a claim does before it claims. */
export interface Begun extends Omit<ClaimAnswer, 'claims'> {
  /** What an earlier try of the same claim took. */
  readonly before: readonly Claim[];
}

/** Gives runnable tasks to one caller; see `TasksRun.claim`. */
export function claimTasks(transaction: Transaction, request: ClaimRequest): ClaimAnswer {
  const { early } = transaction;
  const { before, ...due } = early?.begun ?? begin(transaction, request);
  if (before.length > 0) return { claims: before, ...due };
  const claims = early === null ? [] : [...early.claims].sort((one, other) => other.task.priority - one.task.priority);
  if (early?.isDone !== true) {
    const rest = claims.length === 0 ? request : (early?.rest ?? request);
    claims.push(...take(transaction, rest, due.expired.length === AT_ONCE));
  }
  return { claims, ...due };
}

/**
 * Begins the claim that follows an insert, as long as nothing is ahead of the drafts.
 * @returns the claim, which has chosen of them; null: they are to be stored as they are
 */
export function beginEarly(transaction: Transaction, drafts: readonly TaskDraft[]): EarlyClaim | null {
  const { early, database, now } = transaction;
  if (early === null || early.request.ids !== undefined || drafts.some((draft) => isSpecial(draft, now))) return null;
  const { handlers } = early.request;
  early.begun = begin(transaction, early.request);
  if (early.begun.before.length > 0) return null;
  if (handlers.some(({ name }) => database.get(IS_READY, encodeText(name)) !== undefined)) return null;
  early.choose(drafts);
  return early;
}

/** What it is depends on more than this insert: it may be due or too late already, or one of the others on its start. */
function isSpecial({ record: { startBy, runAt, uniqueKey }, dependsOn }: TaskDraft, now: number): boolean {
  return startBy !== null || uniqueKey !== null || dependsOn !== undefined || (runAt !== null && runAt <= now);
}

function begin(transaction: Transaction, { token }: ClaimRequest): Begun {
  const { database, now } = transaction;
  const [late, due, claimed] = database.get(WHAT_IS_THERE, now, now, token) ?? [];
  const expired = late === 1 ? stepEach(transaction, database.all(TOO_LATE, now), EXPIRED) : [];
  const queued = due === 1 ? stepEach(transaction, database.all(DUE_NOW, now), DUE) : [];
  const followed = follow(transaction);
  const rows = claimed === 1 ? database.all(CLAIMED_BEFORE, token) : [];
  const before = rows.map((row) => ({ row, seq: seqOf(row), priority: priorityOf(row) })).sort(byPriority);
  const progressed = showProgress(transaction);
  return {
    expired,
    queued,
    followed,
    ...progressed,
    before: before.map(({ row }) => claimOf(row, toRecord(row), token)),
  };
}

function stepEach(transaction: Transaction, rows: readonly Row[], step: Step): readonly TaskRecord[] {
  return rows.map((row) => recordOf(takeStep(transaction, toStored(row), step).task));
}

function take(transaction: Transaction, request: ClaimRequest, expiredLeft: boolean): readonly Claim[] {
  if (request.limit <= 0) return [];
  const candidates = request.ids === undefined ? next(transaction, request, expiredLeft) : named(transaction, request);
  const stretch = takeStretch(transaction, candidates, request);
  return candidates.map((each) => takeOne(transaction, each, request, !stretch)).filter((claim) => claim !== null);
}

/** Of every handler with free slots the next tasks, merged. */
function next(
  { database, now }: Transaction,
  { handlers, limit }: ClaimRequest,
  expiredLeft: boolean,
): readonly Candidate[] {
  const found: Candidate[] = [];
  let served = 0;
  const [only] = handlers;
  if (only !== undefined && handlers.length === 1 && !expiredLeft) {
    const rows = database.all(READY_ROWS, encodeText(only.name), Math.max(0, Math.min(only.limit, limit)));
    return rows.map((row) => ({ seq: seqOf(row), priority: priorityOf(row), row }));
  }
  for (const handler of handlers) {
    const most = Math.min(handler.limit, limit);
    if (most <= 0) continue;
    // More have expired than were cancelled above: they are left for the next claim.
    const rows = expiredLeft
      ? database.all(READY_IN_TIME, encodeText(handler.name), now, most)
      : database.all(READY, encodeText(handler.name), most);
    if (rows.length > 0) served++;
    for (const row of rows) found.push({ seq: row[0] as number, priority: row[1] as number });
  }
  return served > 1 ? found.sort(byPriority).slice(0, limit) : found;
}

/** Of the named tasks those that can run. */
function named({ database, now }: Transaction, { handlers, ids = [], limit }: ClaimRequest): readonly Candidate[] {
  const left = new Map(handlers.map((handler) => [handler.name, handler.limit]));
  const found: (Candidate & { readonly handler: string })[] = [];
  for (const id of new Set(ids)) {
    const row = database.get(NAMED, id, now);
    if (row === undefined) continue;
    found.push({ seq: row[0] as number, priority: row[1] as number, handler: decodeText(row[2] as string) });
  }
  const fitting = found.sort(byPriority).filter(({ handler }) => {
    const slots = left.get(handler) ?? 0;
    left.set(handler, slots - 1);
    return slots > 0;
  });
  return fitting.slice(0, limit);
}

/** Takes tasks that were submitted one after the other by one statement. @returns false: they were not */
function takeStretch(
  { database, now }: Transaction,
  candidates: readonly Candidate[],
  { workerId, token }: ClaimRequest,
): boolean {
  const first = candidates[0]?.seq ?? 0;
  if (candidates.length < 2 || candidates.some(({ seq, row }, at) => row === undefined || seq !== first + at))
    return false;
  database.run(TAKE_STRETCH, now, workerId, token, first, first + candidates.length - 1);
  return true;
}

/** @param store it is not taken yet */
function takeOne(
  transaction: Transaction,
  { seq, row: read }: Candidate,
  { workerId, token }: ClaimRequest,
  store: boolean,
): Claim | null {
  const { database, counts, happened, now } = transaction;
  const row = read ?? database.get(BY_SEQ, seq);
  if (row === undefined) return null;
  const found = toRecord(row);
  // It looks at what a record shows, and nothing else.
  const patch = applyClaim(found as StoredTask, token, workerId, now);
  const { attempt = 0, version = 0 } = patch;
  if (store) database.run(TAKE, attempt, version, now, workerId, token, seq);
  counts.add(found.handler, 'queued', false, -1);
  counts.add(found.handler, 'running', false, 1);
  happened.changed(found.id);
  const task: TaskRecord = Object.assign(found, { status: 'running' as const, attempt, version });
  return claimOf(row, Object.assign(task, { updatedAt: now, startedAt: null, workerId }), token);
}

function claimOf(row: Row, task: TaskRecord, token: string): Claim {
  return { task, token, baseline: baselineOf(row), maxLost: maxLostOf(row) };
}

function byPriority(one: Candidate, other: Candidate): number {
  return other.priority - one.priority || one.seq - other.seq;
}
