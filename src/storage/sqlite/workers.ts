import { lose } from '../../task/transition.ts';
import type { Beat, BeatAnswer, Lease, Report, ReportAnswer, TakenBack, WorkerInfo } from '../storage.ts';
import type { Database } from './database.ts';
import { follow } from './follow.ts';
import { endLeak, isHeld, said } from './report.ts';
import { COLUMNS, type More, recordOf, statusOf, toStored } from './rows.ts';
import { showProgress } from './shares.ts';
import type { Transaction } from './transaction.ts';
import { readStored, takeStep, writePatch } from './write.ts';

/** A worker, as the contract answers it. */
export interface ListedWorker {
  readonly id: string;
  readonly beats: number;
  readonly info: WorkerInfo | null;
}

// Few tasks run at any moment, so the index on `status` finds a worker's.
const RUNNING_OF =
  `select ${COLUMNS} from tasklane_task indexed by tasklane_task_status where status in (3, 4) and worker_id = ? ` +
  'and token is not null order by seq limit ? + 0';
const CANCELLING_OF =
  'select id, token, more from tasklane_task indexed by tasklane_task_status where status = 4 and worker_id = ? ' +
  'and token is not null order by seq';
const LEAKED_BY = `select ${COLUMNS} from tasklane_task indexed by tasklane_task_leaked where leaked_by = ? order by seq`;

const GONE =
  'select distinct worker_id from tasklane_task indexed by tasklane_task_status where status in (3, 4) ' +
  'and token is not null and worker_id not in (select id from tasklane_worker) order by worker_id';

/** Keeps a worker's leases and stores what its attempts report; see `TasksRun.beat`. */
export function beat(transaction: Transaction, beat: Beat): BeatAnswer {
  const known = keep(transaction, beat);
  const reports = beat.reports.map((report) => store(transaction, beat, report, known));
  const progressed = showProgress(transaction, beat.records);
  return beat.records ? { known, reports, ...progressed } : { known, reports };
}

function keep({ database }: Transaction, { workerId, join }: Beat): boolean {
  if (join === undefined) {
    return database.run('update tasklane_worker set beats = beats + 1 where id = ?', workerId) > 0;
  }
  const sql =
    'insert into tasklane_worker(id, beats, info) values(?, 1, ?) ' +
    'on conflict(id) do update set beats = beats + 1, info = excluded.info';
  database.run(sql, workerId, JSON.stringify(join));
  return true;
}

function store(
  transaction: Transaction,
  { workerId, logLimit, records }: Beat,
  report: Report,
  known: boolean,
): ReportAnswer {
  if (!records && isBare(report)) return ask(transaction, report, known);
  let stored = readStored(transaction, report.lease.taskId, records);
  if (stored === null) return { held: false, status: null };
  if (report.leakEnded === true && stored.task.leakedBy === workerId) stored = endLeak(transaction, stored);
  const { status } = stored.task;
  if (!known || stored.task.token !== report.lease.token || !isHeld(status)) return { held: false, status };
  const patch = said(transaction, stored, report, logLimit);
  if (patch !== null) {
    const version = stored.task.version + 1;
    stored = writePatch(transaction, stored, { ...patch, version, updatedAt: transaction.now });
  }
  const { cancelReason } = stored.task;
  return { held: true, status, cancelReason, record: records ? recordOf(stored.task) : null };
}

/** Whether it only asks for the lease. */
function isBare({ startedAt, progress, checkpoint, log, leakEnded }: Report): boolean {
  const said = [startedAt, progress, checkpoint, log, leakEnded];
  return said.every((each) => each === undefined);
}

/** The same as {@link store} for a report that says nothing. */
function ask({ database }: Transaction, { lease }: Report, known: boolean): ReportAnswer {
  const row = database.get('select status, token, more from tasklane_task where id = ?', lease.taskId);
  if (row === undefined) return { held: false, status: null };
  const status = statusOf(row[0] as number);
  if (!known || row[1] !== lease.token || !isHeld(status)) return { held: false, status };
  const more = row[2] === null ? null : (JSON.parse(row[2] as string) as More);
  return { held: true, status, cancelReason: more?.cancelReason ?? null, record: null };
}

/** A worker's tasks that are to be cancelled. */
export function readCancelling(
  database: Database,
  workerId: string,
): readonly { readonly lease: Lease; readonly reason: string | null }[] {
  return database.all(CANCELLING_OF, workerId).map(([taskId, token, more]) => ({
    lease: { taskId: taskId as string, token: token as string },
    reason: more === null ? null : ((JSON.parse(more as string) as More).cancelReason ?? null),
  }));
}

/** Everyone who works here, and whoever is gone but still holds tasks. */
export function readWorkers(database: Database): readonly ListedWorker[] {
  const known = database.all('select id, beats, info from tasklane_worker order by id').map(([id, beats, info]) => ({
    id: id as string,
    beats: beats as number,
    info: JSON.parse(info as string) as WorkerInfo,
  }));
  const gone = database.all(GONE).map(([id]) => ({ id: id as string, beats: 0, info: null }));
  return [...known, ...gone];
}

/** Declares a worker dead; see `Workers.takeBack`. */
export function takeBack(
  transaction: Transaction,
  workerId: string,
  limit: number,
  expect: { readonly beats: number } | undefined,
): TakenBack {
  const { database } = transaction;
  const row = database.get('select beats from tasklane_worker where id = ?', workerId);
  if (row !== undefined) {
    if (expect !== undefined && row[0] !== expect.beats) return { taken: [], followed: [] };
    database.run('delete from tasklane_worker where id = ?', workerId);
  }
  for (const leaked of database.all(LEAKED_BY, workerId)) endLeak(transaction, toStored(leaked));
  const taken = database.all(RUNNING_OF, workerId, Math.max(0, limit)).map((running) => {
    const stored = toStored(running);
    return recordOf(takeStep(transaction, stored, lose(stored.task)).task);
  });
  return { taken, followed: follow(transaction), ...showProgress(transaction) };
}
