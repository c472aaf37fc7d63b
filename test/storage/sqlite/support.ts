import { type ChildProcess, fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SqliteStorage } from '../../../src/storage/sqlite/index.ts';
import type { TaskDraft } from '../../../src/storage/storage.ts';
import type { TaskRecord } from '../../../src/task/record.ts';
import type { Order } from './child.ts';

/** More than any test here writes. */
export const LOG_LIMIT = { lines: 1_000, bytes: 65_536 };

/** A queued task of the handler `work`. */
export function draftOf(id: string, fields: Partial<TaskRecord> = {}): TaskDraft {
  const now = Date.now();
  const record: TaskRecord = {
    id,
    handler: 'work',
    description: null,
    status: 'queued',
    input: { folder: 'docs' },
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
    ...fields,
  };
  const idempotency = record.idempotencyKey === null ? undefined : { fingerprint: 'same', expiresAt: now + 3_600_000 };
  return { record, maxLost: 3, idempotency };
}

/** Makes a worker known. */
export async function joinAs(storage: SqliteStorage, workerId: string): Promise<void> {
  const info = {
    host: 'host',
    boot: null,
    namespace: null,
    pid: process.pid,
    handlers: ['work'],
    engineKey: null,
    leaseMs: 30_000,
    startedAt: 0,
  };
  await storage.beat({ workerId, join: info, reports: [], logLimit: LOG_LIMIT, records: false });
}

/** Runs with the path of a file in a folder of its own, which goes with everything in it. */
export async function withFile(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tasklane-'));
  try {
    await work(join(folder, 'tasks.db'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a child answered: what it was asked for, or the error it met. */
export interface Answer {
  readonly answer?: unknown;
  readonly error?: { readonly code?: string; readonly name?: string; readonly message?: string };
}

/** Another process that opens the same file when it gets its order. */
export class Child {
  readonly process: ChildProcess;
  readonly #ready: Promise<unknown>;

  /** @param uid the user it runs as */
  constructor(path: string, uid?: number) {
    this.process = fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [path], {
      execArgv: ['--conditions=tasklane-source', '--disable-warning=ExperimentalWarning'],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    this.#ready = this.#message();
  }

  /** Resolves when it waits for its order. */
  async ready(): Promise<void> {
    await this.#ready;
  }

  /** Has it do something. */
  async ask(order: Order): Promise<Answer> {
    await this.#ready;
    const answer = this.#message();
    this.process.send(order);
    return (await answer) as Answer;
  }

  /** Ends it as nothing can prevent. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }

  #message(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.process.once('message', resolve);
      this.process.once('exit', (code, signal) => reject(new Error(`the child ended: ${code ?? signal}`)));
    });
  }
}
