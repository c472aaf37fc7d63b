import { StorageError } from '../../errors.ts';
import { cloneJson, type JsonValue } from '../../task/json.ts';
import type { LogLine, TaskAttempt, TaskRecord } from '../../task/record.ts';
import { STATUSES, type Status } from '../../task/status.ts';
import { currentAttempt } from '../../task/transition.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type {
  Beat,
  BeatAnswer,
  Change,
  ChangeAnswer,
  ClaimAnswer,
  ClaimRequest,
  Edge,
  EdgeQuery,
  Hint,
  InsertAnswer,
  Lease,
  LogLimit,
  RetentionRule,
  SettleAnswer,
  Settlement,
  StorageCapabilities,
  StoredDocument,
  StoredPage,
  StoredQuery,
  TakenBack,
  TaskDraft,
  TaskStorage,
  WorkerInfo,
} from '../storage.ts';
import { change } from './change.ts';
import { claim } from './claim.ts';
import { type DocumentPage, DocumentTable } from './documents.ts';
import { type InsertOptions, insert } from './insert.ts';
import { count, list } from './list.ts';
import { prune } from './prune.ts';
import { recordOf } from './record-of.ts';
import { isHistory } from './row.ts';
import { beat, settle } from './settle.ts';
import { isDueEntry, Tasks } from './tasks.ts';
import { runningOf, takeBack } from './workers.ts';

/**
 * Keeps tasks in this process. They stay when it is closed, as in a file, for as long as the object does. Each method has
 * done its work when it returns, so that nothing comes in between; the promise is only for the contract.
 */
export class MemoryStorage implements TaskStorage {
  readonly capabilities: StorageCapabilities = { durable: false, shared: false, transactions: false };
  readonly #all = new Tasks();
  readonly #papers = new DocumentTable();
  #opened = 0;

