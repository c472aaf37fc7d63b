import { concernsEdges } from '../../flow/rules.ts';
import { cloneJson } from '../../task/json.ts';
import type { TaskAttempt, TaskRecord } from '../../task/record.ts';
import type { Status } from '../../task/status.ts';
import {
  ATTEMPTS_KEPT,
  applyStep,
  endedAttempt,
  type Step,
  type StoredPatch,
  type StoredTask,
} from '../../task/transition.ts';
import type { Bindable } from './database.ts';
import {
  AWAITED,
  COLUMNS,
  COUNTED,
  DEPENDS,
  encodeMore,
  encodeTags,
  LIGHT_COLUMNS,
  MORE_KEYS,
  SHOWS,
  type Stored,
  statusCode,
  toStored,
} from './rows.ts';
import { encodeJson, encodeNullableText, encodeText } from './text.ts';
import type { Transaction } from './transaction.ts';

/** How each field of a patch is stored; those of the column `more` are missing. */
const WRITERS: { readonly [K in keyof StoredTask]?: readonly [column: string, encode: (value: never) => Bindable] } = {
  status: ['status', statusCode],
  priority: ['priority', same],
  version: ['version', same],
  attempt: ['attempt', same],
  queuedAt: ['queued_at', same],
  updatedAt: ['updated_at', same],
  startedAt: ['started_at', same],
  finishedAt: ['finished_at', same],
  runAt: ['run_at', same],
  startBy: ['start_by', same],
  archivedAt: ['archived_at', same],
  workerId: ['worker_id', same],
  token: ['token', same],
  leakedBy: ['leaked_by', same],
  entityId: ['entity_id', encodeNullableText],
  description: ['description', encodeNullableText],
  tags: ['tags', encodeTags],
  input: ['input', encodeJson],
  progress: ['progress', encodeJson],
  checkpoint: ['checkpoint', encodeJson],
  error: ['error', encodeJson],
  result: ['result', encodeJson],
};
const BY_ID = `select ${COLUMNS} from tasklane_task where id = ?`;
const BY_ID_LIGHT = `select ${LIGHT_COLUMNS} from tasklane_task where id = ?`;
const BY_SEQ = `select ${COLUMNS} from tasklane_task where seq = ?`;
const BY_SEQ_LIGHT = `select ${LIGHT_COLUMNS} from tasklane_task where seq = ?`;
const IN_MORE: ReadonlySet<string> = new Set(MORE_KEYS);
const JSON_FIELDS = ['tags', 'input', 'progress', 'checkpoint', 'error', 'result', 'metadata'] as const;

/**
 * Stores what changes of a task, only those columns, and counts and tells it.
 * @returns the task as it is now
 */
export function writePatch(transaction: Transaction, stored: Stored, patch: StoredPatch): Stored {
  const { database, counts, happened } = transaction;
  const { seq, task } = stored;
  const next: StoredTask = { ...task, ...patch };
  for (const field of JSON_FIELDS) {
    // The caller's objects stay the caller's: what is answered is a copy.
    if (field in patch) Object.assign(next, { [field]: cloneJson(next[field]) });
  }
  let columns = '';
  let more = false;
  const values: Bindable[] = [];
  for (const key of Object.keys(patch) as (keyof StoredTask)[]) {
    const writer = WRITERS[key];
    if (writer !== undefined) {
      columns += `${columns === '' ? '' : ', '}${writer[0]} = ?`;
      values.push(writer[1](next[key] as never));
    } else if (IN_MORE.has(key)) more = true;
  }
  if (more) {
    columns += `${columns === '' ? '' : ', '}more = ?`;
    values.push(encodeMore(next));
  }
  const started = stored.started || (patch.startedAt !== undefined && patch.startedAt !== null);
  if (started && !stored.started) columns += ', started = 1';
  if (columns === '') return stored;
  database.run(`update tasklane_task set ${columns} where seq = ?`, ...values, seq);
  if (patch.tags !== undefined) {
    dropTags(transaction, seq, task.tags);
    writeTags(transaction, seq, next.tags);
  }
  if (task.status !== next.status || (task.archivedAt === null) !== (next.archivedAt === null)) {
    counts.add(task.handler, task.status, task.archivedAt !== null, -1);
    counts.add(next.handler, next.status, next.archivedAt !== null, 1);
  }
  const moved = patch.status !== undefined;
  if (next.status === 'queued' && (moved || patch.priority !== undefined)) happened.queued(next.priority);
  if (next.status === 'scheduled' && next.runAt !== null && (moved || patch.runAt !== undefined)) {
    happened.scheduled(next.runAt);
  }
  if (patch.status === 'cancelling') happened.cancelling();
  if (patch.version !== undefined) happened.changed(next.id);
  const written: Stored = { seq, started, edges: stored.edges, task: next };
  if (stored.edges !== 0) noteEdges(transaction, written, task.status, patch);
  return written;
}

