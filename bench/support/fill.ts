import type { TaskDraft, TaskRecord, TaskStorage } from 'tasklane';
import { SqliteStorage } from 'tasklane/sqlite';

const BATCH = 1_000;

/** Fields of a record that are not as those of a plain queued no-op. */
export type Fields = Partial<TaskRecord>;

/** Stores `count` tasks by the storage's contract, as fast as it goes. @param fields of the task at a place */
export async function fill(storage: TaskStorage, count: number, fields?: (n: number) => Fields): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const length = Math.min(BATCH, count - from);
    await storage.insert(Array.from({ length }, (_, n) => draft(from + n, fields?.(from + n))));
  }
}

/** A file with that many queued no-ops. */
export async function fillFile(path: string, count: number, fields?: (n: number) => Fields): Promise<void> {
  const storage = new SqliteStorage(path);
  await storage.open();
  await fill(storage, count, fields);
  await storage.close();
}

/** The id of the task at a place, in submit order. */
export function idAt(n: number): string {
  return `task_${String(n).padStart(27, '0')}`;
}

function draft(n: number, fields?: Fields): TaskDraft {
  const now = Date.now();
  const record: TaskRecord = {
    id: idAt(n),
    handler: 'noop',
    description: null,
    status: 'queued',
    input: { n },
    result: null,
    error: null,
    progress: null,
    checkpoint: null,
    priority: 0,
    attempt: 0,
    maxAttempts: 1,
    lost: 0,
    interrupted: 0,
    snoozed: 0,
    submittedBy: null,
    entityId: null,
    parentId: null,
    scheduleId: null,
    tick: null,
    tags: {},
    metadata: null,
    idempotencyKey: null,
    uniqueKey: null,
    runAt: null,
    startBy: null,
    createdAt: now,
    queuedAt: now,
    startedAt: null,
    finishedAt: null,
    updatedAt: now,
    archivedAt: null,
    workerId: null,
    cancelRequestedAt: null,
    cancelReason: null,
    version: 1,
  };
  return { record: fields === undefined ? record : { ...record, ...fields }, maxLost: 3 };
}