  /** @param context `clock` stamps whatever is stored, until the last `close`; the first one that opens chooses it */
  async open(context: { readonly clock?: Clock | undefined } = {}): Promise<void> {
    if (this.#opened++ === 0) this.#all.clock = context.clock ?? systemClock;
  }

  async close(): Promise<void> {
    if (this.#opened > 0) this.#opened--;
  }

  async insert(drafts: readonly TaskDraft[], options?: InsertOptions): Promise<readonly InsertAnswer[]> {
    return insert(this.#tasks, this.#papers, drafts, options);
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return claim(this.#tasks, request);
  }

  async beat(report: Beat): Promise<BeatAnswer> {
    return beat(this.#tasks, report);
  }

  async cancelling(workerId: string): Promise<readonly { readonly lease: Lease; readonly reason: string | null }[]> {
    const worker = this.#tasks.workers.find(workerId);
    if (worker === undefined || worker.cancelling === 0) return [];
    return runningOf(worker)
      .filter((row) => row.status === 'cancelling')
      .map((row) => ({ lease: { taskId: row.id, token: row.token ?? '' }, reason: row.cancelReason }));
  }

  async settle(
    settlements: readonly Settlement[],
    options: { readonly logLimit: LogLimit; readonly records: boolean },
  ): Promise<readonly SettleAnswer[]> {
    return settle(this.#tasks, settlements, options);
  }

  async change(
    changes: readonly Change[],
    options?: { readonly followed?: boolean },
  ): Promise<readonly ChangeAnswer[]> {
    return change(this.#tasks, this.#documents, changes, options);
  }

  async get(
    ids: readonly string[],
    options: { readonly archived?: boolean } = {},
  ): Promise<readonly (TaskRecord | null)[]> {
    const { byId } = this.#tasks;
    return ids.map((id) => {
      const row = byId.get(id);
      return row === undefined || (row.archivedAt !== null && options.archived !== true) ? null : recordOf(row);
    });
  }

  async list(query: StoredQuery): Promise<StoredPage> {
    return list(this.#tasks, query);
  }

  async count(where: StoredQuery['where']): Promise<number> {
    return count(this.#tasks, where);
  }

  async edges(taskId: string, query: EdgeQuery): Promise<readonly Edge[] | null> {
    const row = this.#tasks.byId.get(taskId);
    return row === undefined ? null : this.#tasks.edges.list(row, query);
  }

  async counts(): Promise<readonly { readonly handler: string; readonly status: Status; readonly count: number }[]> {
    const shelves = [...this.#tasks.shelves.values()];
    return shelves.flatMap(({ handler, counts }) =>
      STATUSES.filter((status) => counts[status] > 0).map((status) => ({ handler, status, count: counts[status] })),
    );
  }

  async remove(ids: readonly string[]): Promise<number> {
    const tasks = this.#tasks;
    const before = tasks.byId.size;
    for (const id of ids) {
      const row = tasks.byId.get(id);
      if (row !== undefined) tasks.remove(row);
    }
    return before - tasks.byId.size;
  }

  async prune(
    limit: number,
    retention: { readonly rules: readonly RetentionRule[]; readonly count: number },
  ): Promise<number> {
    const tasks = this.#tasks;
    tasks.keys.expire(tasks.now());
    this.#papers.expire(tasks.now());
    return prune(tasks, limit, retention);
  }

  async oldestQueued(handlers: readonly string[]): Promise<number | null> {
    const tasks = this.#tasks;
    const times = handlers
      .map((name) => tasks.shelves.get(name))
      .map((shelf) => shelf?.ready.oldest(shelf.counts.queued) ?? null)
      .filter((time) => time !== null);
    return times.length === 0 ? null : Math.max(0, tasks.now() - Math.min(...times));
  }

  async nextDue(): Promise<number | null> {
    const { due, clock } = this.#tasks;
    for (let top = due.peek(); top !== undefined; top = due.peek()) {
      if (isDueEntry(top)) return Math.max(0, top.at - clock.now());
      due.pop();
    }
    return null;
  }

  async workers(): Promise<
    readonly { readonly id: string; readonly beats: number; readonly info: WorkerInfo | null }[]
  > {
    return this.#tasks.workers.list();
  }

  async takeBack(workerId: string, limit: number, expect?: { readonly beats: number }): Promise<TakenBack> {
    return takeBack(this.#tasks, workerId, limit, expect);
  }

  async attempts(taskId: string): Promise<readonly TaskAttempt[] | null> {
    const row = this.#tasks.byId.get(taskId);
    if (row === undefined) return null;
    const newest = currentAttempt(row);
    const history = row.more.history ?? [];
    return cloneJson(newest === null || isHistory(row, newest) ? history : [...history, newest]);
  }

  async log(
    taskId: string,
    page: { readonly after: number; readonly limit: number },
  ): Promise<readonly LogLine[] | null> {
    const row = this.#tasks.byId.get(taskId);
    return row === undefined ? null : (row.more.log?.page(page.after, page.limit) ?? []);
  }

  async document(kind: string, key: string): Promise<StoredDocument | null> {
    return this.#documents.get(kind, key, this.#all.now());
  }

  async putDocument(
    kind: string,
    key: string,
    value: JsonValue,
    options: { readonly ifVersion?: number; readonly dueAt?: number | null; readonly expiresAt?: number | null } = {},
  ): Promise<number | null> {
    const version = this.#documents.put(kind, key, value, options, this.#all.now());
    if (version !== null) this.#all.hints.control();
    return version;
  }

  async deleteDocument(kind: string, key: string): Promise<boolean> {
    const there = this.#documents.delete(kind, key, this.#all.now());
    if (there) this.#all.hints.control();
    return there;
  }

  async documents(kind: string, page: DocumentPage = {}): Promise<readonly StoredDocument[]> {
    return this.#documents.list(kind, page, this.#all.now());
  }

  async dueDocuments(kind: string, now: number, limit: number): Promise<readonly StoredDocument[]> {
    return this.#documents.due(kind, now, limit, this.#all.now());
  }

  watch(onHint: (hint: Hint) => void, options?: { readonly changes?: boolean }): () => void {
    return this.#all.hints.watch(onHint, options);
  }

  /** @throws {StorageError} while closed */
  get #tasks(): Tasks {
    this.#mustBeOpen();
    return this.#all;
  }

  /** @throws {StorageError} while closed */
  get #documents(): DocumentTable {
    this.#mustBeOpen();
    return this.#papers;
  }

  #mustBeOpen(): void {
    if (this.#opened === 0) throw new StorageError('The memory storage is closed.');
  }
}