/** A task with edges changed: what follows from it is done later. */
function noteEdges(transaction: Transaction, stored: Stored, from: Status, { status, progress }: StoredPatch): void {
  const { seq, edges, task } = stored;
  if ((edges & (AWAITED | DEPENDS)) !== 0 && concernsEdges(from, task.status)) transaction.moved.push({ stored, from });
  if ((edges & COUNTED) !== 0 && (status !== undefined || progress !== undefined)) transaction.touched.add(seq);
  if ((edges & SHOWS) !== 0 && progress === null) {
    showOwn(transaction, seq, false);
    transaction.grown.add(seq);
  }
}

/**
 * Does one transition, together with what the attempt had to say.
 * @returns the task as it is now
 */
export function takeStep(transaction: Transaction, stored: Stored, step: Step, said: StoredPatch = {}): Stored {
  const { now } = transaction;
  const task: StoredTask = { ...stored.task, ...said };
  writeAttempt(transaction, stored.seq, endedAttempt(task, step, now));
  const patch: StoredPatch = { ...said, ...applyStep(task, step, now) };
  if (patch.version === undefined && Object.keys(said).length > 0) {
    patch.version = task.version + 1;
    patch.updatedAt = now;
  }
  return writePatch(transaction, stored, patch);
}

/** A handler reports its own progress from now on, or its task begins anew. */
export function showOwn({ database }: Transaction, seq: number, own: boolean): void {
  database.run('update tasklane_shown set own = ? where parent = ?', own ? 1 : 0, seq);
}

/** Stores the tags of a task where lists look for them. */
export function writeTags({ database }: Transaction, seq: number, tags: TaskRecord['tags']): void {
  for (const [key, value] of Object.entries(tags)) {
    database.run(
      'insert into tasklane_tag(key, value, task) values(?, ?, ?)',
      encodeText(key),
      encodeText(String(value)),
      seq,
    );
  }
}

/** Takes the tags of a task out of where lists look for them. */
export function dropTags({ database }: Transaction, seq: number, tags: TaskRecord['tags']): void {
  for (const [key, value] of Object.entries(tags)) {
    database.run(
      'delete from tasklane_tag where key = ? and value = ? and task = ?',
      encodeText(key),
      encodeText(String(value)),
      seq,
    );
  }
}

/** Keeps an attempt that the record will no longer show. One that is kept already ended before its task did, and stays. */
function writeAttempt({ database }: Transaction, seq: number, ended: TaskAttempt | null): void {
  if (ended === null) return;
  database.run(
    'insert or ignore into tasklane_attempt(task, attempt, worker_id, started_at, finished_at, outcome, error) ' +
      'values(?, ?, ?, ?, ?, ?, ?)',
    seq,
    ended.attempt,
    ended.workerId,
    ended.startedAt,
    ended.finishedAt,
    ended.outcome,
    encodeJson(ended.error),
  );
  if (ended.attempt <= ATTEMPTS_KEPT) return;
  database.run('delete from tasklane_attempt where task = ? and attempt <= ?', seq, ended.attempt - ATTEMPTS_KEPT);
}

/** Reads one task by its id. */
export function readStored({ database }: Transaction, id: string, payloads: boolean): Stored | null {
  const row = database.get(payloads ? BY_ID : BY_ID_LIGHT, id);
  return row === undefined ? null : toStored(row);
}

/** Reads one task by its place. */
export function readStoredAt({ database }: Transaction, seq: number, payloads: boolean): Stored | null {
  const row = database.get(payloads ? BY_SEQ : BY_SEQ_LIGHT, seq);
  return row === undefined ? null : toStored(row);
}

function same(value: Bindable): Bindable {
  return value;
}
